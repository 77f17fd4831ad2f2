/** Taking a clip: from the file button, or dropped anywhere on the page. */

import { byId, inputById } from "./dom.js";

/** @import {Playable} from './types.js' */

/**
 * @param {(file: File, others: number) => void} onFile `others` files were handed in too
 */
export function startClipEntry(onFile) {
  const input = inputById("clip-file");
  input.addEventListener("change", () => {
    take(input.files, onFile);
    input.value = ""; // the same file can be picked again
  });
  byId("empty-clip").addEventListener("click", () => input.click());
  startDropping(onFile);
}

/**
 * @param {FileList | null | undefined} files
 * @param {(file: File, others: number) => void} onFile
 */
function take(files, onFile) {
  if (files?.length) onFile(files[0], files.length - 1);
}

/** @param {(file: File, others: number) => void} onFile */
function startDropping(onFile) {
  const overlay = byId("drop");
  let depth = 0; // dragenter and dragleave come for every element on the way
  const set = (/** @type {number} */ value) => {
    depth = Math.max(0, value);
    overlay.hidden = depth === 0;
  };
  const handle = (/** @type {string} */ name, /** @type {(event: DragEvent) => void} */ react) =>
    document.addEventListener(name, (event) => {
      const drag = /** @type {DragEvent} */ (event);
      if (!drag.dataTransfer?.types.includes("Files")) return;
      drag.preventDefault();
      react(drag);
    });
  handle("dragenter", () => set(depth + 1));
  handle("dragleave", () => set(depth - 1));
  handle("dragover", () => {});
  handle("drop", (event) => {
    set(0);
    take(event.dataTransfer?.files, onFile);
  });
}

/** The clip in hand; the browser keeps it, so it can be played and asked about again. */
export class Clip {
  /** @param {File} file */
  constructor(file) {
    this.file = file;
    this.src = URL.createObjectURL(file);
  }

  /** Give the browser its memory back. */
  release() {
    URL.revokeObjectURL(this.src);
  }

  /** @returns {Playable} */
  get playable() {
    const unknown = { album: "", genre: "", year: 0, duration_seconds: 0 };
    return { id: this.src, title: this.file.name, artist: "Your clip", src: this.src, ...unknown };
  }
}
