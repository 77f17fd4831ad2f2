/** Who hears: the embedders that are served, and which of them, or all together, are asked. */

import { byId, el, selectById } from "./dom.js";
import { isOfOneSpace } from "./router.js";

/** @import {Route} from './router.js' */
/** @import {SpaceInfo} from './types.js' */

const TOGETHER = "all together";

/** @param {string} name of an embedder or of a space, whose options or digest are left out */
const baseOf = (name) => name.replace(/:.*|-[0-9a-f]{12}$/, "");

/** The select of the toolbar; its default stands for no name at all. */
export class Embedders {
  /** @type {() => void} */
  #know = () => {};

  /** @param {(space: string) => void} onChoose told names, `+` between; "" is the default */
  constructor(onChoose) {
    this.select = selectById("space");
    this.select.addEventListener("change", () => onChoose(this.select.value));
    /** @type {SpaceInfo[]} */
    this.served = [];
    this.asked = "";
    this.isAsking = false;
    this.isAlone = false;
    /** Settled when it is first known what is served. */
    this.known = new Promise((resolve) => (this.#know = () => resolve(undefined)));
  }

  /** @param {SpaceInfo[]} served the default first; none when that cannot be found out */
  offer(served) {
    this.served = served;
    this.#know();
    this.#draw();
  }

  /** @param {Route} route */
  show({ name, space }) {
    this.isAsking = !["browse", "map"].includes(name);
    this.isAlone = isOfOneSpace({ name });
    this.asked = space;
    this.#draw();
  }

  get areSeveral() {
    return this.served.length > 1;
  }

  /**
   * What to call the embedder of a space; options only where they tell two embedders apart.
   *
   * @param {string} id of the space
   */
  nameOf(id) {
    const embedder = this.served.find(({ space }) => space === id)?.embedder ?? id;
    const alike = this.served.filter((one) => baseOf(one.embedder) === baseOf(embedder));
    return alike.length > 1 ? embedder : baseOf(embedder);
  }

  #draw() {
    byId("space-field").hidden = !this.isAsking || !this.areSeveral;
    const members = this.#members(this.asked);
    const [value] = this.#option(members);
    const options = this.#options();
    if (!options.some(([known]) => known === value)) options.push(this.#option(members));
    if (String(options) !== this.drawn) {
      this.select.replaceChildren(...options.map(([v, text]) => el("option", { value: v }, text)));
      this.drawn = String(options);
    }
    this.select.value = value;
  }

  /** @returns {[value: string, text: string][]} */
  #options() {
    const alone = this.served.map((one) => this.#option([one]));
    return this.areSeveral && !this.isAlone ? [...alone, this.#option(this.served)] : alone;
  }

  /**
   * @param {SpaceInfo[]} members
   * @returns {[value: string, text: string]}
   */
  #option(members) {
    const isDefault = members.length < 2 && members[0] === this.served[0];
    const value = isDefault ? "" : members.map(({ embedder }) => embedder).join("+");
    const isAll = members.length > 1 && members.length === this.served.length;
    return [value, isAll ? TOGETHER : members.map(({ space }) => this.nameOf(space)).join(" + ")];
  }

  /**
   * The spaces that an address means, in the order of `served`; the default where it means none.
   *
   * @param {string} asked
   */
  #members(asked) {
    const names = asked.split("+");
    const named = this.served.filter(({ space, embedder }) =>
      [space, embedder, this.nameOf(space)].some((name) => names.includes(name)),
    );
    return named.length === names.length ? named : this.served.slice(0, 1);
  }
}
