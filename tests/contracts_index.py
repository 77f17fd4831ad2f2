"""What every `VectorIndex` must do; `tests/test_index.py` runs it for each engine.

A new engine inherits :class:`VectorIndexContract` in a class called ``Test…`` and gives `build`.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

from recommender.arrays import FloatArray, Rows
from recommender.errors import InvalidParameterError
from recommender.index import VectorIndex
from recommender.index.exact import ExactIndex
from recommender.selection import Selection

NONE: Rows = np.empty(0, np.int64)
DIMENSION = 16


def unit_vectors(n: int, seed: int = 0, dimension: int = DIMENSION) -> FloatArray:
    """Random directions, float32, shape (n, dimension)."""
    vectors = np.random.default_rng(seed).normal(size=(n, dimension))
    units: FloatArray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(
        np.float32
    )
    return units


def exact_of(index: VectorIndex) -> ExactIndex:
    """Exact search over the vectors that `index` says it has."""
    return ExactIndex(index.vectors(np.arange(len(index))))


class VectorIndexContract:
    """The tests; `build` is the engine under test.

    An engine may keep vectors in float16, and `tolerance` says so.
    """

    tolerance = 1e-6

    def build(self, vectors: FloatArray) -> VectorIndex:
        raise NotImplementedError

    def test_length_and_dimension_are_those_of_the_vectors(self) -> None:
        index = self.build(unit_vectors(7))
        assert (len(index), index.dimension) == (7, DIMENSION)

    def test_known_cosines_come_best_first(self) -> None:
        vectors = np.array([[1, 0], [0, 1], [-1, 0], [0.6, 0.8]], np.float32)
        rows, cosines = self.build(vectors).nearest(np.array([1, 0], np.float32), 4, NONE)
        assert rows.tolist() == [0, 3, 1, 2]
        np.testing.assert_allclose(cosines, [1, 0.6, 0, -1], atol=self.tolerance)

    @pytest.mark.parametrize("share", [None, 0.9, 0.3, 0.01, 0.0])
    def test_a_small_catalog_is_searched_exactly(self, share: float | None) -> None:
        index, random = self.build(unit_vectors(500)), np.random.default_rng(0)
        exact = exact_of(index)
        excluded = random.choice(500, 50, replace=False).astype(np.int64)
        allowed = None if share is None else Selection(random.random(500) < share)
        for query, k in product(unit_vectors(3, 100), (1, 10, 500)):
            for left_out in (NONE, excluded[:1], excluded):
                rows, cosines = index.nearest(query, k, left_out, allowed)
                exact_rows, exact_cosines = exact.nearest(query, k, left_out, allowed)
                np.testing.assert_array_equal(rows, exact_rows)
                np.testing.assert_allclose(cosines, exact_cosines, atol=1e-6)

    def test_rows_that_are_not_allowed_never_come_back(self) -> None:
        vectors = unit_vectors(60)
        allowed = Selection.of(np.array([3, 5, 8, 59]), 60)
        index = self.build(vectors)
        for query in vectors:
            rows, _ = index.nearest(query, 60, np.array([5, 6]), allowed)
            assert sorted(rows.tolist()) == [3, 8, 59]

    def test_nothing_may_be_allowed(self) -> None:
        nothing = Selection(np.zeros(30, dtype=bool))
        rows, cosines = self.build(unit_vectors(30)).nearest(unit_vectors(1)[0], 3, NONE, nothing)
        assert len(rows) == len(cosines) == 0
        assert (rows.dtype, cosines.dtype) == (np.dtype(np.int64), np.dtype(np.float32))

    def test_more_may_be_excluded_than_is_allowed(self) -> None:
        allowed = Selection.of(np.arange(5), 30)
        index = self.build(unit_vectors(30))
        rows, _ = index.nearest(unit_vectors(1)[0], 3, np.arange(4, 30), allowed)
        assert len(set(rows.tolist())) == 3
        assert set(rows.tolist()) <= {0, 1, 2, 3}

    def test_a_selection_of_another_catalog_is_refused(self) -> None:
        with pytest.raises(InvalidParameterError, match="total=29 must be rows=30"):
            self.build(unit_vectors(30)).nearest(
                unit_vectors(1)[0], 3, NONE, Selection(np.ones(29, dtype=bool))
            )

    def test_rows_and_cosines_have_the_promised_types(self) -> None:
        rows, cosines = self.build(unit_vectors(3)).nearest(unit_vectors(1)[0], 2, NONE)
        assert rows.dtype == np.dtype(np.int64)
        assert cosines.dtype == np.dtype(np.float32)

    @pytest.mark.parametrize("k", [5, 6, 1000, 10**9])
    def test_a_k_beyond_the_size_gives_every_row_once_and_no_padding(self, k: int) -> None:
        rows, cosines = self.build(unit_vectors(5)).nearest(unit_vectors(1, 9)[0], k, NONE)
        assert sorted(rows.tolist()) == [0, 1, 2, 3, 4]
        assert np.isfinite(cosines).all()

    @pytest.mark.parametrize("k", [1, 10])
    def test_an_empty_index_answers_nothing(self, k: int) -> None:
        index = self.build(np.empty((0, DIMENSION), np.float32))
        rows, cosines = index.nearest(unit_vectors(1)[0], k, NONE)
        assert len(index) == len(rows) == len(cosines) == 0

    def test_excluded_rows_never_come_back(self) -> None:
        vectors = unit_vectors(50)
        excluded = np.array([0, 7, 7, 49], np.int64)
        rows, _ = self.build(vectors).nearest(vectors[7], 50, excluded)
        assert sorted({*range(50)} - set(rows.tolist())) == [0, 7, 49]
        assert len(rows) == 47

    def test_everything_may_be_excluded(self) -> None:
        vectors = unit_vectors(20)
        rows, cosines = self.build(vectors).nearest(vectors[0], 5, np.arange(20))
        assert len(rows) == len(cosines) == 0

    def test_of_equal_vectors_all_are_found_with_the_same_cosine(self) -> None:
        vectors = np.concatenate([np.repeat(unit_vectors(1), 50, axis=0), unit_vectors(50, 1)])
        rows, cosines = self.build(vectors).nearest(vectors[0], 50, NONE)
        assert sorted(rows.tolist()) == list(range(50))
        np.testing.assert_allclose(cosines, 1.0, atol=self.tolerance)

    def test_a_vector_finds_itself(self) -> None:
        vectors = unit_vectors(100)
        index = self.build(vectors)
        assert [index.nearest(v, 1, NONE)[0][0] for v in vectors] == list(range(100))

    def test_vectors_come_back_as_they_went_in(self) -> None:
        vectors = unit_vectors(30)
        wanted = np.array([29, 0, 0, 13], np.int64)
        given = self.build(vectors).vectors(wanted)
        assert given.dtype == np.dtype(np.float32)
        np.testing.assert_allclose(given, vectors[wanted], rtol=0, atol=self.tolerance / 2)

    def test_no_rows_give_no_vectors(self) -> None:
        assert self.build(unit_vectors(3)).vectors(NONE).shape == (0, DIMENSION)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_a_query_that_is_not_finite_is_refused(self, bad: float) -> None:
        query = unit_vectors(1)[0]
        query[3] = bad
        with pytest.raises(InvalidParameterError, match="NaN or infinity"):
            self.build(unit_vectors(5)).nearest(query, 1, NONE)

    @pytest.mark.parametrize("shape", [(DIMENSION - 1,), (DIMENSION + 1,), (1, DIMENSION), ()])
    def test_a_query_of_another_shape_is_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(InvalidParameterError, match=r"query\.shape="):
            self.build(unit_vectors(5)).nearest(np.zeros(shape, np.float32), 1, NONE)

    @pytest.mark.parametrize("k", [0, -1, -(10**9)])
    def test_a_k_below_one_is_refused(self, k: int) -> None:
        with pytest.raises(InvalidParameterError, match=f"k={k} must be at least 1"):
            self.build(unit_vectors(5)).nearest(unit_vectors(1)[0], k, NONE)

    def test_the_query_and_the_vectors_are_left_as_they_were(self) -> None:
        vectors, query = unit_vectors(10), unit_vectors(1, 3)[0]
        before = vectors.copy(), query.copy()
        self.build(vectors).nearest(query, 5, np.array([1]))
        np.testing.assert_array_equal(vectors, before[0])
        np.testing.assert_array_equal(query, before[1])

    def test_a_query_of_double_precision_or_with_gaps_is_taken(self) -> None:
        vectors = unit_vectors(20)
        gaps = np.repeat(vectors[4].astype(np.float64), 2)[::2]
        assert self.build(vectors).nearest(gaps, 1, NONE)[0].tolist() == [4]

    def test_many_threads_get_the_answers_of_one(self) -> None:
        vectors = unit_vectors(400)
        index = self.build(vectors)

        def ask(row: int) -> list[int]:
            return [int(r) for r in index.nearest(vectors[row], 10, np.array([row]))[0]]

        alone = [ask(row) for row in range(100)]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(100))) == alone
