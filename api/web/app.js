/** Puts the page together; every part is handed what it needs, none reaches for another. */

import { indexInfo, isReady, Problem } from "./api.js";
import { Clip, startClipEntry } from "./clip.js";
import { buttonById, byId, inputById } from "./dom.js";
import { Embedders } from "./embedders.js";
import { FilterForm } from "./filterform.js";
import { counted, titleOf } from "./format.js";
import { drawIndexPanel, startIndexPanel } from "./indexpanel.js";
import { Listener } from "./listener.js";
import { Listing } from "./listing.js";
import { MapView } from "./mapview.js";
import { MoodForm } from "./moodform.js";
import { Notices } from "./notices.js";
import { Outbox } from "./outbox.js";
import { PathForm } from "./pathform.js";
import { Player } from "./player.js";
import { PlayerBar } from "./playerbar.js";
import { Plays } from "./plays.js";
import { addressOf, Router } from "./router.js";
import { startSearch } from "./search.js";
import { View } from "./view.js";
import { YouPanel } from "./youpanel.js";

/** @import {Deck} from './parts.js' */
/** @import {Route, ViewName} from './router.js' */
/** @import {Track} from './types.js' */
/** @import {Forms} from './view.js' */

const WAIT_MILLISECONDS = 3000;

/**
 * Say what is indexed, and by whom; an API without an index says so in the view.
 *
 * @param {Embedders} embedders
 * @param {Player} player
 */
async function drawIndexInfo(embedders, player) {
  try {
    const info = await indexInfo();
    player.hasCatalog = info.audio ?? true;
    embedders.offer(info.spaces);
    drawIndexPanel(info);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    drawIndexPanel(null);
    embedders.offer([]);
  }
}

/**
 * @param {Player} player
 * @param {Notices} notices
 */
function reportPlayback(player, notices) {
  player.addEventListener("fail", () => {
    if (!player.current) return;
    const detail = "The file may be gone, or be in a format that this browser cannot play.";
    notices.warn(`“${titleOf(player.current)}” does not play`, detail);
  });
}

/**
 * Have the server told what the listener does, and lists follow it.
 *
 * @param {Deck} deck
 * @param {Notices} notices
 * @param {() => void} onTold
 */
function startListening({ listener, player }, notices, onTold) {
  // before the outbox, which tells what is left when the page goes
  new Plays(player, (...play) => listener.heard(...play));
  const outbox = new Outbox(listener, ({ detail }) => {
    notices.warn("The server does not take what you did", detail);
  });
  listener.addEventListener("told", onTold);
  return outbox;
}

/**
 * Everything that asks for another list, or the same one otherwise.
 *
 * @param {Router} router
 * @param {Deck} deck
 * @param {(tracks: Track[], title: string) => void} onList
 * @returns {Forms}
 */
function startForms(router, { player }, onList) {
  inputById("cap").addEventListener("change", () => router.set({ cap: inputById("cap").checked }));
  const onPlay = (/** @type {Track} */ track) => {
    if (player.canPlay(track)) player.toggle(track);
    else location.hash = addressOf({ name: "similar", value: track.id });
  };
  return {
    embedders: new Embedders((space) => router.set({ space })),
    filters: new FilterForm((filters) => router.go({ ...router.route, filters }, { typed: true })),
    mood: new MoodForm((own) => router.set({ own })),
    path: new PathForm((own) => router.go({ ...router.route, own }, { typed: true })),
    map: new MapView({ onPlay, onList }),
  };
}

/** The link to the list: what is after # in its address is no view. */
function startSkipping() {
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("view-title").focus();
  });
}

/** @param {ViewName} current */
function drawTabs(current) {
  for (const tab of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("[data-tab]"))) {
    const name = /** @type {ViewName} */ (tab.dataset.tab);
    tab.href = addressOf({ name });
    if (name === current) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

function start() {
  const player = new Player(/** @type {HTMLAudioElement} */ (byId("audio")));
  const deck = { player, listener: new Listener(() => localStorage) };
  const notices = new Notices();
  const router = new Router((route, how) => {
    setWords(route.name === "browse" ? route.value : "");
    drawTabs(route.name);
    view.show(route, how);
  });
  const forms = startForms(router, deck, (tracks, title) => view.showChosen(tracks, title));
  const view = new View(new Listing(deck, notices), notices, forms, () => {
    router.forgetSpace();
    drawIndexInfo(forms.embedders, player);
  });
  const outbox = startListening(deck, notices, () => {
    if (router.route.name === "you") view.refresh();
  });
  const setWords = startSearch((words) => router.search(words));
  new PlayerBar(deck);
  new YouPanel(deck, outbox, notices);
  reportPlayback(player, notices);
  startClips(view, router, notices);
  startFilling(() => {
    drawIndexInfo(forms.embedders, player);
    view.show(router.route, { typed: false });
  });
  startSkipping();
  startIndexPanel();
  drawIndexInfo(forms.embedders, player);
  router.start();
}

/**
 * @param {View} view
 * @param {Router} router
 * @param {Notices} notices
 */
function startClips(view, router, notices) {
  startClipEntry((file, others) => {
    view.takeClip(new Clip(file));
    router.go(/** @type {Route} */ ({ ...router.route, name: "clip", value: "", own: {} }));
    if (others) notices.say(`${counted(others, "other file")} left aside: one clip at a time`);
  });
}

/**
 * While there is no index, look every few seconds whether one has been published, or when asked.
 *
 * @param {() => void} fill
 */
function startFilling(fill) {
  buttonById("check-again").addEventListener("click", fill);
  const look = async () => {
    if (!byId("unindexed").hidden && (await isReady())) fill();
    setTimeout(look, WAIT_MILLISECONDS);
  };
  setTimeout(look, WAIT_MILLISECONDS);
}

start();
