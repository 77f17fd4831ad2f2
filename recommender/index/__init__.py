"""Nearest-neighbour search over unit vectors: one protocol, several engines."""

from typing import Protocol

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.errors import InvalidParameterError


class VectorIndex(Protocol):
    """An immutable index over unit vectors, addressed by row; safe to search from many threads.

    `tests/contracts_index.py` holds every implementation to the exact one.
    """

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def __len__(self) -> int:
        """Number of vectors."""
        ...

    def nearest(self, query: FloatArray, k: int, excluded: Rows) -> tuple[Rows, FloatArray]:
        """Rows of the `k` highest cosines, best first, and the cosines.

        Parameters
        ----------
        query
            Unit vector, shape (dimension,).
        k
            At least 1. Fewer rows come back when the index holds fewer.
        excluded
            Rows that must not come back, shape (n,).

        Raises
        ------
        InvalidParameterError
            The query has the wrong shape or is not finite, or k < 1.
        """
        ...

    def vectors(self, rows: Rows) -> FloatArray:
        """Stored vectors of `rows`, shape (len(rows), dimension)."""
        ...


def checked_query(query: FloatArray, dimension: int, k: int) -> FloatArray:
    """Check what every engine would otherwise answer with padding or a crash.

    Raises
    ------
    InvalidParameterError
        Wrong shape, non-finite values, or k < 1.
    """
    if query.shape != (dimension,):
        raise InvalidParameterError(f"query.shape={query.shape} must be ({dimension},)")
    if not np.isfinite(query).all():
        raise InvalidParameterError("query holds NaN or infinity; embed the audio again")
    if k < 1:
        raise InvalidParameterError(f"k={k} must be at least 1")
    return np.ascontiguousarray(query, dtype=np.float32)
