"""Order, hubs, diversity and caps: pure functions over what is similar to a question.

References
----------
.. [1] A. Conneau, G. Lample, M. Ranzato, L. Denoyer, H. Jégou (2018): Word translation without
       parallel data. ICLR. (CSLS)
.. [2] J. Carbonell, J. Goldstein (1998): The use of MMR, diversity-based reranking for reordering
       documents and producing summaries. SIGIR. (maximal marginal relevance)
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows

SIMILARITY_DECIMALS = 6
MILLIONTHS = 10**SIMILARITY_DECIMALS

Similarities = npt.NDArray[np.float64]


def similarity(cosines: npt.NDArray[np.floating]) -> Similarities:
    """(1 + cosine) / 2, within [0, 1], rounded so that equal vectors are exactly equal.

    Cosines of the same two vectors differ in the seventh decimal with the size of the batch that
    they were computed in; rounding makes the order stable.
    """
    halves = (1.0 + cosines.astype(np.float64, copy=False)) / 2.0
    rounded: Similarities = halves.clip(0.0, 1.0).round(SIMILARITY_DECIMALS)
    return rounded


def ordered(
    rows: Rows, similarities: Similarities, ids: npt.NDArray[np.bytes_]
) -> tuple[Rows, Similarities]:
    """Most similar first; equal ones by track id.

    Parameters
    ----------
    rows
        Shape (n,).
    similarities
        Of each row, shape (n,).
    ids
        Track ids of all rows of the index.
    """
    # as an index gives them, nearly always
    if (similarities[1:] < similarities[:-1]).all():
        return rows, similarities
    order = np.lexsort((ids[rows], -similarities))
    return rows[order], similarities[order]


def corrected(similarities: Similarities, crowding: Similarities) -> Similarities:
    """Scores by which tracks that are near to everything, hubs, lose their lead.

    Cross-domain similarity local scaling, 2 cos(q, x) - r(q) - r(x), where r is the mean cosine to
    the nearest ones [1]_, in the order that it gives for one question.

    Parameters
    ----------
    similarities
        Of some rows with a question, shape (n,).
    crowding
        Mean similarity of each of them to the tracks that are nearest to it, shape (n,).
    """
    scores: Similarities = similarities - crowding / 2.0
    return scores


class Cap:
    """At most so many tracks of a group, such as an artist.

    Parameters
    ----------
    most
        Tracks of one group.
    taken
        The groups of tracks that count already, below 0 where one is not known.
    """

    def __init__(self, most: int, taken: Iterable[int] = ()):
        self._most, self._taken = most, Counter[int](group for group in taken if group >= 0)

    def admits(self, group: int) -> bool:
        """Whether another track of a group may come; groups below 0 are not known, and may."""
        return group < 0 or self._taken[group] < self._most

    def take(self, group: int) -> None:
        """Count a track."""
        if group >= 0:
            self._taken[group] += 1

    @property
    def spent(self) -> list[int]:
        """Groups that have as many as they may."""
        return sorted(group for group, count in self._taken.items() if count >= self._most)


Capped = tuple[Cap, Sequence[int]]
"""A cap, and the group of each track that is to be ranked."""


def picked(caps: Sequence[Capped], count: int, total: int) -> list[int]:
    """The first tracks that all caps admit, which take note of them.

    Parameters
    ----------
    caps
        With the groups of `total` tracks, best first.
    count
        Most tracks.
    total
        How many tracks there are.

    Returns
    -------
    list of int
        Their places.
    """
    places = list[int]()
    for place in range(total):
        if len(places) == count:
            break
        if all(cap.admits(groups[place]) for cap, groups in caps):
            places.append(place)
            for cap, groups in caps:
                cap.take(groups[place])
    return places


def diversified(
    scores: Similarities,
    vectors: FloatArray,
    chosen: FloatArray,
    diversity: float,
    caps: Sequence[Capped],
    count: int,
) -> list[int]:
    """Tracks that score well and are unlike each other, by maximal marginal relevance [2]_.

    One track after another is chosen: the one with the largest (1 - d) * score - d * similarity to
    the most similar one chosen before.

    Parameters
    ----------
    scores
        Shape (n,), falling.
    vectors
        Unit vectors of the tracks, shape (n, dimension).
    chosen
        Of tracks that the answer has already, shape (m, dimension).
    diversity
        d, 0 to 1.
    caps, count
        As of :func:`picked`.
    """
    closest = similarity(vectors @ chosen.T).max(axis=1) if len(chosen) else np.zeros(len(scores))
    free, places = np.ones(len(scores), bool), list[int]()
    while len(places) < count and free.any():
        values = np.where(free, (1.0 - diversity) * scores - diversity * closest, -np.inf)
        place = int(values.argmax())
        free[place] = False
        if all(cap.admits(groups[place]) for cap, groups in caps):
            places.append(place)
            for cap, groups in caps:
                cap.take(groups[place])
            np.maximum(closest, similarity(vectors @ vectors[place]), out=closest)
    return places
