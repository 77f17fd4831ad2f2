"""Nearest-neighbour search over unit vectors: one protocol, several engines."""

import math
from typing import Protocol

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.errors import InvalidParameterError
from recommender.selection import Selection


class VectorIndex(Protocol):
    """An index over unit vectors, addressed by row; safe to search from many threads.

    `tests/contracts_index.py` holds every implementation to the exact one.
    """

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def exact(self) -> bool:
        """Whether :meth:`nearest` finds all that exact search over :meth:`vectors` would."""
        ...

    def __len__(self) -> int:
        """Number of vectors, those of tracks that left the catalog included."""
        ...

    def nearest(
        self, query: FloatArray, k: int, excluded: Rows, allowed: Selection | None = None
    ) -> tuple[Rows, FloatArray]:
        """Rows of the `k` highest cosines, best first, and the cosines.

        Parameters
        ----------
        query
            Unit vector, shape (dimension,).
        k
            At least 1. Fewer rows come back only when fewer may.
        excluded
            Rows that must not come back, shape (n,).
        allowed
            Rows that may, of as many as the index holds; all when it is None.

        Returns
        -------
        rows, cosines
            ``min(k, allowed and not excluded)`` distinct rows, and the products of the query with
            their :meth:`vectors`. An engine that is not exact may miss some of the nearest and
            has farther ones instead.

        Raises
        ------
        InvalidParameterError
            The query has the wrong shape or is not finite, k < 1, or `allowed` is of another
            number of rows.
        """
        ...

    def vectors(self, rows: Rows) -> FloatArray:
        """Stored vectors of `rows`, shape (len(rows), dimension)."""
        ...


class TunedIndex(VectorIndex, Protocol):
    """An index that can be searched harder or less hard."""

    @property
    def effort(self) -> int:
        """How hard searches try; 0 when there is no choice."""
        ...

    @property
    def efforts(self) -> tuple[int, ...]:
        """Efforts worth trying, ascending; () when there is nothing to choose."""
        ...

    @property
    def bytes_per_vector(self) -> float:
        """Bytes of the index by vector, those of vectors in a file of their own left out."""
        ...

    def at_effort(self, effort: int) -> "TunedIndex":
        """The same index, shared, searched with another effort."""
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
    checked = np.ascontiguousarray(query, dtype=np.float32)
    # the square is infinite for some finite vectors too, but it is the quicker question
    if not math.isfinite(checked.dot(checked)) and not np.isfinite(checked).all():
        raise InvalidParameterError("query holds NaN or infinity; embed the audio again")
    if k < 1:
        raise InvalidParameterError(f"k={k} must be at least 1")
    return checked


def check_allowed(allowed: Selection, n_rows: int) -> None:
    """Check that a selection is one of the rows of an index.

    Raises
    ------
    InvalidParameterError
        It chooses among another number of rows.
    """
    if allowed.total != n_rows:
        raise InvalidParameterError(f"allowed.total={allowed.total} must be rows={n_rows}")
