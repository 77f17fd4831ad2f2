"""How far a mean over queries can be trusted, and whether two means differ.

Both methods resample what was measured and assume no distribution, which metrics in [0, 1] with
many exact zeros and ones do not follow.

References
----------
.. [1] B. Efron, R. J. Tibshirani (1993): An Introduction to the Bootstrap. Chapman & Hall.
       Percentile interval: chapter 13.
.. [2] C. A. Field, A. H. Welsh (2007): Bootstrapping clustered data. Journal of the Royal
       Statistical Society B 69(3), 369-390.
.. [3] M. D. Smucker, J. Allan, B. Carterette (2007): A comparison of statistical significance
       tests for information retrieval evaluation. CIKM, 623-632.
.. [4] B. Phipson, G. K. Smyth (2010): Permutation p-values should never be zero. Statistical
       Applications in Genetics and Molecular Biology 9(1), article 39.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows
from recommender.errors import InvalidParameterError

Values = npt.NDArray[np.float64]

# draws held at once: 8 MB an array, however many values and resamples there are
_DRAWS_AT_ONCE = 2**20
# share of the sum of all magnitudes within which two sums of the same numbers count as equal
_ROUNDING = 1e-12


def bootstrap_interval(
    values: npt.ArrayLike,
    clusters: Sequence[object] | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of the mean by the percentile bootstrap [1]_.

    Parameters
    ----------
    values
        One value per query, shape (n,), n at least 1, all finite.
    clusters
        The group of each value, length n, any hashable: queries of one album or artist are no
        independent evidence. Whole groups are drawn then [2]_, and a resample's mean is that of
        all values in the groups drawn.
    confidence
        Share of resampled means within the interval, in (0, 1).
    resamples
        How many means are drawn, at least 1.
    seed
        The same seed gives the same interval.

    Returns
    -------
    tuple of float
        Lower and upper end, within the range of `values` but for rounding. The bootstrap knows
        only the spread it sees: from a single value or group, as from values that are all equal,
        both ends are the mean. That is no evidence rather than certainty: show n beside it.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    """
    if not 0 < confidence < 1:
        raise InvalidParameterError(f"confidence={confidence} must lie between 0 and 1")
    _check_resamples(resamples)
    sums, sizes = _cluster_sums(_checked("values", values), clusters)
    means = [
        sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
        for drawn in _drawn(len(sums), resamples, np.random.default_rng(seed))
    ]
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)


def paired_permutation_test(
    one: npt.ArrayLike, other: npt.ArrayLike, resamples: int = 9999, seed: int = 0
) -> float:
    """Two-sided p value for a difference between the means of two systems on the same queries.

    If the systems were the same, each query's difference could as well have the other sign [3]_.
    Where there are no more than `resamples` + 1 ways to choose the signs of the differences that
    are not 0, all are tried and the p value is exact. Else `resamples` of them are drawn and the
    p value is (b + 1) / (resamples + 1), b being the number of those that differ at least as much
    as the observed means [4]_.

    Parameters
    ----------
    one, other
        One value per query, shape (n,) each, in the same order of queries, all finite.
    resamples
        Most choices of signs that are tried, at least 1.
    seed
        The same seed gives the same p value.

    Returns
    -------
    float
        In (0, 1]; 1.0 when the means, or all values, are equal.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range, or the shapes differ.
    """
    _check_resamples(resamples)
    first, second = _checked("one", one), _checked("other", other)
    if first.shape != second.shape:
        raise InvalidParameterError(
            f"one has {len(first)} values and other {len(second)}; pair them query by query"
        )
    differences = first - second
    differences = differences[differences != 0]
    least = np.abs(differences.sum()) - _ROUNDING * np.abs(differences).sum()
    if 2 ** len(differences) <= resamples + 1:
        return float(np.mean(np.abs(_every_sum(differences)) >= least))
    reached = sum(
        int(np.count_nonzero(np.abs(sums) >= least))
        for sums in _random_sums(differences, resamples, np.random.default_rng(seed))
    )
    return (reached + 1) / (resamples + 1)


def _check_resamples(resamples: int) -> None:
    if resamples < 1:
        raise InvalidParameterError(f"resamples={resamples} must be at least 1")


def _checked(name: str, values: npt.ArrayLike) -> Values:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise InvalidParameterError(f"{name} has shape {array.shape}; give one value per query")
    if not np.isfinite(array).all():
        raise InvalidParameterError(f"{name} holds NaN or infinity; leave such queries out")
    return array


def _cluster_sums(values: Values, clusters: Sequence[object] | None) -> tuple[Values, Rows]:
    """Sum and number of the values of each group; without groups, every value is one."""
    if clusters is None:
        return values, np.ones(len(values), dtype=np.int64)
    if len(clusters) != len(values):
        raise InvalidParameterError(
            f"clusters has {len(clusters)} entries for {len(values)} values; give one for each"
        )
    numbers: dict[object, int] = {}
    groups = [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]
    sums = np.bincount(groups, weights=values).astype(np.float64)
    return sums, np.bincount(groups).astype(np.int64)


def _chunks(total: int, width: int) -> Iterator[int]:
    """Heights of the pieces that a matrix (total, width) is worked through in."""
    height = max(1, _DRAWS_AT_ONCE // width)
    for start in range(0, total, height):
        yield min(height, total - start)


def _drawn(n: int, resamples: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Indices drawn with replacement, shape (piece, n) each."""
    for height in _chunks(resamples, n):
        yield rng.integers(n, size=(height, n))


def _every_sum(differences: Values) -> Values:
    """Sums under every choice of signs, shape (2 ** n,)."""
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate([sums - difference, sums + difference])
    return sums


def _random_sums(differences: Values, resamples: int, rng: np.random.Generator) -> Iterator[Values]:
    """Sums under random signs, shape (piece,) each."""
    for height in _chunks(resamples, len(differences)):
        kept = rng.integers(2, size=(height, len(differences)), dtype=np.bool_)
        # what is flipped counts twice: once for leaving, once for joining the other side
        yield 2 * (kept @ differences) - differences.sum()
