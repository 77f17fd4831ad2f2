/** The map of the catalog: what sounds alike lies close together. */

import { Problem } from "./api.js";
import { nameOf } from "./format.js";
import { MapDrawing } from "./mapdrawing.js";
import { Gestures } from "./mapgestures.js";
import { onKeys } from "./mapkeys.js";
import { showTip, styled, titleFor } from "./mapparts.js";
import { central, nearest, towards, within } from "./mapplane.js";

/** @import {Spot} from './mapplane.js' */
/** @import {Track} from './types.js' */

const MOST_LISTED = 100;
const LISTED_AROUND = 25;
const REACH = 14; // pixels around a point that are meant for it
const STEP = 1.6;
const TIP_MILLISECONDS = 70;

/**
 * Show the map in an element.
 *
 * @param {HTMLElement} container emptied
 * @param {{onPlay: (track: Track) => void, onList: (tracks: Track[], title: string) => void}} handlers
 * @returns {Promise<SoundMap>} once it is drawn; rejects when there is none
 */
export async function mountMap(container, handlers) {
  await styled();
  const map = new SoundMap(container, handlers);
  await map.load();
  return map;
}

/** Listens to hands and keys. */
class SoundMap extends MapDrawing {
  /**
   * @param {HTMLElement} container
   * @param {{onPlay: (track: Track) => void, onList: (tracks: Track[], title: string) => void}} handlers
   */
  constructor(container, handlers) {
    super(container);
    this.handlers = handlers;
    this.isDrawing = false;
    this.#listen();
  }

  #listen() {
    const { parts, frame } = this;
    new Gestures(parts.overlay, {
      pan: (dx, dy) => this.moved(() => frame.pan(dx, dy)),
      zoom: (factor, spot) => this.moved(() => frame.zoomBy(factor, spot)),
      point: (spot) => this.#point(spot),
      click: (spot) => this.#click(spot),
      draw: (outline) => {
        this.outline = outline.map((spot) => frame.plane(spot));
        this.drawOverlay();
      },
      drawn: (outline) => this.#drawn(outline.map((spot) => frame.plane(spot))),
      isDrawing: () => this.isDrawing,
    });
    onKeys(parts.overlay, {
      step: (along) => this.#step(along),
      play: () => this.focused >= 0 && this.#safely(() => this.#play(this.focused)),
      zoom: (direction) => this.moved(() => frame.zoomBy(STEP ** direction)),
      whole: () => this.moved(() => frame.reset()),
      list: () => this.#listAround(),
      clear: () => this.#clear(),
    });
    parts.overlay.addEventListener("blur", () => this.hideTip());
    parts.closer.addEventListener("click", () => this.moved(() => frame.zoomBy(STEP)));
    parts.farther.addEventListener("click", () => this.moved(() => frame.zoomBy(1 / STEP)));
    parts.whole.addEventListener("click", () => this.moved(() => frame.reset()));
    parts.draw.addEventListener("click", () => this.#setDrawing(!this.isDrawing));
    parts.list.addEventListener("click", () => this.#listAround());
    parts.colour.addEventListener("change", () => this.#safely(() => this.load()));
  }

  /** @param {boolean} isDrawing */
  #setDrawing(isDrawing) {
    this.isDrawing = isDrawing;
    this.parts.draw.setAttribute("aria-pressed", String(isDrawing));
    this.parts.stage.classList.toggle("is-drawing", isDrawing);
  }

  /**
   * The point that is meant by a spot.
   *
   * @param {Spot} spot
   */
  #at(spot) {
    if (!this.data) return -1;
    return nearest(this.data, this.frame.plane(spot), REACH / this.frame.scale);
  }

  /** @param {Spot | null} spot */
  #point(spot) {
    const place = spot ? this.#at(spot) : -1;
    if (place === this.pointed) return;
    this.pointed = place;
    this.parts.stage.classList.toggle("is-pointed", place >= 0);
    this.drawOverlay();
    this.hideTip();
    clearTimeout(this.waiting);
    // only of points that somebody stays at
    if (place >= 0) this.waiting = setTimeout(() => this.#safely(() => this.#tell(place)), TIP_MILLISECONDS);
  }

  /** @param {number} place */
  async #tell(place) {
    const [track] = await this.tracksAt([place]);
    if (!track || ![this.pointed, this.focused].includes(place)) return;
    const { tip, status } = this.parts;
    const group = this.data?.legend[this.data.groups[place]]?.name;
    showTip(tip, nameOf(track), group, this.frame.pixels(this.spot(place)), this.frame);
    if (place === this.focused) status.textContent = [nameOf(track), group].filter(Boolean).join(", ");
  }

  /** @param {Spot} spot */
  #click(spot) {
    const place = this.#at(spot);
    if (place < 0) return;
    this.focused = place;
    this.#safely(() => this.#play(place));
  }

  /** @param {number} place */
  async #play(place) {
    const [track] = await this.tracksAt([place]);
    if (!track) return;
    this.played = place;
    this.drawOverlay();
    this.handlers.onPlay(track);
  }

  /** @param {Spot[]} outline in the plane */
  #drawn(outline) {
    if (!this.data) return;
    this.outline = outline;
    this.#setDrawing(false);
    this.drawOverlay();
    const places = within(this.data, outline);
    const listed = central(this.data, places, MOST_LISTED);
    this.#safely(() => this.#list(places, listed, "drawn around"));
  }

  #listAround() {
    if (!this.data) return;
    const middle = this.focused < 0 ? this.frame.middle : this.spot(this.focused);
    const all = [...this.data.x.keys()];
    const listed = central(this.data, all, LISTED_AROUND, middle);
    const where = this.focused < 0 ? "around the middle" : "around a track";
    this.#safely(() => this.#list(listed, listed, where));
  }

  /**
   * @param {number[]} places
   * @param {number[]} listed
   * @param {string} where
   */
  async #list(places, listed, where) {
    const { data } = this;
    if (!data) return;
    if (!listed.length) {
      this.parts.status.textContent = "No track is drawn around.";
      return;
    }
    const tracks = await this.tracksAt(listed);
    this.handlers.onList(tracks, titleFor(data, places, listed.length, where));
  }

  /** @param {Spot} along */
  #step(along) {
    const { data, frame } = this;
    if (!data) return;
    this.focused = this.focused < 0 ? nearest(data, frame.middle) : towards(data, this.focused, along);
    const place = this.focused;
    if (place < 0) return;
    this.moved(() => frame.reveal(this.spot(place)));
    this.#safely(() => this.#tell(place));
  }

  #clear() {
    this.outline = [];
    this.focused = -1;
    this.#setDrawing(false);
    this.hideTip();
    this.drawOverlay();
  }

  /**
   * Ask the API; what goes wrong is said, and a map of an index that is gone is fetched anew.
   *
   * @param {() => Promise<void>} work
   */
  async #safely(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.parts.status.textContent = error.message;
      this.parts.count.textContent = error.message;
      if (error.isOldCursor) await this.#safely(() => this.load());
    }
  }
}
