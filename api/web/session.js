/** What the listener likes and does not like; it lives as long as the browser's tab. */

/** @import {Track, Weighted} from './types.js' */

const KEY = "soundalike.session";

/** As many tracks as one question may hold; older ones step aside. */
const MOST = 100;

/** @typedef {'liked' | 'less'} Opinion */
/** @typedef {{track: Track, opinion: Opinion}} Entry */

/**
 * @param {Storage} storage
 * @returns {Entry[]}
 */
function read(storage) {
  try {
    const entries = JSON.parse(storage.getItem(KEY) ?? "[]");
    return Array.isArray(entries) ? entries.filter(isEntry) : [];
  } catch {
    return []; // somebody else's bytes under our key: start afresh
  }
}

/**
 * @param {any} entry
 * @returns {entry is Entry}
 */
function isEntry(entry) {
  return typeof entry?.track?.id === "string" && ["liked", "less"].includes(entry.opinion);
}

/** Emits `change`. */
export class Session extends EventTarget {
  /** @param {Storage} storage */
  constructor(storage) {
    super();
    this.storage = storage;
    this.entries = read(storage);
  }

  /**
   * @param {string} id
   * @returns {Opinion | undefined}
   */
  opinionOf(id) {
    return this.entries.find((entry) => entry.track.id === id)?.opinion;
  }

  /**
   * Set an opinion, or take it back when it is the present one.
   *
   * @param {Track} track
   * @param {Opinion} opinion
   */
  toggle(track, opinion) {
    if (this.opinionOf(track.id) === opinion) return this.remove(track.id);
    const others = this.entries.filter((entry) => entry.track.id !== track.id);
    this.#keep([...others, { track, opinion }]);
  }

  /** @param {string} id */
  remove(id) {
    this.#keep(this.entries.filter((entry) => entry.track.id !== id));
  }

  clear() {
    this.#keep([]);
  }

  /**
   * @param {Opinion} opinion
   * @returns {Track[]}
   */
  tracks(opinion) {
    return this.entries.filter((entry) => entry.opinion === opinion).map((entry) => entry.track);
  }

  /**
   * @param {Opinion} opinion
   * @returns {Weighted[]}
   */
  weighted(opinion) {
    return this.tracks(opinion).slice(-MOST).map((track) => ({ track_id: track.id, weight: 1 }));
  }

  /** @param {Entry[]} entries */
  #keep(entries) {
    this.entries = entries;
    try {
      this.storage.setItem(KEY, JSON.stringify(entries));
    } catch {
      // a full storage only costs the reload; the page itself goes on
    }
    this.dispatchEvent(new Event("change"));
  }
}
