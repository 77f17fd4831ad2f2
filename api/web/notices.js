/** What the page tells its user: errors, progress, and words for screen readers. */

import { buttonById, byId } from "./dom.js";

/** Errors stay until dismissed or until the next view; announcements are heard, not seen. */
export class Notices {
  constructor() {
    this.bar = /** @type {HTMLProgressElement} */ (byId("progress-bar"));
    /** @type {() => void} */
    this.retry = () => {};
    buttonById("alert-close").addEventListener("click", () => {
      this.clear();
      byId("view-title").focus();
    });
    buttonById("alert-retry").addEventListener("click", () => this.retry());
  }

  /**
   * @param {string} title
   * @param {string} detail
   * @param {() => void} [retry] offered as a button
   * @param {string} [way] what the button is called
   */
  warn(title, detail, retry, way = "Try again") {
    this.retry = retry ?? (() => {});
    buttonById("alert-retry").hidden = !retry;
    buttonById("alert-retry").textContent = way;
    byId("alert-box").hidden = false;
    byId("alert-title").textContent = title;
    byId("alert-detail").textContent = detail;
  }

  clear() {
    byId("alert-box").hidden = true;
    byId("alert-title").textContent = "";
    byId("alert-detail").textContent = "";
    this.progress(null);
  }

  /** @param {string} message */
  say(message) {
    byId("status").textContent = message;
  }

  /**
   * @param {number | null} share of the clip that is sent; null when there is nothing to wait for
   * @param {string} [name] of the clip
   */
  progress(share, name = "the clip") {
    byId("progress").hidden = share === null;
    if (share === null) return;
    if (share < 1) this.bar.value = share;
    else this.bar.removeAttribute("value"); // sent: now the server listens, nobody knows how long
    const text = `${share < 1 ? "Sending" : "Listening to"} ${name}`;
    if (byId("progress-text").textContent !== text) byId("progress-text").textContent = text;
  }
}
