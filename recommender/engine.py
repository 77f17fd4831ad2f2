"""The questions one can ask of a generation, all answered along one path.

A question differs from another only in its query vectors, its tags and what it leaves out;
`Recommender.answer` does the searching, the ranking and the reasons for every one of them.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import repeat

import numpy as np
import numpy.typing as npt

from recommender.allowed import not_in_catalog
from recommender.arrays import FloatArray, Rows
from recommender.catalog_search import Page
from recommender.choosing import Choice, depth_for, has_copies, in_order
from recommender.clip_ranking import ranked_in_time
from recommender.embedding import Embedding
from recommender.errors import InvalidParameterError, SpaceMismatchError, UnknownTrackError
from recommender.events import Event
from recommender.explaining import explained
from recommender.filters import NO_FILTERS
from recommender.generation import Generation, normalised
from recommender.labels import Strengths, Tags
from recommender.questions import Answer, Options, Preference, Question, relative_weights
from recommender.retrieval import OVERFETCH, Retrieval, Room
from recommender.segment_search import SegmentSearch
from recommender.segments import ClipWindows
from recommender.taste import Opinion, opinions
from recommender.track import Match, Reasons, TagStrength, Track

# Rocchio's weight of what is disliked against what is liked
DISLIKE_WEIGHT = 0.5
QUICK_MILLISECONDS = 1.0


class Recommender:
    """Answers questions from one generation; safe to call from many threads."""

    def __init__(self, generation: Generation):
        self.generation = generation
        self.retrieval = Retrieval(generation)

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
        tags = self.generation.labels.strong(self.generation.arrays.tags[row])
        rows = np.array([row], dtype=np.int64)
        return Question(None, tags, rows, about=row, examples=rows)

    def about_clip(
        self, embeddings: Sequence[Embedding], windows: ClipWindows | None = None
    ) -> Question:
        """What sounds like a clip, embedded at one or at several levels.

        A track is as similar as the best of the levels makes it; with `windows`, where the
        generation has segments, as the best of its stretches, see :mod:`recommender.clip_ranking`.

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
        asked = windows if generation.segments is not None else None
        none = np.empty(0, np.int64)
        return Question(queries, generation.labels.strong(tags), none, clip=asked)

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
        return Question(normalised(query[np.newaxis]), tags, rows, examples=liked)

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
        return labels.shared(labels.strong(tags[0]), tags)[0]

    def opinions(
        self, events: Sequence[Event], now: datetime, half_life_days: float
    ) -> list[Opinion]:
        """What events say of tracks; how long these are is known of those of the catalog."""
        heard_in_part = {event.track_id for event in events if event.seconds_played is not None}
        seconds = {track.id: track.duration_seconds for track in self.tracks(sorted(heard_in_part))}
        return opinions(events, now, half_life_days, seconds)

    def shared_tags(self, one: int, other: int) -> tuple[TagStrength, ...]:
        """Tags that are strong in the tracks of two rows."""
        tags, labels = self._tags([one, other]), self.generation.labels
        return labels.shared(labels.strong(tags[0]), tags[1:])[0]

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
        room, unknown = self.retrieval.room(question.seeds, options)
        search = self._in_time(question)
        if search is None:
            rows, similarities = self._ranked(question, room, options)
        else:
            rows, similarities = ranked_in_time(self.generation, search, question, room, options)
        warnings = not_in_catalog(unknown)
        # by identity: most questions have none
        if options.filters is not NO_FILTERS or options.exclude_artists:
            warnings += self.retrieval.in_vain(options)
        manifest = self.generation.manifest
        reasons = explained(self.generation, rows, question.examples, options)
        if search is not None:
            search.explain(rows, reasons)
        return Answer(
            generation=manifest.generation,
            space=manifest.space_id,
            matches=self._matches(rows, similarities, question.tags, reasons),
            warnings=tuple(warnings),
        )

    def nearest_ids(self, question: Question, options: Options, k: int) -> list[str]:
        """Ids of the `k` tracks nearest to a question, best first.

        Of the options only filters and exclusions are heeded.
        """
        room, _ = self.retrieval.room(question.seeds, options)
        found = in_order(self.generation, self.retrieval.pool(question, room, k), options)
        return self.generation.arrays.names(found.rows)

    def tags_shared(
        self, question: Question, track_ids: Sequence[str]
    ) -> dict[str, tuple[TagStrength, ...]]:
        """The tags that each of some tracks shares with a question; tracks without are left out."""
        rows, _ = self.generation.rows_of(track_ids)
        shared = self.generation.labels.shared(question.tags, self._tags(rows))
        names = self.generation.arrays.names(rows)
        return {id_: tags for id_, tags in zip(names, shared, strict=True) if tags}

    def reasons(
        self, question: Question, track_ids: Sequence[str], options: Options
    ) -> dict[str, Reasons]:
        """Why each of some tracks is a match, beside the tags; of those that are held here."""
        rows, _ = self.generation.rows_of(track_ids)
        found = explained(self.generation, rows, question.examples, options)
        return dict(zip(self.generation.arrays.names(rows), found, strict=True))

    def _in_time(self, question: Question) -> SegmentSearch | None:
        """What looks for the windows of a clip, None when there are none to look for."""
        segments = self.generation.segments
        if segments is None or question.clip is None:
            return None
        return SegmentSearch(self.generation, segments, question.clip)

    def _ranked(
        self, question: Question, room: Room, options: Options
    ) -> tuple[list[int], list[float]]:
        """Rows of the answer and their similarities."""
        if options.limit < 1:
            raise InvalidParameterError(f"limit={options.limit} must be at least 1")
        generation = self.generation
        if options.is_plain:
            plain = self.retrieval.pool(question, room, options.limit, options.min_similarity)
            rows = plain.rows.tolist()
            # most answers hold no two copies, and are what they would be without looking for any
            if not (options.collapses_duplicates and has_copies(generation, rows, room.excluded)):
                return rows, plain.similarities.tolist()
        choice = Choice(generation, room.excluded, options)
        depth = depth_for(generation, options)
        while True:
            pool = self.retrieval.pool(question, room, depth, options.min_similarity)
            choice.take(in_order(generation, pool, options))
            if pool.complete or choice.is_full:
                return choice.rows, choice.similarities
            # on from here: what is left out now stays so
            done = np.concatenate([pool.rows, choice.done()])
            room, depth = room.without(done, len(generation.arrays.ids)), depth * OVERFETCH

    def _matches(
        self,
        rows: list[int],
        similarities: list[float],
        tags: Strengths,
        reasons: list[Reasons],
    ) -> tuple[Match, ...]:
        documents = self.generation.catalog.documents(rows)
        shared = self.generation.labels.shared(tags, self._tags(rows))
        found = [documents[row] for row in rows]
        ranks, new = range(1, len(rows) + 1), tuple.__new__
        # past the constructor of the named tuple, which takes three times as long
        return tuple(
            [
                new(Match, fields)
                for fields in zip(
                    ranks, similarities, found, shared, repeat(()), reasons, strict=False
                )
            ]
        )

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

    def _mean_tags(self, rows: Rows, weights: npt.NDArray[np.float64]) -> Strengths:
        probabilities = self.generation.arrays.tags[rows].astype(np.float64)
        mean = np.average(probabilities, axis=0, weights=weights)
        return self.generation.labels.strong(mean)

    def _tags(self, rows: Rows | list[int]) -> Tags:
        """Tag probabilities of some rows."""
        # of few rows quicker than an index
        return self.generation.arrays.tags.take(np.asarray(rows, np.int64), axis=0)
