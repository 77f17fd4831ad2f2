"""Metrics of ranked lists and of neighbourhoods: pure functions, one value per query.

Lists hold rows of a catalog, best first, and are padded with -1 where one is shorter than the
others. Rank metrics know only whether the item at each rank is right: `hits`, bool, shape
(n_queries, depth), padded with False; and how many items could have been right: `n_relevant`,
int64, shape (n_queries,). They return float64, shape (n_queries,), in [0, 1], so that intervals
and paired tests can be drawn from them. A query without a relevant item scores 0, as trec_eval
has it. `k` may exceed the depth, and must be at least 1 (else InvalidParameterError).

References
----------
.. [1] E. M. Voorhees, D. K. Harman (2005): TREC: Experiment and Evaluation in Information
       Retrieval. MIT Press.
.. [2] N. Thakur et al. (2021): BEIR: a heterogeneous benchmark for zero-shot evaluation of
       information retrieval models. NeurIPS Datasets and Benchmarks.
.. [3] K. Järvelin, J. Kekäläinen (2002): Cumulated gain-based evaluation of IR techniques. ACM
       Transactions on Information Systems 20(4), 422-446.
.. [4] J. L. Herlocker et al. (2004): Evaluating collaborative filtering recommender systems. ACM
       Transactions on Information Systems 22(1), 5-53.
.. [5] T. Zhou et al. (2010): Solving the apparent diversity-accuracy dilemma of recommender
       systems. PNAS 107(10), 4511-4515.
.. [6] S. Vargas, P. Castells (2011): Rank and relevance in novelty and diversity metrics for
       recommender systems. RecSys, 109-116.
.. [7] C.-N. Ziegler et al. (2005): Improving recommendation lists through topic
       diversification. WWW, 22-32.
.. [8] M. Radovanović, A. Nanopoulos, M. Ivanović (2010): Hubs in space: popular nearest
       neighbors in high-dimensional data. Journal of Machine Learning Research 11, 2487-2531.
.. [9] R. Feldbauer, A. Flexer (2019): A comprehensive empirical comparison of hubness reduction
       in high-dimensional spaces. Knowledge and Information Systems 59, 137-166.
"""

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows
from recommender.errors import InvalidParameterError

Scores = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]


def ranking(scores: Scores, allowed: Flags | None = None, depth: int | None = None) -> Rows:
    """Rows by score, best first; equal scores by row, as the product orders equal matches by id.

    Parameters
    ----------
    scores
        Shape (n_items,) for one query or (n_queries, n_items); higher is better.
    allowed
        Which items may be listed, bool, shape of `scores`; None for all.
    depth
        Longest list wanted; None for every allowed item.

    Returns
    -------
    Rows
        Shape (depth,) or (n_queries, depth), no deeper than the longest list; shorter ones are
        padded with -1.

    Raises
    ------
    InvalidParameterError
        If the score of an allowed item is NaN.
    """
    if allowed is None:
        allowed = np.ones(scores.shape, dtype=np.bool_)
    if (np.isnan(scores) & allowed).any():
        raise InvalidParameterError("scores=nan has no rank; leave such items out of allowed")
    lengths = allowed.sum(axis=-1, keepdims=True)
    longest = int(lengths.max(initial=0))
    ranks = np.arange(longest if depth is None else min(depth, longest))
    order = np.lexsort((-scores, ~allowed), axis=-1)[..., : len(ranks)]
    return np.where(ranks < lengths, order, -1).astype(np.int64)


def ranked_hits(
    scores: Scores, right: Flags, allowed: Flags | None = None, depth: int | None = None
) -> Flags:
    """Whether the item at each rank is right: `hits`, shape (n_queries, depth).

    Takes what :func:`ranking` takes, and `right`, shape of `scores`. The `n_relevant` that belongs
    to it is ``(right & allowed).sum(axis=1)``.
    """
    rows = ranking(scores, allowed, depth)
    hits: Flags = np.take_along_axis(right, rows, axis=-1) & (rows >= 0)
    return hits


def recall(hits: Flags, n_relevant: Rows, k: int) -> Values:
    """Share of the relevant items that are among the first k [1]_ (trec_eval: ``recall_k``)."""
    return _share(_found(hits, k), n_relevant)


def capped_recall(hits: Flags, n_relevant: Rows, k: int) -> Values:
    """Share of min(k, n_relevant), the most that k ranks can hold, that was found [2]_.

    Unlike :func:`recall` it reaches 1 for every query that has a relevant item.
    """
    return _share(_found(hits, k), np.minimum(n_relevant, k))


def precision(hits: Flags, k: int) -> Values:
    """Share of the first k that are right [1]_ (trec_eval: ``P_k``).

    Divided by k even where a list is shorter: what is not recommended is not right.
    """
    return _found(hits, k) / k


def hit_rate(hits: Flags, k: int) -> Values:
    """1.0 where at least one of the first k is right, else 0.0 (trec_eval: ``success_k``)."""
    return (_found(hits, k) > 0).astype(np.float64)


