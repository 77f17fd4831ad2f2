"""Leave-one-out retrieval by label."""

from pathlib import Path

import numpy as np
import pytest

from indexer.evaluation import retrieval
from indexer.evaluation.retrieval import (
    MAX_SEEDS,
    Task,
    coded,
    cosine_scorer,
    per_seed,
    random_scorer,
    retrieval_figures,
    tasks_of,
)
from indexer.evaluation.subject import Subject, open_subject
from recommender.arrays import FloatArray
from recommender.generation import normalised
from tests.builders import Entry, entry, publish_entries

# two artists with two albums each; the second album of Ada sounds like the first of Björk
CATALOG = (
    ("a0", "Ada", "One", (1.0, 0.0, 0.0, 0.0)),
    ("a1", "ada", "One", (1.0, 0.1, 0.0, 0.0)),
    ("a2", "ADA ", "Two", (0.0, 1.0, 0.1, 0.0)),
    ("b0", "Björk", "Three", (0.0, 1.0, 0.0, 0.0)),
    ("b1", "Bjork", "Four", (0.0, 0.0, 1.0, 0.0)),
    ("c0", "", "", (0.0, 0.0, 0.0, 1.0)),
)


def catalog(tmp_path: Path) -> Subject:
    publish_entries(
        tmp_path,
        [
            entry(id_, vector, artist=artist, album=album, genre="rock" if id_ < "b" else "")
            for id_, artist, album, vector in CATALOG
        ],
    )
    return open_subject(tmp_path)


def whole(labels: list[str], filters: tuple[list[str], ...] = ()) -> Task:
    """A task in which every track is a seed."""
    seeds = np.arange(len(labels), dtype=np.int64)
    return Task("same label", coded(labels), tuple(coded(f) for f in filters), seeds)


def unit_vectors(n: int, dimension: int = 8, seed: int = 0) -> FloatArray:
    drawn = np.random.default_rng(seed).normal(size=(n, dimension))
    return normalised(drawn.astype(np.float32))


def test_labels_are_numbered_and_unknown_ones_are_shared_with_nobody() -> None:
    codes = coded(["b", "", "a", "b", ""])
    assert codes.tolist() == [2, -1, 1, 2, -1]
    task = whole(["b", "", "a", "b", ""])
    assert task.right(np.array([0, 1])).tolist() == [[True, False, False, True, False], [False] * 5]


def test_the_seed_and_what_shares_a_filtered_label_may_not_answer() -> None:
    task = whole(["x"] * 4, (["p", "p", "q", ""],))
    assert task.allowed(np.array([0, 3])).tolist() == [
        [False, False, True, True],
        [True, True, True, False],
    ]


def test_tasks_ask_only_what_can_be_answered(tmp_path: Path) -> None:
    tasks = {task.name: task.seeds.tolist() for task in tasks_of(catalog(tmp_path))}
    assert tasks == {
        "same artist": [0, 1, 2, 3, 4],
        "same artist, without the album": [0, 1, 2, 3, 4],
        "same album": [0, 1],
        "same genre": [0, 1, 2],
        "same genre, without the album": [0, 1, 2],
    }


def test_an_album_tagged_in_two_ways_is_no_other_album(tmp_path: Path) -> None:
    publish_entries(
        tmp_path,
        [
            entry("a", (1, 0, 0, 0), artist="Ada", album="One", album_artist="Ada"),
            entry("b", (0, 1, 0, 0), artist="Ada", album="One"),
            entry("c", (0, 0, 1, 0), artist="Ada", album="Two"),
        ],
    )
    tasks = {task.name: task for task in tasks_of(open_subject(tmp_path))}
    assert "same album" not in tasks
    without = tasks["same artist, without the album"]
    assert without.allowed(np.array([0])).tolist() == [[False, False, True]]


def test_figures_are_those_worked_out_by_hand() -> None:
    vectors = normalised(np.array([[1, 0], [1, 0.1], [1, 0.5], [0, 1]], np.float32))
    # nearest first: 0 -> 1 2 3, 1 -> 0 2 3, 2 -> 1 0 3, 3 -> 2 1 0
    values = per_seed(cosine_scorer(vectors), whole(["x", "y", "x", "y"]))
    assert values["MAP"].tolist() == [1 / 2, 1 / 3, 1 / 2, 1 / 2]
    assert values["MRR"].tolist() == [1 / 2, 1 / 3, 1 / 2, 1 / 2]
    assert values["hit rate@10"].tolist() == [1, 1, 1, 1]
    assert values["precision@10"] == pytest.approx([0.1] * 4)


def test_the_album_filter_takes_the_easy_answers_away(tmp_path: Path) -> None:
    subject = catalog(tmp_path)
    tasks = {task.name: task for task in tasks_of(subject)}
    scorer = cosine_scorer(subject.vectors)
    with_album = per_seed(scorer, tasks["same artist"])["MRR"]
    without = per_seed(scorer, tasks["same artist, without the album"])["MRR"]
    assert with_album[:2].tolist() == [1.0, 1.0]
    assert (without[:2] < 1.0).all()


def test_identical_duplicates_score_one() -> None:
    vectors = np.repeat(unit_vectors(40), 2, axis=0)
    labels = [str(i // 2) for i in range(80)]
    values = per_seed(cosine_scorer(vectors), whole(labels))
    assert all(metric.min() == 1.0 for name, metric in values.items() if name != "precision@10")


def test_shuffled_vectors_score_like_random() -> None:
    n, size = 400, 10
    labels = [str(i // size) for i in range(n)]
    centres = np.repeat(unit_vectors(n // size, seed=1), size, axis=0)
    vectors = normalised(centres + np.float32(0.1) * unit_vectors(n, seed=2))
    shuffled = np.random.default_rng(3).permutation(vectors)
    task = whole(labels)
    real, mixed, chance = (
        {f.metric: f for f in retrieval_figures("x", scorer, [task])}["MAP"]
        for scorer in (cosine_scorer(vectors), cosine_scorer(shuffled), random_scorer(n, 0))
    )
    assert real.value > 0.9
    assert mixed.low < chance.value < mixed.high
    assert chance.low < mixed.value < chance.high


def test_large_catalogs_are_sampled_in_the_same_way_for_the_same_seed(tmp_path: Path) -> None:
    entries = [
        Entry(f"t{i:05}", v.tolist(), entry("", (), album=f"album {i % 50}").metadata)
        for i, v in enumerate(unit_vectors(MAX_SEEDS + 500, 4))
    ]
    publish_entries(tmp_path, entries)
    subject = open_subject(tmp_path)
    one, again, other = (tasks_of(subject, seed)[0].seeds for seed in (1, 1, 2))
    assert len(one) == MAX_SEEDS
    assert one.tolist() == again.tolist()
    assert one.tolist() != other.tolist()
    assert (np.diff(one) > 0).all()


def test_another_seed_gives_figures_within_the_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "MAX_SEEDS", 300)
    vectors = unit_vectors(1000, 4, seed=5)
    label = np.arange(1000) % 7
    vectors[:, 0] += np.float32(0.3) * label
    publish_entries(
        tmp_path,
        [
            Entry(f"t{i:05}", v.tolist(), entry("", (), genre=f"genre {c}").metadata)
            for i, (v, c) in enumerate(zip(vectors, label, strict=True))
        ],
    )
    subject = open_subject(tmp_path)
    scorer = cosine_scorer(subject.vectors)
    one, again, other = (
        retrieval_figures("served", scorer, tasks_of(subject, seed)) for seed in (1, 1, 2)
    )
    assert one == again
    assert all(a.low <= b.value <= a.high for a, b in zip(one, other, strict=True))
