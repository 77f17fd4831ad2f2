/** Where things are on the map: between the plane of the tracks and the pixels of a window on it. */

const CLOSEST = 400;
const ROOM = 0.92;
const EVEN = 0.6; // how much farther aside than ahead still counts as ahead

/**
 * Points by place: x and y from -1 to 1.
 *
 * @typedef {{x: Float32Array, y: Float32Array}} Points
 * @typedef {{x: number, y: number}} Spot
 */

/** A window on the plane: its middle, and how many pixels a unit is. */
export class Frame {
  constructor() {
    this.width = this.height = 1;
    this.middle = { x: 0, y: 0 };
    this.scale = this.whole = 1;
    this.bounds = { middle: { x: 0, y: 0 }, width: 2, height: 2 };
  }

  /** How much closer than the whole map this is. */
  get zoom() {
    return this.scale / this.whole;
  }

  /**
   * Take in what there is to be seen, all of it.
   *
   * @param {Points} points
   */
  show(points) {
    const [left, right] = extent(points.x);
    const [low, high] = extent(points.y);
    this.bounds = {
      middle: { x: (left + right) / 2, y: (low + high) / 2 },
      width: Math.max(right - left, 0.1),
      height: Math.max(high - low, 0.1),
    };
    this.reset();
  }

  reset() {
    this.#measure();
    this.scale = this.whole;
    this.middle = { ...this.bounds.middle };
  }

  /**
   * @param {number} width pixels
   * @param {number} height pixels
   */
  resize(width, height) {
    const zoom = this.zoom;
    [this.width, this.height] = [Math.max(width, 1), Math.max(height, 1)];
    this.#measure();
    this.scale = this.whole * zoom;
  }

  #measure() {
    const { width, height } = this.bounds;
    this.whole = ROOM * Math.min(this.width / width, this.height / height);
  }

  /**
   * @param {Spot} spot in the plane
   * @returns {Spot} in pixels; y grows downwards there
   */
  pixels({ x, y }) {
    return {
      x: this.width / 2 + (x - this.middle.x) * this.scale,
      y: this.height / 2 - (y - this.middle.y) * this.scale,
    };
  }

  /**
   * @param {Spot} pixel
   * @returns {Spot} in the plane
   */
  plane({ x, y }) {
    return {
      x: this.middle.x + (x - this.width / 2) / this.scale,
      y: this.middle.y - (y - this.height / 2) / this.scale,
    };
  }

  /**
   * @param {number} dx pixels
   * @param {number} dy pixels
   */
  pan(dx, dy) {
    const { middle, width, height } = this.bounds;
    this.middle.x = clamp(this.middle.x - dx / this.scale, middle.x, width / 2);
    this.middle.y = clamp(this.middle.y + dy / this.scale, middle.y, height / 2);
  }

  /**
   * Come closer, with what is under a pixel staying there.
   *
   * @param {number} factor
   * @param {Spot} [pixel] the middle by default
   */
  zoomBy(factor, pixel = { x: this.width / 2, y: this.height / 2 }) {
    const under = this.plane(pixel);
    this.scale = Math.min(this.whole * CLOSEST, Math.max(this.whole, this.scale * factor));
    const now = this.pixels(under);
    this.pan(pixel.x - now.x, pixel.y - now.y);
  }

  /**
   * Bring a spot into the window, if it is not well inside.
   *
   * @param {Spot} spot
   */
  reveal(spot) {
    const { x, y } = this.pixels(spot);
    const isInside = Math.min(x, y, this.width - x, this.height - y) > 24;
    if (!isInside) this.middle = { ...spot };
  }
}

/**
 * @param {number} value
 * @param {number} middle
 * @param {number} reach
 */
const clamp = (value, middle, reach) => Math.min(middle + reach, Math.max(middle - reach, value));

/** @param {Float32Array} values */
function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return values.length ? [low, high] : [-1, 1];
}

/**
 * @param {Points} points
 * @param {Spot} spot
 * @param {number} reach farthest that counts
 * @returns {number} place of the nearest point, -1 for none
 */
export function nearest({ x, y }, spot, reach = Infinity) {
  let [found, least] = [-1, reach * reach];
  for (let place = 0; place < x.length; place += 1) {
    const [dx, dy] = [x[place] - spot.x, y[place] - spot.y];
    const square = dx * dx + dy * dy;
    if (square <= least) [found, least] = [place, square];
  }
  return found;
}

/**
 * The point that somebody means who stands at one and looks along an axis.
 *
 * @param {Points} points
 * @param {number} from place of a point
 * @param {Spot} along of length 1
 * @returns {number} a place; `from` itself when there is nothing
 */
export function towards({ x, y }, from, along) {
  let [found, least] = [from, Infinity];
  for (let place = 0; place < x.length; place += 1) {
    const [dx, dy] = [x[place] - x[from], y[place] - y[from]];
    const ahead = dx * along.x + dy * along.y;
    const aside = Math.abs(dx * along.y - dy * along.x);
    if (ahead <= 0 || aside * EVEN > ahead) continue;
    const cost = ahead + 2 * aside;
    if (cost < least) [found, least] = [place, cost];
  }
  return found;
}

/**
 * Places of the points within an outline, by the even-odd rule.
 *
 * @param {Points} points
 * @param {Spot[]} outline in the plane
 * @returns {number[]}
 */
export function within({ x, y }, outline) {
  const [left, right] = extent(Float32Array.from(outline, (corner) => corner.x));
  const [low, high] = extent(Float32Array.from(outline, (corner) => corner.y));
  const found = [];
  for (let place = 0; place < x.length; place += 1) {
    const [px, py] = [x[place], y[place]];
    if (px < left || px > right || py < low || py > high) continue;
    if (holds(outline, px, py)) found.push(place);
  }
  return found;
}

/**
 * @param {Spot[]} outline
 * @param {number} px
 * @param {number} py
 */
function holds(outline, px, py) {
  let isInside = false;
  let before = outline[outline.length - 1];
  for (const corner of outline) {
    const crosses = corner.y > py !== before.y > py;
    const slope = (before.x - corner.x) / (before.y - corner.y);
    if (crosses && px < corner.x + slope * (py - corner.y)) isInside = !isInside;
    before = corner;
  }
  return isInside;
}

/**
 * The points nearest the middle of some, nearest first.
 *
 * @param {Points} points
 * @param {number[]} places
 * @param {number} most
 * @param {Spot} [middle] theirs by default
 * @returns {number[]}
 */
export function central(points, places, most, middle = middleOf(points, places)) {
  const far = (/** @type {number} */ place) =>
    (points.x[place] - middle.x) ** 2 + (points.y[place] - middle.y) ** 2;
  return places.map((place) => [far(place), place]).sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .slice(0, most).map(([, place]) => place);
}

/**
 * @param {Points} points
 * @param {number[]} places
 * @returns {Spot}
 */
function middleOf({ x, y }, places) {
  const sum = places.reduce((sum, place) => ({ x: sum.x + x[place], y: sum.y + y[place] }), { x: 0, y: 0 });
  return { x: sum.x / (places.length || 1), y: sum.y / (places.length || 1) };
}
