/** A field in which a track is looked up by its name: a combobox with a list below. */

import { findTracks, Problem } from "./api.js";
import { el, foreign } from "./dom.js";
import { nameOf } from "./format.js";

/** @import {Track} from './types.js' */

const PAUSE_MILLISECONDS = 160;
const MOST = 8;

/** Hands on what is chosen; left otherwise, it shows the track that was chosen before. */
export class TrackPicker {
  /**
   * @param {HTMLInputElement} input of role combobox, in an element that has room for the list
   * @param {(track: Track) => void} onPick
   */
  constructor(input, onPick) {
    this.input = input;
    this.onPick = onPick;
    /** @type {Track[]} */
    this.found = [];
    this.active = -1;
    this.name = "";
    this.timer = 0;
    this.request = new AbortController();
    this.list = el("ul", { role: "listbox", id: `${input.id}-found`, class: "found", hidden: true });
    input.setAttribute("aria-controls", this.list.id);
    input.after(this.list);
    this.#listen();
  }

  /** @param {Track | undefined} track */
  show(track) {
    this.name = track ? nameOf(track) : "";
    this.input.value = this.name;
    this.#offer([]);
  }

  #listen() {
    // a click would take the selection away that the focus has made
    for (const name of ["focus", "click"]) this.input.addEventListener(name, () => this.#select());
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#search(), PAUSE_MILLISECONDS);
    });
    this.input.addEventListener("keydown", (event) => this.#press(event));
    this.input.addEventListener("blur", () => {
      this.input.value = this.name;
      this.#offer([]);
    });
  }

  /** What was chosen before makes room for what is typed. */
  #select() {
    if (this.input.value === this.name) this.input.select();
  }

  async #search() {
    this.request.abort();
    this.request = new AbortController();
    const { signal } = this.request;
    try {
      const { tracks } = await findTracks(this.input.value.trim(), undefined, signal);
      if (document.activeElement === this.input) this.#offer(tracks.slice(0, MOST));
    } catch (error) {
      // what is being typed asks again; a service that is gone is told of by the view
      if (!signal.aborted && !(error instanceof Problem)) throw error;
    }
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !this.found.length) this.#search();
    else if (step) this.#mark((this.active + step + this.found.length) % this.found.length);
    else if (event.key === "Enter" && this.found.length) this.#pick(Math.max(0, this.active));
    else if (event.key === "Escape" && this.found.length) this.#offer([]);
    else return;
    event.preventDefault();
  }

  /** @param {Track[]} tracks */
  #offer(tracks) {
    clearTimeout(this.timer);
    if (!tracks.length) this.request.abort();
    this.found = tracks;
    this.list.replaceChildren(...tracks.map((track, place) => this.#option(track, place)));
    this.list.hidden = tracks.length === 0;
    this.input.setAttribute("aria-expanded", String(tracks.length > 0));
    this.#mark(-1);
  }

  /**
   * @param {Track} track
   * @param {number} place
   */
  #option(track, place) {
    // the field keeps the focus, or it would take its list away before the click
    const mousedown = (/** @type {Event} */ event) => event.preventDefault();
    const click = () => this.#pick(place);
    const attributes = { role: "option", id: `${this.list.id}-${place}`, mousedown, click };
    return el("li", attributes, foreign(nameOf(track)));
  }

  /** @param {number} place */
  #mark(place) {
    this.active = place;
    for (const [i, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", String(i === place));
    }
    if (place < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", this.list.children[place].id);
  }

  /** @param {number} place */
  #pick(place) {
    const track = this.found[place];
    this.show(track);
    this.onPick(track);
  }
}
