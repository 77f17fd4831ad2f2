/** The elements of the map, and its legend. */

import { el, spoken } from "./dom.js";
import { counted } from "./format.js";

/** @import {MapData} from './mapdata.js' */
/** @import {Frame, Spot} from './mapplane.js' */

/** Pixels between a point and what is said of it. */
const BESIDE = 14;

const HELP =
  "Drag to move, scroll or pinch to zoom, click to play. Hold Shift and drag to draw around tracks. " +
  "With the keyboard: arrows go from track to track, Enter plays, plus and minus zoom, L lists what is around.";

/**
 * @param {string} text
 * @param {string} label
 * @returns {HTMLButtonElement}
 */
const button = (text, label) =>
  el("button", { type: "button", class: "map-button", "aria-label": label, title: label }, text);

/**
 * Put the empty map into a place.
 *
 * @param {HTMLElement} container
 */
export function build(container) {
  const parts = {
    points: el("canvas", { class: "map-points", "aria-hidden": "true" }),
    overlay: el("canvas", {
      class: "map-overlay",
      tabindex: 0,
      role: "application",
      "aria-roledescription": "map",
      "aria-label": "Map of all tracks",
      "aria-describedby": "map-help",
    }),
    tip: el("p", { class: "map-tip", hidden: true }),
    status: el("p", { class: "visually-hidden", role: "status" }),
    count: el("p", { class: "map-count" }),
    legend: el("ul", { class: "map-legend", "aria-label": "Colours" }),
    colour: el(
      "select",
      { autocomplete: "off" },
      el("option", { value: "tag" }, "what it sounds like"),
      el("option", { value: "genre" }, "genre"),
      el("option", { value: "year" }, "decade"),
    ),
    closer: button("+", "Zoom in"),
    farther: button("−", "Zoom out"),
    whole: button("All", "Show all of the map"),
    draw: button("Draw around", "Draw around tracks"),
    list: button("List", "List the tracks around the middle"),
  };
  parts.draw.setAttribute("aria-pressed", "false");
  const bar = el("div", { class: "map-bar" });
  bar.append(el("label", { class: "choice" }, el("span", {}, "Colour by"), parts.colour), parts.count);
  const buttons = el("div", { class: "map-buttons", role: "group", "aria-label": "Map" });
  buttons.append(parts.closer, parts.farther, parts.whole, parts.draw, parts.list);
  const stage = el("div", { class: "map-stage" }, parts.points, parts.overlay, parts.tip, buttons);
  const help = el("p", { class: "map-help", id: "map-help" }, HELP);
  container.replaceChildren(bar, stage, parts.legend, help, parts.status);
  return { ...parts, stage };
}

/** The style sheet must be there before colours are read from it. */
export async function styled() {
  let link = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[href$="map.css"]'));
  if (!link) {
    link = el("link", { rel: "stylesheet", href: "map.css" });
    document.head.append(link);
  }
  const ready = link;
  if (ready.sheet) return;
  await new Promise((resolve) => {
    for (const name of ["load", "error"]) ready.addEventListener(name, resolve, { once: true });
  });
}

/**
 * @param {HTMLElement} list
 * @param {MapData} data
 * @param {number | null} chosen
 * @param {(group: number | null) => void} choose
 */
export function drawLegend(list, data, chosen, choose) {
  const entries = data.legend.map(({ name, n_tracks: count }, group) => {
    const isChosen = group === chosen;
    const swatch = el("span", { class: `map-swatch map-swatch-${group}`, "aria-hidden": "true" });
    const number = el("span", { class: "map-number" }, count.toLocaleString("en"));
    const press = { type: "button", "aria-pressed": String(isChosen), click: () => choose(isChosen ? null : group) };
    return el("li", {}, el("button", press, swatch, el("bdi", {}, name), " ", number, spoken(" tracks")));
  });
  const named = data.legend.reduce((sum, group) => sum + group.n_tracks, 0);
  const others = data.x.length - named;
  if (others > 0) {
    const swatch = el("span", { class: "map-swatch map-swatch-others", "aria-hidden": "true" });
    entries.push(el("li", { class: "map-others" }, swatch, `others ${others.toLocaleString("en")}`));
  }
  list.replaceChildren(...entries);
}

/**
 * What a selection is called.
 *
 * @param {MapData} data
 * @param {number[]} places all that were selected
 * @param {number} listed how many of them are in the list
 * @param {string} where
 */
export function titleFor(data, places, listed, where) {
  const counts = new Map();
  for (const place of places) counts.set(data.groups[place], (counts.get(data.groups[place]) ?? 0) + 1);
  const [[group, most] = [-1, 0]] = [...counts].sort(([, a], [, b]) => b - a);
  const name = 2 * most > places.length ? data.legend[group]?.name : undefined;
  const some = listed < places.length ? `${listed} of ${counted(places.length, "track")}` : counted(listed, "track");
  return `${some} ${where}${name ? `, mostly ${name}` : ""}`;
}

/**
 * Show what a point is, beside it and inside the window.
 *
 * @param {HTMLElement} tip
 * @param {string} name
 * @param {string | undefined} group
 * @param {Spot} spot
 * @param {Frame} frame
 */
export function showTip(tip, name, group, { x, y }, frame) {
  tip.replaceChildren(el("bdi", {}, name), ...(group ? [el("span", {}, group)] : []));
  tip.hidden = false;
  const left = Math.min(Math.max(BESIDE, x + BESIDE), frame.width - tip.offsetWidth - BESIDE);
  const isLow = y + BESIDE + tip.offsetHeight > frame.height;
  tip.style.left = `${left}px`;
  tip.style.top = `${isLow ? y - BESIDE - tip.offsetHeight : y + BESIDE}px`;
}
