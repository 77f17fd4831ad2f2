"""Exact search over any number of vectors, in blocks: what approximate search is held against."""

import faiss
import numpy as np

from recommender.arrays import FloatArray, Rows

BLOCK = 131_072


def nearest_of_all(
    vectors: FloatArray, queries: FloatArray, k: int, allowed: np.ndarray | None = None
) -> tuple[Rows, FloatArray]:
    """Rows of the `k` highest cosines and the cosines, best first, shapes (n_queries, k).

    Parameters
    ----------
    vectors, queries
        Unit vectors, shapes (n, dimension) and (n_queries, dimension); `vectors` may be a file.
    k
        Where fewer are allowed, -1 fills up.
    allowed
        Which rows may be found, bool, shape (n,).
    """
    best_rows = np.full((len(queries), k), -1, np.int64)
    best = np.full((len(queries), k), -np.inf, np.float32)
    for start in range(0, len(vectors), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(vectors)))
        if allowed is not None:
            rows = rows[allowed[rows]]
        if not len(rows):
            continue
        whole = len(rows) == rows[-1] - rows[0] + 1
        block = vectors[rows[0] : rows[-1] + 1] if whole else vectors[rows]
        block = np.ascontiguousarray(block)
        found, places = faiss.knn(
            queries, block, min(k, len(rows)), metric=faiss.METRIC_INNER_PRODUCT
        )
        all_rows = np.concatenate([best_rows, rows[places]], axis=1)
        all_found = np.concatenate([best, found], axis=1)
        order = np.argsort(-all_found, axis=1, kind="stable")[:, :k]
        best_rows = np.take_along_axis(all_rows, order, axis=1)
        best = np.take_along_axis(all_found, order, axis=1)
    return best_rows, best


def recall(found: Rows, wanted: Rows) -> float:
    """Share of the wanted rows of one query that were found; 1 when none is wanted."""
    there = wanted[wanted >= 0]
    return len(np.intersect1d(found, there)) / len(there) if len(there) else 1.0
