/** The address after # names the view, so that links, reloads and the back button work. */

import { filtersFrom } from "./filters.js";

/** @import {Filters} from './filters.js' */

/**
 * @typedef {object} Route
 * @property {'browse' | 'similar' | 'clip' | 'session'} name
 * @property {string} value the words of a search, or the id of a track
 * @property {boolean} cap at most one match per artist
 * @property {string} space names of the embedders that are asked, `+` between; "" for the default
 * @property {Filters} filters what matches must be like
 */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function parse(hash) {
  const params = new URLSearchParams(hash.replace(/^#/, ""));
  // a plus that was typed as it is reads as a blank, which no name holds
  const space = (params.get("space") ?? "").replaceAll(" ", "+");
  const filters = filtersFrom((name) => params.get(name));
  const kept = { cap: params.get("cap") === "1", space, filters };
  const similar = params.get("similar");
  if (similar) return { name: "similar", value: similar, ...kept };
  if (params.has("clip")) return { name: "clip", value: "", ...kept };
  if (params.has("session")) return { name: "session", value: "", ...kept };
  return { name: "browse", value: params.get("q") ?? "", ...kept };
}

/**
 * @param {Route} route
 * @returns {string}
 */
export function format(route) {
  const keys = { browse: "q", similar: "similar", clip: "clip", session: "session" };
  const params = new URLSearchParams({ [keys[route.name]]: route.value });
  if (route.cap) params.set("cap", "1");
  if (route.space) params.set("space", route.space);
  for (const [name, text] of Object.entries(route.filters)) params.set(name, text);
  return `#${params}`;
}

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
    const route = /** @type {Route} */ ({ ...before, name: "browse", value: words });
    if (before.name === "browse") history.replaceState(null, "", format(route));
    else history.pushState(null, "", format(route));
    this.show(route, { typed: true });
  }

  /**
   * Ask the same otherwise.
   *
   * @param {{cap: boolean} | {space: string}} options
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
