/** Saving the list that is shown, for other players. */

import { audioAddress, fetchText } from "./api.js";
import { el } from "./dom.js";
import { artistOf, titleOf } from "./format.js";

/** @import {Question} from './results.js' */
/** @import {Track} from './types.js' */

/**
 * Save what the service writes, under the name that it gives.
 *
 * @param {Question} question
 */
export async function saveAnswer({ url, init = {} }) {
  const { answer, body } = await fetchText(url, init);
  const name = nameIn(answer.headers.get("Content-Disposition") ?? "");
  download(body, answer.headers.get("Content-Type") ?? "", name);
}

/** @param {string} disposition with a name in plain letters, and perhaps in all of them */
function nameIn(disposition) {
  const [, encoded] = /filename\*=UTF-8''([^;]+)/.exec(disposition) ?? [];
  const [, plain = "soundalike"] = /filename="([^"]+)"/.exec(disposition) ?? [];
  return encoded ? decodeURIComponent(encoded) : plain;
}

/**
 * Save tracks that no question asks for: a page of the catalog, or what was chosen on the map.
 *
 * @param {Track[]} tracks
 */
export function saveTracks(tracks) {
  const lines = tracks.flatMap((track) => [
    `#EXTINF:${Math.round(track.duration_seconds)},${oneLine(track)}`,
    audioAddress(track.id),
  ]);
  download(["#EXTM3U", ...lines, ""].join("\n"), "audio/mpegurl", "soundalike.m3u8");
}

/** @param {Track} track */
const oneLine = (track) => `${artistOf(track)} - ${titleOf(track)}`.replace(/\s+/g, " ");

/**
 * @param {string} text
 * @param {string} type
 * @param {string} name
 */
function download(text, type, name) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000); // the download has started by then
}
