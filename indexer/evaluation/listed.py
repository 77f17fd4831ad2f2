"""The index that is served, as the evaluation counts tracks: in the order of their ids."""

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.generation import Generation
from recommender.selection import Selection


class ListedIndex:
    """The index of a generation by the places of its tracks in the order of their ids.

    Its own rows are in the order in which tracks came, with those of tracks that left among them.
    """

    def __init__(self, generation: Generation):
        self._index, self._live = generation.index, generation.arrays.live
        self._rows = generation.arrays.order.astype(np.int64)
        self._places = np.full(len(self._index), -1, dtype=np.int64)
        self._places[self._rows] = np.arange(len(self._rows))

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._index.dimension

    @property
    def exact(self) -> bool:
        """See :attr:`recommender.index.VectorIndex.exact`."""
        return self._index.exact

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self._rows)

    def nearest(
        self, query: FloatArray, k: int, excluded: Rows, allowed: Selection | None = None
    ) -> tuple[Rows, FloatArray]:
        """See :meth:`recommender.index.VectorIndex.nearest`."""
        chosen = self._live
        if allowed is not None:
            chosen = Selection.of(self._rows[allowed.rows], len(self._index))
        rows, cosines = self._index.nearest(query, k, self._rows[excluded], chosen)
        return self._places[rows], cosines

    def vectors(self, rows: Rows) -> FloatArray:
        """See :meth:`recommender.index.VectorIndex.vectors`."""
        return self._index.vectors(self._rows[rows])
