/** For you: what the listener of this browser may like, and an honest start for a stranger. */

import { answerOf, listenerAddress, Problem, query, trackDetail } from "./api.js";
import { counted, titleOf } from "./format.js";
import { randomId } from "./listener.js";
import { matchesOf } from "./rows.js";

/** @import {Match} from './types.js' */
/** @import {Query} from './api.js' */
/** @import {Listener} from './listener.js' */
/** @import {Page, Sources} from './results.js' */
/** @import {Route} from './router.js' */

/**
 * @param {Route} route
 * @param {Sources} sources
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
export async function personalPage(route, { listener, embedders }, signal) {
  const without = route.filters.other_artists ? artistsOf(listener) : [];
  // a stranger asks under a name that nobody has, and nothing is stored by asking
  const id = listener.id || randomId();
  const url = (/** @type {Query} */ form) =>
    listenerAddress(id, "/recommendations", { ...query(route, without), ...route.own, ...form });
  const answer = await answerOf(url({}), signal);
  const page = await matchesOf(answer, route, embedders);
  const because = await reasonsOf(answer.matches, listener, signal);
  const isStart = because.length > 0 && because.every((one) => !one);
  // how like a start is to nothing, no bar can say
  const rows = page.rows.map((row, place) => ({
    ...row,
    similarity: isStart ? undefined : row.similarity,
    because: because[place],
  }));
  const head = isStart ? startHead() : knownHead(listener);
  const legend = isStart ? counted(rows.length, "track") : page.legend;
  return { ...page, ...head, rows, legend, playlist: (form) => ({ url: url(form) }) };
}

/** @param {Listener} listener */
const artistsOf = (listener) => [...new Set(listener.tracks("like").map(({ artist }) => artist))];

function startHead() {
  const note = "You have not liked anything here yet, so these stand for the whole catalog.";
  return { eyebrow: "A start for strangers", title: "For you", note };
}

/** @param {Listener} listener */
function knownHead(listener) {
  const likes = counted(listener.tracks("like").length, "like");
  const dislikes = counted(listener.tracks("dislike").length, "dislike");
  return { eyebrow: "Recommended", title: "For you", note: `By ${likes}, ${dislikes}, and what you played` };
}

/**
 * For each match the track of the listener that it is recommended for, if any.
 *
 * @param {Match[]} matches
 * @param {Listener} listener
 * @param {AbortSignal} signal
 */
async function reasonsOf(matches, listener, signal) {
  const likes = new Map(listener.tracks("like").map((track) => [track.id, titleOf(track)]));
  const ids = new Set(matches.flatMap(({ why }) => why?.because?.track_id ?? []));
  const others = [...ids].filter((id) => !likes.has(id));
  const titles = new Map(await Promise.all(others.map((id) => titled(id, signal))));
  const areSeveral = matches.some(({ why }) => (why?.because?.interest ?? 0) > 1);
  return matches.map(({ why }) => {
    if (!why?.because) return undefined;
    const { track_id: id, interest } = why.because;
    const title = likes.get(id) ?? titles.get(id) ?? id;
    return { id, title, isLiked: likes.has(id), interest: areSeveral ? interest : 0 };
  });
}

/**
 * @param {string} id of a track that was played, and is not among the likes
 * @param {AbortSignal} signal
 * @returns {Promise<[id: string, title: string]>}
 */
async function titled(id, signal) {
  const { track } = await trackDetail(id, signal).catch((problem) => {
    if (!(problem instanceof Problem)) throw problem;
    return { track: null }; // a reason without its title is not worth losing the list for
  });
  return [id, track ? titleOf(track) : "a track of yours"];
}
