/** The map as it is drawn: its points, what is marked among them, and the legend. */

import { counted } from "./format.js";
import { MapCanvas, Overlay, radiusOf } from "./mapcanvas.js";
import { fetchMap, inOrder, Tracks } from "./mapdata.js";
import { build, drawLegend } from "./mapparts.js";
import { Frame } from "./mapplane.js";

/** @import {Colouring} from './mapdata.js' */
/** @import {Spot} from './mapplane.js' */
/** @import {Track} from './types.js' */

/** Places of points that are marked are -1 for none: pointed at, focused with keys, played last. */
export class MapDrawing {
  /** @param {HTMLElement} container */
  constructor(container) {
    this.parts = build(container);
    this.frame = new Frame();
    this.canvas = new MapCanvas(this.parts.points);
    this.overlay = new Overlay(this.parts.overlay);
    /** @type {number | null} group that stands out */
    this.chosen = null;
    [this.pointed, this.focused, this.played] = [-1, -1, -1];
    /** @type {Spot[]} what is drawn around, in the plane */
    this.outline = [];
    this.isStale = false;
    new ResizeObserver(() => this.resize()).observe(this.parts.stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.canvas.readColours();
      this.draw();
    });
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
      this.drawOverlay();
    });
  }

  drawOverlay() {
    const { data, frame } = this;
    if (!data) return;
    const radius = radiusOf(data.x.length, frame) + 4;
    const rings = [this.pointed, this.focused, this.played].flatMap((place, turn) =>
      place < 0 ? [] : [{ spot: frame.pixels(this.spot(place)), radius, isStrong: turn > 0 }]);
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
  spot(place) {
    return { x: this.data?.x[place] ?? 0, y: this.data?.y[place] ?? 0 };
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.parts.stage;
    // nothing is seen of it while another view is shown
    if (!width || !height) return;
    this.canvas.resize(width, height);
    this.parts.overlay.width = this.parts.points.width;
    this.parts.overlay.height = this.parts.points.height;
    this.frame.resize(width, height);
    this.draw();
  }

  /** @param {() => void} move */
  moved(move) {
    move();
    this.hideTip();
    this.draw();
  }

  hideTip() {
    this.parts.tip.hidden = true;
  }

  /**
   * @param {number[]} places
   * @returns {Promise<Track[]>}
   */
  async tracksAt(places) {
    const { data, tracks } = this;
    return data && tracks ? tracks.of(places.map((place) => data.rows[place])) : [];
  }
}
