/**
 * What a match must be like, and how a list is made: as the address keeps it, as the API takes it,
 * and in words.
 */

/** @import {Route, ViewName} from './router.js' */

/**
 * Texts as they stand in the address, by names of the API; what does not matter is not there.
 * `other_artists` is the page's own: whom it leaves out depends on what is shown.
 *
 * @typedef {'genre' | 'artist' | 'album' | 'tag'} ListName
 * @typedef {'year_from' | 'year_to' | 'duration_max'} NumberName
 * @typedef {'max_per_album' | 'diversity' | 'hub_correction' | 'duplicates'} ShapeName
 * @typedef {ListName | NumberName | ShapeName | 'other_artists'} FilterName
 * @typedef {Partial<Record<FilterName, string>>} Filters
 */

/** @type {ListName[]} */
const LISTS = ["genre", "artist", "album", "tag"];

/** @type {NumberName[]} */
const NUMBERS = ["year_from", "year_to", "duration_max"];

/**
 * How a list is made of what qualifies.
 *
 * @type {ShapeName[]}
 */
export const SHAPES = ["max_per_album", "diversity", "hub_correction", "duplicates"];

/** @type {FilterName[]} */
export const NAMES = [...LISTS, ...NUMBERS, "other_artists", ...SHAPES];

/** What may be several, with semicolons between; names of artists and albums hold some. */
const SEVERAL = ["genre", "tag"];

const SECONDS = 60;

/**
 * @param {(name: FilterName) => string | null} textOf
 * @returns {Filters} without what is empty
 */
export function filtersFrom(textOf) {
  const texts = NAMES.map((name) => [name, textOf(name)?.trim()]);
  return Object.fromEntries(texts.filter(([, text]) => text));
}

/**
 * What matters in a view. A clip has no artist whom others could be asked for, what a listener is
 * recommended is always corrected for hubs, and a path is no list of matches.
 *
 * @param {ViewName} name
 * @returns {FilterName[]}
 */
export function namesIn(name) {
  if (name === "browse" || name === "map") return [];
  if (name === "path") return [...LISTS, ...NUMBERS, "duplicates"];
  const not = { similar: "", clip: "other_artists", you: "hub_correction" }[name];
  return NAMES.filter((one) => one !== not);
}

/**
 * What holds in a view.
 *
 * @param {Pick<Route, 'name' | 'filters'>} route
 * @returns {Filters}
 */
export function inForce({ name, filters }) {
  const names = namesIn(name).filter((one) => filters[one]);
  return Object.fromEntries(names.map((one) => [one, filters[one]]));
}

/**
 * Filters as the API takes them. A number that is none stays a text, which the API refuses.
 *
 * @param {Filters} filters
 * @returns {Record<string, string[] | number | string | undefined>}
 */
export function asked(filters) {
  const lists = LISTS.map((name) => [name, listOf(name, filters[name])]);
  const numbers = [...NUMBERS, ...SHAPES].map((name) => [name, numberOf(filters[name])]);
  const switches = {
    hub_correction: filters.hub_correction && "true",
    duplicates: filters.duplicates && "keep",
  };
  return { ...Object.fromEntries([...lists, ...numbers]), ...switches };
}

/**
 * @param {ListName} name
 * @param {string} [text]
 */
function listOf(name, text) {
  if (!text) return undefined;
  const parts = SEVERAL.includes(name) ? text.split(";") : [text];
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** @param {string} [text] */
function numberOf(text) {
  const number = Number(text);
  return text && Number.isFinite(number) ? number : text;
}

/**
 * @param {string} [seconds]
 * @returns {string} minutes, to the hundredth
 */
export function minutesOf(seconds) {
  const number = Number(seconds);
  return seconds && Number.isFinite(number) ? String(Number((number / SECONDS).toFixed(2))) : "";
}

/**
 * @param {string} minutes
 * @returns {string} whole seconds
 */
export const secondsOf = (minutes) => minutes && String(Math.round(Number(minutes) * SECONDS));

/**
 * Each filter that holds, as a few words and what somebody wrote.
 *
 * @param {Pick<Route, 'name' | 'filters'>} route
 * @returns {[words: string, text: string][]}
 */
export function wordsOf(route) {
  const filters = inForce(route);
  /** @type {Record<FilterName, [string, string]>} */
  const words = {
    genre: ["genre ", filters.genre ?? ""],
    artist: ["by ", filters.artist ?? ""],
    album: ["on ", filters.album ?? ""],
    tag: ["tagged ", filters.tag ?? ""],
    year_from: ["from ", filters.year_from ?? ""],
    year_to: ["to ", filters.year_to ?? ""],
    duration_max: ["up to ", `${minutesOf(filters.duration_max) || filters.duration_max}\u00a0min`],
    other_artists: [othersLabel(route).toLowerCase(), ""],
    max_per_album: [`at most ${filters.max_per_album} of an album`, ""],
    diversity: [`unlike each other (${filters.diversity})`, ""],
    hub_correction: ["nothing near to everything", ""],
    duplicates: ["every version of a recording", ""],
  };
  return NAMES.filter((name) => filters[name]).map((name) => words[name]);
}

/** @param {Pick<Route, 'name'>} route */
export const othersLabel = ({ name }) => (name === "you" ? "Not the artists I like" : "Not this artist");
