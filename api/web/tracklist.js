/** Lists of tracks: one row a track, with everything that can be done with it. */

import { el, foreign, icon, spoken } from "./dom.js";
import { artistOf, barShare, clock, hueOf, nameOf, titleOf, UNRELATED } from "./format.js";
import { format, parse } from "./router.js";

/** @import {Place, Playable, Row, Tag, Track} from './types.js' */
/** @import {Player} from './player.js' */
/** @import {Opinion, Session} from './session.js' */

/** @typedef {{player: Player, session: Session}} Deck */

/**
 * The record that plays a track when pressed.
 *
 * @param {Playable} track
 * @param {Deck} deck
 * @param {Playable[]} queue
 */
export function disc(track, deck, queue) {
  const click = () => deck.player.toggle(track, queue);
  const button = el("button", { type: "button", class: "disc", click });
  button.style.setProperty("--hue", String(hueOf(track)));
  const draw = () => {
    const playing = deck.player.isPlaying(track);
    button.classList.toggle("is-playing", playing);
    button.classList.toggle("is-current", deck.player.current?.id === track.id);
    button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${nameOf(track)}`);
    button.replaceChildren(icon(playing ? "pause" : "play"));
  };
  follow(deck.player, button, draw);
  return button;
}

/**
 * Redraw an element when something changes, for as long as it is on the page.
 *
 * @param {EventTarget} source
 * @param {Element} element
 * @param {() => void} draw
 */
function follow(source, element, draw) {
  const listener = () => {
    if (element.isConnected) draw();
    else source.removeEventListener("change", listener);
  };
  source.addEventListener("change", listener);
  draw();
}

/**
 * @param {Row[]} rows
 * @param {Deck} deck
 * @param {Playable[]} queue all tracks of the list, in order
 * @returns {HTMLLIElement[]}
 */
export const listItems = (rows, deck, queue) => rows.map((row) => listItem(row, deck, queue));

/**
 * @param {Row} row
 * @param {Deck} deck
 * @param {Playable[]} queue
 */
function listItem({ track, similarity, why = [], places }, deck, queue) {
  const item = el("li", { class: "row", "data-track-id": track.id }, disc(track, deck, queue));
  item.append(about(track, why, places));
  if (similarity !== undefined) {
    item.append(places ? meter("Score", similarity, 0) : meter("Similarity", similarity, UNRELATED));
  }
  item.append(el("span", { class: "length" }, spoken("Length "), clock(track.duration_seconds)));
  item.append(actions(track, deck));
  return item;
}

/**
 * @param {Track} track
 * @param {Tag[]} why
 * @param {Place[]} [places]
 */
function about(track, why, places = []) {
  const composer = track.composer === track.artist ? "" : track.composer;
  const facts = [composer, track.album, track.year || "", track.genre];
  const line = el("p", { class: "row-line" }, el("b", {}, foreign(artistOf(track))));
  for (const fact of facts.filter(Boolean)) line.append(" · ", foreign(String(fact)));
  const block = el("div", { class: "about" });
  block.append(el("p", { class: "row-title" }, foreign(titleOf(track))), line);
  if (why.length) block.append(chips(why, "In common"));
  if (places.length) block.append(placesLine(places));
  const credit = [track.attribution, track.licence].filter(Boolean).join(" · ");
  if (credit) block.append(el("p", { class: "credit" }, foreign(credit)));
  return block;
}

/**
 * @param {Tag[]} tags
 * @param {string} label what these tags are
 */
export function chips(tags, label) {
  const list = el("ul", { class: "chips", "aria-label": label });
  for (const { name, strength } of tags) {
    const chip = el("li", { class: "chip", title: `strength ${strength.toFixed(2)}` }, name);
    chip.style.setProperty("--share", `${Math.round(100 * strength)}%`);
    list.append(chip);
  }
  return list;
}

/**
 * Where each embedder put a match.
 *
 * @param {Place[]} places
 */
function placesLine(places) {
  const text = places.map(({ name, rank }) => `${name}\u00a0${rank}`).join(" · ");
  return el("p", { class: "places" }, spoken("Places: "), text);
}

/**
 * @param {string} label
 * @param {number} similarity
 * @param {number} empty the similarity of an empty bar
 */
function meter(label, similarity, empty) {
  const bar = el("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", `${100 * barShare(similarity, empty)}%`);
  const number = el("span", { class: "number" }, similarity.toFixed(2));
  return el("div", { class: "meter" }, spoken(`${label} `), number, bar);
}

/**
 * @param {Track} track
 * @param {Deck} deck
 */
function actions(track, deck) {
  const href = format({ ...parse(location.hash), name: "similar", value: track.id });
  const label = `Sounds like this: ${nameOf(track)}`;
  const link = el("a", { class: "alike", href, "aria-label": label }, "Sounds like this");
  const add = opinionButton(track, deck, "liked", "Add to session");
  const less = opinionButton(track, deck, "less", "Less like this");
  return el("div", { class: "actions" }, link, add, less);
}

/**
 * @param {Track} track
 * @param {Deck} deck
 * @param {Opinion} opinion
 * @param {string} label
 */
function opinionButton(track, { session }, opinion, label) {
  const click = () => session.toggle(track, opinion);
  const attributes = { type: "button", class: `round ${opinion}`, title: label, click };
  const button = el("button", { ...attributes, "aria-label": `${label}: ${nameOf(track)}` });
  follow(session, button, () => {
    const set = session.opinionOf(track.id) === opinion;
    button.setAttribute("aria-pressed", String(set));
    const off = opinion === "liked" ? "more" : "less";
    button.replaceChildren(icon(set && opinion === "liked" ? "kept" : off));
  });
  return button;
}
