/** A path: a walk from one track to another, each step alike. */

import { address, answerOf, query, trackDetail } from "./api.js";
import { counted, titleOf } from "./format.js";
import { matchesOf, nothing } from "./rows.js";

/** @import {Query} from './api.js' */
/** @import {Page, Sources} from './results.js' */
/** @import {Route} from './router.js' */

const LEGEND = "Each bar: how like the track before; it begins at 0.50";
const HEAD = { eyebrow: "Path", title: "From one track to another", note: "" };

/**
 * @param {Route} route
 * @param {Sources} sources
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
export async function pathPage(route, { embedders }, signal) {
  const { from, to } = route.own;
  if (!from || !to) return unfinished(from, to, signal);
  // a walk has as many tracks as steps, and no limit beside them
  const params = { ...route.own, ...query(route), limit: undefined };
  const url = (/** @type {Query} */ form) => address("path", { ...params, ...form });
  const answer = await answerOf(url({}), signal);
  const page = await matchesOf(answer, route, embedders);
  const ends = { from: page.rows[0].track, to: page.rows[page.rows.length - 1].track };
  return {
    ...page,
    eyebrow: "Path",
    title: `${titleOf(ends.from)} → ${titleOf(ends.to)}`,
    note: `${counted(page.total, "track")}, each like the one before`,
    legend: LEGEND,
    ends,
    playlist: (form) => ({ url: url(form) }),
  };
}

/**
 * One end is yet to be chosen, or both.
 *
 * @param {string | undefined} from
 * @param {string | undefined} to
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
async function unfinished(from, to, signal) {
  const id = from || to;
  const track = id ? (await trackDetail(id, signal)).track : undefined;
  const missing = !id ? "where the path begins, and where it ends" : from ? "where it ends" : "where it begins";
  return { ...HEAD, ...nothing(`Choose ${missing}.`), ends: { [from ? "from" : "to"]: track } };
}
