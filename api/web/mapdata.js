/** The map as the API gives it, and what its points are. */

import { address, problemFrom, unreachable } from "./api.js";

/** @import {Points} from './mapplane.js' */
/** @import {Track} from './types.js' */

/**
 * @typedef {{name: string, n_tracks: number}} Group
 * @typedef {'tag' | 'genre' | 'year'} Colouring
 *
 * Points by place; `groups` are places in the legend, `NO_GROUP` for none of them.
 * @typedef {Points & {generation: string, n_tracks: number, legend: Group[], warnings: string[],
 *   rows: Uint32Array, groups: Uint8Array}} MapData
 */

export const NO_GROUP = 255;

/** Most tracks that one request asks for. */
const AT_ONCE = 100;
const MOST_KNOWN = 5000;
const FULL = 65535;

/**
 * @param {string} url
 * @returns {Promise<Response>}
 */
async function fetched(url) {
  const answer = await fetch(url).catch(() => {
    throw unreachable();
  });
  if (!answer.ok) throw problemFrom(answer.status, await answer.text());
  return answer;
}

/**
 * @param {Colouring} colour
 * @returns {Promise<MapData>}
 */
export async function fetchMap(colour) {
  const answer = await fetched(address("map", { colour, format: "binary" }));
  return unpacked(await answer.arrayBuffer());
}

/**
 * A line of JSON, and behind it columns: see `GET /map` in the documentation of the API.
 *
 * @param {ArrayBuffer} buffer
 * @returns {MapData}
 */
export function unpacked(buffer) {
  const bytes = new Uint8Array(buffer);
  const start = bytes.indexOf(10) + 1;
  const { n_points: count, ...head } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, start)));
  const view = new DataView(buffer, start);
  const rows = Uint32Array.from({ length: count }, (_, place) => view.getUint32(4 * place, true));
  const column = (/** @type {number} */ first) =>
    Float32Array.from({ length: count }, (_, place) => (2 * view.getUint16(first + 2 * place, true)) / FULL - 1);
  return { ...head, rows, x: column(4 * count), y: column(6 * count), groups: bytes.slice(start + 8 * count) };
}

/**
 * In which order points are drawn: those without a colour first, and those that stand out last.
 *
 * @param {MapData} data
 * @param {number | null} [chosen]
 * @returns {Uint32Array}
 */
export function inOrder({ groups }, chosen = null) {
  const layer = (/** @type {number} */ group) => (group === chosen ? 2 : Number(group !== NO_GROUP));
  const layers = [0, 1, 2].map(() => /** @type {number[]} */ ([]));
  groups.forEach((group, place) => layers[layer(group)].push(place));
  return Uint32Array.from(layers.flat());
}

/** Tracks of a map by row, each asked for once. */
export class Tracks {
  /** @param {string} generation */
  constructor(generation) {
    this.generation = generation;
    /** @type {Map<number, Track>} */
    this.known = new Map();
  }

  /**
   * @param {number[]} rows at most 100
   * @returns {Promise<Track[]>} in the same order, without those that are gone
   */
  async of(rows) {
    const missing = rows.filter((row) => !this.known.has(row)).slice(0, AT_ONCE);
    if (missing.length) {
      if (this.known.size > MOST_KNOWN) this.known.clear();
      const { generation } = this;
      const url = address("map/tracks", { generation, row: missing.map(String) });
      const { tracks } = await (await fetched(url)).json();
      for (const { row, track } of tracks) this.known.set(row, track);
      // cleared, or several times: what was known before may be gone
      if (rows.some((row) => !this.known.has(row) && !missing.includes(row))) return this.of(rows);
    }
    return rows.flatMap((row) => this.known.get(row) ?? []);
  }
}
