"""Walks: known answers on a circle, and what holds of every walk."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.arrays import FloatArray
from recommender.walks import POWER, GreatCircle, hop_similarities, smoothest


def circle_of(*degrees: float) -> FloatArray:
    """Unit vectors of a circle in four dimensions."""
    at = np.radians(degrees)
    return np.stack([np.cos(at), np.sin(at), 0 * at, 0 * at], axis=1).astype(np.float32)


def random_units(n_vectors: int, seed: int) -> FloatArray:
    vectors = np.random.default_rng(seed).normal(size=(n_vectors, 4))
    units: FloatArray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(
        np.float32
    )
    return units


def cost_of(circle: GreatCircle, vectors: FloatArray) -> float:
    """What `smoothest` makes as small as it can, worked out another way."""
    steps = [circle.start, *vectors.astype(np.float64), circle.end]
    hops = [np.arccos(np.clip(a @ b, -1, 1)) for a, b in pairwise(steps)]
    even = circle.angle * np.arange(1, len(vectors) + 1) / (len(vectors) + 1)
    late = np.abs(circle.progress(vectors) - even)
    return float((np.array(hops) ** POWER).sum() + (late**POWER).sum())


def test_points_of_a_circle_are_visited_in_order() -> None:
    ends, between = circle_of(0, 90), circle_of(60, 15, 75, 30, 45)
    places = smoothest(GreatCircle(*ends), between, 5)
    assert places.tolist() == [1, 3, 4, 0, 2]


def test_of_more_than_are_wanted_the_evenly_spaced_are_taken() -> None:
    ends, between = circle_of(0, 90), circle_of(1, 2, 30, 31, 33, 60, 88, 89)
    places = smoothest(GreatCircle(*ends), between, 2)
    assert places.tolist() == [2, 5]


def test_points_lie_evenly_on_the_way() -> None:
    points = GreatCircle(*circle_of(0, 120)).points(3)
    assert points == pytest.approx(circle_of(30, 60, 90), abs=1e-6)


def test_progress_counts_from_the_start_and_may_lie_outside() -> None:
    progress = GreatCircle(*circle_of(0, 120)).progress(circle_of(-50, 0, 45, 120, 150))
    assert np.degrees(progress) == pytest.approx([-50, 0, 45, 120, 150], abs=1e-4)


@pytest.mark.parametrize("degrees", [0.0, 180.0])
def test_between_equal_and_opposite_vectors_a_way_is_chosen(degrees: float) -> None:
    circle = GreatCircle(*circle_of(0, degrees))
    points = circle.points(5)
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.ones(5))
    assert np.isfinite(circle.progress(random_units(10, 0))).all()
    assert len(smoothest(circle, random_units(10, 0), 4)) == 4


def test_vectors_of_float16_are_equal_to_themselves() -> None:
    vector = random_units(1, 3)[0].astype(np.float16)
    circle = GreatCircle(vector, vector)
    assert circle.angle == pytest.approx(0.0, abs=1e-7)
    assert circle.points(3) @ vector == pytest.approx(np.ones(3), abs=1e-3)
    assert np.abs(circle.progress(np.stack([vector]))) == pytest.approx([0.0], abs=1e-3)


def test_equal_vectors_are_taken_in_their_order() -> None:
    ends, between = circle_of(0, 90), circle_of(45, 45, 45)
    assert smoothest(GreatCircle(*ends), between, 2).tolist() == [0, 1]


def test_hops_are_similarities_to_the_one_before() -> None:
    assert hop_similarities(circle_of(0, 90, 270)).tolist() == [0.5, 0.0]


@given(seed=st.integers(0, 10_000), n_vectors=st.integers(0, 9), data=st.data())
def test_no_walk_that_never_goes_back_is_smoother(
    seed: int, n_vectors: int, data: st.DataObject
) -> None:
    n_between = data.draw(st.integers(0, n_vectors))
    vectors = random_units(n_vectors + 2, seed)
    circle, between = GreatCircle(*vectors[:2]), vectors[2:]
    places = smoothest(circle, between, n_between)
    assert len(set(places.tolist())) == n_between
    progress = circle.progress(between)
    assert (np.diff(progress[places]) >= 0).all()
    in_order = between[np.argsort(progress, kind="stable")]
    best = min(
        cost_of(circle, in_order[list(some)]) for some in combinations(range(n_vectors), n_between)
    )
    assert cost_of(circle, between[places]) == pytest.approx(best, rel=1e-4)
