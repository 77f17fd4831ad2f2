"""From the vectors of frames to one vector: known answers, and batches against all at once."""

from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recommender.errors import InvalidParameterError
from recommender.pooling import POOLINGS, Pooler, pooled, pooled_dimension, require_pooling

FRAMES = np.array([[1, 10], [2, 20], [3, 60], [6, 90]], np.float32)
ONES = np.ones(4)

Vectors = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]


@st.composite
def weighted_frames(draw: st.DrawFn) -> tuple[Vectors, Weights]:
    """Up to 40 frames of up to 70 dimensions, more than the median sorts at a time."""
    shape = draw(st.tuples(st.integers(1, 40), st.integers(1, 70)))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    offset = draw(st.sampled_from([0.0, 100.0]))
    # rounded, so that values occur more than once
    vectors = np.round(random.normal(offset, 3.0, shape), 1).astype(np.float32)
    return vectors, random.uniform(0.01, 1.0, shape[0])


def in_batches(
    pooling: str, vectors: Vectors, weights: Weights, cuts: list[int]
) -> npt.NDArray[np.float32]:
    pooler = Pooler(pooling, vectors.shape[1])
    for part, weight in zip(np.split(vectors, cuts), np.split(weights, cuts), strict=True):
        pooler.add(part, weight)
    return pooler.result()


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ("mean", [3, 45]),
        ("mean+std", [3, 45, np.sqrt(3.5), np.sqrt(1025)]),
        ("max", [6, 90]),
        ("mean+max", [3, 45, 6, 90]),
        ("median", [2.5, 40]),
    ],
)
def test_known_answers(pooling: str, expected: list[float]) -> None:
    vector = pooled(FRAMES, ONES, pooling)
    np.testing.assert_allclose(vector, expected, rtol=1e-7)
    assert vector.dtype == np.float32
    assert len(vector) == pooled_dimension(pooling, 2)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [("mean", [3]), ("mean+std", [3, np.sqrt(3)]), ("max", [4]), ("median", [4])],
)
def test_a_weight_counts_as_so_many_frames_but_for_the_maximum(
    pooling: str, expected: list[float]
) -> None:
    frames = np.array([[0], [4], [4]], np.float32)
    np.testing.assert_allclose(pooled(frames, np.array([0.5, 0.5, 1.0]), pooling), expected)


def test_a_median_between_two_frames_is_their_middle() -> None:
    frames = np.array([[5], [1], [2]], np.float32)
    assert pooled(frames, np.array([1.0, 0.5, 0.5]), "median") == 3.5
    assert pooled(frames, np.array([0.9, 0.5, 0.5]), "median") == 2


def test_the_deviation_of_equal_frames_is_zero_however_large_they_are() -> None:
    frames = np.full((30, 3), 1e6, np.float32)
    np.testing.assert_array_equal(in_batches("mean+std", frames, np.ones(30), [7, 20])[3:], 0)


def test_a_small_deviation_beside_a_large_mean_is_kept() -> None:
    frames = np.array([[1e6 - 0.5], [1e6 + 0.5]] * 50, np.float32)
    np.testing.assert_allclose(in_batches("mean+std", frames, np.ones(100), [33])[1], 0.5)


@given(st.integers(1, 70), st.integers(1, 500), st.integers(0, 2**32 - 1))
def test_the_mean_of_equal_frames_is_bit_for_bit_what_it_always_was(
    n_frames: int, dimension: int, seed: int
) -> None:
    # sums of batches in float64, divided by their number: published vectors were made so
    vectors = np.random.default_rng(seed).normal(size=(n_frames, dimension)).astype(np.float32)
    cuts = list(range(24, n_frames, 24))
    total = np.zeros(dimension)
    for batch in np.split(vectors, cuts):
        total += batch.sum(axis=0, dtype=np.float64)
    expected = (total / n_frames).astype(np.float32)
    assert in_batches("mean", vectors, np.ones(n_frames), cuts).tobytes() == expected.tobytes()


@pytest.mark.parametrize("pooling", POOLINGS)
@given(of=weighted_frames(), data=st.data())
def test_batches_give_what_all_frames_at_once_give(
    pooling: str, of: tuple[Vectors, Weights], data: st.DataObject
) -> None:
    vectors, weights = of
    # the same cut twice makes an empty batch
    cuts = sorted(data.draw(st.lists(st.integers(0, len(vectors)), max_size=6)))
    batched = in_batches(pooling, vectors, weights, cuts)
    np.testing.assert_allclose(batched, pooled(vectors, weights, pooling), rtol=1e-6, atol=1e-6)


@given(weighted_frames())
def test_statistics_are_those_of_numpy(of: tuple[Vectors, Weights]) -> None:
    vectors, weights = of
    exact, ones = vectors.astype(np.float64), np.ones(len(vectors))
    np.testing.assert_allclose(pooled(vectors, ones, "median"), np.median(exact, 0), rtol=1e-6)
    np.testing.assert_array_equal(pooled(vectors, weights, "max"), vectors.max(axis=0))
    mean = np.average(exact, 0, weights)
    deviation = np.sqrt(np.average(np.square(exact - mean), 0, weights))
    together = pooled(vectors, weights, "mean+std")
    np.testing.assert_allclose(together, [*mean, *deviation], rtol=1e-5, atol=1e-6)
    both = pooled(vectors, weights, "mean+max")
    np.testing.assert_allclose(both, [*mean, *vectors.max(axis=0)], rtol=1e-6, atol=1e-6)


@given(arrays.arrays(np.int64, st.integers(1, 30), elements=st.integers(1, 5)), st.randoms())
def test_the_weighted_median_is_that_of_frames_repeated(
    times: npt.NDArray[Any], random: Random
) -> None:
    vectors = np.array([[random.randint(-9, 9)] for _ in times], np.float32)
    expected = np.median(np.repeat(vectors, times, axis=0), axis=0)
    np.testing.assert_array_equal(pooled(vectors, times.astype(float), "median"), expected)


def test_the_median_keeps_no_hold_of_the_batches_it_was_given() -> None:
    batch, pooler = FRAMES.copy(), Pooler("median", 2)
    pooler.add(batch, ONES)
    batch[:] = 0
    np.testing.assert_array_equal(pooler.result(), [2.5, 40])


@pytest.mark.parametrize("pooling", ["", "Mean", "average", "std", "mean+median"])
def test_unknown_poolings_are_refused_with_a_list(pooling: str) -> None:
    message = f"pooling={pooling} is unknown; choose mean, mean+std, max, mean+max or median"
    for ask in (require_pooling, lambda name: Pooler(name, 4)):
        with pytest.raises(InvalidParameterError) as caught:
            ask(pooling)
        assert str(caught.value) == message


def test_the_default_comes_first() -> None:
    assert POOLINGS == ("mean", "mean+std", "max", "mean+max", "median")
    assert [pooled_dimension(pooling, 400) for pooling in POOLINGS] == [400, 800, 400, 800, 400]
