import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster
from scipy.cluster.hierarchy import ward as scipy_ward

from recommender.clustering import ward


def groups(found: list[np.ndarray]) -> set[frozenset[int]]:
    return {frozenset(some.tolist()) for some in found}


def points(n: int, seed: int, dimension: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dimension)).astype(np.float32)


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("seed", range(5))
def test_equal_weights_give_the_clusters_of_scipy(n_clusters: int, seed: int) -> None:
    some = points(20, seed)
    labels = fcluster(scipy_ward(some.astype(np.float64)), n_clusters, criterion="maxclust")
    expected = {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels)}
    # all of the variance lies between clusters of one: the bound on their number decides
    assert groups(ward(some, np.ones(20), share=1.0, most=n_clusters)) == expected


@given(st.integers(0, 1000), st.lists(st.integers(1, 4), min_size=2, max_size=8))
def test_a_weight_is_worth_as_many_points(seed: int, counts: list[int]) -> None:
    some = points(len(counts), seed)
    weighted = ward(some, np.array(counts, np.float64), share=0.5, most=8)
    repeated = ward(np.repeat(some, counts, axis=0), np.ones(sum(counts)), share=0.5, most=8)
    of = np.repeat(np.arange(len(counts)), counts)
    assert groups(weighted) == {frozenset(of[some].tolist()) for some in repeated}


def test_two_heaps_are_two_clusters_the_heavier_first() -> None:
    heap, other = points(3, 0) * 0.01, points(5, 1) * 0.01 + 10
    found = ward(np.concatenate([heap, other]), np.ones(8), share=0.9, most=8)
    assert [some.tolist() for some in found] == [[3, 4, 5, 6, 7], [0, 1, 2]]


def test_what_is_all_alike_is_one_cluster() -> None:
    [found] = ward(np.ones((6, 3), np.float32), np.ones(6), share=0.3, most=8)
    assert found.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_single_point_is_a_cluster() -> None:
    assert groups(ward(points(1, 0), np.array([2.0]), share=0.3, most=8)) == {frozenset({0})}


@given(st.integers(0, 100), st.floats(0, 1), st.integers(1, 5))
def test_every_point_is_in_one_cluster(seed: int, share: float, most: int) -> None:
    weights = np.random.default_rng(seed).random(12) + 0.1
    found = ward(points(12, seed), weights, share, most)
    assert sorted(np.concatenate(found).tolist()) == list(range(12))
    assert 1 <= len(found) <= most
    sizes = [weights[some].sum() for some in found]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4, 0.6, 0.8])
def test_the_clusters_explain_the_share_and_one_fewer_would_not(share: float) -> None:
    some, weights = points(15, 3).astype(np.float64), np.linspace(0.5, 2, 15)

    def within(found: list[np.ndarray]) -> float:
        total = 0.0
        for rows in found:
            centre = np.average(some[rows], axis=0, weights=weights[rows])
            total += float((weights[rows] * ((some[rows] - centre) ** 2).sum(axis=1)).sum())
        return total

    found = ward(some.astype(np.float32), weights, share, most=15)
    whole = within([np.arange(15)])
    assert within(found) <= (1 - share) * whole * (1 + 1e-6)
    if len(found) > 1:
        fewer = ward(some.astype(np.float32), weights, share, most=len(found) - 1)
        assert within(fewer) > (1 - share) * whole * (1 - 1e-6)
