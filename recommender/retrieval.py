"""The rows of a generation that are nearest to a question: so many as are wanted, and no guess."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recommender.allowed import in_no_track
from recommender.arrays import FloatArray, Rows
from recommender.generation import Generation
from recommender.questions import Question, Restrictions
from recommender.ranking import MILLIONTHS, Similarities, ordered, similarity
from recommender.selection import Selection, outside

# rows beyond those asked for, which tell whether one that is left out could be as close
SPARE = 6
OVERFETCH = 4
# how far the index's float32 similarities may lie from those in float64
SEARCH_ERROR = 2e-6

# rows, best first; their similarities; what bounds those of all others
_Ranking = tuple[Rows, Similarities, float]


@dataclass(frozen=True, slots=True)
class Room:
    """Where an answer is looked for: in `allowed` rows, None for all, but not in `excluded`."""

    allowed: Selection | None
    excluded: Rows

    def without(self, rows: Rows, total: int) -> "Room":
        """The same, but for some more rows."""
        allowed = Selection.every(total) if self.allowed is None else self.allowed
        return Room(allowed.without(rows), self.excluded)


class Pool(NamedTuple):
    """The rows that an answer is chosen from.

    Attributes
    ----------
    rows
        Most similar first, equal ones by track id, shape (n,).
    similarities
        Of each, shape (n,).
    complete
        Whether no other row of the room is as similar as it has to be.
    """

    rows: Rows
    similarities: Similarities
    complete: bool


class Retrieval:
    """Searches one generation; safe to call from many threads."""

    def __init__(self, generation: Generation):
        self._generation = generation

    def room(self, seeds: Rows, options: Restrictions) -> tuple[Room, list[str]]:
        """Where the answer is looked for, and the excluded ids that are not known.

        Parameters
        ----------
        seeds
            Rows that cannot be an answer.
        options
            Whose filters and exclusions are heeded.
        """
        generation = self._generation
        allowed, excluded = generation.allowed.of(options.filters).rows, [seeds]
        unknown = list[str]()
        if options.exclude_ids:
            by_id, unknown = generation.rows_of(options.exclude_ids)
            excluded.append(by_id)
        if options.exclude_artists:
            excluded.append(generation.catalog.rows_by_artists(options.exclude_artists))
        rows = excluded[0] if len(excluded) == 1 else np.concatenate(excluded)
        return Room(allowed, rows), unknown

    def in_vain(self, options: Restrictions) -> list[str]:
        """A warning for each genre, artist and album of the options that no track has.

        Raises
        ------
        InvalidParameterError
            The options ask for a tag that this space does not know.
        """
        warnings = [*self._generation.allowed.of(options.filters).warnings]
        if options.exclude_artists:
            unknown = self._generation.catalog.unknown_artists(options.exclude_artists)
            warnings += [in_no_track("exclude_artist", artist) for artist in unknown]
        return warnings

    def pool(self, question: Question, room: Room, depth: int, least: float = 0.0) -> Pool:
        """The `depth` most similar rows, fewer only when there are no more.

        Parameters
        ----------
        question
            What they are to be similar to.
        room
            Where they are.
        depth
            How many, 1 or more.
        least
            The smallest similarity that counts.
        """
        tries = self._tries(question, room, depth + SPARE)
        while True:
            rows, similarities, frontier = next(tries)
            close = int((similarities >= least).sum()) if least else len(rows)
            count = min(depth, close)
            is_all = frontier < max(least, 0.0)
            if is_all or (count == depth and similarities[count - 1] > frontier):
                return Pool(rows[:count], similarities[:count], is_all and close == count)

    def nearest(self, queries: FloatArray, k: int, room: Room) -> _Ranking:
        """Rows near any of the queries, best first, with their best similarity.

        The third value bounds the similarity of every row that is not among them; it is below 0
        when there is none.
        """
        # one more than there are, so that fewer than asked for always means all
        index, most = self._generation.index, min(k, self._generation.manifest.n_rows + 1)
        found = [index.nearest(query, most, room.excluded, room.allowed) for query in queries]
        rows, frontier = found[0][0], max(_last(cosines, most) for _, cosines in found)
        if len(found) > 1:
            rows = np.unique(np.concatenate([found_rows for found_rows, _ in found]))
        # a row found by one query may be closer to another query that had k closer ones; in
        # float64, for in float32 equal vectors differ by their place in the matrix, and it shows
        cosines = index.vectors(rows).astype(np.float64) @ queries.T.astype(np.float64)
        best = cosines.max(axis=1)
        return *ordered(rows, similarity(best), self._generation.arrays.ids), frontier

    def _vectors(self, question: Question) -> FloatArray:
        """What a question asks with, shape (n_queries, dimension)."""
        if question.vectors is None:
            return self._generation.index.vectors(question.seeds)
        return question.vectors

    def _tries(self, question: Question, room: Room, k: int) -> Iterator[_Ranking]:
        """What the lists know, if they know the question, and then deeper and deeper searches."""
        listed = self._listed(question, room)
        if listed is not None:
            yield listed
        queries = self._vectors(question)
        while True:
            yield self.nearest(queries, k, room)
            k *= OVERFETCH

    def _listed(self, question: Question, room: Room) -> _Ranking | None:
        """Rows that are listed near the one that is asked about; see :meth:`nearest`."""
        arrays = self._generation.arrays
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


def _last(cosines: FloatArray, k: int) -> float:
    """What bounds the similarities that are not among the `k` asked for; -1 when there are none."""
    return (1.0 + float(cosines[-1])) / 2.0 + SEARCH_ERROR if len(cosines) == k else -1.0
