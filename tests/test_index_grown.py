"""An index with rows beside it answers as one that holds them all."""

from functools import cache

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from recommender.arrays import FloatArray, Rows
from recommender.errors import InvalidParameterError
from recommender.index.exact import ExactIndex
from recommender.index.faiss import DROPPED, FaissIndex
from recommender.index.grown import GrownIndex, grown, parts
from recommender.index.recipes import IndexOptions, plan
from recommender.selection import Selection
from tests.contracts_index import DIMENSION, NONE, unit_vectors

VECTORS = unit_vectors(6_000, seed=2)
FIRST = 5_900


@cache
def hnsw() -> GrownIndex:
    recipe = plan(FIRST, DIMENSION, IndexOptions("hnsw"))
    return GrownIndex(FaissIndex.build(VECTORS[:FIRST], recipe), VECTORS[FIRST:])


def brute_force(
    vectors: FloatArray, query: FloatArray, k: int, excluded: Rows, allowed: Selection | None
) -> list[float]:
    """The best cosines of rows that may come back."""
    free = np.ones(len(vectors), bool) if allowed is None else allowed.mask.copy()
    free[excluded] = False
    best: list[float] = np.sort(vectors[free] @ query)[::-1][:k].tolist()
    return best


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_over_an_exact_index_it_is_exact(data: st.DataObject) -> None:
    n_base, n_beside = data.draw(st.integers(0, 30)), data.draw(st.integers(1, 30))
    n_rows, seed = n_base + n_beside, data.draw(st.integers(0, 99))
    vectors = unit_vectors(n_rows, seed)
    # some are equal
    vectors[data.draw(st.lists(st.integers(0, n_rows - 1), max_size=5))] = vectors[0]
    index = GrownIndex(FaissIndex.build(vectors[:n_base]), vectors[n_base:])
    rows_of = st.lists(st.integers(0, n_rows - 1), max_size=2 * n_rows)
    excluded = np.array(data.draw(rows_of), np.int64)
    chosen = data.draw(st.none() | rows_of)
    allowed = None if chosen is None else Selection.of(np.array(chosen, np.int64), n_rows)
    query = unit_vectors(1, seed + 100)[0]
    k = data.draw(st.integers(1, n_rows + 3))
    rows, cosines = index.nearest(query, k, excluded, allowed)
    expected = brute_force(vectors, query, k, excluded, allowed)
    np.testing.assert_allclose(cosines, expected, atol=1e-6)
    np.testing.assert_allclose(vectors[rows] @ query, cosines, atol=1e-6)
    assert len(set(rows.tolist())) == len(rows)
    assert not set(rows.tolist()) & set(excluded.tolist())
    assert allowed is None or allowed.holds(rows).all()


def test_every_row_beside_is_found() -> None:
    for row in range(FIRST, len(VECTORS)):
        rows, cosines = hnsw().nearest(VECTORS[row], 3, NONE)
        assert rows[0] == row
        assert (np.diff(cosines) <= 0).all()


@pytest.mark.parametrize("share", [None, 0.9, 0.05])
def test_rows_beside_are_missed_by_no_filter(share: float | None) -> None:
    mask = np.random.default_rng(0).random(len(VECTORS)) < (share or 1.0)
    allowed = None if share is None else Selection(mask)
    exact, missed = ExactIndex(VECTORS), 0
    for query in unit_vectors(50, seed=7):
        found, _ = hnsw().nearest(query, 20, NONE, allowed)
        true, _ = exact.nearest(query, 20, NONE, allowed)
        assert len(found) == 20
        assert mask[found].all()
        assert set(true[true >= FIRST].tolist()) <= set(found.tolist())
        missed += len(set(true.tolist()) - set(found.tolist()))
    assert missed < 0.1 * 50 * 20


def test_more_rows_may_be_excluded_than_are_dropped_from_an_answer() -> None:
    excluded = np.arange(FIRST - DROPPED, FIRST + 50)
    rows, _ = hnsw().nearest(VECTORS[FIRST], 6_000, excluded)
    assert sorted(rows.tolist()) == [*range(FIRST - DROPPED), *range(FIRST + 50, 6_000)]


def test_a_selection_of_the_index_alone_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="total=5900 must be rows=6000"):
        hnsw().nearest(VECTORS[0], 1, NONE, Selection.every(FIRST))


def test_its_effort_is_that_of_the_index() -> None:
    harder = hnsw().at_effort(512)
    assert (harder.effort, len(harder)) == (512, 6_000)
    assert hnsw().effort == parts(hnsw())[0].effort != 512
    assert harder.efforts == parts(hnsw())[0].efforts
    assert harder.nearest(VECTORS[FIRST], 1, NONE)[0].tolist() == [FIRST]


def test_its_size_is_that_of_both_parts() -> None:
    size = parts(hnsw())[0].bytes_per_vector * FIRST + 100 * DIMENSION * 4
    assert hnsw().bytes_per_vector == pytest.approx(size / 6_000)


def test_an_index_is_put_together_of_the_parts_that_it_has() -> None:
    base, beside = parts(hnsw())
    assert (len(base), len(beside)) == (FIRST, 100)
    assert grown(base, beside[:0]) is base
    assert parts(base)[0] is base
    assert parts(base)[1].shape == (0, DIMENSION)


def test_what_lies_in_no_file_has_no_parts() -> None:
    with pytest.raises(TypeError, match="index=ExactIndex must be"):
        parts(ExactIndex(VECTORS))
