"""An index with rows that came since, beside it: they are compared one by one with every query.

So an update writes a small array, and leaves alone the large files of the index. When there are too
many, an update adds them to the index itself, see :mod:`recommender.updating`.
"""

from collections.abc import Callable

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.index import VectorIndex, check_allowed, checked_query
from recommender.index.faiss import FaissIndex
from recommender.index.storage import Found
from recommender.selection import Selection


class GrownIndex:
    """The rows of an index, and more behind them; safe to search from many threads.

    Parameters
    ----------
    base
        Has the first rows.
    beside
        Unit vectors of the rows after those, float32, shape (n, dimension), at least one. They must
        not change.
    """

    def __init__(self, base: FaissIndex, beside: FloatArray):
        self.base, self.beside = base, beside
        self.exact, self.dimension = base.exact, base.dimension
        self._first, self._size = len(base), len(base) + len(beside)

    def __len__(self) -> int:
        """Number of vectors."""
        return self._size

    @property
    def effort(self) -> int:
        """How hard searches try."""
        return self.base.effort

    @property
    def efforts(self) -> tuple[int, ...]:
        """Efforts worth trying, ascending; () when there is nothing to choose."""
        return self.base.efforts

    @property
    def bytes_per_vector(self) -> float:
        """As of :class:`recommender.index.faiss.FaissIndex`, with those of the rows beside."""
        size = self.base.bytes_per_vector * self._first + self.beside.nbytes
        return size / max(1, self._size)

    def at_effort(self, effort: int) -> "GrownIndex":
        """The same rows, shared, searched with another effort."""
        return GrownIndex(self.base.at_effort(effort), self.beside)

    def nearest(
        self, query: FloatArray, k: int, excluded: Rows, allowed: Selection | None = None
    ) -> Found:
        """See :meth:`recommender.index.VectorIndex.nearest`."""
        asked, first = checked_query(query, self.dimension, k), self._first
        cosines = self.beside.dot(asked)
        if allowed is not None:
            check_allowed(allowed, self._size)
            allowed, beside = allowed.split(first)
            cosines[~beside.mask] = -np.inf
        if len(excluded):
            within = excluded < first
            if not within.all():
                cosines[excluded[~within] - first] = -np.inf
                excluded = excluded[within]
        found = self.base.nearest(asked, k, excluded, allowed)
        least = float(found[1][-1]) if len(found[1]) == k else -np.inf
        # of few rows beside, seldom one is so close
        return self._merged(found, cosines, least, k) if cosines.max() > least else found

    def _merged(self, found: Found, cosines: FloatArray, least: float, k: int) -> Found:
        close = np.flatnonzero(cosines > least)
        rows = np.concatenate([found[0], close + self._first])
        merged = np.concatenate([found[1], cosines[close]])
        best = np.argsort(-merged, kind="stable")[:k]
        return rows[best], merged[best]

    def vectors(self, rows: Rows) -> FloatArray:
        """See :meth:`recommender.index.VectorIndex.vectors`."""
        beside = rows >= self._first
        if not beside.any():
            return self.base.vectors(rows)
        vectors = np.empty((len(rows), self.dimension), np.float32)
        vectors[~beside] = self.base.vectors(rows[~beside])
        vectors[beside] = self.beside[rows[beside] - self._first]
        return vectors


def grown(base: FaissIndex, beside: FloatArray) -> FaissIndex | GrownIndex:
    """An index with rows beside it, or as it is when there are none."""
    return GrownIndex(base, beside) if len(beside) else base


def grown_by(
    index: VectorIndex, units: FloatArray, most_beside: int, reload: Callable[[], FaissIndex]
) -> FaissIndex | GrownIndex:
    """An index with more rows: beside it while these are few, or else in a copy of it.

    Parameters
    ----------
    index
        What :func:`grown` made.
    units
        Unit vectors of the rows that come, shape (n, dimension).
    most_beside
        How many rows may lie beside it.
    reload
        Reads the same index once more, to be added to.

    Raises
    ------
    GenerationError
        It takes no more rows; it has to be built anew.
    """
    base, beside = parts(index)
    # as they will be in the index one day: similarities must not change when they get there
    beside = np.concatenate([beside, base.as_kept(units)])
    if not len(units) or len(beside) <= most_beside:
        return grown(base, beside)
    copy = reload()
    copy.add(beside)
    return copy


def parts(index: VectorIndex) -> tuple[FaissIndex, FloatArray]:
    """The index itself, and the vectors of the rows beside it: what :func:`grown` took.

    Raises
    ------
    TypeError
        It is of another kind, which lies in no file.
    """
    if isinstance(index, GrownIndex):
        return index.base, index.beside
    if not isinstance(index, FaissIndex):
        raise TypeError(f"index={type(index).__name__} must be a FaissIndex or a GrownIndex")
    return index, np.empty((0, index.dimension), np.float32)


def is_same_base(one: VectorIndex, other: VectorIndex) -> bool:
    """Whether two indexes differ only in what lies beside them, if at all."""
    return parts(one)[0] is parts(other)[0]
