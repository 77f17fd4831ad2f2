/** What each view shows: asks the API and says it in the words of the page. */

import { findTracks, Problem, recommend, similarTo, trackDetail } from "./api.js";
import { inForce } from "./filters.js";
import { artistOf, counted, titleOf } from "./format.js";
import { similarToClip } from "./upload.js";

/** @import {Answer, Playable, Row, Tag} from './types.js' */
/** @import {Clip} from './clip.js' */
/** @import {Embedders} from './embedders.js' */
/** @import {Route} from './router.js' */
/** @import {Session} from './session.js' */

const LEGEND = "Bars begin at 0.50, where unrelated tracks stand";

/** Of several embedders together the similarity is a score of places, with no cosine behind it. */
const PLACES_LEGEND = "A full bar is first with every embedder; lower places shorten it";

/**
 * @typedef {object} Page
 * @property {string} eyebrow
 * @property {string} title
 * @property {string} note
 * @property {string} legend what the list holds, or how to read it
 * @property {Row[]} rows
 * @property {number} total of which `rows` are the first
 * @property {string} [next] cursor of the rows that come after, when there are any
 * @property {string} empty what to say when there are no rows
 * @property {string} [offer] `clip` when the way on is to choose a file
 * @property {Playable} [seed]
 * @property {Tag[]} [tags] of the seed
 * @property {string[]} [warnings]
 *
 * @typedef {object} Sources
 * @property {Session} session
 * @property {Embedders} embedders
 * @property {Clip | null} clip
 * @property {(fraction: number) => void} onProgress
 */

/**
 * @param {Route} route
 * @param {Sources} sources
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
export function loadPage(route, sources, signal) {
  if (route.name === "similar") return similarPage(route, sources, signal);
  if (route.name === "clip") return clipPage(route, sources, signal);
  if (route.name === "session") return sessionPage(route, sources, signal);
  return browsePage(route.value, signal);
}

/**
 * @param {string} words
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
async function browsePage(words, signal) {
  const { rows, total, next } = await moreTracks(words, undefined, signal);
  return {
    eyebrow: words ? "Search" : "Catalog",
    title: words ? `“${words}”` : "All tracks",
    note: "",
    legend: counted(total, "track"),
    rows,
    total,
    next,
    empty: words
      ? "Nothing is called that. Fewer letters, or only the artist’s name, may help."
      : "The catalog is empty. Index a folder of music, and it appears here.",
  };
}

/**
 * @param {string} words
 * @param {string | undefined} cursor
 * @param {AbortSignal} signal
 * @returns {Promise<{rows: Row[], total: number, next?: string}>}
 */
export async function moreTracks(words, cursor, signal) {
  const { tracks, total, next_cursor } = await findTracks(words, cursor, signal);
  return { rows: tracks.map((track) => ({ track })), total, next: next_cursor ?? undefined };
}

/**
 * @param {Route} route
 * @param {Sources} sources
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
async function similarPage(route, { embedders }, signal) {
  const known = trackDetail(route.value, signal);
  const ask = (/** @type {string[]} */ without) =>
    similarTo(route.value, { ...route, without }, signal);
  const answered = route.filters.other_artists ? known.then(({ track }) => ask([track.artist])) : ask([]);
  const [detail, answer] = await Promise.all([known, answered]);
  const seed = detail.track;
  const place = [artistOf(seed), seed.album].filter(Boolean).join(" · ");
  const head = { eyebrow: "Sounds like", title: titleOf(seed), note: place };
  return { ...head, seed, tags: detail.tags ?? [], ...(await matchesOf(answer, route, embedders)) };
}

/**
 * @param {Route} route
 * @param {Sources} sources
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
async function clipPage(route, { clip, embedders, onProgress }, signal) {
  if (!clip) return noClip();
  const answer = await similarToClip(clip.file, route, onProgress, signal);
  const head = { eyebrow: "Sounds like your clip", title: clip.file.name, note: "" };
  return { ...head, seed: clip.playable, ...(await matchesOf(answer, route, embedders)) };
}

/** @returns {Page} */
function noClip() {
  const empty = "Clips are not kept. Drop a recording on this page, or choose one, to hear its look-alikes.";
  const head = { eyebrow: "Sounds like your clip", title: "No clip yet", note: "" };
  return { ...head, ...nothing(empty), offer: "clip" };
}

/**
 * @param {Route} route
 * @param {Sources} sources
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
async function sessionPage(route, { session, embedders }, signal) {
  const [positive, negative] = [session.weighted("liked"), session.weighted("less")];
  const head = { eyebrow: "Recommended", title: "From your session" };
  if (!positive.length) {
    const empty = "Add a track that you like to the session first; the plus beside it does that.";
    return { ...head, note: "", ...nothing(empty) };
  }
  const artists = new Set(session.tracks("liked").map(({ artist }) => artist));
  const without = route.filters.other_artists ? [...artists] : [];
  const choices = { ...route, without };
  const answer = await recommend(positive, negative, choices, signal).catch((problem) => {
    throw nameGone(problem, session, embedders);
  });
  const away = negative.length ? `, away from ${negative.length}` : "";
  const note = `From ${counted(positive.length, "track")} you like${away}`;
  return { ...head, note, ...(await matchesOf(answer, route, embedders)) };
}

/**
 * A catalog may lose tracks that a session holds, or an embedder not have heard them: name them.
 *
 * @param {unknown} problem
 * @param {Session} session
 * @param {Embedders} embedders
 * @returns {unknown}
 */
function nameGone(problem, session, { areSeveral }) {
  if (!(problem instanceof Problem) || problem.status !== 404) return problem;
  const gone = session.entries.filter(({ track }) => problem.detail.includes(track.id));
  const names = gone.map(({ track }) => `“${titleOf(track)}”`).join(", ");
  const title = areSeveral ? "Not heard by this embedder" : "No longer in the catalog";
  const way = areSeveral ? "or ask another embedder" : "then try again";
  return new Problem(title, `Remove ${names} from the session, ${way}.`);
}

/**
 * No rows, and why.
 *
 * @param {string} empty
 */
const nothing = (empty) => ({ legend: "", rows: [], total: 0, empty });

/**
 * @param {Answer} answer
 * @param {Route} route
 * @param {Embedders} embedders
 */
async function matchesOf({ space, matches, warnings = [] }, route, embedders) {
  const areSeveral = space.includes("+");
  const isFiltered = Object.keys(inForce(route)).length > 0;
  if (areSeveral) await embedders.known;
  return {
    rows: matches.map((match) => rowOf(match, areSeveral ? embedders : null)),
    total: matches.length,
    legend: areSeveral ? PLACES_LEGEND : LEGEND,
    empty: isFiltered ? "No track fits these filters." : "Nothing else in this catalog comes close.",
    warnings: warnings.map(String),
  };
}

/**
 * @param {import('./types.js').Match} match
 * @param {Embedders | null} embedders when several of them answered
 * @returns {Row}
 */
function rowOf({ track, similarity, why }, embedders) {
  const ranks = why?.space_ranks ?? [];
  const places = embedders
    ? ranks.map(({ space, rank }) => ({ name: embedders.nameOf(space), rank }))
    : undefined;
  return { track, similarity, why: why?.shared_tags ?? [], places };
}
