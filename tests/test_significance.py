"""Intervals and p values: by hand, against SciPy, and by how often they are right."""

import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from recommender.errors import InvalidParameterError
from recommender.significance import bootstrap_interval, paired_permutation_test

Values = npt.NDArray[np.float64]

# eighths add up exactly, so that SciPy and we see the same ties
EIGHTHS = st.integers(-8, 8).map(lambda n: n / 8)


def paired_by_scipy(one: Values, other: Values) -> float:
    def difference(x: Values, y: Values, axis: int) -> Values:
        means: Values = np.mean(x - y, axis=axis)
        return means

    result = stats.permutation_test(
        (one, other), difference, permutation_type="samples", n_resamples=np.inf
    )
    return float(result.pvalue)


def test_the_interval_of_two_values_by_hand() -> None:
    # resampled means are 0, 1/2 and 1, with probabilities 1/4, 1/2 and 1/4
    assert bootstrap_interval([0.0, 1.0], confidence=0.95) == (0.0, 1.0)
    assert bootstrap_interval([0.0, 1.0], confidence=0.4) == (0.5, 0.5)


def test_groups_are_drawn_whole_and_weigh_by_their_size() -> None:
    # both values of "a", both of "b", or one group twice: the means are 0, 3/4 and 1
    values, clusters = [0.0, 1.0, 1.0, 1.0], ["a", "b", "b", "b"]
    assert bootstrap_interval(values, clusters, confidence=0.95) == (0.0, 1.0)
    assert bootstrap_interval(values, clusters, confidence=0.4) == (0.75, 0.75)


def test_values_that_say_the_same_thing_again_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(0).random(30)
    once = bootstrap_interval(values)
    assert bootstrap_interval(values, clusters=range(30)) == once
    thrice = bootstrap_interval(np.repeat(values, 3), clusters=np.repeat(range(30), 3).tolist())
    assert thrice == pytest.approx(once, abs=1e-12)


@pytest.mark.parametrize(
    ("values", "clusters"),
    [([0.25], None), ([0.25] * 5, None), ([0.0, 0.5], ["x", "x"]), ([0.25, 0.25], [None, 1])],
)
def test_without_any_spread_to_see_both_ends_are_the_mean(
    values: list[float], clusters: Sequence[object] | None
) -> None:
    assert bootstrap_interval(values, clusters) == (0.25, 0.25)


@given(st.lists(EIGHTHS, min_size=1, max_size=20), st.integers(0, 5))
def test_an_interval_lies_within_the_values_and_comes_back_for_its_seed(
    values: list[float], seed: int
) -> None:
    low, high = bootstrap_interval(values, resamples=50, seed=seed)
    assert min(values) <= low <= high <= max(values)
    assert bootstrap_interval(values, resamples=50, seed=seed) == (low, high)


def test_more_confidence_and_fewer_values_widen_the_interval() -> None:
    values = np.random.default_rng(0).random(400)

    def width(of: Values, confidence: float) -> float:
        low, high = bootstrap_interval(of, confidence=confidence)
        return high - low

    assert width(values, 0.5) < width(values, 0.95) < width(values, 0.99)
    assert width(values, 0.95) == pytest.approx(width(values[:100], 0.95) / 2, rel=0.2)


def test_the_interval_is_near_that_of_scipy() -> None:
    values = np.random.default_rng(0).exponential(size=80)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=5000, rng=np.random.default_rng(1)
    ).confidence_interval
    ours = bootstrap_interval(values, resamples=5000)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.02)


def covered(values: Values, clusters: Sequence[object] | None, seed: int) -> bool:
    low, high = bootstrap_interval(values, clusters, resamples=300, seed=seed)
    return low <= 0.0 <= high


def test_of_intervals_of_95_percent_about_95_in_100_hold_the_true_mean() -> None:
    rng = np.random.default_rng(1)
    share = np.mean([covered(rng.standard_normal(100), None, seed) for seed in range(800)])
    assert 0.92 <= share <= 0.97


def test_only_drawing_whole_groups_is_right_for_values_that_hang_together() -> None:
    rng = np.random.default_rng(0)
    albums = np.repeat(np.arange(50), 8)
    samples = [rng.standard_normal(50)[albums] + rng.standard_normal(400) for _ in range(300)]
    grouped = np.mean([covered(sample, albums.tolist(), 0) for sample in samples])
    single = np.mean([covered(sample, None, 0) for sample in samples])
    assert 0.91 <= grouped <= 0.98
    assert single < 0.75


