/** The list of a view, its heading, and what stands around it. */

import { buttonById, byId, el, foreign, selectById } from "./dom.js";
import { counted, nameOf } from "./format.js";
import { chips, disc } from "./parts.js";
import { saveAnswer, saveTracks } from "./playlists.js";
import { listItems } from "./tracklist.js";

/** @import {Deck} from './parts.js' */
/** @import {Notices} from './notices.js' */
/** @import {Page} from './results.js' */
/** @import {Row} from './types.js' */

/** Draws one page at a time. */
export class Listing {
  /**
   * @param {Deck} deck
   * @param {Notices} notices
   */
  constructor(deck, notices) {
    this.deck = deck;
    this.notices = notices;
    /** @type {Page | null} */
    this.page = null;
    this.list = byId("tracks");
    buttonById("play-all").addEventListener("click", () => {
      const [first] = this.queue;
      if (first) deck.player.toggle(first, this.queue);
    });
  }

  get queue() {
    return this.page?.rows.map((row) => row.track) ?? [];
  }

  /** @param {Page} page */
  draw(page) {
    this.page = page;
    const back = this.#focus();
    byId("view-eyebrow").textContent = page.eyebrow;
    byId("view-title").replaceChildren(foreign(page.title));
    byId("view-note").replaceChildren(foreign(page.note));
    this.#drawSeed(page);
    this.list.replaceChildren(...listItems(page.rows, this.deck, this.queue));
    const isAnswer = page.rows.some((row) => row.similarity !== undefined);
    this.list.classList.toggle("matches", isAnswer);
    byId("legend").textContent = page.rows.length ? page.legend : "";
    byId("unindexed").hidden = true;
    this.#drawAround(page);
    back();
    this.notices.say(page.rows.length ? `${counted(page.total, "track")}: ${page.title}` : page.empty);
  }

  /**
   * Whoever is in a list that is drawn anew stays in its place.
   *
   * @returns {() => void}
   */
  #focus() {
    const row = document.activeElement?.closest("#tracks > .row");
    if (!row) return () => {};
    const place = [...this.list.children].indexOf(row);
    const control = [...row.querySelectorAll("a, button")].indexOf(
      /** @type {Element} */ (document.activeElement),
    );
    return () => {
      const next = this.list.children[Math.min(place, this.list.children.length - 1)];
      const controls = /** @type {HTMLElement[]} */ ([...(next?.querySelectorAll("a, button") ?? [])]);
      (controls[control] ?? controls[0] ?? byId("view-title")).focus({ preventScroll: true });
    };
  }

  /**
   * @param {Row[]} rows that come after
   * @param {string | undefined} next
   */
  append(rows, next) {
    if (!this.page) return;
    const first = this.list.children.length;
    this.page.rows.push(...rows);
    this.page.next = next;
    this.list.append(...listItems(rows, this.deck, this.queue));
    buttonById("more").hidden = !next;
    this.list.children[first]?.querySelector("button")?.focus();
    const last = this.queue.at(-1);
    const name = last ? nameOf(last) : "none";
    this.notices.say(`${counted(rows.length, "more track")}; the last is ${name}`);
  }

  /** Have the list saved in the form that is chosen. */
  async save() {
    const { page, deck } = this;
    if (!page) return;
    if (!page.playlist) return saveTracks(this.queue);
    // addresses lead nowhere where no audio is given; files may be at hand
    const paths = deck.player.hasCatalog ? undefined : "relative";
    await saveAnswer(page.playlist({ format: selectById("save-format").value, paths }));
  }

  /** @param {Page} page */
  #drawSeed({ seed, tags = [] }) {
    const place = byId("seed");
    place.hidden = !seed;
    place.replaceChildren(...(seed ? [disc(seed, this.deck, [seed, ...this.queue])] : []));
    byId("seed-tags").replaceChildren(...(tags.length ? [chips(tags, "Sound of this track")] : []));
    const credit = [seed?.attribution, seed?.licence].filter(Boolean).join(" · ");
    byId("seed-credit").textContent = credit;
  }

  /** @param {Page} page */
  #drawAround({ rows, warnings = [], playlist, empty, offer, next }) {
    const { hasCatalog } = this.deck.player;
    byId("warnings").replaceChildren(...warnings.map((text) => el("li", {}, text)));
    byId("empty").hidden = rows.length > 0 || !empty;
    byId("empty-text").textContent = empty;
    byId("empty-clip").hidden = offer !== "clip";
    byId("cap-field").hidden = !playlist || rows.length === 0;
    buttonById("play-all").hidden = rows.length === 0 || !hasCatalog;
    byId("save-field").hidden = rows.length === 0 || !(playlist || hasCatalog);
    selectById("save-format").hidden = !playlist;
    buttonById("more").hidden = !next;
  }
}
