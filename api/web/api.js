/** Requests to the HTTP API. Addresses are relative, so the page also works below a prefix. */

import { asked, inForce } from "./filters.js";

/** @import {Route} from './router.js' */
/** @import {Told} from './listener.js' */
/** @import {Answer, IndexInfo, TrackDetail, TrackPage} from './types.js' */

/** @typedef {Record<string, string | number | string[] | undefined>} Query undefined is left out */

export const MATCHES = 20;
export const PAGE = 50;

/** An error that the API explained (RFC 9457), or one of the network. */
export class Problem extends Error {
  /**
   * @param {string} title
   * @param {string} detail
   * @param {number} [status] 0 when no answer came
   * @param {string} [type] for example /problems/unknown-track
   * @param {{name: string, message: string}[]} [errors] values at fault
   */
  constructor(title, detail, status = 0, type = "", errors = []) {
    super(detail || title);
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.type = type;
    this.errors = errors;
  }

  /** Names that stand in for the values at fault, as far as the API says so. */
  get parameters() {
    const named = /^\w+(?==)/.exec(this.detail) ?? [];
    return [...this.errors.flatMap(({ name }) => name.split(".")), ...named];
  }

  /** Whether the server is well but has no index yet. */
  get isUnindexed() {
    return this.type.endsWith("/index-unavailable");
  }

  /** Whether the same would be refused again. */
  get isRefusal() {
    return [400, 413, 415, 422].includes(this.status);
  }

  /** Whether a list that is gone on with is not there any more. */
  get isOldCursor() {
    return this.type.endsWith("/invalid-cursor");
  }

  /** Whether a space that was named is at fault: it is not served, or cannot be read. */
  get isOfSpace() {
    const slug = this.type.split("/").pop() ?? "";
    const isOfName = ["invalid-parameter", "index-unavailable"].includes(slug);
    return isOfName && /\bspace\b/.test(this.detail);
  }
}

/**
 * Read a problem out of an answer's body, whatever the body is.
 *
 * @param {number} status
 * @param {string} body
 * @returns {Problem}
 */
export function problemFrom(status, body) {
  const fallback = `The server answered with status ${status}.`;
  try {
    const { title = "Something went wrong", detail = fallback, type = "", errors } = JSON.parse(body);
    return new Problem(String(title), String(detail), status, String(type), errors);
  } catch {
    return new Problem("Something went wrong", fallback, status);
  }
}

/** @returns {Problem} */
export function unreachable() {
  return new Problem("No connection", "The server does not answer. Is it still running?");
}

/**
 * @param {string} path
 * @param {Query} [params] lists are repeated
 * @returns {string}
 */
export function address(path, params = {}) {
  const url = new URL(path, document.baseURI);
  url.hash = "";
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value ?? []].flat()) url.searchParams.append(name, String(one));
  }
  return url.href;
}

/**
 * @param {string} url
 * @param {RequestInit} init
 * @returns {Promise<{answer: Response, body: string}>} an answer that is none of a problem
 */
export async function fetchText(url, init) {
  let answer;
  let body;
  try {
    answer = await fetch(url, init);
    body = await answer.text();
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
  if (!answer.ok) throw problemFrom(answer.status, body);
  return { answer, body };
}

/**
 * @param {string} url
 * @param {RequestInit} init
 * @returns {Promise<any>}
 */
async function fetchJson(url, init) {
  const { answer, body } = await fetchText(url, init);
  try {
    return JSON.parse(body);
  } catch {
    throw problemFrom(answer.status, body);
  }
}

/** @param {string} id */
export const audioAddress = (id) => address(`tracks/${encodeURIComponent(id)}/audio`);

/** Whether the service can answer; it may also be out of reach for a while. */
export const isReady = () => fetch(address("readyz")).then((answer) => answer.ok, () => false);

/** @returns {Promise<IndexInfo>} */
export const indexInfo = () => fetchJson(address("index"), {});

/**
 * @param {string} q
 * @param {string | undefined} cursor where the page before ended
 * @param {AbortSignal} signal
 * @returns {Promise<TrackPage>}
 */
export const findTracks = (q, cursor, signal) =>
  fetchJson(address("tracks", { q: q || undefined, limit: PAGE, cursor }), { signal });

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<TrackDetail>}
 */
export const trackDetail = (id, signal) =>
  fetchJson(address(`tracks/${encodeURIComponent(id)}`), { signal });

/**
 * Options and filters of a view as a query.
 *
 * @param {Route} route
 * @param {string[]} [without] artists that are left out
 * @returns {Query}
 */
export const query = (route, without = []) => ({
  limit: MATCHES,
  max_per_artist: route.cap ? 1 : undefined,
  exclude_artist: without.filter(Boolean),
  space: route.space || undefined,
  ...asked(inForce(route)),
});

/**
 * An answer of a recommending call, by its address.
 *
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export const answerOf = (url, signal) => fetchJson(url, { signal });

/**
 * @param {string} id of a listener
 * @param {string} rest of the path
 * @param {Query} [params]
 */
export const listenerAddress = (id, rest, params) =>
  address(`listeners/${encodeURIComponent(id)}${rest}`, params);

/**
 * @param {string} id of a listener
 * @param {Told[]} events
 * @param {boolean} keepalive
 */
export const tellEvents = (id, events, keepalive) =>
  fetchText(listenerAddress(id, "/events"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ events }),
    keepalive,
  });

/**
 * @param {string} id of a listener
 * @param {{track_id: string, kind: string}} what
 * @param {boolean} keepalive
 */
export const takeBack = (id, what, keepalive) =>
  fetchText(listenerAddress(id, "/events", what), { method: "DELETE", keepalive });

/** @param {string} id of a listener, of whom nothing is left */
export const eraseListener = (id) => fetchText(listenerAddress(id, ""), { method: "DELETE" });
