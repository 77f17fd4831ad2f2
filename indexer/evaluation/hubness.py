"""Corrections for hubs, tracks that are near to everything and so turn up on too many lists.

Each takes cosines of all pairs, shape (n, n), and returns scores of the same shape, higher for what
is more alike. They make closeness mutual: what has many close neighbours must be closer to count.

References
----------
.. [1] A. Conneau et al. (2018): Word translation without parallel data. ICLR. (CSLS)
.. [2] L. Zelnik-Manor, P. Perona (2005): Self-tuning spectral clustering. NIPS 17. (local scaling)
.. [3] D. Schnitzer, A. Flexer, M. Schedl, G. Widmer (2012): Local and global scaling reduce hubs in
       space. Journal of Machine Learning Research 13, 2871-2902. (mutual proximity)
"""

import numpy as np
import numpy.typing as npt

NEIGHBOURS = 10
Scores = npt.NDArray[np.float64]


def csls(cosines: Scores) -> Scores:
    """Cosine less the mean cosine of either side to its `NEIGHBOURS` nearest ones [1]_."""
    density = _nearest(cosines).mean(axis=1)
    scores: Scores = 2.0 * cosines - density[:, None] - density
    return scores


def local_scaling(cosines: Scores) -> Scores:
    """Squared distance over the distances of either side to its last near neighbour [2]_."""
    radius = np.sqrt(_squared_distance(_nearest(cosines)[:, -1]))
    # tracks that have only their own copies near are no closer than those copies
    radius = np.maximum(radius, np.finfo(np.float32).tiny)
    scores: Scores = -_squared_distance(cosines) / (radius[:, None] * radius)
    return scores


def mutual_proximity(cosines: Scores) -> Scores:
    """Share of all tracks that are farther, multiplied for both sides [3]_.

    This is the empirical form that takes both sides as independent.
    """
    farther = np.argsort(np.argsort(_without_self(cosines), axis=1), axis=1) / len(cosines)
    scores: Scores = farther * farther.T
    return scores


def _nearest(cosines: Scores) -> Scores:
    """Cosines to the nearest others, falling, shape (n, at most `NEIGHBOURS`)."""
    count = max(1, min(NEIGHBOURS, len(cosines) - 1))
    return -np.sort(-_without_self(cosines), axis=1)[:, :count]


def _without_self(cosines: Scores) -> Scores:
    others = cosines.copy()
    np.fill_diagonal(others, -np.inf)
    return others


def _squared_distance(cosines: Scores) -> Scores:
    """Of unit vectors."""
    squared: Scores = np.maximum(0.0, 2.0 - 2.0 * cosines)
    return squared
