"""How much an index finds of what is nearest, by exact search in blocks of bounded memory.

Recall@k is the share of the k true nearest neighbours that come back, the measure of
ANN-Benchmarks (M. Aumueller, E. Bernhardsson and A. Faithfull, Information Systems 87, 2020). A
row counts when it is as close as the k-th true neighbour: among equals no order is the right one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows
from recommender.index import VectorIndex
from recommender.index.measurement import Point
from recommender.selection import Selection

DEPTHS = (10, 100)
_BLOCK_ROWS = 16_384
# cosines of equal vectors differ this far with the order of summation in float32
_EQUAL = 1e-6

Reader = Callable[[Rows], FloatArray]
PerQuery = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Truth:
    """Questions with known answers.

    Attributes
    ----------
    rows
        Each asks for the neighbours of a row, which is none itself; shape (n_queries,).
    vectors
        Of these rows, shape (n_queries, dimension).
    kth
        Cosines of the true 10th and 100th neighbour, or of the last when there are fewer; shape
        (n_queries, 2).
    depths
        Which neighbours those are.
    """

    rows: Rows
    vectors: FloatArray
    kth: FloatArray
    depths: tuple[int, ...]

    @classmethod
    def of(cls, rows: Rows, read: Reader, n_rows: int, live: Selection | None = None) -> "Truth":
        """Search exactly.

        Parameters
        ----------
        rows
            To ask for; each is live.
        read
            Gives the vectors of rows.
        n_rows
            Number of rows.
        live
            Those that may be neighbours, all when it is None.
        """
        vectors = read(rows)
        others = (n_rows if live is None else len(live)) - 1
        depths = tuple(min(depth, others) for depth in DEPTHS)
        best = np.empty((len(rows), 0), np.float32)
        for first in range(0, n_rows, _BLOCK_ROWS):
            block = np.arange(first, min(first + _BLOCK_ROWS, n_rows))
            cosines = vectors @ read(block).T
            if live is not None:
                cosines[:, ~live.holds(block)] = -np.inf
            here = np.flatnonzero((rows >= first) & (rows <= block[-1]))
            cosines[here, rows[here] - first] = -np.inf
            best = _largest(np.concatenate([best, _largest(cosines, others)], axis=1), others)
        best = np.sort(best, axis=1)[:, ::-1]
        return cls(rows, vectors, best[:, [depth - 1 for depth in depths]], depths)

    @classmethod
    def within(cls, index: VectorIndex, live: Selection | None, n_queries: int) -> "Truth | None":
        """Ask for some rows of an index, by its own vectors; None where none has a neighbour.

        Parameters
        ----------
        index
            May hold rows of tracks that left.
        live
            Rows of those that are still there; None when all are.
        n_queries
            How many rows to ask for, at most.
        """
        among = np.arange(len(index)) if live is None else live.rows
        if len(among) < 2:
            return None
        return cls.of(drawn(among, n_queries), index.vectors, len(index), live)

    def part(self, chosen: slice) -> "Truth":
        """Some of the questions."""
        return Truth(self.rows[chosen], self.vectors[chosen], self.kth[chosen], self.depths)

    def asked(
        self, index: VectorIndex, read: Reader, live: Selection | None = None
    ) -> tuple[PerQuery, PerQuery]:
        """Ask an index.

        Returns
        -------
        recall, milliseconds
            Shape (n_queries, 2), by depth; and (n_queries,), for the first of them.
        """
        recall, elapsed = np.empty(self.kth.shape), np.empty(len(self.rows))
        for place, (row, vector) in enumerate(zip(self.rows.tolist(), self.vectors, strict=True)):
            own = np.array([row], dtype=np.int64)
            for at, depth in enumerate(self.depths):
                started = time.perf_counter()
                rows, _ = index.nearest(vector, depth, own, live)
                if at == 0:
                    elapsed[place] = time.perf_counter() - started
                cosines = read(rows) @ vector
                recall[place, at] = count_close(cosines, self.kth[place, at]) / depth
        return np.minimum(recall, 1.0), 1000.0 * elapsed


def count_close(cosines: FloatArray, kth: float) -> int:
    """How many are as close as the true neighbour whose cosine is `kth`."""
    return int(np.count_nonzero(cosines >= kth - _EQUAL))


def point(effort: int, recall: PerQuery, milliseconds: PerQuery) -> Point:
    """What :meth:`Truth.asked` gave, as one point of a curve."""
    at_10, at_100 = recall.mean(axis=0).tolist()
    return Point(effort, at_10, at_100, float(np.median(milliseconds)))


def drawn(among: Rows, most: int, seed: int = 0) -> Rows:
    """All of some rows, or a choice of `most`, in random order that is the same every time."""
    shuffled: Rows = np.random.default_rng(seed).permutation(among)[:most].astype(np.int64)
    return shuffled


def _largest(values: FloatArray, most: int) -> FloatArray:
    kept = min(max(DEPTHS), most)
    if values.shape[1] <= kept:
        return values
    return np.partition(values, values.shape[1] - kept, axis=1)[:, -kept:]
