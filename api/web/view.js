/** The main part of the page: heading, list, and what stands there when there is no list. */

import { Problem } from "./api.js";
import { buttonById, byId, el, foreign, inputById } from "./dom.js";
import { counted, nameOf } from "./format.js";
import { loadPage, moreTracks } from "./results.js";
import { savePlaylist } from "./m3u.js";
import { chips, disc, listItems } from "./tracklist.js";

/** @import {Page} from './results.js' */
/** @import {Route} from './router.js' */
/** @import {Deck} from './tracklist.js' */
/** @import {Notices} from './notices.js' */
/** @import {Clip} from './clip.js' */
/** @import {Embedders} from './embedders.js' */
/** @import {FilterForm} from './filterform.js' */

/** Shows one route at a time; a newer one aborts the older. */
export class View {
  /**
   * @param {Deck} deck
   * @param {Notices} notices
   * @param {Embedders} embedders
   * @param {FilterForm} filters
   * @param {() => void} onUnknownSpace
   */
  constructor(deck, notices, embedders, filters, onUnknownSpace) {
    this.deck = deck;
    this.notices = notices;
    this.embedders = embedders;
    this.filters = filters;
    this.onUnknownSpace = onUnknownSpace;
    /** @type {Clip | null} */
    this.clip = null;
    /** @type {Page | null} */
    this.page = null;
    /** @type {Page | null} what the same view showed before other filters were asked for */
    this.before = null;
    this.request = new AbortController();
    this.list = byId("tracks");
    buttonById("more").addEventListener("click", () => this.#guard(() => this.#showMore()));
    buttonById("save").addEventListener("click", () => {
      savePlaylist(this.page?.rows.map((row) => row.track) ?? []);
    });
  }

  /**
   * @param {Route} route
   * @param {{typed: boolean}} how after typing, the focus stays in the search box
   */
  async show(route, { typed }) {
    const isSame = this.route?.name === route.name && this.route.value === route.value;
    this.before = isSame ? (this.page ?? this.before) : null;
    this.route = route;
    this.request.abort();
    this.request = new AbortController();
    this.notices.clear();
    inputById("cap").checked = route.cap;
    this.embedders.show(route);
    this.filters.show(route);
    this.page = null;
    await this.#guard(async (signal) => {
      const page = await loadPage(route, this.#sources(route), signal);
      this.#draw(page);
      if (!typed) this.#arrive();
    });
  }

