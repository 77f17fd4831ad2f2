/** The main part of the page: which view is shown, and what stands there when there is no list. */

import { Problem } from "./api.js";
import { buttonById, byId, inputById } from "./dom.js";
import { chosenPage, loadPage, moreTracks } from "./results.js";

/** @import {Clip} from './clip.js' */
/** @import {Embedders} from './embedders.js' */
/** @import {FilterForm} from './filterform.js' */
/** @import {Listing} from './listing.js' */
/** @import {MapView} from './mapview.js' */
/** @import {MoodForm} from './moodform.js' */
/** @import {Notices} from './notices.js' */
/** @import {PathForm} from './pathform.js' */
/** @import {Page} from './results.js' */
/** @import {Route} from './router.js' */
/** @import {Track} from './types.js' */

/**
 * @typedef {object} Forms
 * @property {Embedders} embedders
 * @property {FilterForm} filters
 * @property {MoodForm} mood
 * @property {PathForm} path
 * @property {MapView} map
 */

/**
 * What a view is about; the rest of a route is how its list is made.
 *
 * @param {Route | undefined} route
 */
const subjectOf = (route) => [route?.name, route?.value, route?.own.from, route?.own.to].join(" ");

/** Shows one route at a time; a newer one aborts the older. */
export class View {
  /**
   * @param {Listing} listing
   * @param {Notices} notices
   * @param {Forms} forms
   * @param {() => void} onUnknownSpace
   */
  constructor(listing, notices, forms, onUnknownSpace) {
    this.listing = listing;
    this.notices = notices;
    this.forms = forms;
    this.onUnknownSpace = onUnknownSpace;
    /** @type {Clip | null} */
    this.clip = null;
    /** @type {Page | null} what the same view showed before other filters were asked for */
    this.before = null;
    this.request = new AbortController();
    buttonById("more").addEventListener("click", () => this.#guard(() => this.#showMore()));
    buttonById("save").addEventListener("click", () => this.#guard(() => listing.save()));
  }

  /**
   * @param {Route} route
   * @param {{typed: boolean}} how after typing, the focus stays where it is
   */
  async show(route, { typed }) {
    const isSame = subjectOf(this.route) === subjectOf(route);
    const { listing, forms } = this;
    this.before = isSame ? (listing.page ?? this.before) : null;
    this.route = route;
    this.request.abort();
    this.request = new AbortController();
    this.notices.clear();
    inputById("cap").checked = route.cap;
    document.body.dataset.view = route.name;
    for (const form of Object.values(forms)) form.show(route);
    listing.page = null;
    await this.#guard(async (signal) => {
      const page = await loadPage(route, this.#sources(route), signal);
      await forms.embedders.known; // with it, whether anything can be played
      if (signal.aborted) return;
      forms.path.showEnds(page.ends ?? {});
      listing.draw(page);
      if (!typed) this.#arrive();
    });
  }

  /** Ask again what is shown. */
  refresh() {
    if (this.route) this.show(this.route, { typed: true });
  }

  /** @param {Route} route */
  #sources(route) {
    const { clip, forms, listing, notices } = this;
    const onProgress = (/** @type {number} */ share) => notices.progress(share, clip?.file.name);
    if (route.name === "clip" && clip) onProgress(0);
    return { listener: listing.deck.listener, embedders: forms.embedders, clip, onProgress };
  }

  /**
   * The clip of the clip view from now on.
   *
   * @param {Clip} clip
   */
  takeClip(clip) {
    if (this.clip && this.listing.deck.player.current?.src !== this.clip.src) this.clip.release();
    this.clip = clip;
  }

  /**
   * List what was chosen on the map.
   *
   * @param {Track[]} tracks
   * @param {string} title
   */
  showChosen(tracks, title) {
    if (this.route?.name !== "map") return;
    this.listing.draw(chosenPage(tracks, title));
    this.notices.say(title);
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

  /** After a link or a drop: to the top, with the focus on the new heading. */
  #arrive() {
    scrollTo({ top: 0 });
    byId("view-title").focus({ preventScroll: true });
  }

  async #showMore() {
    const { route, listing } = this;
    if (!listing.page || route?.name !== "browse") return;
    const { signal } = this.request;
    const more = await moreTracks(route.value, listing.page.next, signal).catch((problem) => {
      if (!(problem instanceof Problem && problem.isOldCursor)) throw problem;
      return null;
    });
    // another index was published meanwhile: its list begins anew
    if (!more) return this.show(route, { typed: false });
    listing.append(more.rows, more.next);
  }

  /**
   * @param {unknown} error
   * @param {(signal: AbortSignal) => Promise<void>} work offered again
   */
  #fail(error, work) {
    if (!(error instanceof Problem)) throw error;
    const isClip = this.route?.name === "clip";
    const isOfFilters = this.forms.filters.refuse(error);
    const isOfSpace = !isOfFilters && this.route?.space && error.isOfSpace;
    if (error.isUnindexed && !isOfSpace) return this.#showUnindexed(error);
    const title = isClip ? (this.clip?.file.name ?? "") : "Nothing to show";
    if (!this.listing.page) this.#drawNothing(title, isOfFilters ? this.before : null);
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
    this.forms.embedders.show(route);
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
    const kept = { playlist: undefined, next: "", offer: "", warnings: [] };
    this.listing.draw({ ...head, ...kept, legend: "", rows: [], total: 0, empty: "" });
    this.listing.page = null;
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
