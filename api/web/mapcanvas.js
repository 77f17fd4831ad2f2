/**
 * Draws points into pixels, without help of a graphics card: a hundred thousand take a few
 * milliseconds, which is less than handing each of them to a canvas would.
 */

import { NO_GROUP } from "./mapdata.js";

/** @import {MapData} from './mapdata.js' */
/** @import {Frame, Spot} from './mapplane.js' */

export const N_COLOURS = 10;
const OTHERS = N_COLOURS;
const FAINT = N_COLOURS + 1;
const [LEAST_RADIUS, MOST_RADIUS] = [1.4, 6];
/** Share of the whole map that is covered with points, were they not to overlap. */
const COVERED = 0.035;

/** @typedef {{points: MapData, order: Uint32Array, chosen: number | null}} Drawn */

export class MapCanvas {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.ratio = 1;
    this.#allocate();
    this.readColours();
  }

  /**
   * @param {number} width CSS pixels
   * @param {number} height CSS pixels
   */
  resize(width, height) {
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    this.canvas.width = Math.max(1, Math.round(width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(height * this.ratio));
    this.#allocate();
  }

  #allocate() {
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** Take the colours from the style sheet, as they are now: light or dark. */
  readColours() {
    const style = getComputedStyle(this.canvas);
    const names = [...Array(N_COLOURS).keys(), "others", "faint", "ground"];
    const read = names.map((name) => packed(style.getPropertyValue(`--map-${name}`)));
    [this.ground] = read.splice(-1);
    this.colours = read;
  }

  /**
   * @param {Drawn} drawn
   * @param {Frame} frame
   */
  draw({ points, order, chosen }, frame) {
    const { pixels, ratio, colours } = this;
    const { x, y, groups } = points;
    const [width, height] = [this.canvas.width, this.canvas.height];
    const stamp = stampOf(radiusOf(x.length, frame) * ratio, width);
    const scale = frame.scale * ratio;
    const left = width / 2 - frame.middle.x * scale;
    const top = height / 2 + frame.middle.y * scale;
    const [right, bottom] = [width - stamp.margin, height - stamp.margin];
    pixels.fill(this.ground);
    for (let turn = 0; turn < order.length; turn += 1) {
      const place = order[turn];
      const column = Math.round(left + x[place] * scale);
      const row = Math.round(top - y[place] * scale);
      if (column < stamp.margin || row < stamp.margin || column >= right || row >= bottom) continue;
      const group = groups[place];
      const known = group === NO_GROUP ? OTHERS : group;
      const colour = colours[chosen === null || chosen === group ? known : FAINT];
      press(pixels, row * width + column, stamp, colour);
    }
    this.context.putImageData(this.image, 0, 0);
  }
}

/**
 * How large points are: none hides too many others.
 *
 * @param {number} count
 * @param {Frame} frame
 * @returns {number} CSS pixels
 */
export function radiusOf(count, frame) {
  const fair = Math.sqrt((COVERED * frame.width * frame.height) / (Math.PI * Math.max(count, 1)));
  return Math.min(MOST_RADIUS, Math.max(LEAST_RADIUS, fair) * frame.zoom ** 0.4);
}

/**
 * The pixels of a disc: offsets of whole ones, and of those that it covers in part.
 *
 * @typedef {{margin: number, whole: Int32Array, edge: Int32Array, shares: Uint8Array}} Stamp
 */

/**
 * @param {number} radius pixels
 * @param {number} width of the picture
 * @returns {Stamp}
 */
function stampOf(radius, width) {
  const margin = Math.ceil(radius + 0.5);
  const [whole, edge, shares] = [[], [], []];
  for (let dy = -margin; dy <= margin; dy += 1) {
    for (let dx = -margin; dx <= margin; dx += 1) {
      const share = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dx, dy)));
      if (share > 0.95) whole.push(dy * width + dx);
      else if (share > 0.05) edge.push(dy * width + dx) && shares.push(Math.round(share * 256));
    }
  }
  return { margin, whole: Int32Array.from(whole), edge: Int32Array.from(edge), shares: Uint8Array.from(shares) };
}

/**
 * @param {Uint32Array} pixels
 * @param {number} at
 * @param {Stamp} stamp
 * @param {number} colour
 */
function press(pixels, at, { whole, edge, shares }, colour) {
  for (let place = 0; place < whole.length; place += 1) pixels[at + whole[place]] = colour;
  for (let place = 0; place < edge.length; place += 1) {
    pixels[at + edge[place]] = mixed(pixels[at + edge[place]], colour, shares[place]);
  }
}

/**
 * Two colours, their outer and inner channels at a time.
 *
 * @param {number} under
 * @param {number} over
 * @param {number} share of `over`, in 256ths
 */
function mixed(under, over, share) {
  const rest = 256 - share;
  const outer = (((under & 0xff00ff) * rest + (over & 0xff00ff) * share) >>> 8) & 0xff00ff;
  const inner = (((under & 0xff00) * rest + (over & 0xff00) * share) >>> 8) & 0xff00;
  return (0xff000000 | outer | inner) >>> 0;
}

/**
 * A colour of the style sheet as a pixel; bytes lie in memory as red, green, blue, alpha.
 *
 * @param {string} text #rrggbb
 */
function packed(text) {
  const value = Number.parseInt(text.trim().slice(1), 16) || 0;
  const bytes = Uint8Array.of(value >> 16, (value >> 8) & 255, value & 255, 255);
  return new Uint32Array(bytes.buffer)[0];
}

/** What lies above the points: rings around some, and the line that is drawn around others. */
export class Overlay {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  /**
   * @param {{rings: {spot: Spot, radius: number, isStrong: boolean}[], outline: Spot[], ratio: number}} shown
   *   in CSS pixels
   */
  draw({ rings, outline, ratio }) {
    const { context, canvas } = this;
    const style = getComputedStyle(canvas);
    const [accent, ink] = ["--accent", "--ink"].map((name) => style.getPropertyValue(name).trim());
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (const { spot, radius, isStrong } of rings) {
      context.beginPath();
      context.arc(spot.x, spot.y, radius, 0, 2 * Math.PI);
      context.lineWidth = isStrong ? 3 : 2;
      context.strokeStyle = isStrong ? accent : ink;
      context.stroke();
    }
    if (outline.length < 2) return;
    context.beginPath();
    for (const { x, y } of outline) context.lineTo(x, y);
    context.closePath();
    context.lineWidth = 2;
    context.strokeStyle = accent;
    context.stroke();
    context.globalAlpha = 0.08;
    context.fillStyle = accent;
    context.fill();
    context.globalAlpha = 1;
  }
}
