/** Tells the server what the listener did: in batches, in order, and again until it is stored. */

import { eraseListener, Problem, takeBack, tellEvents } from "./api.js";

/** @import {Job, Listener} from './listener.js' */

/** Events of a batch: as many as a browser still sends while its page goes. */
const MOST = 200;
const FIRST_PAUSE_MILLISECONDS = 1_000;
const LONGEST_PAUSE_MILLISECONDS = 60_000;

/** Emits `change` when it begins or ceases to fail. */
export class Outbox extends EventTarget {
  /**
   * @param {Listener} listener
   * @param {(problem: Problem) => void} onRefused an event was refused for good
   */
  constructor(listener, onRefused) {
    super();
    this.listener = listener;
    this.onRefused = onRefused;
    this.most = MOST;
    this.pause = 0;
    this.timer = 0;
    /** @type {Promise<void>} */
    this.work = Promise.resolve();
    listener.addEventListener("queue", () => this.flush());
    addEventListener("online", () => this.flush());
    addEventListener("pagehide", () => this.#tellLast());
    if (listener.outbox.length) this.flush();
  }

  /** Whether the server could not be told, and will be told again. */
  get isFailing() {
    return this.pause > 0;
  }

  flush() {
    clearTimeout(this.timer);
    this.work = this.work.then(() => alone(() => this.#deliver()));
  }

  /**
   * Have the server erase the listener, and forget it here once that is done.
   *
   * @returns {Promise<void>} rejected with what the server said
   */
  forget() {
    clearTimeout(this.timer);
    const erased = this.work.then(() =>
      alone(async () => {
        if (this.listener.id) await eraseListener(this.listener.id);
        this.listener.forget();
        this.#setPause(0);
      }),
    );
    this.work = erased.catch(() => {}); // its caller tells; what comes after goes on
    return erased;
  }

  async #deliver() {
    for (;;) {
      const batch = headOf(this.listener.outbox, this.most);
      if (!batch.length) break;
      if (!(await this.#tell(batch))) return;
    }
    this.#setPause(0);
  }

  /**
   * @param {Job[]} batch
   * @returns {Promise<boolean>} whether to go on with the next
   */
  async #tell(batch) {
    try {
      await send(this.listener.id, batch);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (!problem.isRefusal) return this.#tryLater();
      if (batch.length > 1) {
        this.most = Math.floor(batch.length / 2); // a bad event keeps the others out: close in on it
        return true;
      }
      this.most = MOST;
      this.listener.refused(batch[0]);
      this.onRefused(problem);
      return true;
    }
    this.listener.told(batch);
    return true;
  }

  #tryLater() {
    this.#setPause(Math.min(2 * this.pause || FIRST_PAUSE_MILLISECONDS, LONGEST_PAUSE_MILLISECONDS));
    this.timer = setTimeout(() => this.flush(), this.pause);
    return false;
  }

  /** @param {number} milliseconds */
  #setPause(milliseconds) {
    const wasFailing = this.isFailing;
    this.pause = milliseconds;
    if (this.isFailing !== wasFailing) this.dispatchEvent(new Event("change"));
  }

  /** The page goes: send what is left, and leave it queued, for nobody waits for the answer. */
  #tellLast() {
    const batch = headOf(this.listener.outbox, MOST);
    if (batch.length) send(this.listener.id, batch, true).catch(() => {});
  }
}

/**
 * Work that no other tab does meanwhile, where the browser can see to that. Where it cannot, a
 * batch may be told twice, which is stored once.
 *
 * @param {() => Promise<void>} work
 */
const alone = (work) => navigator.locks?.request("soundalike.outbox", work) ?? work();

/**
 * The jobs to begin with: events that go together, or one that takes some back.
 *
 * @param {Job[]} outbox
 * @param {number} most
 */
function headOf(outbox, most) {
  const end = outbox.findIndex(({ event }) => !event);
  return outbox.slice(0, end === 0 ? 1 : Math.min(most, end < 0 ? Infinity : end));
}

/**
 * @param {string} id
 * @param {Job[]} batch
 * @param {boolean} [keepalive] to be sent even when the page is gone
 */
async function send(id, batch, keepalive = false) {
  const [{ undo }] = batch;
  if (undo) return takeBack(id, undo, keepalive);
  return tellEvents(id, batch.flatMap(({ event }) => event ?? []), keepalive);
}
