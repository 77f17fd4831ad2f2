"""Vectors as FAISS keeps them, in float32 or float16: read by row, and searched exactly."""

from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows
from recommender.index import native
from recommender.index.binding import faiss
from recommender.selection import Selection, outside

Found = tuple[Rows, FloatArray]

# one row that is fetched by itself takes as long as a scan takes to skip so many: measured, 40
# among 0.1 million rows and 6 among a million
_FETCH = 20
_PIECE = 8_192


class Storage:
    """Exact search over the codes of an index.

    Parameters
    ----------
    index
        An `IndexFlat`, or an `IndexScalarQuantizer` of float16.
    owner
        What must live as long, when `index` is part of it.
    """

    def __init__(self, index: Any, owner: Any | None = None):
        self.index, self._owner = index, owner
        self._type = np.float32 if isinstance(index, faiss.IndexFlat) else np.float16
        self._codes = self._view()

    @classmethod
    def inside(cls, index: Any) -> "Storage | None":
        """The vectors that an index holds itself, None when it does not hold them so well."""
        inner = faiss.downcast_index(index.storage) if isinstance(index, faiss.IndexHNSW) else index
        if isinstance(inner, faiss.IndexFlat):
            return cls(inner, index)
        half = isinstance(inner, faiss.IndexScalarQuantizer) and inner.code_size == 2 * inner.d
        return cls(inner, index) if half else None

    def refreshed(self) -> "Storage":
        """The same storage after vectors were added, which may have moved its codes."""
        return Storage(self.index, self._owner)

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self._codes)

    def vectors(self, rows: Rows) -> FloatArray:
        """Vectors of `rows`, shape (len(rows), dimension)."""
        return self._codes[rows].view(self._type).astype(np.float32, copy=False)

    def as_kept(self, vectors: FloatArray) -> FloatArray:
        """Vectors as they come back from here."""
        kept: FloatArray = vectors.astype(self._type).astype(np.float32, copy=False)
        return kept

    def nearest(self, query: FloatArray, k: int, allowed: Selection | None) -> Found:
        """The `k` nearest of the rows that are allowed.

        Parameters
        ----------
        query
            Shape (1, dimension).
        k
            No more than there are.
        """
        if k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if allowed is None:
            return _first(self.index.search(query, k))
        if self._type is np.float32:
            return self._chosen(query, k, faiss.IDSelectorArray(allowed.rows))
        if _FETCH * len(allowed) > allowed.total:
            return self._chosen(query, k, faiss.IDSelectorBitmap(allowed.bits))
        return self._fetched(query, k, allowed.rows)

    def nearest_of_all(self, queries: FloatArray, k: int) -> Rows:
        """Rows of the `k` nearest of many queries, compared in one go; shape (n_queries, k)."""
        # codes would be decoded again for every query
        vectors = self._codes.view(self._type).astype(np.float32, copy=False)
        _, rows = faiss.knn(queries, vectors, k, metric=faiss.METRIC_INNER_PRODUCT)
        found: Rows = rows
        return found

    def _chosen(self, query: FloatArray, k: int, selector: Any) -> Found:
        parameters = faiss.SearchParameters(sel=selector)
        return _first(self.index.search(query, k, params=parameters))

    def _fetched(self, query: FloatArray, k: int, rows: Rows) -> Found:
        """Copy the codes of a few rows, and search those."""
        found = list[Found]()
        for first in range(0, len(rows), _PIECE):
            piece = rows[first : first + _PIECE]
            few = native.halves(self.index.d)
            few.add_sa_codes(self._codes[piece])
            places, cosines = _first(few.search(query, min(k, len(piece))))
            found.append((piece[places], cosines))
        if len(found) == 1:
            return found[0]
        best_rows, cosines = (np.concatenate(part) for part in zip(*found, strict=True))
        best = np.argsort(-cosines, kind="stable")[:k]
        return best_rows[best], cosines[best]

    def _view(self) -> npt.NDArray[np.uint8]:
        size, n_rows = self.index.code_size, self.index.ntotal
        if n_rows == 0:
            return np.empty((0, size), np.uint8)
        codes = faiss.rev_swig_ptr(self.index.codes.data(), n_rows * size)
        view: npt.NDArray[np.uint8] = codes.reshape(n_rows, size)
        return view


def _first(answer: tuple[FloatArray, Rows]) -> Found:
    cosines, rows = answer
    return rows[0], cosines[0]


def kept(found: Found, k: int, excluded: Rows) -> Found:
    """Drop what was excluded and FAISS's padding."""
    rows, cosines = found
    keep = rows >= 0
    if len(excluded):
        keep &= outside(rows, excluded)
    return rows[keep][:k], cosines[keep][:k]
