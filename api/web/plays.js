/** What was heard of a track, once it is left: a listen, a skip, or nothing worth telling. */

/** @import {Player} from './player.js' */
/** @import {Playable} from './types.js' */

/** Less than this is a look into a track. */
const LISTEN_SECONDS = 5;

/** Who goes on after this much, or half of a track, did not skip it. */
const SKIP_SECONDS = 30;

/** Less than this, nobody has heard what is skipped. */
const GLIMPSE_SECONDS = 1;

/** A longer step between two looks at the clock is a jump, not something that was heard. */
const LONGEST_STEP_SECONDS = 3;

/**
 * @callback OnPlay
 * @param {string} trackId
 * @param {'listen' | 'skip'} kind
 * @param {Date} at when it began
 * @param {number} seconds that were heard
 */

/** Follows the player; clips, which no catalog holds, are not told of. */
export class Plays {
  /**
   * @param {Player} player
   * @param {OnPlay} onPlay
   */
  constructor(player, onPlay) {
    this.player = player;
    this.onPlay = onPlay;
    /** @type {{track: Playable, at: Date, heard: number, place: number} | null} */
    this.play = null;
    player.addEventListener("time", () => this.#follow());
    player.addEventListener("leave", (event) => {
      this.#end(/** @type {CustomEvent<{isSkip: boolean}>} */ (event).detail.isSkip);
    });
    addEventListener("pagehide", () => this.#end(false));
  }

  #follow() {
    const { current, audio } = this.player;
    const place = audio.currentTime;
    if (!current || current.src) return;
    this.play ??= { track: current, at: new Date(), heard: 0, place };
    const step = place - this.play.place;
    if (step > 0 && step < LONGEST_STEP_SECONDS) this.play.heard += step;
    this.play.place = place;
  }

  /** @param {boolean} isSkip somebody asked for the next track */
  #end(isSkip) {
    const { play } = this;
    this.play = null;
    if (!play) return;
    const { track, at, heard } = play;
    const isEarly = heard < Math.min(SKIP_SECONDS, this.player.duration / 2);
    if (isSkip && isEarly) {
      if (heard >= GLIMPSE_SECONDS) this.onPlay(track.id, "skip", at, heard);
    } else if (heard >= LISTEN_SECONDS) this.onPlay(track.id, "listen", at, heard);
  }
}
