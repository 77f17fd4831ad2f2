"""Exact search in numpy: the reference that every other engine is held against."""

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.index import check_allowed, checked_query
from recommender.selection import Selection


class ExactIndex:
    """Brute force over unit vectors of shape (n, dimension)."""

    exact = True

    def __init__(self, vectors: FloatArray):
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._vectors.shape[1])

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self._vectors)

    def nearest(
        self, query: FloatArray, k: int, excluded: Rows, allowed: Selection | None = None
    ) -> tuple[Rows, FloatArray]:
        """See :meth:`recommender.index.VectorIndex.nearest`."""
        cosines = self._vectors @ checked_query(query, self.dimension, k)
        chosen = Selection.every(len(self)) if allowed is None else allowed
        check_allowed(chosen, len(self))
        rows = chosen.without(excluded).rows
        best = rows[np.argsort(-cosines[rows], kind="stable")[:k]]
        return best, cosines[best]

    def vectors(self, rows: Rows) -> FloatArray:
        """See :meth:`recommender.index.VectorIndex.vectors`."""
        return self._vectors[rows]
