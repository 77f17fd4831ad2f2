/** The search box, and the arrow keys that lead from it through the list. */

import { byId, inputById } from "./dom.js";

const PAUSE_MILLISECONDS = 160;

/**
 * @param {(words: string) => void} onSearch
 * @returns {(words: string) => void} sets the words without searching
 */
export function startSearch(onSearch) {
  const input = inputById("search");
  let timer = 0;
  const search = () => {
    clearTimeout(timer);
    onSearch(input.value.trim());
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE_MILLISECONDS);
  });
  byId("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  startArrows(input);
  return (words) => {
    clearTimeout(timer);
    if (input.value.trim() !== words) input.value = words;
  };
}

/** @param {HTMLInputElement} input */
function startArrows(input) {
  const list = byId("tracks");
  const focus = (/** @type {Element | undefined} */ row) =>
    /** @type {HTMLElement | null | undefined} */ (row?.querySelector("button, a"))?.focus();
  input.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || event.isComposing) return;
    event.preventDefault();
    focus(list.children[0]);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = /** @type {HTMLElement} */ (event.target).closest(".row");
    if (!step || !row) return;
    event.preventDefault();
    const target = [...list.children].indexOf(row) + step;
    if (target < 0) input.focus();
    else focus(list.children[target]);
  });
}