def average_precision(hits: Flags, n_relevant: Rows) -> Values:
    """Mean over the relevant items of the precision at their ranks [1]_ (trec_eval: ``map``).

    A relevant item that the list leaves out counts as precision 0.
    """
    ranks = np.arange(1, hits.shape[1] + 1)
    precisions = np.cumsum(hits, axis=1) / ranks
    return _share((precisions * hits).sum(axis=1), n_relevant)


def reciprocal_rank(hits: Flags) -> Values:
    """1 / rank of the first right item, 0 without one [1]_ (trec_eval: ``recip_rank``)."""
    best: Values = (hits / np.arange(1, hits.shape[1] + 1)).max(axis=1, initial=0.0)
    return best


def ndcg(hits: Flags, n_relevant: Rows, k: int) -> Values:
    """Discounted gain of the first k, as a share of the best order's [3]_ (``ndcg_cut_k``).

    A right item gains 1 / log2(rank + 1), the discount of trec_eval; the best order has all
    relevant items first, listed or not.
    """
    _check(k)
    first, reachable = hits[:, :k], np.minimum(n_relevant, k)
    ranks = np.arange(1, max(first.shape[1], int(reachable.max(initial=0))) + 1)
    gains = 1.0 / np.log2(ranks + 1)
    ideal = np.concatenate([[0.0], np.cumsum(gains)])[reachable]
    return _share(first @ gains[: first.shape[1]], ideal)


def coverage(lists: Rows, n_items: int) -> float:
    """Share of a catalog's `n_items` that any list holds, in [0, 1]; 0 of an empty one [4]_."""
    return float(np.mean(k_occurrence(lists, n_items) > 0)) if n_items else 0.0


def novelty(lists: Rows, popularity: Rows) -> Values:
    """Mean self-information of the items on each list, in bits [5]_ [6]_.

    An item carries -log2(p), p being its share of all events with one added to each item's count:
    an item that nobody has played is the most novel and still finite.

    Parameters
    ----------
    lists
        Rows, shape (n_lists, depth).
    popularity
        Events (listens, likes) per item, shape (n_items,), none negative.

    Returns
    -------
    Values
        Shape (n_lists,), in [0, log2(n_items + events)]; 0 for an empty list.
    """
    counts = popularity + 1
    bits = np.log2(counts.sum() / counts)
    listed = lists >= 0
    return _share(np.where(listed, bits[lists], 0.0).sum(axis=1), listed.sum(axis=1))


def intra_list_diversity(vectors: npt.NDArray[np.floating]) -> Values:
    """Mean of 1 - cosine over all pairs on a list [6]_ [7]_.

    Parameters
    ----------
    vectors
        Unit vectors of the items on each list, shape (..., depth, dimension), padded with zeros
        where a list is shorter.

    Returns
    -------
    Values
        Shape (...), in [0, 2]: 0 when all are the same, and for lists of fewer than 2.
    """
    exact = vectors.astype(np.float64)
    n = exact.any(axis=-1).sum(axis=-1)
    # |sum|² holds each pair's cosine twice, and the n squared lengths
    cosines = np.square(exact.sum(axis=-2)).sum(axis=-1) - np.square(exact).sum(axis=(-2, -1))
    n_pairs = n * (n - 1)
    diversity: Values = np.clip(_share(n_pairs - cosines, n_pairs), 0.0, 2.0)
    return diversity


def k_occurrence(neighbours: Rows, n_items: int) -> Rows:
    """How often each item is among the k nearest of another, shape (n_items,) [8]_.

    `neighbours` holds the rows nearest to each query, shape (n_queries, k), the query left out.
    """
    return np.bincount(neighbours[neighbours >= 0], minlength=n_items).astype(np.int64)


def hub_skewness(counts: Rows) -> float:
    """Third standardised moment of the k-occurrences (biased), without bound [8]_.

    0 when all are equal or there are none; above 0 when few items crowd the lists of many.
    """
    deviations = counts - counts.mean() if counts.size else np.zeros(1)
    spread = float(np.mean(deviations**2))
    return float(np.mean(deviations**3)) / spread**1.5 if spread else 0.0


def anti_hub_share(counts: Rows) -> float:
    """Share of the items that are nobody's neighbour (k-occurrence 0), in [0, 1] [9]_."""
    return float(np.mean(counts == 0)) if counts.size else 0.0


def _check(k: int) -> None:
    if k < 1:
        raise InvalidParameterError(f"k={k} must be at least 1")


def _found(hits: Flags, k: int) -> Rows:
    _check(k)
    found: Rows = hits[:, :k].sum(axis=1, dtype=np.int64)
    return found


def _share(part: npt.NDArray[np.generic], whole: npt.NDArray[np.generic]) -> Values:
    """Part by whole, 0 where the whole is 0."""
    shares: Values = np.divide(part, whole, out=np.zeros(part.shape), where=whole != 0)
    return shares
