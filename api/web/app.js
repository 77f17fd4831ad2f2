/** Puts the page together; every part is handed what it needs, none reaches for another. */

import { indexInfo, isReady, Problem } from "./api.js";
import { Clip, startClipEntry } from "./clip.js";
import { buttonById, byId, inputById } from "./dom.js";
import { Embedders } from "./embedders.js";
import { FilterForm } from "./filterform.js";
import { counted, titleOf } from "./format.js";
import { drawIndexPanel, startIndexPanel } from "./indexpanel.js";
import { Notices } from "./notices.js";
import { Player } from "./player.js";
import { PlayerBar } from "./playerbar.js";
import { Router } from "./router.js";
import { startSearch } from "./search.js";
import { Session } from "./session.js";
import { startSessionPanel } from "./sessionpanel.js";
import { View } from "./view.js";

const WAIT_MILLISECONDS = 3000;

/**
 * Say what is indexed, and by whom; an API without an index says so in the view.
 *
 * @param {Embedders} embedders
 */
async function drawIndexInfo(embedders) {
  try {
    const info = await indexInfo();
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

function start() {
  const player = new Player(/** @type {HTMLAudioElement} */ (byId("audio")));
  const deck = { player, session: new Session(sessionStorage) };
  const notices = new Notices();
  const embedders = new Embedders((space) => router.set({ space }));
  const filters = new FilterForm((chosen) => {
    router.go({ ...router.route, filters: chosen }, { typed: true });
  });
  const view = new View(deck, notices, embedders, filters, () => {
    router.forgetSpace();
    drawIndexInfo(embedders);
  });
  const setWords = startSearch((words) => router.search(words));
  const router = new Router((route, how) => {
    setWords(route.name === "browse" ? route.value : "");
    view.show(route, how);
  });
  new PlayerBar(player);
  reportPlayback(player, notices);
  const goTo = (/** @type {'clip' | 'session'} */ name) =>
    router.go({ ...router.route, name, value: "" });
  startSessionPanel(deck, () => goTo("session"), (message) => notices.say(message));
  startClipEntry((file, others) => {
    view.takeClip(new Clip(file));
    goTo("clip");
    if (others) notices.say(`${counted(others, "other file")} left aside: one clip at a time`);
  });
  inputById("cap").addEventListener("change", () => router.set({ cap: inputById("cap").checked }));
  const checkAgain = () => {
    drawIndexInfo(embedders);
    view.show(router.route, { typed: false });
  };
  buttonById("check-again").addEventListener("click", checkAgain);
  startWaiting(checkAgain);
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("view-title").focus();
  });
  startIndexPanel();
  drawIndexInfo(embedders);
  router.start();
}

/**
 * While there is no index, look every few seconds whether one has been published.
 *
 * @param {() => void} fill
 */
function startWaiting(fill) {
  const look = async () => {
    if (!byId("unindexed").hidden && (await isReady())) fill();
    setTimeout(look, WAIT_MILLISECONDS);
  };
  setTimeout(look, WAIT_MILLISECONDS);
}

start();
