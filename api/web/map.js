/** The map of the catalog: what sounds alike lies close together. */

import { Problem } from "./api.js";
import { el } from "./dom.js";
import { counted, nameOf } from "./format.js";
import { MapCanvas, Overlay, radiusOf } from "./mapcanvas.js";
import { fetchMap, NO_GROUP, Tracks } from "./mapdata.js";
import { Gestures } from "./mapgestures.js";
import { build, drawLegend, titleFor } from "./mapparts.js";
import { central, Frame, nearest, towards, within } from "./mapplane.js";

/** @import {Colouring, MapData} from './mapdata.js' */
/** @import {Spot} from './mapplane.js' */
/** @import {Track} from './types.js' */

const MOST_LISTED = 100;
const LISTED_AROUND = 25;
const REACH = 14; // pixels around a point that are meant for it
const STEP = 1.6;
const TIP_MILLISECONDS = 70;

/** @type {Record<string, Spot>} */
const ARROWS = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: 1 },
  ArrowDown: { x: 0, y: -1 },
};

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

/** The style sheet must be there before colours are read from it. */
async function styled() {
  let link = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[href$="map.css"]'));
  if (!link) {
    link = el("link", { rel: "stylesheet", href: "map.css" });
    document.head.append(link);
  }
  const ready = link;
  if (ready.sheet) return;
  await new Promise((resolve) => {
    for (const name of ["load", "error"]) ready.addEventListener(name, resolve, { once: true });
  });
}

class SoundMap {
  /**
   * @param {HTMLElement} container
   * @param {{onPlay: (track: Track) => void, onList: (tracks: Track[], title: string) => void}} handlers
   */
  constructor(container, handlers) {
    this.handlers = handlers;
    this.parts = build(container);
    this.frame = new Frame();
    this.canvas = new MapCanvas(this.parts.points);
    this.overlay = new Overlay(this.parts.overlay);
    /** @type {number | null} group that stands out */
    this.chosen = null;
    [this.pointed, this.focused, this.played] = [-1, -1, -1];
    /** @type {Spot[]} what is drawn around, in the plane */
    this.outline = [];
    this.isDrawing = false;
    this.isStale = false;
    this.#listen();
  }

  /** Fetch the map in the chosen colours, and draw it. */
  async load() {
    const colour = /** @type {Colouring} */ (this.parts.colour.value);
    const before = this.data?.generation;
    const data = await fetchMap(colour);
    this.data = data;
    this.chosen = null;
    this.order = inOrder(data);
    if (data.generation !== before) {
      this.tracks = new Tracks(data.generation);
      [this.pointed, this.focused, this.played] = [-1, -1, -1];
      this.outline = [];
      this.frame.show(data);
    }
    this.parts.count.textContent = [counted(data.x.length, "track"), ...data.warnings].join(" · ");
    this.#drawLegend();
    this.draw();
  }

  /** Draw with the next frame of the screen. */
  draw() {
    if (this.isStale) return;
    this.isStale = true;
    requestAnimationFrame(() => {
      this.isStale = false;
      if (!this.data || !this.order) return;
      this.canvas.draw({ points: this.data, order: this.order, chosen: this.chosen }, this.frame);
      this.#drawOverlay();
    });
  }

