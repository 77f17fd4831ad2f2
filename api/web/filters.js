/** What a match must be like: as the address keeps it, as the API takes it, and in words. */

/** @import {Route} from './router.js' */

/**
 * Texts as they stand in the address, by names of the API; what does not matter is not there.
 * `other_artists` is the page's own: whom it leaves out depends on what is shown.
 *
 * @typedef {'genre' | 'artist' | 'album' | 'tag'} ListName
 * @typedef {'year_from' | 'year_to' | 'duration_max'} NumberName
 * @typedef {ListName | NumberName | 'other_artists'} FilterName
 * @typedef {Partial<Record<FilterName, string>>} Filters
 */

/** @type {ListName[]} */
const LISTS = ["genre", "artist", "album", "tag"];

/** @type {NumberName[]} */
const NUMBERS = ["year_from", "year_to", "duration_max"];

/** @type {FilterName[]} */
export const NAMES = [...LISTS, ...NUMBERS, "other_artists"];

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
 * What holds in a view: a clip has no artist whom others could be asked for.
 *
 * @param {Pick<Route, 'name' | 'filters'>} route
 * @returns {Filters}
 */
export function inForce({ name, filters }) {
  const { other_artists, ...rest } = filters;
  if (name === "browse") return {};
  return name === "clip" ? rest : filters;
}

/**
 * The filters as the API takes them. A number that is none stays a text, which the API refuses.
 *
 * @param {Filters} filters
 * @returns {Record<string, string[] | number | string | undefined>}
 */
export function asked(filters) {
  const lists = LISTS.map((name) => [name, listOf(name, filters[name])]);
  const numbers = NUMBERS.map((name) => [name, numberOf(filters[name])]);
  return Object.fromEntries([...lists, ...numbers]);
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
  };
  return NAMES.filter((name) => filters[name]).map((name) => words[name]);
}

/** @param {Pick<Route, 'name'>} route */
export const othersLabel = ({ name }) => (name === "session" ? "Not these artists" : "Not this artist");
