"""Measure an index against exact search over its own catalog, and set its effort by that."""

import numpy as np

from recommender.arrays import FloatArray
from recommender.index import TunedIndex
from recommender.index.faiss import FaissIndex
from recommender.index.measurement import UNMEASURED, Measurement, Point
from recommender.index.truth import Truth, drawn, point
from recommender.selection import Selection

QUERIES = 400
# what has no effort to choose is only looked at
QUERIES_OF_ONE = 100


def tune(
    index: FaissIndex, vectors: FloatArray, target_recall: float
) -> tuple[FaissIndex, Measurement]:
    """Search as hard as it takes to find what is wanted, and no harder.

    The effort is the least that reaches the target by more than the standard error on half of the
    questions; what is said of it was measured on the other half, which may ask for more.

    Parameters
    ----------
    index
        As it was built.
    vectors
        What it was built of: unit vectors, shape (n, dimension).
    target_recall
        Share of the ten nearest that has to be found, in (0, 1].

    Returns
    -------
    index, measurement
        The same index at its effort. The recall is below the target when no effort reaches it.
    """
    n_rows = len(vectors)
    if n_rows < 2:
        return index, UNMEASURED
    rows = drawn(np.arange(n_rows), 2 * QUERIES if index.efforts else QUERIES_OF_ONE)
    truth = Truth.of(rows, vectors.__getitem__, n_rows)
    half = len(rows) // 2 if index.efforts else 0
    curve = _curve(index, truth.part(slice(half)), vectors, target_recall)
    held_out = truth.part(slice(half, None))
    least = curve[-1].effort if curve else index.effort
    for effort in [e for e in index.efforts if e >= least] or [least]:
        index = index.at_effort(effort)
        found = point(effort, *held_out.asked(index, vectors.__getitem__))
        if found.recall_at_10 >= target_recall:
            break
    return index, _measurement(index, found, len(held_out.rows), tuple(curve) or (found,))


def _curve(
    index: FaissIndex, truth: Truth, vectors: FloatArray, target_recall: float
) -> list[Point]:
    """Efforts up to the one that suffices, if there are any."""
    curve = list[Point]()
    for effort in index.efforts:
        recall, elapsed = truth.asked(index.at_effort(effort), vectors.__getitem__)
        curve.append(point(effort, recall, elapsed))
        error = float(recall[:, 0].std()) / len(recall) ** 0.5
        if curve[-1].recall_at_10 >= min(1.0, target_recall + error):
            break
    return curve


def measure(index: TunedIndex, live: Selection | None, truth: Truth | None) -> Measurement:
    """Measure an index as it is.

    Parameters
    ----------
    index
        May hold rows of tracks that left.
    live
        Rows of those that are still there; None when all are.
    truth
        See :meth:`recommender.index.truth.Truth.within`.
    """
    if truth is None:
        return UNMEASURED
    found = point(index.effort, *truth.asked(index, index.vectors, live))
    return _measurement(index, found, len(truth.rows), (found,))


def _measurement(
    index: TunedIndex, found: Point, n_queries: int, curve: tuple[Point, ...]
) -> Measurement:
    return Measurement(
        n_queries,
        found.effort,
        found.recall_at_10,
        found.recall_at_100,
        found.milliseconds,
        index.bytes_per_vector,
        curve,
    )
