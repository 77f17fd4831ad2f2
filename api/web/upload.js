/** Sending a clip; fetch() cannot report how much of a body has left, XMLHttpRequest can. */

import { Problem, problemFrom } from "./api.js";

/** @import {Answer} from './types.js' */

/**
 * A clip as the API takes it.
 *
 * @param {File} file
 */
export function bodyOf(file) {
  const form = new FormData();
  form.append("file", file);
  return form;
}

/**
 * @param {File} file
 * @param {string} url
 * @param {(fraction: number) => void} onProgress 1 once everything is sent
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export function similarToClip(file, url, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => settle(request, resolve, reject);
    request.onerror = () => reject(cutShort());
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(bodyOf(file));
  });
}

/** A server that refuses a body early closes the connection, and the reason is lost. */
function cutShort() {
  const detail = "The connection closed early: the file may be too large, or the server is gone.";
  return new Problem("The clip did not get through", detail);
}

/**
 * @param {XMLHttpRequest} request
 * @param {(answer: Answer) => void} resolve
 * @param {(problem: Error) => void} reject
 */
function settle(request, resolve, reject) {
  const good = request.status >= 200 && request.status < 300;
  if (!good) return reject(problemFrom(request.status, request.responseText));
  try {
    resolve(JSON.parse(request.responseText));
  } catch {
    reject(problemFrom(request.status, ""));
  }
}
