/** From an answer of the API to the rows of a list, and how to read them. */

import { inForce } from "./filters.js";

/** @import {Answer, LikedTrack, Match, Row} from './types.js' */
/** @import {Embedders} from './embedders.js' */
/** @import {Route} from './router.js' */

const LEGEND = "Bars begin at 0.50, where unrelated tracks stand";

/** Of several embedders together the similarity is a score of places, with no cosine behind it. */
const PLACES_LEGEND = "A full bar is first with every embedder; lower places shorten it";

/** Where it was done for all, it is said once, and not of each. */
const CORRECTED = "; tracks near to everything are put back";

/**
 * @param {Answer} answer
 * @param {Route} route
 * @param {Embedders} embedders
 */
export async function matchesOf({ space, matches, warnings = [] }, route, embedders) {
  const areSeveral = space.includes("+");
  const isFiltered = Object.keys(inForce(route)).length > 0;
  if (areSeveral) await embedders.known;
  const areCorrected = matches.length > 0 && matches.every(({ why }) => why?.hub_corrected);
  return {
    rows: matches.map((match) => rowOf(match, areSeveral ? embedders : null, areCorrected)),
    total: matches.length,
    legend: (areSeveral ? PLACES_LEGEND : LEGEND) + (areCorrected ? CORRECTED : ""),
    empty: isFiltered ? "No track fits these filters." : "Nothing else in this catalog comes close.",
    warnings: warnings.map(String),
  };
}

/**
 * @param {Match} match
 * @param {Embedders | null} embedders when several of them answered
 * @param {boolean} areCorrected every match
 * @returns {Row}
 */
function rowOf({ track, similarity, why = {} }, embedders, areCorrected) {
  const places = embedders
    ? (why.space_ranks ?? []).map(({ space, rank }) => ({ name: embedders.nameOf(space), rank }))
    : undefined;
  const hub_corrected = !areCorrected && why.hub_corrected;
  return { track, similarity: similarity ?? undefined, why: { ...why, hub_corrected }, places };
}

/**
 * No rows, and why.
 *
 * @param {string} empty
 */
export const nothing = (empty) => ({ legend: "", rows: [], total: 0, empty });
