/** The address after # names the view, so that links, reloads and the back button work. */

import { filtersFrom } from "./filters.js";

/** @import {Filters} from './filters.js' */

/**
 * @typedef {'browse' | 'similar' | 'clip' | 'you' | 'path' | 'map'} ViewName
 *
 * @typedef {object} Route
 * @property {ViewName} name
 * @property {string} value the words of a search, or the id of a track
 * @property {Own} own what only this view asks for
 * @property {boolean} cap at most one match per artist
 * @property {string} space names of the embedders that are asked, `+` between; "" for the default
 * @property {Filters} filters what matches must be like
 *
 * By names of the API, as texts; what is not asked for is not there.
 * @typedef {Record<string, string>} Own
 */

/** Views whose address is `#/name?…`, and the names of what is their own. */
const OWN = /** @type {const} */ ({
  you: ["novelty", "surprise", "half_life_days", "seed"],
  path: ["from", "to", "steps"],
  map: [],
});

/** The others have a name and a value: `#similar=…`. */
const KEYS = /** @type {const} */ ({ browse: "q", similar: "similar", clip: "clip" });

/**
 * @param {string} name
 * @returns {name is keyof typeof OWN}
 */
const hasOwn = (name) => Object.hasOwn(OWN, name);

/**
 * Views that one space answers alone.
 *
 * @param {{name: ViewName}} route
 */
export const isOfOneSpace = ({ name }) => hasOwn(name);

/**
 * @param {string} hash
 * @returns {Route}
 */
export function parse(hash) {
  const [, name = "", query = hash.replace(/^#/, "")] = /^#\/(\w+)(?:\?|$)(.*)$/.exec(hash) ?? [];
  const params = new URLSearchParams(query);
  // a plus that was typed as it is reads as a blank, which no name holds
  const space = (params.get("space") ?? "").replaceAll(" ", "+");
  const filters = filtersFrom((filter) => params.get(filter));
  const kept = { own: {}, cap: params.get("cap") === "1", space, filters };
  if (hasOwn(name)) {
    const own = Object.fromEntries(OWN[name].map((key) => [key, params.get(key) ?? ""]));
    return { ...kept, name, value: "", own: given(own), space: space.includes("+") ? "" : space };
  }
  const similar = params.get("similar");
  if (similar) return { ...kept, name: "similar", value: similar };
  if (params.has("clip")) return { ...kept, name: "clip", value: "" };
  return { ...kept, name: "browse", value: params.get("q") ?? "" };
}

/**
 * @param {Own} own
 * @returns {Own} without what is empty
 */
const given = (own) => Object.fromEntries(Object.entries(own).filter(([, text]) => text));

/**
 * @param {Route} route
 * @returns {string}
 */
export function format(route) {
  const { name } = route;
  const params = new URLSearchParams(hasOwn(name) ? given(route.own) : { [KEYS[name]]: route.value });
  if (route.cap) params.set("cap", "1");
  if (route.space) params.set("space", route.space);
  for (const [filter, text] of Object.entries(route.filters)) params.set(filter, text);
  if (!hasOwn(name)) return `#${params}`;
  return params.size ? `#/${name}?${params}` : `#/${name}`;
}

/**
 * The address of another view; how lists are asked for stays.
 *
 * @param {Pick<Route, 'name'> & Partial<Route>} change
 */
export const addressOf = (change) => format({ ...parse(location.hash), value: "", own: {}, ...change });

/** Keeps the address and the view in step. */
export class Router {
  /** @param {(route: Route, how: {typed: boolean}) => void} show */
  constructor(show) {
    this.show = show;
  }

  /** @returns {Route} */
  get route() {
    return parse(location.hash);
  }

  start() {
    addEventListener("hashchange", () => this.show(this.route, { typed: false }));
    this.show(this.route, { typed: true });
  }

  /**
   * @param {Route} route shown again when it is the current one
   * @param {{typed: boolean}} [how]
   */
  go(route, how = { typed: false }) {
    if (format(route) !== location.hash) history.pushState(null, "", format(route));
    this.show(route, how);
  }

  /**
   * Follow the search box: one step of history for a search, not one for each letter.
   *
   * @param {string} words
   */
  search(words) {
    const before = this.route;
    const route = /** @type {Route} */ ({ ...before, name: "browse", value: words, own: {} });
    if (before.name === "browse") history.replaceState(null, "", format(route));
    else history.pushState(null, "", format(route));
    this.show(route, { typed: true });
  }

  /**
   * Ask the same otherwise.
   *
   * @param {Partial<Pick<Route, 'cap' | 'space' | 'own'>>} options
   */
  set(options) {
    const route = { ...this.route, ...options };
    history.replaceState(null, "", format(route));
    this.show(route, { typed: true });
  }

  /** Take the space out of the address; what is shown stays. */
  forgetSpace() {
    history.replaceState(null, "", format({ ...this.route, space: "" }));
  }
}
