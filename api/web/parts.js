/** What lists, the panel and the player bar have in common: records, chips, opinions. */

import { el, icon } from "./dom.js";
import { hueOf, nameOf } from "./format.js";

/** @import {Playable, Tag} from './types.js' */
/** @import {Player} from './player.js' */
/** @import {Listener, Opinion} from './listener.js' */

/** @typedef {{player: Player, listener: Listener}} Deck */

/**
 * The record that plays a track when pressed; only its picture when there is nothing to play.
 *
 * @param {Playable} track
 * @param {Deck} deck
 * @param {Playable[]} queue
 * @returns {HTMLElement}
 */
export function disc(track, deck, queue) {
  if (!deck.player.canPlay(track)) {
    const still = el("span", { class: "disc still", "aria-hidden": "true" });
    still.style.setProperty("--hue", String(hueOf(track)));
    return still;
  }
  const click = () => deck.player.toggle(track, queue);
  const button = el("button", { type: "button", class: "disc", click });
  button.style.setProperty("--hue", String(hueOf(track)));
  follow(deck.player, button, () => {
    const playing = deck.player.isPlaying(track);
    button.classList.toggle("is-playing", playing);
    button.classList.toggle("is-current", deck.player.current?.id === track.id);
    button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${nameOf(track)}`);
    button.replaceChildren(icon(playing ? "pause" : "play"));
  });
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
 * Tags with their strengths.
 *
 * @param {Tag[]} tags
 * @param {string} label what these tags are
 */
export function chips(tags, label) {
  const list = el("ul", { class: "chips", "aria-label": label });
  for (const { name, strength } of tags) {
    const share = `${Math.round(100 * strength)}\u00a0%`;
    const chip = el("li", { class: "chip" }, `${name} `, el("span", { class: "strength" }, share));
    chip.style.setProperty("--share", share.replace("\u00a0", ""));
    list.append(chip);
  }
  return list;
}

/**
 * The two buttons with which a listener says what is thought of a track.
 *
 * @param {Playable} track
 * @param {Deck} deck
 * @returns {HTMLElement[]}
 */
export const opinionButtons = (track, deck) => [
  opinionButton(track, deck, "like", "Like"),
  opinionButton(track, deck, "dislike", "Dislike"),
];

/**
 * @param {Playable} track
 * @param {Deck} deck
 * @param {Opinion} opinion
 * @param {string} label
 */
function opinionButton(track, { listener }, opinion, label) {
  const click = () => listener.toggle(track, opinion);
  const attributes = { type: "button", class: `round ${opinion}`, title: label, click };
  const name = { "aria-label": `${label}: ${nameOf(track)}` };
  const button = el("button", { ...attributes, ...name }, icon(opinion));
  follow(listener, button, () => {
    button.setAttribute("aria-pressed", String(listener.opinionOf(track.id) === opinion));
  });
  return button;
}
