/** The bar at the foot of the page that shows and steers the player. */

import { buttonById, byId, icon, inputById } from "./dom.js";
import { artistOf, clock, hueOf, nameOf, titleOf } from "./format.js";
import { opinionButtons } from "./parts.js";

/** @import {Deck} from './parts.js' */
/** @import {Playable} from './types.js' */

/** Draws the player's state, and hands on what is clicked. */
export class PlayerBar {
  /** @param {Deck} deck */
  constructor(deck) {
    const { player } = deck;
    this.deck = deck;
    this.player = player;
    /** @type {Playable | null} */
    this.drawn = null;
    this.bar = byId("player");
    this.toggle = buttonById("player-toggle");
    this.seek = inputById("player-seek");
    this.volume = inputById("player-volume");
    this.dragging = false;
    player.addEventListener("change", () => this.#draw());
    player.addEventListener("time", () => this.#drawTime());
    this.#wireButtons();
    this.#wireSliders();
  }

  #wireButtons() {
    this.toggle.addEventListener("click", () => this.player.togglePaused());
    for (const [name, offset] of /** @type {const} */ ([["previous", -1], ["next", 1]])) {
      const button = buttonById(`player-${name}`);
      button.append(icon(name));
      button.addEventListener("click", () => this.player.step(offset));
    }
  }

  #wireSliders() {
    this.seek.addEventListener("input", () => {
      this.dragging = true;
      this.#drawPosition(Number(this.seek.value));
    });
    this.seek.addEventListener("change", () => {
      this.dragging = false;
      this.player.seek(Number(this.seek.value));
    });
    this.volume.addEventListener("input", () => this.#setVolume());
    this.#setVolume();
  }

  #setVolume() {
    const percent = Number(this.volume.value);
    this.player.audio.volume = percent / 100;
    this.volume.setAttribute("aria-valuetext", `${percent} %`);
    this.volume.style.setProperty("--share", String(percent / 100));
  }

  #draw() {
    const track = this.player.current;
    if (!track) return;
    this.bar.hidden = false;
    document.body.classList.add("has-player");
    if (track !== this.drawn) this.#drawTrack(track);
    const playing = this.player.playing;
    this.bar.classList.toggle("is-playing", playing);
    this.toggle.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${nameOf(track)}`);
    this.toggle.replaceChildren(icon(playing ? "pause" : "play"));
    buttonById("player-previous").disabled = !this.player.neighbour(-1);
    buttonById("player-next").disabled = !this.player.neighbour(1);
    document.title = playing ? `${titleOf(track)} · Soundalike` : "Soundalike";
    this.#drawTime();
  }

  /** @param {Playable} track */
  #drawTrack(track) {
    this.drawn = track;
    byId("player-title").textContent = titleOf(track);
    byId("player-artist").textContent = artistOf(track);
    const credit = [track.attribution, track.licence].filter(Boolean).join(" · ");
    byId("player-credit").textContent = credit;
    // a clip is in no catalog, and nobody's taste
    byId("player-opinions").replaceChildren(...(track.src ? [] : opinionButtons(track, this.deck)));
    byId("player-disc").style.setProperty("--hue", String(hueOf(track)));
  }

  #drawTime() {
    const { duration, audio } = this.player;
    this.seek.max = String(Math.max(1, Math.floor(duration)));
    byId("player-duration").textContent = clock(duration);
    if (this.dragging) return;
    this.seek.value = String(Math.round(audio.currentTime));
    this.#drawPosition(audio.currentTime);
  }

  /** @param {number} seconds */
  #drawPosition(seconds) {
    const { duration } = this.player;
    byId("player-time").textContent = clock(seconds);
    this.seek.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(duration)}`);
    this.seek.style.setProperty("--share", String(Number(this.seek.value) / Number(this.seek.max)));
  }
}
