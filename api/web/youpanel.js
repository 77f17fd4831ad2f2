/** The panel beside the results: what the listener likes, and what the server remembers of that. */

import { buttonById, byId, el, foreign, icon } from "./dom.js";
import { artistOf, nameOf, titleOf } from "./format.js";
import { disc } from "./parts.js";

/** @import {Deck} from './parts.js' */
/** @import {Notices} from './notices.js' */
/** @import {Opinion} from './listener.js' */
/** @import {Outbox} from './outbox.js' */
/** @import {Track} from './types.js' */

/** Shows what is liked and disliked, and lets it be taken back and forgotten. */
export class YouPanel {
  /**
   * @param {Deck} deck
   * @param {Outbox} outbox
   * @param {Notices} notices
   */
  constructor(deck, outbox, notices) {
    this.deck = deck;
    this.outbox = outbox;
    this.notices = notices;
    this.drawn = { like: "", dislike: "" };
    this.wasKnown = Boolean(deck.listener.id);
    buttonById("news-close").addEventListener("click", () => {
      byId("news").hidden = true;
      byId("you-title").focus();
    });
    this.dialog = /** @type {HTMLDialogElement} */ (byId("forget"));
    buttonById("you-forget").addEventListener("click", () => this.dialog.showModal());
    this.dialog.addEventListener("close", () => {
      if (this.dialog.returnValue === "forget") this.#forget();
      this.dialog.returnValue = "";
    });
    deck.listener.addEventListener("change", () => this.#draw());
    outbox.addEventListener("change", () => this.#draw());
    this.#draw();
  }

  async #forget() {
    try {
      await this.outbox.forget();
    } catch (problem) {
      const { title, detail } = /** @type {import('./api.js').Problem} */ (problem);
      this.notices.warn(`You are not forgotten: ${title}`, detail, () => {
        this.notices.clear();
        this.#forget();
      });
      return;
    }
    byId("you-title").focus();
    this.notices.say("You are forgotten");
  }

  #draw() {
    const { listener } = this.deck;
    this.#fill("like");
    this.#fill("dislike");
    const count = listener.tracks("like").length + listener.tracks("dislike").length;
    byId("you-empty").hidden = Boolean(listener.id);
    byId("you-known").hidden = !listener.id;
    byId("you-count").textContent = count ? String(count) : "";
    byId("you-waiting").hidden = !this.outbox.isFailing;
    this.#tellNews(Boolean(listener.id));
  }

  /**
   * Whoever was unknown hears that this is over.
   *
   * @param {boolean} isKnown
   */
  #tellNews(isKnown) {
    if (isKnown === this.wasKnown) return;
    this.wasKnown = isKnown;
    byId("news").hidden = !isKnown;
    if (isKnown) this.notices.say(byId("news-text").textContent ?? "");
  }

  /** @param {Opinion} opinion */
  #fill(opinion) {
    const tracks = this.deck.listener.tracks(opinion);
    // a button that is made anew under a finger would lose its click
    const ids = tracks.map(({ id }) => id).join("\n");
    if (ids === this.drawn[opinion]) return;
    this.drawn[opinion] = ids;
    byId(`you-${opinion}`).hidden = tracks.length === 0;
    const items = tracks.map((track) => this.#entry(track, opinion, tracks));
    byId(`you-${opinion}-list`).replaceChildren(...items);
  }

  /**
   * @param {Track} track
   * @param {Opinion} opinion
   * @param {Track[]} queue
   */
  #entry(track, opinion, queue) {
    const { deck, notices } = this;
    const click = () => {
      deck.listener.toggle(track, opinion);
      byId("you-title").focus();
      notices.say(`Took back: ${opinion} ${nameOf(track)}`);
    };
    const label = `Take back ${opinion}: ${nameOf(track)}`;
    const attributes = { type: "button", class: "round plain", "aria-label": label, click };
    const remove = el("button", { ...attributes, title: "Take back" }, icon("close"));
    const title = el("p", { class: "row-title" }, foreign(titleOf(track)));
    const about = el("div", { class: "about" }, title);
    about.append(el("p", { class: "row-line" }, foreign(artistOf(track))));
    return el("li", { class: "entry" }, disc(track, deck, queue), about, remove);
  }
}
