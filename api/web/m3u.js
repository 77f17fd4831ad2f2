/** Playlists that other players can open. */

import { audioAddress } from "./api.js";
import { el } from "./dom.js";
import { artistOf, titleOf } from "./format.js";

/** @import {Track} from './types.js' */

/**
 * @param {Track[]} tracks
 * @returns {string} extended M3U
 */
export function playlist(tracks) {
  const lines = tracks.flatMap((track) => [
    `#EXTINF:${Math.round(track.duration_seconds)},${oneLine(track)}`,
    audioAddress(track.id),
  ]);
  return ["#EXTM3U", ...lines, ""].join("\n");
}

/** @param {Track} track */
const oneLine = (track) => `${artistOf(track)} - ${titleOf(track)}`.replace(/\s+/g, " ");

/** @param {Track[]} tracks */
export function savePlaylist(tracks) {
  const blob = new Blob([playlist(tracks)], { type: "audio/x-mpegurl" });
  const href = URL.createObjectURL(blob);
  el("a", { href, download: "soundalike.m3u8" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000); // the download has started by then
}
