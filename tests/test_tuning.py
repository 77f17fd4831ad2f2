"""Indexes are measured against exact search, and their effort is set by that."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pytest

from recommender.index.building import build_index
from recommender.index.exact import ExactIndex
from recommender.index.faiss import FaissIndex
from recommender.index.measurement import UNMEASURED, Measurement
from recommender.index.native import threads
from recommender.index.recipes import IndexOptions
from recommender.index.truth import Truth
from recommender.index.tuning import measure, tune
from recommender.selection import Selection
from tests.contracts_index import NONE, unit_vectors

WIDTH = 48


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threads(1):
        yield


def measured(index: FaissIndex, live: Selection | None = None, n: int = 200) -> Measurement:
    return measure(index, live, Truth.within(index, live, n))


def test_the_truth_is_the_kth_cosine_of_the_others() -> None:
    vectors = unit_vectors(400)
    live = Selection(np.random.default_rng(1).random(400) < 0.7)
    for allowed in (None, live):
        rows = live.rows[:9]
        truth = Truth.of(rows, vectors.__getitem__, 400, allowed)
        for row, kth in zip(rows, truth.kth, strict=True):
            _, cosines = ExactIndex(vectors).nearest(vectors[row], 100, np.array([row]), allowed)
            np.testing.assert_allclose(kth, cosines[[9, 99]], atol=1e-6)


def test_exact_search_finds_all() -> None:
    vectors = unit_vectors(300)
    truth = Truth.of(np.arange(300), vectors.__getitem__, 300)
    recall, elapsed = truth.asked(ExactIndex(vectors), vectors.__getitem__)
    assert recall.min() == 1.0
    assert elapsed.min() > 0


@pytest.mark.parametrize("kind", ["hnsw", "hnsw-fp16"])
def test_effort_is_raised_until_the_target_holds(kind: str) -> None:
    vectors = unit_vectors(4_000, dimension=WIDTH)
    index, _ = build_index(vectors, IndexOptions(kind))
    efforts, recalls = [], []
    for target in (0.5, 0.9, 0.995):
        tuned, found = tune(index, vectors, target)
        assert found.recall_at_10 >= target
        assert tuned.effort == found.effort
        assert found.curve[-1].recall_at_10 >= target
        assert found.queries == 400
        efforts.append(found.effort)
        recalls.append(found.recall_at_10)
    assert efforts == sorted(efforts)
    assert efforts[0] < efforts[-1]
    assert recalls == sorted(recalls)


def test_a_target_out_of_reach_gives_the_most_and_says_what_it_is() -> None:
    vectors = unit_vectors(1_500, dimension=WIDTH)
    index, _ = build_index(vectors, IndexOptions("PQ4x4"))
    _, found = tune(index, vectors, 1.0)
    assert found.recall_at_10 < 1.0
    assert len(found.curve) == 1


def test_an_index_without_efforts_is_looked_at() -> None:
    vectors = unit_vectors(300)
    index, _ = build_index(vectors, IndexOptions("flat"))
    tuned, found = tune(index, vectors, 0.98)
    assert tuned is not None
    assert (found.recall_at_10, found.recall_at_100, found.effort) == (1.0, 1.0, 0)


def test_measuring_looks_at_live_rows_only() -> None:
    vectors = unit_vectors(4_000, dimension=WIDTH)
    index, _ = build_index(vectors, IndexOptions("hnsw"))
    live = Selection(np.random.default_rng(0).random(4_000) < 0.9)
    whole, part = measured(index), measured(index, live, 50)
    assert (whole.queries, part.queries) == (200, 50)
    assert whole.recall_at_10 > 0.9
    assert part.recall_at_10 > 0.9
    assert measured(index.at_effort(8)).recall_at_10 < whole.recall_at_10


@pytest.mark.parametrize("n", [0, 1])
def test_there_is_nothing_to_measure_in_a_catalog_of_one(n: int) -> None:
    index, _ = build_index(unit_vectors(n), IndexOptions())
    assert tune(index, unit_vectors(n), 0.98)[1] == UNMEASURED
    assert measured(index) == UNMEASURED


@pytest.mark.parametrize("n", [2, 5, 50])
def test_small_catalogs_have_fewer_neighbours(n: int) -> None:
    index, _ = build_index(unit_vectors(n), IndexOptions())
    found = tune(index, unit_vectors(n), 0.98)[1]
    assert (found.queries, found.recall_at_10, found.recall_at_100) == (n, 1.0, 1.0)


def test_a_measurement_survives_json() -> None:
    vectors = unit_vectors(1_500)
    index, _ = build_index(vectors, IndexOptions("hnsw"))
    found = tune(index, vectors, 0.9)[1]
    assert Measurement.of(json.loads(json.dumps(asdict(found)))) == found


def test_efforts_share_one_index() -> None:
    index, _ = build_index(unit_vectors(1_500), IndexOptions("hnsw"))
    other = index.at_effort(99)
    assert (other.effort, index.effort) != (index.effort, 99)
    assert other.effort == 99
    assert other._index is index._index
    assert other.nearest(unit_vectors(1)[0], 3, NONE)[0].tolist()[0] == 0
