/** What each view shows: asks the API and says it in the words of the page. */

import { address, answerOf, findTracks, query, trackDetail } from "./api.js";
import { artistOf, counted, titleOf } from "./format.js";
import { pathPage } from "./pathpage.js";
import { personalPage } from "./personal.js";
import { matchesOf, nothing } from "./rows.js";
import { bodyOf, similarToClip } from "./upload.js";

/** @import {Playable, Row, Tag, Track} from './types.js' */
/** @import {Query} from './api.js' */
/** @import {Clip} from './clip.js' */
/** @import {Embedders} from './embedders.js' */
/** @import {Listener} from './listener.js' */
/** @import {Route} from './router.js' */

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
 * @property {(form: Query) => Question} [playlist] how the API gives the same as a playlist
 * @property {{from?: Track, to?: Track}} [ends] of a path
 *
 * @typedef {{url: string, init?: RequestInit}} Question
 *
 * @typedef {object} Sources
 * @property {Listener} listener
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
  if (route.name === "you") return personalPage(route, sources, signal);
  if (route.name === "path") return pathPage(route, sources, signal);
  if (route.name === "map") return Promise.resolve(mapPage());
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
  const url = (/** @type {string[]} */ without, /** @type {Query} */ form = {}) =>
    address("similar", { track_id: route.value, ...query(route, without), ...form });
  const without = route.filters.other_artists ? known.then(({ track }) => [track.artist]) : [];
  const answered = Promise.resolve(without).then((artists) => answerOf(url(artists), signal));
  const [detail, answer, artists] = await Promise.all([known, answered, without]);
  const seed = detail.track;
  const place = [artistOf(seed), seed.album].filter(Boolean).join(" · ");
  const head = { eyebrow: "Sounds like", title: titleOf(seed), note: place };
  const playlist = (/** @type {Query} */ form) => ({ url: url(artists, form) });
  const matches = await matchesOf(answer, route, embedders);
  return { ...head, seed, tags: detail.tags ?? [], playlist, ...matches };
}

/**
 * @param {Route} route
 * @param {Sources} sources
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
async function clipPage(route, { clip, embedders, onProgress }, signal) {
  if (!clip) return noClip();
  const url = (/** @type {Query} */ form) => address("similar/clip", { ...query(route), ...form });
  const answer = await similarToClip(clip.file, url({}), onProgress, signal);
  const head = { eyebrow: "Sounds like your clip", title: clip.file.name, note: "" };
  const playlist = (/** @type {Query} */ form) => ({
    url: url(form),
    init: { method: "POST", body: bodyOf(clip.file) },
  });
  return { ...head, seed: clip.playable, playlist, ...(await matchesOf(answer, route, embedders)) };
}

/** @returns {Page} */
function noClip() {
  const empty = "Clips are not kept. Drop a recording on this page, or choose one, to hear its look-alikes.";
  const head = { eyebrow: "Sounds like your clip", title: "No clip yet", note: "" };
  return { ...head, ...nothing(empty), offer: "clip" };
}

const MAP_HEAD = { eyebrow: "Catalog", title: "Map", note: "Neighbours sound alike" };

/** @returns {Page} the map draws itself; its list comes with what is chosen on it */
const mapPage = () => ({ ...MAP_HEAD, ...nothing("") });

/**
 * What was chosen on the map.
 *
 * @param {Track[]} tracks
 * @param {string} legend what they are
 * @returns {Page}
 */
export function chosenPage(tracks, legend) {
  const rows = tracks.map((track) => ({ track }));
  return { ...MAP_HEAD, legend, rows, total: rows.length, empty: "" };
}
