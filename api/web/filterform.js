/** The filters of the list that is shown: a form that unfolds, and what it asks for in words. */

import { buttonById, byId, foreign, inputById } from "./dom.js";
import { filtersFrom, minutesOf, NAMES, namesIn, othersLabel, secondsOf, wordsOf } from "./filters.js";

/** @import {Problem} from './api.js' */
/** @import {FilterName, Filters} from './filters.js' */
/** @import {Route} from './router.js' */

/** @param {FilterName} name */
const input = (name) => inputById(`filter-${name}`);

/** Hands on what is asked for; what was typed and not applied stays until other filters come. */
export class FilterForm {
  /** @param {(filters: Filters) => void} onApply */
  constructor(onApply) {
    this.form = /** @type {HTMLFormElement} */ (byId("filters"));
    this.toggle = buttonById("filters-toggle");
    this.drawn = "";
    this.least = "";
    input("diversity").addEventListener("input", () => this.#drawDiversity());
    this.toggle.addEventListener("click", () => this.#unfold(Boolean(this.form.hidden)));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      onApply(this.#filters());
    });
    this.form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.#unfold(false);
      this.toggle.focus();
    });
    buttonById("filters-clear").addEventListener("click", () => {
      this.toggle.focus();
      onApply({});
    });
  }

  /** @param {Route} route */
  show(route) {
    const names = namesIn(route.name);
    this.toggle.hidden = names.length === 0;
    if (this.toggle.hidden) this.#unfold(false);
    for (const name of NAMES) {
      const label = /** @type {HTMLElement} */ (input(name).labels?.[0]);
      label.hidden = !names.includes(name);
    }
    byId("filter-others-text").textContent = othersLabel(route);
    this.#accept();
    this.#drawWords(route);
    // a listener's list is somewhat diverse unless it is told otherwise
    this.least = route.name === "you" ? "as usual" : "off";
    this.#drawDiversity();
    const text = JSON.stringify(route.filters);
    if (text !== this.drawn) this.#fill(route.filters);
    this.drawn = text;
  }

  /**
   * Say beside the form what the API does not take.
   *
   * @param {Problem} problem
   * @returns {boolean} whether a filter is at fault
   */
  refuse(problem) {
    const name = NAMES.find((known) => problem.parameters.includes(known));
    if (!name) return false;
    this.#unfold(true);
    const field = input(name);
    const label = field.labels?.[0].textContent?.trim();
    byId("filters-problem").textContent = `${label}: ${reasonOf(problem, name)}`;
    field.setAttribute("aria-invalid", "true");
    if (this.form.contains(document.activeElement)) field.focus();
    return true;
  }

  /** @param {boolean} open */
  #unfold(open) {
    this.form.hidden = !open;
    this.toggle.setAttribute("aria-expanded", String(open));
  }

  /** @returns {Filters} */
  #filters() {
    return filtersFrom((name) => {
      const field = input(name);
      if (field.type === "checkbox") return field.checked ? "1" : "";
      if (field.type === "range") return field.value === field.min ? "" : field.value;
      return name === "duration_max" ? secondsOf(field.value) : field.value;
    });
  }

  /** @param {Filters} filters */
  #fill(filters) {
    for (const name of NAMES) {
      const field = input(name);
      const text = filters[name] ?? "";
      if (field.type === "checkbox") field.checked = text !== "";
      else if (field.type === "range") field.value = text || field.min;
      else field.value = name === "duration_max" ? minutesOf(text) : text;
    }
    this.#drawDiversity();
  }

  #drawDiversity() {
    const { value, min } = input("diversity");
    const text = value === min ? this.least : value;
    byId("diversity-value").textContent = text;
    input("diversity").setAttribute("aria-valuetext", text);
  }

  #accept() {
    byId("filters-problem").textContent = "";
    for (const name of NAMES) input(name).removeAttribute("aria-invalid");
  }

  /** @param {Route} route */
  #drawWords(route) {
    const words = wordsOf(route);
    byId("filtered").hidden = words.length === 0;
    byId("filters-count").textContent = words.length ? String(words.length) : "";
    const parts = words.map(([word, text], place) => [place ? " · " : "Filters: ", word, foreign(text)]);
    byId("filtered-by").replaceChildren(...parts.flat());
  }
}

/**
 * What is wrong, in the words of the form.
 *
 * @param {Problem} problem
 * @param {FilterName} name
 */
function reasonOf({ errors, detail }, name) {
  const reason = errors[0]?.message ?? detail;
  return reason.replace(`${name}=`, "").replace("year_from=", "year from ");
}
