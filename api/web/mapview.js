/** The place of the map, which is fetched when it is first looked at. */

import { byId } from "./dom.js";

/** @import {Route} from './router.js' */
/** @import {Track} from './types.js' */

/**
 * @typedef {object} MapHandlers
 * @property {(track: Track) => void} onPlay
 * @property {(tracks: Track[], title: string) => void} onList
 */

/** Shows the map on its route; it stays as it is while other views are looked at. */
export class MapView {
  /** @param {MapHandlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    this.place = byId("map");
    this.isMounted = false;
  }

  /** @param {Route} route */
  show({ name }) {
    this.place.hidden = name !== "map";
    if (this.place.hidden || this.isMounted) return;
    this.isMounted = true;
    this.#mount().catch((error) => {
      this.isMounted = false; // tried again when the view is opened again
      byId("map-canvas").replaceChildren();
      byId("map-problem").hidden = false;
      byId("map-problem").textContent = `The map cannot be shown: ${error.message}`;
    });
  }

  async #mount() {
    byId("map-problem").hidden = true;
    // a name that is made at run time: the page stands without the module
    const { mountMap } = await import(new URL("map.js", import.meta.url).href);
    await mountMap(byId("map-canvas"), this.handlers);
  }
}
