"""Clusters of weighted points, and points that stand for many (pure).

References
----------
.. [1] J. H. Ward (1963): Hierarchical grouping to optimize an objective function. Journal of the
       American Statistical Association 58, 236-244.
.. [2] G. L. Nemhauser, L. A. Wolsey, M. L. Fisher (1978): An analysis of approximations for
       maximizing submodular set functions. Mathematical Programming 14, 265-294.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray

Weights = npt.NDArray[np.float64]
_Members = list[list[int]]


def ward(
    points: FloatArray, weights: Weights, share: float, most: int
) -> list[npt.NDArray[np.int64]]:
    """The fewest clusters that explain a share of the variance, the heaviest first.

    Two clusters are merged after another, each time those whose merging adds least to the weighted
    variance within clusters [1]_. Equal merges are made in the order of the points.

    Parameters
    ----------
    points
        Shape (n, dimension), n at least 1.
    weights
        Of each point, above 0, shape (n,).
    share
        Of the weighted variance of all points that has to lie between clusters, 0 to 1.
    most
        Most clusters, 1 or more; it outranks `share`.

    Returns
    -------
    list of array
        Positions of the points of each cluster, ascending.
    """
    steps = list(_merged(points.astype(np.float64), weights))
    allowed = (1.0 - share) * sum(cost for cost, _ in steps)
    spent, members = 0.0, [[place] for place in range(len(points))]
    for cost, merged in steps:
        spent += cost
        # a hair's breadth more: a sum of all costs in another order may differ in its last digit
        if spent > allowed * (1.0 + 1e-12) and len(members) <= most:
            break
        members = merged
    return sorted(
        (np.array(sorted(some)) for some in members),
        key=lambda some: (-weights[some].sum(), some[0]),
    )


def _merged(points: npt.NDArray[np.float64], weights: Weights) -> Iterator[tuple[float, _Members]]:
    """Every merge down to one cluster: what it adds to the variance, and the clusters then."""
    centres, heavy = points.copy(), weights.astype(np.float64).copy()
    members: _Members = [[place] for place in range(len(points))]
    costs = _costs(centres, heavy)
    while len(members) > 1:
        one, other = sorted(divmod(int(costs.argmin()), len(members)))
        cost, total = float(costs[one, other]), heavy[one] + heavy[other]
        centres[one] = (heavy[one] * centres[one] + heavy[other] * centres[other]) / total
        heavy[one] = total
        members = [*members[:one], members[one] + members[other], *members[one + 1 :]]
        del members[other]
        centres, heavy = np.delete(centres, other, axis=0), np.delete(heavy, other)
        costs = np.delete(np.delete(costs, other, axis=0), other, axis=1)
        costs[one] = costs[:, one] = _costs(centres, heavy, one)
        costs[one, one] = np.inf
        yield cost, members


def _costs(
    centres: npt.NDArray[np.float64], weights: Weights, one: int | None = None
) -> npt.NDArray[np.float64]:
    """What each merge would add: of all pairs, shape (n, n), or of one with all, shape (n,)."""
    if one is not None:
        apart = ((centres - centres[one]) ** 2).sum(axis=1)
        added: Weights = weights * weights[one] / (weights + weights[one]) * apart
        return added
    squares = (centres**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2.0 * centres @ centres.T, 0.0)
    costs: npt.NDArray[np.float64] = apart * (
        weights[:, None] * weights / (weights[:, None] + weights)
    )
    np.fill_diagonal(costs, np.inf)
    return costs


def representatives(vectors: FloatArray, count: int) -> npt.NDArray[np.int64]:
    """Points that together are near to as many as possible, the most telling first.

    Facility location, greedily: next comes the point that adds most to the sum, over all points,
    of the cosine to the nearest chosen one; at least 63 % of the best possible sum [2]_.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n, dimension); time and memory grow with n squared.
    count
        How many, at most n.

    Returns
    -------
    array
        Their places, shape (count,).
    """
    cosines = vectors @ vectors.T
    nearest, chosen = np.full(len(vectors), -1.0, np.float32), list[int]()
    for _ in range(count):
        gains = np.maximum(cosines, nearest).sum(axis=1, dtype=np.float64)
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        np.maximum(nearest, cosines[chosen[-1]], out=nearest)
    return np.array(chosen, np.int64)
