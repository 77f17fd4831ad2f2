"""Exact search in numpy: the reference that every other engine is held against."""

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.index import checked_query


class ExactIndex:
    """Brute force over unit vectors of shape (n, dimension)."""

    def __init__(self, vectors: FloatArray):
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._vectors.shape[1])

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self._vectors)

    def nearest(self, query: FloatArray, k: int, excluded: Rows) -> tuple[Rows, FloatArray]:
        """See :meth:`recommender.index.VectorIndex.nearest`."""
        cosines = self._vectors @ checked_query(query, self.dimension, k)
        allowed = np.ones(len(self), dtype=bool)
        allowed[excluded] = False
        rows = np.flatnonzero(allowed)
        best = rows[np.argsort(-cosines[rows], kind="stable")[:k]]
        return best, cosines[best]

    def vectors(self, rows: Rows) -> FloatArray:
        """See :meth:`recommender.index.VectorIndex.vectors`."""
        return self._vectors[rows]
