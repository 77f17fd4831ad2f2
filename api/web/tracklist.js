/** Lists of tracks: one row a track, with everything that can be done with it. */

import { el, foreign, icon, spoken } from "./dom.js";
import { artistOf, barShare, clock, nameOf, titleOf, UNRELATED } from "./format.js";
import { chips, disc, opinionButtons } from "./parts.js";
import { reasonsLine } from "./reasons.js";
import { addressOf, parse } from "./router.js";

/** @import {Deck} from './parts.js' */
/** @import {Own} from './router.js' */
/** @import {Place, Playable, Row, Track} from './types.js' */

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
function listItem(row, deck, queue) {
  const { track, similarity, places } = row;
  const item = el("li", { class: "row", "data-track-id": track.id }, disc(track, deck, queue));
  item.append(about(row, deck, queue));
  if (similarity !== undefined) {
    item.append(places ? meter("Score", similarity, 0) : meter("Similarity", similarity, UNRELATED));
  }
  item.append(el("span", { class: "length" }, spoken("Length "), clock(track.duration_seconds)));
  item.append(actions(track, deck));
  return item;
}

/**
 * @param {Row} row
 * @param {Deck} deck
 * @param {Playable[]} queue
 */
function about(row, { player }, queue) {
  const { track, why, places = [] } = row;
  const composer = track.composer === track.artist ? "" : track.composer;
  const facts = [composer, track.album, track.year || "", track.genre];
  const line = el("p", { class: "row-line" }, el("b", {}, foreign(artistOf(track))));
  for (const fact of facts.filter(Boolean)) line.append(" · ", foreign(String(fact)));
  const block = el("div", { class: "about" });
  block.append(el("p", { class: "row-title" }, foreign(titleOf(track))), line);
  if (why?.shared_tags?.length) block.append(chips(why.shared_tags, "In common"));
  const play = (/** @type {number} */ seconds) => player.playFrom(track, queue, seconds);
  block.append(...reasonsLine(row, player.canPlay(track) ? play : null));
  if (places.length) block.append(placesLine(places));
  const credit = [track.attribution, track.licence].filter(Boolean).join(" · ");
  if (credit) block.append(el("p", { class: "credit" }, foreign(credit)));
  return block;
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
  const href = addressOf({ name: "similar", value: track.id });
  const label = `Sounds like this: ${nameOf(track)}`;
  const link = el("a", { class: "alike", href, "aria-label": label }, "Sounds like this");
  return el("div", { class: "actions" }, link, pathLink(track), ...opinionButtons(track, deck));
}

/**
 * From what is shown to this track, or from this track to one that is yet to be chosen.
 *
 * @param {Track} track
 */
function pathLink(track) {
  const { name, value } = parse(location.hash);
  const isTo = name === "similar" && value !== track.id;
  /** @type {Own} */
  const own = isTo ? { from: value, to: track.id } : { from: track.id };
  const words = `Path ${isTo ? "to" : "from"}`;
  const attributes = { class: "round", href: addressOf({ name: "path", own }), title: `${words} this` };
  return el("a", { ...attributes, "aria-label": `${words}: ${nameOf(track)}` }, icon("path"));
}
