/** The map with the keyboard alone. */

/** @import {Spot} from './mapplane.js' */

/**
 * @typedef {object} Keyed
 * @property {(along: Spot) => void} step go on from a track; a direction of length 1
 * @property {() => void} play
 * @property {(direction: 1 | -1) => void} zoom
 * @property {() => void} whole
 * @property {() => void} list
 * @property {() => void} clear
 */

/**
 * @param {HTMLElement} element
 * @param {Keyed} keyed
 */
export function onKeys(element, keyed) {
  /** @type {Record<string, () => void>} */
  const keys = {
    arrowleft: () => keyed.step({ x: -1, y: 0 }),
    arrowright: () => keyed.step({ x: 1, y: 0 }),
    arrowup: () => keyed.step({ x: 0, y: 1 }),
    arrowdown: () => keyed.step({ x: 0, y: -1 }),
    enter: keyed.play,
    " ": keyed.play,
    "+": () => keyed.zoom(1),
    "=": () => keyed.zoom(1),
    "-": () => keyed.zoom(-1),
    0: keyed.whole,
    l: keyed.list,
    escape: keyed.clear,
  };
  element.addEventListener("keydown", (event) => {
    const act = keys[event.key.toLowerCase()];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
}
