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
 * @typedef {{shared_tags?: Tag[], space_ranks?: {space: string, rank: number}[]}} Why
 * @typedef {{rank: number, similarity: number, track: Track, why?: Why}} Match
 * @typedef {{generation: string, space: string, matches: Match[], warnings?: unknown[]}} Answer
 * @typedef {{track_id: string, weight: number}} Weighted
 *
 * @typedef {object} IndexInfo
 * @property {string} generation
 * @property {string} embedder
 * @property {number} n_tracks
 * @property {string} created_at
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
 * One line of a list; `similarity` and `why` are there when it is a match, `places` when several
 * embedders made it one.
 * @typedef {{track: Track, similarity?: number, why?: Tag[], places?: Place[]}} Row
 * @typedef {{name: string, rank: number}} Place
 */

export {};
