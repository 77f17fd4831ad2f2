/** Building elements. Text only ever becomes text nodes: titles and tags are strangers' data. */

const SVG = "http://www.w3.org/2000/svg";

/** Shapes on a 24 x 24 grid. */
const SHAPES = {
  play: "M8 5.2v13.6a.8.8 0 0 0 1.2.7l10.6-6.8a.8.8 0 0 0 0-1.4L9.2 4.5a.8.8 0 0 0-1.2.7Z",
  pause: "M7 4.5h3.4v15H7zM13.6 4.5H17v15h-3.4z",
  previous: "M6 5h2.4v14H6zM19 6v12a.7.7 0 0 1-1.1.6l-8.4-6a.7.7 0 0 1 0-1.2l8.4-6A.7.7 0 0 1 19 6Z",
  next: "M15.6 5H18v14h-2.4zM5 6v12a.7.7 0 0 0 1.1.6l8.4-6a.7.7 0 0 0 0-1.2l-8.4-6A.7.7 0 0 0 5 6Z",
  like: "M2 10.5h4V21H2zM8 21V10.7l3.6-8.2c1.8 0 2.8 1 2.8 2.5L13.6 9H20a2 2 0 0 1 2 2.3l-1.3 8a2 2 0 0 1-2 1.7z",
  dislike: "M22 13.5h-4V3h4zM16 3v10.3l-3.6 8.2c-1.8 0-2.8-1-2.8-2.5l.8-4H4a2 2 0 0 1-2-2.3l1.3-8A2 2 0 0 1 5.3 3z",
  path: "M5.5 15a3.5 3.5 0 1 0 3.4 4.3c4.9-.3 4.6-3.4 4.1-6.6-.6-3.6-.4-5.3 2.2-5.8a3.5 3.5 0 1 0-.2-2c-5 .7-4.5 4.6-4 8.1.5 3.2.5 4.2-2.3 4.4A3.5 3.5 0 0 0 5.5 15z",
  close: "m6.4 5 5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z",
};

/** @typedef {keyof typeof SHAPES} IconName */

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, unknown>} [attributes] functions become listeners, true an empty
 *   attribute, false and undefined none
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name, /** @type {EventListener} */ (value));
    } else if (value !== false && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children);
  return element;
}

/**
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/**
 * Text for screen readers only.
 *
 * @param {string} text
 */
export const spoken = (text) => el("span", { class: "visually-hidden" }, text);

/**
 * Text of unknown language and direction, kept from re-ordering its surroundings.
 *
 * @param {string} text
 */
export const foreign = (text) => el("bdi", {}, text);

/**
 * The element with this id, which index.html is known to hold.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no element with id=${id}`);
  return element;
}

/**
 * @param {string} id
 * @returns {HTMLInputElement}
 */
export function inputById(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/**
 * @param {string} id
 * @returns {HTMLSelectElement}
 */
export function selectById(id) {
  return /** @type {HTMLSelectElement} */ (byId(id));
}

/**
 * @param {string} id
 * @returns {HTMLButtonElement}
 */
export function buttonById(id) {
  return /** @type {HTMLButtonElement} */ (byId(id));
}
