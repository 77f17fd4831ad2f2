"""The questions one can ask of a generation, all answered along one path.

A question differs from another only in its query vectors, its tags and what it leaves out;
`Recommender.answer` does the searching, the ranking and the reasons for every one of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.allowed import in_no_track
from recommender.arrays import FloatArray, Rows
from recommender.catalog_search import Page
from recommender.embedding import Embedding
from recommender.errors import InvalidParameterError, SpaceMismatchError, UnknownTrackError
from recommender.filters import NO_FILTERS
from recommender.generation import Generation, normalised
from recommender.labels import Strengths, Tags
from recommender.questions import Answer, Options, Preference, Question, relative_weights
from recommender.ranking import MILLIONTHS, Similarities, capped, ordered, similarity
from recommender.selection import Selection, outside
from recommender.track import Match, TagStrength, Track

# Rocchio's weight of what is disliked against what is liked
DISLIKE_WEIGHT = 0.5
# rows beyond those asked for, which tell whether one that is left out could be as close
SPARE = 6
OVERFETCH = 4
# how far the index's float32 similarities may lie from those in float64
SEARCH_ERROR = 2e-6
QUICK_MILLISECONDS = 1.0

# rows, best first; their similarities; what bounds those of all others
_Ranking = tuple[Rows, Similarities, float]


@dataclass(frozen=True, slots=True)
class _Room:
    """Where an answer is looked for: in `allowed` rows, None for all, but not in `excluded`."""

    allowed: Selection | None
    excluded: Rows

    def without(self, rows: Rows, total: int) -> "_Room":
        """The same, but for some more rows."""
        allowed = Selection.every(total) if self.allowed is None else self.allowed
        return _Room(allowed.without(rows), self.excluded)


class Recommender:
    """Answers questions from one generation; safe to call from many threads."""

    def __init__(self, generation: Generation):
        self.generation = generation

    def similar(self, track_id: str, options: Options) -> Answer:
        """Tracks that sound like a catalogued one; see :meth:`about_track`."""
        return self.answer(self.about_track(track_id), options)

    def similar_to_clip(self, embeddings: Sequence[Embedding], options: Options) -> Answer:
        """Tracks that sound like a clip; see :meth:`about_clip`."""
        return self.answer(self.about_clip(embeddings), options)

    def recommend(
        self, positive: Sequence[Preference], negative: Sequence[Preference], options: Options
    ) -> Answer:
        """Tracks near the liked ones and away from the disliked; see :meth:`about_taste`."""
        return self.answer(self.about_taste(positive, negative), options)

    def about_track(self, track_id: str) -> Question:
        """What sounds like a catalogued track, which is itself left out.

        Raises
        ------
        UnknownTrackError
            The catalog does not hold `track_id`.
        """
        row = self._known_row(track_id)
        tags = self.generation.labels.strong(self.generation.arrays.tags[row].tolist())
        return Question(None, tags, np.array([row], dtype=np.int64), about=row)

    def about_clip(self, embeddings: Sequence[Embedding]) -> Question:
        """What sounds like a clip, embedded at one or at several levels.

        A track is as similar as the best of the levels makes it.

        Raises
        ------
        SpaceMismatchError
            The clip was not embedded in the generation's space.
        """
        generation = self.generation
        shape = generation.projection.centre.shape
        if any(embedding.vector.shape != shape for embedding in embeddings):
            raise SpaceMismatchError(
                f"space={generation.manifest.space_id} has "
                f"dimension={shape[0]}; embed the clip with the embedder of the index"
            )
        queries = np.stack([generation.project(e.vector) for e in embeddings])
        tags = np.mean([e.tags for e in embeddings], axis=0)
        return Question(queries, generation.labels.strong(tags.tolist()), np.empty(0, np.int64))

    def about_taste(
        self, positive: Sequence[Preference], negative: Sequence[Preference]
    ) -> Question:
        """What is near the liked tracks and away from the disliked, all of which are left out.

        The query is Rocchio's: the weighted mean of the liked vectors less `DISLIKE_WEIGHT` times
        that of the disliked ones (Rocchio, "Relevance feedback in information retrieval", 1971).

        Raises
        ------
        UnknownTrackError
            Naming every id that the catalog does not hold.
        InvalidParameterError
            Nothing is liked, or likes and dislikes cancel out.
        """
        if not positive:
            raise InvalidParameterError("positive=[] must name at least one track")
        weights, against = relative_weights(positive), relative_weights(negative)
        ids = [preference.track_id for preference in (*positive, *negative)]
        rows = self._known_rows(ids)
        liked, disliked = rows[: len(positive)], rows[len(positive) :]
        query = self._weighted_mean(liked, weights)
        if negative:
            query = query - DISLIKE_WEIGHT * self._weighted_mean(disliked, against)
        if float(np.linalg.norm(query)) < 1e-6:
            raise InvalidParameterError("positive and negative cancel out; leave one of them out")
        tags = self._mean_tags(liked, weights)
        return Question(normalised(query[np.newaxis]), tags, rows)

    def quick(self, options: Options) -> bool:
        """Whether the question is answered in so little time that nothing else need be done."""
        plain = not (options.filters or options.exclude_artists or options.max_per_artist)
        milliseconds = self.generation.manifest.index.measurement.milliseconds
        return plain and milliseconds < QUICK_MILLISECONDS

    def tracks(self, track_ids: Sequence[str]) -> list[Track]:
        """Those of some tracks that the catalog holds."""
        rows, _ = self.generation.rows_of(track_ids)
        return list(self.generation.catalog.tracks(rows).values())

    def holds(self, track_id: str) -> bool:
        """Whether the catalog holds a track."""
        return self.generation.arrays.row_of(track_id) is not None

    def document(self, track_id: str) -> str:
        """One catalogued track as JSON, see :meth:`recommender.track.Track.document`.

        Raises
        ------
        UnknownTrackError
            The catalog does not hold `track_id`.
        """
        row = self._known_row(track_id)
        return self.generation.catalog.documents([row])[row]

    def tags(self, track_id: str) -> tuple[TagStrength, ...]:
        """The strongest tags of a catalogued track, strongest first."""
        tags, labels = self._tags([self._known_row(track_id)]), self.generation.labels
        return labels.shared(labels.strong(tags[0].tolist()), tags)[0]

    def audio_path(self, track_id: str) -> bytes:
        """Path of the file that a catalogued track was read from."""
        return self.generation.catalog.path(self._known_row(track_id))

    def search(self, query: str, limit: int, after: str | None = None) -> Page:
        """See :meth:`recommender.catalog.Catalog.search`."""
        return self.generation.catalog.search(query, limit, after)

    def answer(self, question: Question, options: Options) -> Answer:
        """The tracks nearest to a question, as many as the options allow.

        Raises
        ------
        InvalidParameterError
            The options ask for no match, or for a tag that this space does not know.
        """
        room, unknown = self._room(question, options)
        rows, similarities = self._ranked(question, room, options)
        warnings = [f"exclude_id={id_} is not in the catalog" for id_ in unknown]
        # by identity: most questions have none
        if options.filters is not NO_FILTERS or options.exclude_artists:
            warnings += self.in_vain(options)
        manifest = self.generation.manifest
        return Answer(
            generation=manifest.generation,
            space=manifest.space_id,
            matches=self._matches(rows, similarities, question.tags),
            warnings=tuple(warnings),
        )

    def in_vain(self, options: Options) -> list[str]:
        """A warning for each genre, artist and album of the options that no track has.

        Raises
        ------
        InvalidParameterError
            The options ask for a tag that this space does not know.
        """
        warnings = [*self.generation.allowed.of(options.filters).warnings]
        if options.exclude_artists:
            unknown = self.generation.catalog.unknown_artists(options.exclude_artists)
            warnings += [in_no_track("exclude_artist", artist) for artist in unknown]
        return warnings

    def nearest_ids(self, question: Question, options: Options, k: int) -> list[str]:
        """Ids of the `k` tracks nearest to a question, best first.

        Of the options only filters and exclusions are heeded.
        """
        room, _ = self._room(question, options)
        rows, _, _ = self._nearest(self._vectors(question), k, room)
        return self.generation.arrays.names(rows[:k])

    def reasons(
        self, question: Question, track_ids: Sequence[str]
    ) -> dict[str, tuple[TagStrength, ...]]:
        """The tags that each of some tracks shares with a question; tracks without are left out."""
        rows, _ = self.generation.rows_of(track_ids)
        shared = self.generation.labels.shared(question.tags, self._tags(rows))
        names = self.generation.arrays.names(rows)
        return {id_: tags for id_, tags in zip(names, shared, strict=True) if tags}

    def _room(self, question: Question, options: Options) -> tuple[_Room, list[str]]:
        """Where the answer is looked for, and the excluded ids that are not known."""
        generation = self.generation
        allowed, excluded = generation.allowed.of(options.filters).rows, [question.seeds]
        unknown = list[str]()
        if options.exclude_ids:
            by_id, unknown = generation.rows_of(options.exclude_ids)
            excluded.append(by_id)
        if options.exclude_artists:
            excluded.append(generation.catalog.rows_by_artists(options.exclude_artists))
        rows = excluded[0] if len(excluded) == 1 else np.concatenate(excluded)
        return _Room(allowed, rows), unknown

    def _ranked(
        self, question: Question, room: _Room, options: Options
    ) -> tuple[list[int], list[float]]:
        """Rows of the answer and their similarities."""
        if options.limit < 1:
            raise InvalidParameterError(f"limit={options.limit} must be at least 1")
        if options.max_per_artist is None:
            return self._uncapped(question, room, options)
        return self._capped(question, room, options, options.max_per_artist)

    def _uncapped(
        self, question: Question, room: _Room, options: Options
    ) -> tuple[list[int], list[float]]:
        """The best rows; fetches more until no row that is left out could belong among them."""
        least, tries = options.min_similarity, self._tries(question, room, options.limit + SPARE)
        while True:
            rows, similarities, frontier = next(tries)
            close = int((similarities >= least).sum()) if least else len(rows)
            count = min(options.limit, close)
            full = count == options.limit and similarities[count - 1] > frontier
            if full or frontier < max(least, 0.0):
                return rows[:count].tolist(), similarities[:count].tolist()

    def _tries(self, question: Question, room: _Room, k: int) -> Iterator[_Ranking]:
        """What the lists know, if they know the question, and then deeper and deeper searches."""
        listed = self._listed(question, room)
        if listed is not None:
            yield listed
        queries = self._vectors(question)
        while True:
            yield self._nearest(queries, k, room)
            k *= OVERFETCH

    def _vectors(self, question: Question) -> FloatArray:
        if question.vectors is None:
            return self.generation.index.vectors(question.seeds)
        return question.vectors

    def _listed(self, question: Question, room: _Room) -> _Ranking | None:
        """Rows that are listed near the one that is asked about; see :meth:`_nearest`."""
        arrays = self.generation.arrays
        found = None if question.about is None else arrays.neighbours.of(question.about)
        if found is None:
            return None
        rows, similarities = found[0], found[1] / MILLIONTHS
        if rows[-1] < 0:
            rows, similarities = rows[rows >= 0], similarities[rows >= 0]
            if not len(rows):
                return None
        frontier = float(similarities[-1]) + SEARCH_ERROR
        keep = None if room.allowed is None else room.allowed.holds(rows)
        if len(room.excluded) > 1:  # a row is not listed near itself
            others = outside(rows, room.excluded)
            keep = others if keep is None else keep & others
        if keep is not None:
            rows, similarities = rows[keep], similarities[keep]
        return rows, similarities, frontier

    def _capped(
        self, question: Question, room: _Room, options: Options, most: int
    ) -> tuple[list[int], list[float]]:
        """The best rows, no more by one artist than `most`.

        Artists that have as many as they may are not looked for again.
        """
        artists, queries = self.generation.arrays.artists, self._vectors(question)
        settled, fetched = dict[int, float](), (options.limit + SPARE) * OVERFETCH
        while True:
            rows, similarities, frontier = self._nearest(queries, fetched, room)
            close = similarities >= options.min_similarity
            new = zip(rows[close].tolist(), similarities[close].tolist(), strict=True)
            found = settled | dict(new)
            codes = {row: int(artists[row]) if artists[row] >= 0 else None for row in found}
            kept, _ = capped(found, codes.__getitem__, most)
            best = kept[: options.limit]
            full = len(best) == options.limit and found[best[-1]] > frontier
            if full or frontier < max(options.min_similarity, 0.0):
                return best, [found[row] for row in best]
            certain = [row for row in kept if found[row] > frontier]
            _, spent = capped(certain, codes.__getitem__, most)
            if spent:
                settled = {row: found[row] for row in certain}
                done = np.isin(artists, np.array(sorted(spent), np.int32))
                done[certain] = True
                room = room.without(np.flatnonzero(done), len(artists))
            else:
                fetched *= OVERFETCH

    def _nearest(self, queries: FloatArray, k: int, room: _Room) -> _Ranking:
        """Rows near any of the queries, best first, with their best similarity.

        The third value bounds the similarity of every row that is not among them; it is below 0
        when there is none.
        """
        # one more than there are, so that fewer than asked for always means all
        index, most = self.generation.index, min(k, self.generation.manifest.n_rows + 1)
        found = [index.nearest(query, most, room.excluded, room.allowed) for query in queries]
        rows, frontier = found[0][0], max(_last(cosines, most) for _, cosines in found)
        if len(found) > 1:
            rows = np.unique(np.concatenate([found_rows for found_rows, _ in found]))
        # a row found by one query may be closer to another query that had k closer ones; in
        # float64, for in float32 equal vectors differ by their place in the matrix, and it shows
        cosines = index.vectors(rows).astype(np.float64) @ queries.T.astype(np.float64)
        best = cosines.max(axis=1)
        return *ordered(rows, similarity(best), self.generation.arrays.ids), frontier

    def _matches(
        self, rows: list[int], similarities: list[float], tags: Strengths
    ) -> tuple[Match, ...]:
        documents = self.generation.catalog.documents(rows)
        shared = self.generation.labels.shared(tags, self._tags(rows))
        found = [documents[row] for row in rows]
        return tuple(map(Match, range(1, len(rows) + 1), similarities, found, shared))

    def _known_row(self, track_id: str) -> int:
        row = self.generation.arrays.row_of(track_id)
        if row is None:
            raise UnknownTrackError([track_id], self.generation.manifest.space_id)
        return row

    def _known_rows(self, track_ids: list[str]) -> Rows:
        rows, unknown = self.generation.rows_of(track_ids)
        if unknown:
            raise UnknownTrackError(unknown, self.generation.manifest.space_id)
        return rows

    def _weighted_mean(self, rows: Rows, weights: npt.NDArray[np.float64]) -> FloatArray:
        vectors = self.generation.index.vectors(rows)
        mean: FloatArray = np.average(vectors, axis=0, weights=weights).astype(np.float32)
        return mean

    def _mean_tags(self, rows: Rows, weights: npt.NDArray[np.float64]) -> dict[str, float]:
        probabilities = self.generation.arrays.tags[rows].astype(np.float64)
        mean = np.average(probabilities, axis=0, weights=weights)
        return self.generation.labels.strong(mean.tolist())

    def _tags(self, rows: Rows | list[int]) -> Tags:
        """Tag probabilities of some rows."""
        # of few rows quicker than an index
        return self.generation.arrays.tags.take(np.asarray(rows, np.int64), axis=0)


def _last(cosines: FloatArray, k: int) -> float:
    """What bounds the similarities that are not among the `k` asked for; -1 when there are none."""
    return (1.0 + float(cosines[-1])) / 2.0 + SEARCH_ERROR if len(cosines) == k else -1.0
