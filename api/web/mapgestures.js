/** What hands do on the map: drag, scroll, pinch, draw around, point and click. */

/** @import {Spot} from './mapplane.js' */

/**
 * Spots are in CSS pixels of the element.
 *
 * @typedef {object} Gestured
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, spot: Spot) => void} zoom
 * @property {(spot: Spot | null) => void} point null when nothing is pointed at any more
 * @property {(spot: Spot) => void} click
 * @property {(outline: Spot[]) => void} draw while somebody draws
 * @property {(outline: Spot[]) => void} drawn once they have
 * @property {() => boolean} isDrawing whether a drag draws without Shift
 */

/** Farther than this is a drag, and no click; pixels. */
const STEADY = 5;
const LINE_PIXELS = 16;
const ZOOM_RATE = 0.0016;

export class Gestures {
  /**
   * @param {HTMLElement} element
   * @param {Gestured} gestured
   */
  constructor(element, gestured) {
    this.element = element;
    this.gestured = gestured;
    /** @type {Map<number, Spot>} fingers that are down, or a mouse */
    this.down = new Map();
    this.isClick = false;
    /** @type {Spot[] | null} */
    this.outline = null;
    element.addEventListener("pointerdown", (event) => this.#press(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#release(event));
    element.addEventListener("pointercancel", (event) => this.#forget(event));
    element.addEventListener("pointerleave", () => gestured.point(null));
    element.addEventListener("wheel", (event) => this.#scroll(event), { passive: false });
  }

  /**
   * @param {MouseEvent} event
   * @returns {Spot}
   */
  #spot({ clientX, clientY }) {
    const { left, top } = this.element.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    const spot = this.#spot(event);
    this.down.set(event.pointerId, spot);
    this.start = spot;
    this.isClick = this.down.size === 1;
    const draws = this.isClick && (event.shiftKey || this.gestured.isDrawing());
    this.outline = draws ? [spot] : null;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const spot = this.#spot(event);
    const before = this.down.get(event.pointerId);
    if (!before) return this.gestured.point(spot);
    if (this.start && far(this.start, spot) > STEADY) this.isClick = false;
    if (this.outline) {
      this.outline.push(spot);
      this.gestured.draw(this.outline);
    } else if (this.down.size > 1) {
      this.#pinch(event.pointerId, before, spot);
    } else if (!this.isClick) {
      this.gestured.pan(spot.x - before.x, spot.y - before.y);
    }
    if (!this.isClick || this.outline) this.down.set(event.pointerId, spot);
  }

  /**
   * @param {number} id
   * @param {Spot} before
   * @param {Spot} now
   */
  #pinch(id, before, now) {
    const other = [...this.down].find(([one]) => one !== id)?.[1];
    if (!other) return;
    const middle = (/** @type {Spot} */ spot) => ({ x: (spot.x + other.x) / 2, y: (spot.y + other.y) / 2 });
    const [from, to] = [middle(before), middle(now)];
    this.gestured.pan(to.x - from.x, to.y - from.y);
    this.gestured.zoom(far(now, other) / Math.max(far(before, other), 1), to);
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (!this.down.has(event.pointerId)) return;
    const { outline, isClick } = this;
    this.#forget(event);
    if (outline && !isClick) this.gestured.drawn(outline);
    else if (isClick) this.gestured.click(this.#spot(event));
  }

  /** @param {PointerEvent} event */
  #forget(event) {
    this.down.delete(event.pointerId);
    this.isClick = false;
    if (this.outline) this.gestured.draw([]);
    this.outline = null;
  }

  /** @param {WheelEvent} event */
  #scroll(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1);
    this.gestured.zoom(Math.exp(-pixels * ZOOM_RATE), this.#spot(event));
  }
}

/**
 * @param {Spot} one
 * @param {Spot} other
 */
const far = (one, other) => Math.hypot(one.x - other.x, one.y - other.y);