@pytest.mark.parametrize("test", ["interval", "permutation"])
def test_memory_does_not_grow_with_resamples_times_values(test: str) -> None:
    values = np.random.default_rng(0).random(20_000)
    tracemalloc.start()
    try:
        if test == "interval":
            bootstrap_interval(values, resamples=500)
        else:
            paired_permutation_test(values, values[::-1], resamples=500)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6 < 500 * values.nbytes


@given(st.lists(st.tuples(EIGHTHS, EIGHTHS), min_size=2, max_size=9))
def test_exact_p_values_are_those_of_scipy(pairs: list[tuple[float, float]]) -> None:
    one, other = np.array(pairs).T
    p = paired_permutation_test(one, other)
    assert p == pytest.approx(paired_by_scipy(one, other), abs=1e-12)
    assert p == paired_permutation_test(other, one)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ([1.0], 2 / 2),
        ([1.0, 1.0, 1.0], 2 / 8),
        ([1.0, 1.0, 1.0] + [0.0] * 20, 2 / 8),
        ([1.0, 0.0001], 2 / 4),
        ([3.0, 2.0, -1.0], 4 / 8),
        ([2.0, -2.0], 4 / 4),
        ([0.0, 0.0], 1.0),
    ],
)
def test_exact_p_values_by_hand(one: list[float], expected: float) -> None:
    assert paired_permutation_test(one, [0.0] * len(one)) == expected


def test_sums_that_differ_by_rounding_alone_count_as_equal() -> None:
    # to a computer 0.1 + 0.2 - 0.3 is not 0, and the order of a sum changes its last digit
    assert paired_permutation_test([0.1, 0.2, -0.3], [0.0] * 3) == 1.0
    assert paired_permutation_test([0.1, 0.1, 0.1, -0.1], [0.0] * 4) == 10 / 16
    assert paired_permutation_test([0.3, 0.2, 0.1, -0.1], [0.0] * 4) == 6 / 16


def test_beyond_the_resamples_signs_are_drawn_and_no_p_value_is_0() -> None:
    assert paired_permutation_test([1.0] * 3, [0.0] * 3, resamples=7) == 2 / 8
    assert paired_permutation_test([1.0] * 3, [0.0] * 3, resamples=6) != 2 / 8
    ones = np.ones(40)
    assert paired_permutation_test(ones, ones - 1, resamples=99) == 1 / 100
    assert paired_permutation_test(ones, ones) == 1.0


@given(st.lists(st.floats(-1, 1), min_size=11, max_size=11))
def test_drawn_signs_come_near_the_exact_p_value(differences: list[float]) -> None:
    assume(all(differences))
    zeros = [0.0] * 11
    exact = paired_permutation_test(differences, zeros, resamples=2047)
    drawn = paired_permutation_test(differences, zeros, resamples=2046)
    assert drawn == pytest.approx(exact, abs=0.05)
    assert drawn == paired_permutation_test(differences, zeros, resamples=2046, seed=0)


def test_of_systems_that_are_the_same_5_in_100_seem_to_differ() -> None:
    rng = np.random.default_rng(0)
    samples = [rng.standard_normal((2, 30)) for _ in range(800)]
    p_values = [paired_permutation_test(one, two, resamples=199) for one, two in samples]
    assert 0.03 <= np.mean(np.array(p_values) <= 0.05) <= 0.07


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap_interval([]), r"values has shape \(0,\)"),
        (lambda: bootstrap_interval([[1.0]]), r"values has shape \(1, 1\)"),
        (lambda: bootstrap_interval([1.0, np.nan]), "values holds NaN or infinity"),
        (lambda: bootstrap_interval([1.0], clusters=[1, 2]), "clusters has 2 entries for 1"),
        (lambda: bootstrap_interval([1.0], confidence=1.0), "confidence=1.0 must lie"),
        (lambda: bootstrap_interval([1.0], resamples=0), "resamples=0 must be at least 1"),
        (lambda: paired_permutation_test([], []), r"one has shape \(0,\)"),
        (lambda: paired_permutation_test([1.0], [np.inf]), "other holds NaN or infinity"),
        (lambda: paired_permutation_test([1.0], [1.0, 2.0]), "one has 1 values and other 2"),
        (lambda: paired_permutation_test([1.0], [2.0], 0), "resamples=0 must be at least 1"),
    ],
)
def test_what_has_no_answer_is_refused_in_words(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        call()
