/** The panel beside the results: what the session holds, and what can be done with it. */

import { buttonById, byId, el, foreign, icon } from "./dom.js";
import { artistOf, nameOf, titleOf } from "./format.js";
import { disc } from "./tracklist.js";

/** @import {Deck} from './tracklist.js' */
/** @import {Opinion} from './session.js' */
/** @import {Track} from './types.js' */

/**
 * @param {Deck} deck
 * @param {() => void} onRecommend
 * @param {(message: string) => void} announce
 */
export function startSessionPanel(deck, onRecommend, announce) {
  const { session } = deck;
  buttonById("session-recommend").addEventListener("click", onRecommend);
  buttonById("session-clear").addEventListener("click", () => {
    session.clear();
    byId("session-title").focus();
    announce("Session cleared");
  });
  buttonById("session-jump").addEventListener("click", () => byId("session-title").focus());
  session.addEventListener("change", () => draw(deck, announce));
  draw(deck, announce);
}

/**
 * @param {Deck} deck
 * @param {(message: string) => void} announce
 */
function draw(deck, announce) {
  const { session } = deck;
  fill("liked", deck, announce);
  fill("less", deck, announce);
  const count = session.entries.length;
  byId("session-empty").hidden = count > 0;
  byId("session-hint").hidden = count === 0 || session.tracks("liked").length > 0;
  buttonById("session-clear").hidden = count === 0;
  buttonById("session-recommend").disabled = session.tracks("liked").length === 0;
  byId("session-count").textContent = String(count);
}

/**
 * @param {Opinion} opinion
 * @param {Deck} deck
 * @param {(message: string) => void} announce
 */
function fill(opinion, deck, announce) {
  const tracks = deck.session.tracks(opinion);
  byId(`session-${opinion}`).hidden = tracks.length === 0;
  const items = tracks.map((track) => entry(track, deck, tracks, announce));
  byId(`session-${opinion}-list`).replaceChildren(...items);
}

/**
 * @param {Track} track
 * @param {Deck} deck
 * @param {Track[]} queue
 * @param {(message: string) => void} announce
 */
function entry(track, deck, queue, announce) {
  const click = () => {
    deck.session.remove(track.id);
    byId("session-title").focus();
    announce(`Removed ${nameOf(track)}`);
  };
  const label = `Remove from session: ${nameOf(track)}`;
  const attributes = { type: "button", class: "round plain", "aria-label": label, click };
  const remove = el("button", { ...attributes, title: "Remove" }, icon("close"));
  const title = el("p", { class: "row-title" }, foreign(titleOf(track)));
  const about = el("div", { class: "about" }, title);
  about.append(el("p", { class: "row-line" }, foreign(artistOf(track))));
  return el("li", { class: "entry" }, disc(track, deck, queue), about, remove);
}
