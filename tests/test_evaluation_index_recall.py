"""Index recall against exact search."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from indexer.evaluation.index_recall import (
    DEPTHS,
    EFFORTS,
    Search,
    drawn,
    enlarged,
    graph_curve,
    index_figures,
    kth_cosines,
    searched,
)
from indexer.evaluation.subject import open_subject
from recommender.arrays import FloatArray, Rows
from recommender.generation import normalised
from recommender.index import VectorIndex
from recommender.index.exact import ExactIndex
from recommender.selection import Selection
from tests.builders import publish_entries, random_entries


class WorstIndex(ExactIndex):
    """Answers with the farthest rows."""

    def nearest(
        self, query: FloatArray, k: int, excluded: Rows, allowed: Selection | None = None
    ) -> tuple[Rows, FloatArray]:
        rows, cosines = super().nearest(query, len(self), excluded, allowed)
        return rows[::-1][:k], cosines[::-1][:k]


class HalfIndex(ExactIndex):
    """Knows every second answer only."""

    def nearest(
        self, query: FloatArray, k: int, excluded: Rows, allowed: Selection | None = None
    ) -> tuple[Rows, FloatArray]:
        rows, cosines = super().nearest(query, 2 * k, excluded, allowed)
        return rows[::2][:k], cosines[::2][:k]


class VainIndex(ExactIndex):
    """Answers with the query itself, again and again."""

    def nearest(
        self, query: FloatArray, k: int, excluded: Rows, allowed: Selection | None = None
    ) -> tuple[Rows, FloatArray]:
        return np.repeat(excluded, k), np.ones(k, np.float32)


def unit_vectors(n: int, seed: int = 0) -> FloatArray:
    return normalised(np.random.default_rng(seed).normal(size=(n, 8)).astype(np.float32))


def asked(index: VectorIndex, vectors: FloatArray, queries: Rows) -> Search:
    return searched(index, vectors, queries, kth_cosines(vectors, queries, DEPTHS))


def every(n: int) -> Rows:
    return np.arange(n, dtype=np.int64)


def test_exact_search_finds_everything() -> None:
    vectors = unit_vectors(150)
    search = asked(ExactIndex(vectors), vectors, every(150))
    assert {k: float(v.min()) for k, v in search.recall.items()} == {1: 1.0, 10: 1.0, 100: 1.0}
    assert (search.milliseconds > 0).all()


def test_an_index_that_knows_half_has_half_the_recall() -> None:
    vectors = unit_vectors(300)
    recall = asked(HalfIndex(vectors), vectors, every(300)).recall
    assert {k: float(v.mean()) for k, v in recall.items()} == {1: 1.0, 10: 0.5, 100: 0.5}


def test_the_farthest_rows_are_no_neighbours() -> None:
    vectors = unit_vectors(300)
    recall = asked(WorstIndex(vectors), vectors, every(300)).recall
    assert {k: float(v.mean()) for k, v in recall.items()} == {1: 0.0, 10: 0.0, 100: 0.0}


def test_nothing_is_its_own_neighbour_and_nothing_counts_twice() -> None:
    vectors = unit_vectors(120)
    recall = asked(VainIndex(vectors), vectors, every(120)).recall
    assert {k: float(v.max()) for k, v in recall.items()} == {1: 0.0, 10: 0.0, 100: 0.0}


def test_an_index_of_other_vectors_has_no_recall(tmp_path: Path) -> None:
    publish_entries(tmp_path, random_entries(120))
    subject = open_subject(tmp_path)
    wrong = np.random.default_rng(0).permutation(subject.vectors)
    generation = replace(subject.generation, index=ExactIndex(wrong))
    figures = index_figures(replace(subject, generation=generation, vectors=wrong), seed=0)
    found = {(f.subject, f.metric): f.value for f in figures}
    assert found["served", "recall@10"] < 0.3
    assert found["exact", "recall@10"] == 1.0


def test_any_of_equal_neighbours_will_do() -> None:
    vectors = np.repeat(unit_vectors(1), 30, axis=0)
    recall = asked(WorstIndex(vectors), vectors, every(30)).recall
    assert all(float(v.min()) == 1.0 for v in recall.values())


def test_depths_end_with_the_catalog() -> None:
    vectors = unit_vectors(6)
    assert list(asked(ExactIndex(vectors), vectors, every(6)).recall) == [1, 5]


def test_the_served_index_and_the_service_answer_exactly(tmp_path: Path) -> None:
    publish_entries(tmp_path, random_entries(120))
    figures = {(f.subject, f.metric): f for f in index_figures(open_subject(tmp_path), seed=0)}
    assert figures["served", "recall@1"].value == 1.0
    assert figures["served", "recall@10"].value == 1.0
    assert figures["served", "recall@100"].value == 1.0
    assert figures["service", "same answers@10"].value == 1.0
    assert figures["served", "latency (ms)"].n == 120


def test_more_effort_in_a_graph_finds_more() -> None:
    vectors = normalised(np.random.default_rng(1).normal(size=(4000, 64)).astype(np.float32))
    recall = [search.recall[10].mean() for search in graph_curve(vectors, seed=0).values()]
    assert len(recall) == len(EFFORTS)
    assert recall[0] < 0.99 < recall[-1]
    assert recall == sorted(recall)


def test_an_enlarged_catalog_stays_near_the_real_one() -> None:
    vectors = unit_vectors(50)
    more = enlarged(vectors, 500, seed=0)
    assert more.shape == (500, 8)
    np.testing.assert_allclose(np.linalg.norm(more, axis=1), 1.0, atol=1e-5)
    to_real = (more @ vectors.T).max(axis=1)
    to_random = (unit_vectors(500, seed=9) @ vectors.T).max(axis=1)
    assert to_real.mean() > to_random.mean() + 0.1
    assert enlarged(vectors, 20, seed=3).tolist() == enlarged(vectors, 20, seed=3).tolist()


def test_all_queries_are_drawn_when_there_are_few() -> None:
    assert drawn(4, 10, seed=0).tolist() == [0, 1, 2, 3]
    assert len(set(drawn(100, 10, seed=0).tolist())) == 10
