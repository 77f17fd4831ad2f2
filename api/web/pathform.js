/** Between which tracks a path leads, and in how many. */

import { buttonById, byId, inputById } from "./dom.js";
import { TrackPicker } from "./picker.js";

/** @import {Own, Route} from './router.js' */
/** @import {Track} from './types.js' */

const STEPS = "10";

/** Every change is asked for at once. */
export class PathForm {
  /** @param {(own: Own) => void} onChange */
  constructor(onChange) {
    /** @type {Own} */
    this.own = {};
    const change = (/** @type {Own} */ own) => onChange({ ...this.own, ...own });
    this.from = new TrackPicker(inputById("path-from"), ({ id }) => change({ from: id }));
    this.to = new TrackPicker(inputById("path-to"), ({ id }) => change({ to: id }));
    this.steps = inputById("path-steps");
    this.steps.addEventListener("change", () => change({ steps: this.steps.value }));
    buttonById("path-swap").addEventListener("click", () => {
      const { from = "", to = "" } = this.own;
      change({ from: to, to: from });
    });
    byId("path-form").addEventListener("submit", (event) => event.preventDefault());
  }

  /** @param {Route} route */
  show({ name, own }) {
    byId("path-form").hidden = name !== "path";
    if (name !== "path") return;
    this.own = own;
    this.steps.value = own.steps ?? STEPS;
    buttonById("path-swap").disabled = !own.from && !own.to;
  }

  /** @param {{from?: Track, to?: Track}} ends */
  showEnds({ from, to }) {
    this.from.show(from);
    this.to.show(to);
  }
}