  /** @param {Route} route */
  #sources(route) {
    const { clip, embedders, notices } = this;
    const onProgress = (/** @type {number} */ share) => notices.progress(share, clip?.file.name);
    if (route.name === "clip" && clip) onProgress(0);
    return { session: this.deck.session, embedders, clip, onProgress };
  }

  /**
   * The clip of the clip view from now on.
   *
   * @param {Clip} clip
   */
  takeClip(clip) {
    if (this.clip && this.deck.player.current?.src !== this.clip.src) this.clip.release();
    this.clip = clip;
  }

  /**
   * Run something that asks the API: busy while it runs, and its problem shown.
   *
   * @param {(signal: AbortSignal) => Promise<void>} work
   */
  async #guard(work) {
    const { signal } = this.request;
    byId("results").setAttribute("aria-busy", "true");
    try {
      await work(signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(error, work);
    }
    if (signal.aborted) return;
    this.notices.progress(null);
    byId("results").setAttribute("aria-busy", "false");
  }

  /** @param {Page} page */
  #draw(page) {
    this.page = page;
    byId("view-eyebrow").textContent = page.eyebrow;
    byId("view-title").replaceChildren(foreign(page.title));
    byId("view-note").replaceChildren(foreign(page.note));
    this.#drawSeed(page);
    this.list.replaceChildren(...listItems(page.rows, this.deck, this.#queue()));
    const isAnswer = page.rows.some((row) => row.similarity !== undefined);
    this.list.classList.toggle("matches", isAnswer);
    byId("cap-field").hidden = !isAnswer;
    byId("legend").textContent = page.rows.length ? page.legend : "";
    byId("unindexed").hidden = true;
    this.#drawAround(page);
    this.notices.say(page.rows.length ? `${counted(page.total, "track")}: ${page.title}` : page.empty);
  }

  /** @param {Page} page */
  #drawSeed({ seed, tags = [] }) {
    const place = byId("seed");
    place.hidden = !seed;
    place.replaceChildren(...(seed ? [disc(seed, this.deck, [seed, ...this.#queue()])] : []));
    byId("seed-tags").replaceChildren(...(tags.length ? [chips(tags, "Sound of this track")] : []));
    const credit = [seed?.attribution, seed?.licence].filter(Boolean).join(" · ");
    byId("seed-credit").textContent = credit;
  }

  /** @param {Page} page */
  #drawAround(page) {
    byId("warnings").replaceChildren(...(page.warnings ?? []).map((text) => el("li", {}, text)));
    byId("empty").hidden = page.rows.length > 0;
    byId("empty-text").textContent = page.empty;
    byId("empty-clip").hidden = page.offer !== "clip";
    buttonById("save").hidden = page.rows.length === 0;
    buttonById("more").hidden = !page.next;
  }

  /** After a link or a drop: to the top, with the focus on the new heading. */
  #arrive() {
    scrollTo({ top: 0 });
    byId("view-title").focus({ preventScroll: true });
  }

  #queue() {
    return this.page?.rows.map((row) => row.track) ?? [];
  }

  async #showMore() {
    const { page, route } = this;
    if (!page || route?.name !== "browse") return;
    const { signal } = this.request;
    const more = await moreTracks(route.value, page.next, signal).catch((problem) => {
      if (!(problem instanceof Problem && problem.isOldCursor)) throw problem;
      return null;
    });
    // another index was published meanwhile: its list begins anew
    if (!more) return this.show(route, { typed: false });
    const first = this.list.children.length;
    page.rows.push(...more.rows);
    page.next = more.next;
    this.list.append(...listItems(more.rows, this.deck, this.#queue()));
    buttonById("more").hidden = !page.next;
    this.list.children[first]?.querySelector("button")?.focus();
    this.notices.say(`${counted(more.rows.length, "more track")}; the last is ${this.#last()}`);
  }

  #last() {
    const track = this.#queue().at(-1);
    return track ? nameOf(track) : "none";
  }

  /**
   * @param {unknown} error
   * @param {(signal: AbortSignal) => Promise<void>} work offered again
   */
  #fail(error, work) {
    if (!(error instanceof Problem)) throw error;
    const isClip = this.route?.name === "clip";
    const isOfFilters = this.filters.refuse(error);
    const isOfSpace = !isOfFilters && this.route?.space && error.isOfSpace;
    if (error.isUnindexed && !isOfSpace) return this.#showUnindexed(error);
    const title = isClip ? (this.clip?.file.name ?? "") : "Nothing to show";
    if (!this.page) this.#drawNothing(title, isOfFilters ? this.before : null);
    if (isOfFilters) return;
    if (isOfSpace) return this.#offerDefault(error);
    this.notices.warn(error.title, error.detail, () => {
      this.notices.clear();
      byId("view-title").focus();
      this.#guard(work);
    });
  }

  /**
   * Say that a space is not served; every way on leads to the default.
   *
   * @param {Problem} problem
   */
  #offerDefault(problem) {
    const route = /** @type {Route} */ ({ ...this.route, space: "" });
    this.embedders.show(route);
    this.onUnknownSpace();
    const show = () => this.show(route, { typed: false });
    this.notices.warn(problem.title, problem.detail, show, "Ask the default embedder");
  }

  /**
   * A heading without a list; something else on the page says why.
   *
   * @param {string} title
   * @param {Page | null} [before] whose heading stays in the place of `title`
   */
  #drawNothing(title, before) {
    const eyebrow = this.route?.name === "clip" ? "Sounds like your clip" : "Catalog";
    const head = before ?? { eyebrow, title, note: "" };
    this.#draw({ ...head, legend: "", rows: [], total: 0, empty: "", next: "", warnings: [] });
    this.page = null;
    byId("empty").hidden = true;
  }

  /** @param {Problem} problem */
  #showUnindexed(problem) {
    const title = "Nothing to hear yet";
    this.#drawNothing(title);
    byId("unindexed").hidden = false;
    byId("unindexed-detail").textContent = problem.detail;
    this.notices.say(`${title}. ${problem.detail}`);
  }
}