  #drawOverlay() {
    const { data, frame } = this;
    if (!data) return;
    const radius = radiusOf(data.x.length, frame) + 4;
    const rings = [this.pointed, this.focused, this.played].flatMap((place, turn) =>
      place < 0 ? [] : [{ spot: frame.pixels(this.#spot(place)), radius, isStrong: turn > 0 }]);
    const outline = this.outline.map((spot) => frame.pixels(spot));
    this.overlay.draw({ rings, outline, ratio: this.canvas.ratio });
  }

  #drawLegend() {
    const { data } = this;
    if (!data) return;
    drawLegend(this.parts.legend, data, this.chosen, (group) => {
      this.chosen = group;
      this.order = inOrder(data, group);
      const place = [...this.parts.legend.querySelectorAll("button")].indexOf(
        /** @type {HTMLButtonElement} */ (document.activeElement));
      this.#drawLegend();
      this.parts.legend.querySelectorAll("button")[place]?.focus();
      this.draw();
    });
  }

  /**
   * @param {number} place
   * @returns {Spot}
   */
  #spot(place) {
    return { x: this.data?.x[place] ?? 0, y: this.data?.y[place] ?? 0 };
  }

  #listen() {
    const { parts, frame } = this;
    new ResizeObserver(() => this.#resize()).observe(parts.stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.canvas.readColours();
      this.draw();
    });
    new Gestures(parts.overlay, {
      pan: (dx, dy) => this.#moved(() => frame.pan(dx, dy)),
      zoom: (factor, spot) => this.#moved(() => frame.zoomBy(factor, spot)),
      point: (spot) => this.#point(spot),
      click: (spot) => this.#click(spot),
      draw: (outline) => {
        this.outline = outline.map((spot) => frame.plane(spot));
        this.#drawOverlay();
      },
      drawn: (outline) => this.#drawn(outline.map((spot) => frame.plane(spot))),
      isDrawing: () => this.isDrawing,
    });
    parts.overlay.addEventListener("keydown", (event) => this.#key(event));
    parts.overlay.addEventListener("blur", () => this.#hideTip());
    parts.closer.addEventListener("click", () => this.#moved(() => frame.zoomBy(STEP)));
    parts.farther.addEventListener("click", () => this.#moved(() => frame.zoomBy(1 / STEP)));
    parts.whole.addEventListener("click", () => this.#moved(() => frame.reset()));
    parts.draw.addEventListener("click", () => this.#setDrawing(!this.isDrawing));
    parts.list.addEventListener("click", () => this.#listAround());
    parts.colour.addEventListener("change", () => this.#safely(() => this.load()));
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.parts.stage;
    // nothing is seen of it while another view is shown
    if (!width || !height) return;
    const isFirst = this.frame.width === 1;
    this.canvas.resize(width, height);
    this.parts.overlay.width = this.parts.points.width;
    this.parts.overlay.height = this.parts.points.height;
    this.frame.resize(width, height);
    if (isFirst && this.data) this.frame.reset();
    this.draw();
  }

  /** @param {() => void} move */
  #moved(move) {
    move();
    this.#hideTip();
    this.draw();
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
    this.#drawOverlay();
    this.#hideTip();
    clearTimeout(this.waiting);
    // only of points that somebody stays at
    if (place >= 0) this.waiting = setTimeout(() => this.#safely(() => this.#tell(place)), TIP_MILLISECONDS);
  }

  /** @param {number} place */
  async #tell(place) {
    const [track] = await this.#tracksAt([place]);
    if (!track || ![this.pointed, this.focused].includes(place)) return;
    const { tip, status } = this.parts;
    const group = this.data?.legend[this.data.groups[place]]?.name;
    tip.replaceChildren(el("bdi", {}, nameOf(track)), ...(group ? [el("span", {}, group)] : []));
    const { x, y } = this.frame.pixels(this.#spot(place));
    tip.hidden = false;
    const left = Math.min(Math.max(8, x + 14), this.frame.width - tip.offsetWidth - 8);
    const below = y + 14 + tip.offsetHeight > this.frame.height;
    tip.style.left = `${left}px`;
    tip.style.top = `${below ? y - 14 - tip.offsetHeight : y + 14}px`;
    if (place === this.focused) status.textContent = [nameOf(track), group].filter(Boolean).join(", ");
  }

  #hideTip() {
    this.parts.tip.hidden = true;
  }

  /**
   * @param {number[]} places
   * @returns {Promise<Track[]>}
   */
  async #tracksAt(places) {
    const { data, tracks } = this;
    return data && tracks ? tracks.of(places.map((place) => data.rows[place])) : [];
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
    const [track] = await this.#tracksAt([place]);
    if (!track) return;
    this.played = place;
    this.#drawOverlay();
    this.handlers.onPlay(track);
  }

  /** @param {Spot[]} outline in the plane */
  #drawn(outline) {
    if (!this.data) return;
    this.outline = outline;
    this.#setDrawing(false);
    this.#drawOverlay();
    const places = within(this.data, outline);
    const listed = central(this.data, places, MOST_LISTED);
    this.#safely(() => this.#list(places, listed, "drawn around"));
  }

  #listAround() {
    if (!this.data) return;
    const middle = this.focused < 0 ? this.frame.middle : this.#spot(this.focused);
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
    const tracks = await this.#tracksAt(listed);
    this.handlers.onList(tracks, titleFor(data, places, listed.length, where));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.data) return;
    const { frame, focused } = this;
    const play = () => focused >= 0 && this.#safely(() => this.#play(focused));
    /** @type {Record<string, () => void>} */
    const others = {
      Enter: play,
      " ": play,
      "+": () => this.#moved(() => frame.zoomBy(STEP)),
      "=": () => this.#moved(() => frame.zoomBy(STEP)),
      "-": () => this.#moved(() => frame.zoomBy(1 / STEP)),
      0: () => this.#moved(() => frame.reset()),
      l: () => this.#listAround(),
      L: () => this.#listAround(),
      Escape: () => this.#clear(),
    };
    const along = ARROWS[event.key];
    if (!along && !others[event.key]) return;
    event.preventDefault();
    if (along) this.#step(along);
    else others[event.key]();
  }

  /** @param {Spot} along */
  #step(along) {
    const { data, frame } = this;
    if (!data) return;
    this.focused = this.focused < 0 ? nearest(data, frame.middle) : towards(data, this.focused, along);
    const place = this.focused;
    if (place < 0) return;
    this.#moved(() => frame.reveal(this.#spot(place)));
    this.#safely(() => this.#tell(place));
  }

  #clear() {
    this.outline = [];
    this.focused = -1;
    this.#setDrawing(false);
    this.#hideTip();
    this.#drawOverlay();
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

/**
 * In which order points are drawn: those without a colour first, and those that stand out last.
 *
 * @param {MapData} data
 * @param {number | null} [chosen]
 * @returns {Uint32Array}
 */
function inOrder({ groups }, chosen = null) {
  const layer = (/** @type {number} */ group) => (group === chosen ? 2 : Number(group !== NO_GROUP));
  const layers = [0, 1, 2].map(() => /** @type {number[]} */ ([]));
  groups.forEach((group, place) => layers[layer(group)].push(place));
  return Uint32Array.from(layers.flat());
}
