/** What kind of list a listener is in the mood for: known or new, sure or surprising. */

import { buttonById, byId, el, inputById, selectById } from "./dom.js";

/** @import {Own, Route} from './router.js' */

/** What chance is given when somebody wants another mix and has left nothing to it. */
const SOME_SURPRISE = "0.3";

/** What the API takes when it is not told. */
const DEFAULTS = { novelty: "exclude", surprise: "0", half_life_days: "90" };

/** @typedef {keyof typeof DEFAULTS} MoodName */

/** Every change is asked for at once. */
export class MoodForm {
  /** @param {(own: Own) => void} onChange */
  constructor(onChange) {
    /** @type {Own} */
    this.own = {};
    this.surprise = inputById("mood-surprise");
    const change = () => onChange(this.#chosen());
    for (const name of /** @type {MoodName[]} */ (Object.keys(DEFAULTS))) {
      byId(`mood-${name}`).addEventListener("change", change);
    }
    this.surprise.addEventListener("input", () => this.#drawSurprise());
    buttonById("mood-mix").addEventListener("click", () => {
      const { surprise = SOME_SURPRISE } = this.#chosen();
      const seed = String((Number(this.own.seed) || 0) + 1);
      onChange({ ...this.#chosen(), surprise, seed });
    });
  }

  /** @param {Route} route */
  show({ name, own }) {
    byId("mood").hidden = name !== "you";
    if (name !== "you") return;
    this.own = own;
    offer(selectById("mood-novelty"), own.novelty ?? DEFAULTS.novelty);
    offer(selectById("mood-half_life_days"), own.half_life_days ?? DEFAULTS.half_life_days, " days");
    this.surprise.value = own.surprise ?? DEFAULTS.surprise;
    this.#drawSurprise();
  }

  /** @returns {Own} without what is the default */
  #chosen() {
    const values = {
      novelty: selectById("mood-novelty").value,
      surprise: this.surprise.value,
      half_life_days: selectById("mood-half_life_days").value,
    };
    const names = /** @type {MoodName[]} */ (Object.keys(DEFAULTS));
    const others = names.filter((name) => values[name] !== DEFAULTS[name]);
    const { seed } = this.own;
    return { ...Object.fromEntries(others.map((name) => [name, values[name]])), ...(seed && { seed }) };
  }

  #drawSurprise() {
    const text = `${Math.round(100 * Number(this.surprise.value))}\u00a0%`;
    byId("mood-surprise-value").textContent = text;
    this.surprise.setAttribute("aria-valuetext", text);
  }
}

/**
 * Choose a value, which an address may have brought along.
 *
 * @param {HTMLSelectElement} select
 * @param {string} value
 * @param {string} [unit]
 */
function offer(select, value, unit = "") {
  const isKnown = [...select.options].some((option) => option.value === value);
  if (!isKnown) select.append(el("option", { value }, value + unit));
  select.value = value;
}
