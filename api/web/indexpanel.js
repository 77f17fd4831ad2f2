/** What the index is: a line in the masthead, and behind it how it searches and what that finds. */

import { byId, el } from "./dom.js";
import { counted, percent } from "./format.js";

/** @import {IndexInfo, Measurement, Point, SpaceInfo} from './types.js' */

const panel = () => /** @type {HTMLDetailsElement} */ (byId("index"));

/** Fold the panel away, which lies over the page, as soon as something else is turned to. */
export function startIndexPanel() {
  const close = () => (panel().open = false);
  panel().addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    close();
    byId("index-info").focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (!panel().contains(/** @type {Node} */ (target))) close();
  });
  panel().addEventListener("focusout", ({ relatedTarget: next }) => {
    if (next && !panel().contains(/** @type {Node} */ (next))) close();
  });
}

/** @param {IndexInfo | null} info null when there is no index */
export function drawIndexPanel(info) {
  panel().hidden = !info;
  byId("index-info").textContent = info ? lineOf(info) : "";
  byId("index-spaces").replaceChildren(...(info?.spaces ?? []).map(describe));
}

/** @param {IndexInfo} info */
function lineOf({ n_tracks, embedder, spaces, created_at }) {
  const day = new Date(created_at).toLocaleDateString(undefined, { dateStyle: "medium" });
  const ears = spaces.length > 1 ? counted(spaces.length, "embedder") : embedder;
  return `${counted(n_tracks, "track")} · heard by ${ears} · ${day}`;
}

/**
 * @param {SpaceInfo} space
 * @returns {HTMLElement}
 */
function describe({ embedder, dimension, index }) {
  const { kind, measurement, target_recall, warnings } = index;
  const title = `Index of ${embedder}`;
  const section = el("section", { "aria-label": title }, el("p", { class: "eyebrow" }, title));
  const found = measured(kind, measurement, target_recall, dimension);
  section.append(facts([["Kind", kindOf(kind)], ...found]));
  if (measurement && measurement.curve.length > 1) section.append(curve(measurement));
  for (const warning of warnings) section.append(el("p", { class: "credit" }, warning));
  return section;
}

/** @param {string} kind */
const kindOf = (kind) => (kind === "flat" ? "exact search" : kind);

/**
 * @param {string} kind
 * @param {Measurement | null} measurement
 * @param {number} target
 * @param {number} dimension
 * @returns {[name: string, value: string][]}
 */
function measured(kind, measurement, target, dimension) {
  const isExact = kind === "flat";
  if (!measurement) return isExact ? [] : [["Recall", "not measured, too few tracks"]];
  const { recall_at_10, recall_at_100, milliseconds, bytes_per_vector } = measurement;
  const listed = measurement.listed_recall_at_10;
  const short = recall_at_10 < target ? `, below the ${percent(target)} asked for` : "";
  const recall = [
    ["Recall@10", `${percent(recall_at_10)} of exact search${short}`],
    ["Recall@100", percent(recall_at_100)],
    ...(listed === null ? [] : [["In lists of neighbours", percent(listed)]]),
  ];
  const cost = [
    ["A search", `${brief(milliseconds)}\u00a0ms`],
    [`A vector of ${counted(dimension, "number")}`, counted(Math.round(bytes_per_vector), "byte")],
  ];
  return /** @type {[string, string][]} */ (isExact ? cost : [...recall, ...cost]);
}

/** @param {[name: string, value: string][]} pairs */
function facts(pairs) {
  const list = el("dl", { class: "facts" });
  for (const [name, value] of pairs) list.append(el("dt", {}, name), el("dd", {}, value));
  return list;
}

/** @param {Measurement} measurement */
function curve({ curve: points, effort }) {
  const names = ["Effort", "Recall@10", "Recall@100", "ms a search"];
  const head = el("tr", {}, ...names.map((name) => el("th", { scope: "col" }, name)));
  const body = el("tbody", {}, ...points.map((point) => row(point, point.effort === effort)));
  const caption = el("caption", {}, "Searching harder finds more and takes longer");
  return el("table", { class: "curve" }, caption, el("thead", {}, head), body);
}

/**
 * @param {Point} point
 * @param {boolean} isServed
 */
function row({ effort, recall_at_10, recall_at_100, milliseconds }, isServed) {
  const name = isServed ? `${effort}, as served` : String(effort);
  const values = [percent(recall_at_10), percent(recall_at_100), brief(milliseconds)];
  const cells = values.map((value) => el("td", {}, value));
  return el("tr", { class: isServed && "served" }, el("th", { scope: "row" }, name), ...cells);
}

/** @param {number} value */
const brief = (value) => value.toLocaleString("en", { maximumSignificantDigits: 2 });
