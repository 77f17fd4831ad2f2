/** One <audio> for the whole page, and the list that it plays through. */

import { audioAddress } from "./api.js";
import { artistOf, titleOf } from "./format.js";

/** @import {Playable} from './types.js' */

/**
 * Emits `change` (what plays, or whether), `time` (where it is), `fail` (cannot play) and `leave`
 * (what plays makes room or is over; `detail.isSkip` when the next was asked for).
 */
export class Player extends EventTarget {
  /** @param {HTMLAudioElement} audio */
  constructor(audio) {
    super();
    this.audio = audio;
    /** @type {Playable | null} */
    this.current = null;
    /** @type {Playable[]} */
    this.queue = [];
    /** Whether the service gives the catalog's audio. */
    this.hasCatalog = true;
    this.#listen();
  }

  get playing() {
    return this.current !== null && !this.audio.paused;
  }

  /** Seconds; the catalog's length until the browser knows better. */
  get duration() {
    const known = this.audio.duration;
    return Number.isFinite(known) ? known : (this.current?.duration_seconds ?? 0);
  }

  /** @param {Playable} track */
  canPlay(track) {
    return this.hasCatalog || Boolean(track.src);
  }

  /** @param {Playable} track */
  isPlaying(track) {
    return this.playing && this.current?.id === track.id;
  }

  /**
   * Play a track, or pause and go on when it is the current one.
   *
   * @param {Playable} track
   * @param {Playable[]} [queue] what `previous` and `next` step through
   */
  toggle(track, queue = [track]) {
    this.queue = queue;
    if (this.current?.id === track.id && this.current.src === track.src) return this.togglePaused();
    this.#load(track);
  }

  /**
   * @param {Playable} track
   * @param {Playable[]} queue
   * @param {number} seconds to begin at
   */
  playFrom(track, queue, seconds) {
    this.queue = queue;
    if (this.current?.id !== track.id) this.#load(track);
    else this.#start();
    this.audio.currentTime = seconds;
  }

  togglePaused() {
    if (this.audio.paused) this.#start();
    else this.audio.pause();
  }

  /** @param {number} seconds */
  seek(seconds) {
    this.audio.currentTime = Math.min(Math.max(0, seconds), this.duration);
  }

  /**
   * @param {number} offset
   * @returns {Playable | undefined} the track that many places further in the queue
   */
  neighbour(offset) {
    const place = this.queue.findIndex((track) => track.id === this.current?.id);
    return place < 0 ? undefined : this.queue[place + offset];
  }

  /**
   * @param {number} offset
   * @param {boolean} [isSkip]
   */
  step(offset, isSkip = offset > 0) {
    const track = this.neighbour(offset);
    if (track) this.#load(track, isSkip);
  }

  /**
   * @param {Playable} track
   * @param {boolean} [isSkip]
   */
  #load(track, isSkip = false) {
    this.#leave(isSkip);
    this.current = track;
    this.audio.src = track.src ?? audioAddress(track.id);
    this.#describe(track);
    this.#start();
  }

  #start() {
    // a rejection here is either a newer load, or an error that `fail` reports
    this.audio.play().catch(() => this.#emit("change"));
    this.#emit("change");
  }

  /** @param {boolean} isSkip */
  #leave(isSkip) {
    this.dispatchEvent(new CustomEvent("leave", { detail: { isSkip } }));
  }

  /** @param {string} name */
  #emit(name) {
    this.dispatchEvent(new Event(name));
  }

  #listen() {
    for (const name of ["play", "playing", "pause", "ended", "emptied"]) {
      this.audio.addEventListener(name, () => this.#emit("change"));
    }
    for (const name of ["timeupdate", "seeked", "durationchange"]) {
      this.audio.addEventListener(name, () => this.#emit("time"));
    }
    this.audio.addEventListener("ended", () => {
      this.#leave(false);
      this.step(1, false);
    });
    this.audio.addEventListener("error", () => this.#emit("fail"));
    this.#listenToMediaKeys();
  }

  #listenToMediaKeys() {
    if (!("mediaSession" in navigator)) return;
    navigator.mediaSession.setActionHandler("previoustrack", () => this.step(-1));
    navigator.mediaSession.setActionHandler("nexttrack", () => this.step(1));
    navigator.mediaSession.setActionHandler("seekto", ({ seekTime }) => this.seek(seekTime ?? 0));
  }

  /** @param {Playable} track */
  #describe(track) {
    if (!("mediaSession" in navigator)) return;
    const { album } = track;
    const metadata = { title: titleOf(track), artist: artistOf(track), album };
    navigator.mediaSession.metadata = new MediaMetadata(metadata);
  }
}
