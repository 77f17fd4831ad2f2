/** The listener of this browser: what is liked and disliked, and what the server has yet to hear. */

/** @import {Track} from './types.js' */

const KEY = "soundalike.listener";

/**
 * @typedef {'like' | 'dislike'} Opinion
 * @typedef {{track: Track, opinion: Opinion}} Entry
 * @typedef {{track_id: string, kind: Opinion | 'listen' | 'skip', at: string,
 *   seconds_played?: number}} Told
 *
 * Something to tell, in order of `n`: an event, or the kind of event of a track to take back.
 * @typedef {{n: number, event?: Told, undo?: {track_id: string, kind: Opinion}}} Job
 *
 * `id` is "" until the first opinion.
 * @typedef {{id: string, entries: Entry[], outbox: Job[], next: number}} State
 */

/** @returns {string} that says nothing of anybody; `crypto.randomUUID` is not there on plain HTTP */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @returns {State} */
const nobody = () => ({ id: "", entries: [], outbox: [], next: 1 });

/**
 * @param {() => Storage} open
 * @param {State} otherwise what holds when the storage cannot be read
 * @returns {State}
 */
function read(open, otherwise) {
  let text;
  try {
    text = open().getItem(KEY);
  } catch {
    return otherwise; // storage may be forbidden; the page goes on without
  }
  try {
    const state = JSON.parse(text ?? "null");
    return isState(state) ? state : nobody();
  } catch {
    return nobody(); // somebody else's bytes under our key: start afresh
  }
}

/**
 * @param {any} state
 * @returns {state is State}
 */
function isState(state) {
  const isOurs = typeof state?.id === "string" && Number.isInteger(state.next);
  if (!isOurs || ![state.entries, state.outbox].every(Array.isArray)) return false;
  return state.entries.every(isEntry) && state.outbox.every(isJob);
}

/** @param {any} job */
const isJob = (job) => Number.isInteger(job?.n) && Boolean(job.event ?? job.undo);

/** @param {any} entry */
const isEntry = (entry) =>
  typeof entry?.track?.id === "string" && ["like", "dislike"].includes(entry.opinion);

/**
 * As much of a track as lists show; storage is small.
 *
 * @param {Track} track
 * @returns {Track}
 */
const brief = ({ id, title, artist, album, genre, year, duration_seconds }) => ({
  ...{ id, title, artist, album, genre, year, duration_seconds },
});

/** Emits `change` (opinions), `queue` (there is something to tell) and `told` (the server knows). */
export class Listener extends EventTarget {
  /** @param {() => Storage} open gives what all tabs share: what another one does shows here too */
  constructor(open) {
    super();
    this.open = open;
    this.state = read(open, nobody());
    addEventListener("storage", ({ key }) => {
      if (key !== KEY && key !== null) return;
      this.state = read(open, this.state);
      this.#emit("change");
    });
  }

  get id() {
    return this.state.id;
  }

  get outbox() {
    return this.state.outbox;
  }

  /**
   * @param {string} trackId
   * @returns {Opinion | undefined}
   */
  opinionOf(trackId) {
    return this.state.entries.find(({ track }) => track.id === trackId)?.opinion;
  }

  /**
   * @param {Opinion} opinion
   * @returns {Track[]}
   */
  tracks(opinion) {
    return this.state.entries.filter((one) => one.opinion === opinion).map(({ track }) => track);
  }

  /**
   * Say what is thought of a track, or take it back when it is thought already.
   *
   * @param {Track} track
   * @param {Opinion} opinion
   */
  toggle(track, opinion) {
    const at = new Date().toISOString();
    this.#change((state) => {
      const before = state.entries.find((one) => one.track.id === track.id)?.opinion;
      const others = state.entries.filter((one) => one.track.id !== track.id);
      const id = state.id || randomId();
      const undo = before && { undo: { track_id: track.id, kind: before } };
      if (before === opinion) return queued({ ...state, entries: others }, undo);
      const entries = [...others, { track: brief(track), opinion }];
      const event = { track_id: track.id, kind: opinion, at };
      return queued({ ...state, id, entries }, undo, { event });
    });
    this.#emit("change");
    this.#emit("queue");
  }

  /**
   * Remember that a track was heard or skipped; of somebody without opinions nothing is.
   *
   * @param {string} trackId
   * @param {'listen' | 'skip'} kind
   * @param {Date} at when it began
   * @param {number} seconds that were heard
   */
  heard(trackId, kind, at, seconds) {
    if (!this.id) return;
    const seconds_played = Math.round(10 * seconds) / 10;
    const event = { track_id: trackId, kind, at: at.toISOString(), seconds_played };
    this.#change((state) => queued(state, { event }));
    this.#emit("queue");
  }

  /**
   * Everything up to a job has been told.
   *
   * @param {Job[]} jobs the last ones that were
   */
  told(jobs) {
    const last = jobs[jobs.length - 1].n;
    this.#change((state) => ({ ...state, outbox: state.outbox.filter(({ n }) => n > last) }));
    const areOpinions = jobs.some(({ event }) => !event || !("seconds_played" in event));
    if (areOpinions) this.#emit("told");
    this.#emit("change");
  }

  /**
   * The server never takes an event: what is shown is not to say otherwise.
   *
   * @param {Job} job
   */
  refused(job) {
    const { track_id, kind } = job.event ?? {};
    this.#change((state) => {
      const isRefused = (/** @type {Entry} */ one) => one.track.id === track_id && one.opinion === kind;
      return { ...state, entries: state.entries.filter((one) => !isRefused(one)) };
    });
    this.told([job]);
  }

  /** Forget everything; the next opinion is somebody else's. */
  forget() {
    this.#change(({ next }) => ({ ...nobody(), next }));
    this.#emit("change");
    this.#emit("told");
  }

  /**
   * Other tabs write as well, so what is stored is read anew before it is changed.
   *
   * @param {(state: State) => State} edit
   */
  #change(edit) {
    this.state = edit(read(this.open, this.state));
    try {
      this.open().setItem(KEY, JSON.stringify(this.state));
    } catch {
      // full or forbidden: the page goes on, and forgets with the tab
    }
  }

  /** @param {string} name */
  #emit(name) {
    this.dispatchEvent(new Event(name));
  }
}

/**
 * @param {State} state
 * @param {...(Omit<Job, 'n'> | undefined)} jobs
 * @returns {State}
 */
function queued(state, ...jobs) {
  const { outbox, next } = state;
  const numbered = jobs.filter((job) => job !== undefined).map((job, i) => ({ ...job, n: next + i }));
  return { ...state, outbox: [...outbox, ...numbered], next: next + numbered.length };
}
