/** Puts the page together; every part is handed what it needs, none reaches for another. */

import { indexInfo, isReady } from "./api.js";
import { Clip, startClipEntry } from "./clip.js";
import { buttonById, byId, inputById } from "./dom.js";
import { Embedders } from "./embedders.js";
import { counted, titleOf } from "./format.js";
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
    const { n_tracks, embedder, spaces, created_at } = await indexInfo();
    const day = new Date(created_at).toLocaleDateString(undefined, { dateStyle: "medium" });
    const ears = spaces.length > 1 ? counted(spaces.length, "embedder") : embedder;
    byId("index-info").textContent = `${counted(n_tracks, "track")} · heard by ${ears} · ${day}`;
    embedders.offer(spaces);
  } catch {
    byId("index-info").textContent = "";
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
  const view = new View(deck, notices, embedders, () => {
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
