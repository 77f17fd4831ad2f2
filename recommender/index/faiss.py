"""Search by FAISS, by inner product over unit vectors: exact, and along a graph."""

from pathlib import Path
from typing import Any

import faiss
import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.errors import GenerationError, StorageError
from recommender.index import checked_query

HNSW_LINKS = 16


class FaissIndex:
    """A flat FAISS index over unit vectors; never changed once it is made."""

    def __init__(self, index: faiss.Index):
        self._index = index

    @classmethod
    def build(cls, vectors: FloatArray) -> "FaissIndex":
        """Index unit vectors of shape (n, dimension)."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> "FaissIndex":
        """Read an index file whose digest the caller has verified already.

        FAISS does not notice damage in most of a file, so the digest is the only guard.

        Raises
        ------
        GenerationError
            FAISS cannot read the file, or it is not a flat inner-product index.
        """
        try:
            index = faiss.read_index(str(path))
        except RuntimeError as error:
            raise GenerationError(f"index={path.name} cannot be read by FAISS") from error
        if (
            not isinstance(index, faiss.IndexFlat)
            or index.metric_type != faiss.METRIC_INNER_PRODUCT
        ):
            raise GenerationError(f"index={path.name} is not a flat inner-product index")
        return cls(index)

    def save(self, path: Path) -> None:
        """Write the index to `path`; the caller makes that durable.

        Raises
        ------
        StorageError
            The disk is full or not writable.
        """
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise StorageError(
                f"index={path.name} could not be written; make room or mend permissions"
            ) from error

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def __len__(self) -> int:
        """Number of vectors."""
        return int(self._index.ntotal)

    def nearest(self, query: FloatArray, k: int, excluded: Rows) -> tuple[Rows, FloatArray]:
        """See :meth:`recommender.index.VectorIndex.nearest`."""
        checked = checked_query(query, self.dimension, k)
        # k above the size would be padded with id -1, and a huge k aborts the process in FAISS
        k = min(k, len(self))
        if k == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        selector = faiss.IDSelectorNot(faiss.IDSelectorBatch(excluded)) if len(excluded) else None
        cosines, rows = self._index.search(
            checked[np.newaxis], k, params=self._parameters(selector, k)
        )
        found = rows[0] >= 0
        return rows[0][found], cosines[0][found]

    def _parameters(self, selector: faiss.IDSelector | None, _k: int) -> Any:
        return faiss.SearchParameters(sel=selector) if selector else None  # type: ignore[call-arg]

    def vectors(self, rows: Rows) -> FloatArray:
        """See :meth:`recommender.index.VectorIndex.vectors`."""
        vectors: FloatArray = self._index.reconstruct_batch(rows)
        return vectors


class HnswIndex(FaissIndex):
    """Approximate search along a graph of neighbours (Malkov and Yashunin, 2018).

    Not served: the evaluation shows with it what approximate search would gain and lose.

    Parameters
    ----------
    index
        An HNSW index over unit vectors.
    effort
        Candidates that a search keeps, FAISS's ``efSearch``: more find more and take longer.
    """

    def __init__(self, index: faiss.Index, effort: int = 64):
        super().__init__(index)
        self._effort = effort

    @classmethod
    def build(cls, vectors: FloatArray) -> "HnswIndex":
        """Build the graph over unit vectors of shape (n, dimension)."""
        index = faiss.IndexHNSWFlat(vectors.shape[1], HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    def at_effort(self, effort: int) -> "HnswIndex":
        """The same graph, searched with another effort."""
        return HnswIndex(self._index, effort)

    def _parameters(self, selector: faiss.IDSelector | None, k: int) -> Any:
        # fewer candidates than answers would leave answers out
        return faiss.SearchParametersHNSW(  # type: ignore[attr-defined]
            sel=selector, efSearch=max(k, self._effort)
        )
