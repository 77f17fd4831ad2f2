"""The questions one can ask of a generation, all answered along one path.

A question differs from another only in its query vectors, its tags and what it leaves out;
`Recommender.answer` does the searching, the ranking and the reasons for every one of them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows
from recommender.catalog import folded
from recommender.embedding import Embedding
from recommender.errors import InvalidParameterError, SpaceMismatchError, UnknownTrackError
from recommender.generation import Generation, normalised
from recommender.questions import Answer, Options, Preference, Question, relative_weights
from recommender.ranking import (
    Similarities,
    capped,
    ordered,
    shared_tags,
    similarity,
    tag_strengths,
)
from recommender.track import Match, TagStrength, Track

# Rocchio's weight of what is disliked against what is liked
DISLIKE_WEIGHT = 0.5
OVERFETCH = 4
# how far the index's float32 similarities may lie from those in float64
SEARCH_ERROR = 2e-6


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
        rows = self._known_rows([track_id])
        queries = self.generation.index.vectors(rows)
        return Question(queries, self._mean_tags(rows, np.ones(1)), rows)

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
        return Question(queries, self._strengths(tags), np.empty(0, np.int64))

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

    def tracks(self, track_ids: Sequence[str]) -> list[Track]:
        """Those of some tracks that the catalog holds."""
        rows, _ = self.generation.rows_of(list(track_ids))
        return list(self.generation.catalog.tracks(rows).values())

    def track(self, track_id: str) -> Track:
        """One catalogued track.

        Raises
        ------
        UnknownTrackError
            The catalog does not hold `track_id`.
        """
        row = int(self._known_rows([track_id])[0])
        return self.generation.catalog.tracks([row])[row]

    def tags(self, track_id: str) -> tuple[TagStrength, ...]:
        """The strongest tags of a catalogued track, strongest first."""
        strengths = self._mean_tags(self._known_rows([track_id]), np.ones(1))
        return shared_tags(strengths, strengths)

    def audio_path(self, track_id: str) -> bytes:
        """Path of the file that a catalogued track was read from."""
        return self.generation.catalog.path(int(self._known_rows([track_id])[0]))

    def search(self, query: str, limit: int, offset: int = 0) -> tuple[list[Track], int]:
        """See :meth:`recommender.catalog.Catalog.search`."""
        return self.generation.catalog.search(query, limit, offset)

    def answer(self, question: Question, options: Options) -> Answer:
        """The tracks nearest to a question, as many as the options allow."""
        excluded, unknown = self._excluded(question, options)
        rows, similarities = self._ranked(question.vectors, excluded, options)
        manifest = self.generation.manifest
        return Answer(
            generation=manifest.generation,
            space=manifest.space_id,
            matches=self._matches(rows, similarities, question.tags),
            warnings=tuple(f"exclude_id={id_} is not in the catalog" for id_ in unknown),
        )

    def nearest_ids(self, question: Question, options: Options, k: int) -> list[str]:
        """Ids of the `k` tracks nearest to a question, best first; only exclusions are heeded."""
        excluded, _ = self._excluded(question, options)
        most = min(k, len(self.generation.index))
        rows = self._nearest(question.vectors, most, excluded)[0] if most else excluded[:0]
        return [str(id_) for id_ in self.generation.ids[rows[:k]]]

    def reasons(
        self, question: Question, track_ids: Sequence[str]
    ) -> dict[str, tuple[TagStrength, ...]]:
        """The tags that each of some tracks shares with a question; tracks without are left out."""
        if not question.tags:
            return {}
        tags_of = self.generation.catalog.tags(self.generation.rows_of(list(track_ids))[0])
        shared = {
            str(self.generation.ids[row]): shared_tags(question.tags, self._strengths(tags))
            for row, tags in tags_of.items()
        }
        return {id_: tags for id_, tags in shared.items() if tags}

    def _excluded(self, question: Question, options: Options) -> tuple[Rows, list[str]]:
        """Rows that must not be in the answer, and the excluded ids that are not known."""
        by_id, unknown = self.generation.rows_of(list(options.exclude_ids))
        by_artist = self.generation.catalog.rows_by_artists(options.exclude_artists)
        return np.unique(np.concatenate([question.seeds, by_id, by_artist])), unknown

    def _ranked(
        self, queries: FloatArray, excluded: Rows, options: Options
    ) -> tuple[list[int], dict[int, float]]:
        """Rows of the answer; fetches more until no row left out could belong in it."""
        if options.limit < 1:
            raise InvalidParameterError(f"limit={options.limit} must be at least 1")
        total = len(self.generation.index)
        fetched = min(total, options.limit * OVERFETCH)
        while fetched:
            rows, similarities, frontier = self._nearest(queries, fetched, excluded)
            close = similarities >= options.min_similarity
            similarity_of = dict(zip(rows.tolist(), similarities.tolist(), strict=True))
            kept = self._capped(rows[close], options)[: options.limit]
            full = len(kept) == options.limit and similarity_of[kept[-1]] > frontier
            if full or frontier < options.min_similarity or fetched == total:
                return kept, similarity_of
            fetched = min(total, fetched * OVERFETCH)
        return [], {}

    def _nearest(
        self, queries: FloatArray, k: int, excluded: Rows
    ) -> tuple[Rows, Similarities, float]:
        """Rows near any of the queries, best first, with their best similarity.

        The third value bounds the similarity of every row that is not among them; it is below 0
        when there is none.
        """
        found = [self.generation.index.nearest(query, k, excluded) for query in queries]
        rows = np.unique(np.concatenate([found_rows for found_rows, _ in found]))
        frontier = max(float(similarity(c[-1:])[0]) if len(c) == k else -1.0 for _, c in found)
        # a row found by one query may be closer to another query that had k closer ones; in
        # float64, for in float32 equal vectors differ by their place in the matrix, and it shows
        vectors = self.generation.index.vectors(rows).astype(np.float64)
        cosines = vectors @ queries.T.astype(np.float64)
        best = cosines.max(axis=1) if len(rows) else np.empty(0)
        return *ordered(rows, similarity(best)), frontier + SEARCH_ERROR

    def _capped(self, rows: Rows, options: Options) -> list[int]:
        if options.max_per_artist is None:
            return capped(rows.tolist(), str, None)
        tracks = self.generation.catalog.tracks(rows)
        return capped(
            rows.tolist(), lambda row: folded(tracks[row].metadata.artist), options.max_per_artist
        )

    def _matches(
        self, rows: list[int], similarities: dict[int, float], tags: dict[str, float]
    ) -> tuple[Match, ...]:
        tracks = self.generation.catalog.tracks(rows)
        tags_of = self.generation.catalog.tags(rows)
        return tuple(
            Match(
                rank=rank,
                similarity=similarities[row],
                track=tracks[row],
                shared_tags=shared_tags(tags, self._strengths(tags_of[row])),
            )
            for rank, row in enumerate(rows, start=1)
        )

    def _known_rows(self, track_ids: list[str]) -> Rows:
        rows, unknown = self.generation.rows_of(track_ids)
        if unknown:
            raise UnknownTrackError(unknown, self.generation.manifest.space_id)
        return rows

    def _weighted_mean(self, rows: Rows, weights: npt.NDArray[np.float64]) -> FloatArray:
        vectors = self.generation.index.vectors(rows)
        return np.average(vectors, axis=0, weights=weights).astype(np.float32)

    def _mean_tags(self, rows: Rows, weights: npt.NDArray[np.float64]) -> dict[str, float]:
        tags = self.generation.catalog.tags(rows)
        mean = np.average([tags[int(row)] for row in rows], axis=0, weights=weights)
        return self._strengths(mean)

    def _strengths(self, probabilities: FloatArray) -> dict[str, float]:
        return tag_strengths(self.generation.tag_names, probabilities)
