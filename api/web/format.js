/** How numbers and names are written. */

/** @import {Track} from './types.js' */

/** Similarity that unrelated tracks have on average; bars of one embedder start here. */
export const UNRELATED = 0.5;

/** Degrees; its multiples keep apart from each other on the colour wheel. */
const GOLDEN_ANGLE = 137.508;

/**
 * @param {number} seconds
 * @returns {string} for example 3:07 or 1:02:09
 */
export function clock(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : 0;
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(s).padStart(2, "0");
  return h ? `${h}:${String(m).padStart(2, "0")}:${tail}` : `${m}:${tail}`;
}

/**
 * @param {number} count
 * @param {string} noun
 * @param {string} [plural]
 */
export function counted(count, noun, plural = `${noun}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;
}

/**
 * @param {number} share in [0, 1]
 * @returns {string} to the tenth, rounded down: 100 % is all
 */
export const percent = (share) => `${(Math.floor(share * 1000 + 1e-9) / 10).toFixed(1)}\u00a0%`;

/** @param {Track} track */
export const titleOf = (track) => track.title || "Untitled";

/** @param {Track} track */
export const artistOf = (track) => track.artist || "Unknown artist";

/** @param {Track} track */
export const nameOf = (track) => `${titleOf(track)} by ${artistOf(track)}`;

/**
 * How much of the bar a similarity fills.
 *
 * @param {number} similarity in [0, 1]
 * @param {number} empty the similarity of an empty bar
 * @returns {number} in [0, 1]
 */
export function barShare(similarity, empty) {
  return Math.min(1, Math.max(0, (similarity - empty) / (1 - empty)));
}

/**
 * The hue of a record's label, always the same for one artist; degrees.
 *
 * @param {Track} track
 */
export function hueOf(track) {
  const text = track.artist || track.album || track.title;
  let hash = 0;
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 10007;
  return Math.round((hash * GOLDEN_ANGLE) % 360);
}
