/**
 * The shapes of the HTTP API that the page reads; see /docs for the whole of it.
 *
 * @typedef {object} Track
 * @property {string} id
 * @property {string} title
 * @property {string} artist
 * @property {string} album
 * @property {string} [composer]
 * @property {number} duration_seconds
 * @property {string} genre
 * @property {number} year
 * @property {string} [attribution]
 * @property {string} [licence]
 *
 * @typedef {{name: string, strength: number}} Tag
 * @typedef {{tracks: Track[], total: number, next_cursor: string | null, generation: string}} TrackPage
 * @typedef {{track: Track, tags: Tag[]}} TrackDetail
 * @typedef {{track_id: string, interest: number}} Because
 * @typedef {{start_seconds: number, end_seconds: number, similarity: number,
 *   same_recording: boolean}} Segment
 *
 * Why a track is a match; what a service does not know is not there, or null.
 * @typedef {object} Why
 * @property {Tag[]} [shared_tags]
 * @property {{space: string, rank: number}[]} [space_ranks]
 * @property {Because | null} [because] of what a listener is recommended
 * @property {{bpm: number, seed_bpm: number, close: boolean} | null} [tempo]
 * @property {{key: string, seed_key: string, related: boolean} | null} [key]
 * @property {{level_dbfs: number, difference_db: number} | null} [level]
 * @property {Segment | null} [segment]
 * @property {boolean} [hub_corrected]
 *
 * The similarity is null of a path's first track.
 * @typedef {{rank: number, similarity: number | null, track: Track, why?: Why}} Match
 * @typedef {{generation: string, space: string, matches: Match[], warnings?: unknown[]}} Answer
 *
 * @typedef {object} IndexInfo
 * @property {string} generation
 * @property {string} embedder
 * @property {number} n_tracks
 * @property {string} created_at
 * @property {boolean} [audio] whether the files of tracks are given
 * @property {SpaceInfo[]} spaces the default first
 *
 * @typedef {{space: string, embedder: string, dimension: number, n_tracks: number,
 *   index: VectorIndex}} SpaceInfo
 *
 * How the vectors of a space are searched; a measurement is null of a catalog too small for one.
 * @typedef {{kind: string, target_recall: number, measurement: Measurement | null,
 *   warnings: string[]}} VectorIndex
 * @typedef {{effort: number, recall_at_10: number, recall_at_100: number, milliseconds: number}} Point
 * @typedef {Point & {bytes_per_vector: number, curve: Point[],
 *   listed_recall_at_10: number | null}} Measurement
 *
 * Something the player can play: a catalogued track, or a clip that stays in the browser.
 * @typedef {Track & {src?: string}} Playable
 *
 * One line of a list; `similarity` is there when it is a match, `places` when several embedders made
 * it one, `because` when a track of the listener did.
 * @typedef {{track: Track, similarity?: number, why?: Why, places?: Place[],
 *   because?: LikedTrack}} Row
 * @typedef {{name: string, rank: number}} Place
 * Its interest is 0 where there is only one.
 * @typedef {{title: string, id: string, isLiked: boolean, interest: number}} LikedTrack
 */

export {};
