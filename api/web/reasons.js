/** Why a track is a match, in words. What a service does not tell of is not spoken of. */

import { el, foreign } from "./dom.js";
import { clock } from "./format.js";
import { addressOf } from "./router.js";

/** @import {LikedTrack, Row, Segment, Why} from './types.js' */

/** A smaller difference in level is hard to hear. */
const HEARD_DECIBELS = 1;

/**
 * @param {Row} row
 * @param {((seconds: number) => void) | null} onPlay plays it from there; null where nothing plays
 * @returns {HTMLElement[]} a line of words, when there is something to say
 */
export function reasonsLine({ why = {}, because }, onPlay) {
  const reasons = [
    ...(because ? [becauseOf(because)] : []),
    ...(why.segment ? [segmentOf(why.segment, onPlay)] : []),
    ...wordsOf(why).map((words) => [words]),
  ];
  if (!reasons.length) return [];
  const line = el("p", { class: "reasons" });
  for (const [place, parts] of reasons.entries()) line.append(place ? " · " : "", ...parts);
  return [line];
}

/**
 * @param {LikedTrack} because
 * @returns {(string | Node)[]}
 */
function becauseOf({ title, id, isLiked, interest }) {
  const href = addressOf({ name: "similar", value: id });
  const link = el("a", { href }, foreign(title));
  const words = `”, which you ${isLiked ? "like" : "heard"}`;
  return ["Because of “", link, interest ? `${words}, ${ordinal(interest)} of your interests` : words];
}

/** @param {number} place 1 for the first */
function ordinal(place) {
  if (place === 1) return "the largest";
  const ending = { 2: "nd", 3: "rd" }[place] ?? "th";
  return `the ${place}${ending} largest`;
}

/**
 * @param {Segment} segment
 * @param {((seconds: number) => void) | null} onPlay
 * @returns {(string | Node)[]}
 */
function segmentOf({ start_seconds, end_seconds, same_recording }, onPlay) {
  const span = `${clock(start_seconds)}–${clock(end_seconds)}`;
  const words = same_recording ? "This very recording, at " : "Most alike at ";
  if (!onPlay) return [words + span];
  const click = () => onPlay(start_seconds);
  const label = `Play from ${clock(start_seconds)}`;
  return [words, el("button", { type: "button", class: "moment", title: label, click }, span)];
}

/**
 * @param {Why} why
 * @returns {string[]}
 */
function wordsOf({ tempo, key, level, hub_corrected }) {
  const words = [];
  if (tempo) words.push(tempoWords(tempo));
  if (key) words.push(keyWords(key));
  if (level) words.push(levelWords(level.difference_db));
  if (hub_corrected) words.push("ranked after correction for tracks near to everything");
  return words;
}

/** @param {NonNullable<Why['tempo']>} tempo */
function tempoWords({ bpm, seed_bpm, close }) {
  const [one, other] = [Math.round(bpm), Math.round(seed_bpm)];
  if (close && one === other) return `same tempo, ${one}\u00a0BPM`;
  return `${close ? "similar" : "other"} tempo, ${one} to ${other}\u00a0BPM`;
}

/** @param {NonNullable<Why['key']>} key */
function keyWords({ key, seed_key, related }) {
  if (key === seed_key) return `same key, ${key}`;
  return `${related ? "related" : "other"} key, ${key} to ${seed_key}`;
}

/** @param {number} difference decibels, above 0 when the match is louder */
function levelWords(difference) {
  const by = Math.abs(difference);
  if (by < HEARD_DECIBELS) return "as loud";
  return `${Math.round(by)}\u00a0dB ${difference > 0 ? "louder" : "quieter"}`;
}
