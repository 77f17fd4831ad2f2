from pathlib import Path

import numpy as np
import pytest

from recommender import slices
from recommender.arrays import FloatArray
from recommender.index import faiss as faiss_index
from recommender.index.faiss import FaissIndex
from recommender.index.recipes import KINDS, IndexOptions, plan
from recommender.index.truth import Truth, drawn
from recommender.neighbours import (
    LISTED,
    MOST_CHANGED,
    Lists,
    Neighbours,
    listed_recall,
    neighbours_of,
    no_lists,
    updated,
)
from recommender.ranking import similarity
from recommender.selection import Selection
from recommender.slices import RowFile
from tests.contracts_index import unit_vectors

# not in the order of rows
IDS = np.array([f"{(7 * row) % 2_000:04}".encode() for row in range(2_000)], dtype=np.bytes_)


def indexed(vectors: FloatArray, kind: str = "flat") -> FaissIndex:
    return FaissIndex.build(vectors, plan(len(vectors), vectors.shape[1], IndexOptions(kind)))


def clustered(n: int) -> FloatArray:
    """Unit vectors around others, as tracks around styles."""
    rng = np.random.default_rng(3)
    centres = unit_vectors(40, seed=1, dimension=32)
    vectors = centres[rng.integers(40, size=n)] + 0.1 * rng.standard_normal((n, 32))
    units: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units.astype(np.float32)


def expected(vectors: FloatArray, row: int, among: list[int]) -> list[float]:
    """The similarities of a row's list, by comparing it with every other."""
    others = [other for other in among if other != row]
    cosines = vectors[others].astype(np.float64) @ vectors[row].astype(np.float64)
    return sorted(similarity(cosines).tolist(), reverse=True)[:LISTED]


def similarities(found: Lists | None) -> list[float]:
    assert found is not None
    return [value / 1e6 for value in found[1].tolist() if value >= 0]


@pytest.mark.parametrize("kind", ["flat", "flat-fp16"])
def test_lists_of_exact_kinds_are_what_comparing_all_finds(kind: str) -> None:
    index = indexed(np.concatenate([unit_vectors(300), unit_vectors(5)]), kind)
    vectors = index.vectors(np.arange(305))
    lists = neighbours_of(index)
    assert lists.shape == (305, 2, LISTED)
    for row in (0, 4, 77, 304):
        assert similarities(lists[row]) == expected(vectors, row, list(range(305)))
        assert row not in lists[row, 0]
        assert len(set(lists[row, 0].tolist())) == LISTED


def test_lists_of_a_few_tracks_end_with_the_last_of_them() -> None:
    lists = neighbours_of(indexed(unit_vectors(3)))
    assert sorted(lists[1, 0, :2].tolist()) == [0, 2]
    assert (lists[:, :, 2:] == -1).all()
    assert (neighbours_of(indexed(unit_vectors(1))) == -1).all()
    assert neighbours_of(indexed(unit_vectors(0))).shape == (0, 2, LISTED)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("flat")])
def test_lists_of_other_kinds_hold_nearly_all(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "MOST_COMPARED", 0)
    vectors = clustered(3_000)
    index = indexed(vectors, kind)
    lists = Neighbours(neighbours_of(index), no_lists()[1])
    truth = Truth.of(drawn(np.arange(3_000), 50), index.vectors, 3_000)
    recall = listed_recall(lists, truth, index.vectors, None)
    assert recall is not None
    assert recall > 0.9


def test_among_too_many_tracks_to_compare_nothing_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faiss_index, "MOST_COMPARED", 10)
    lists = Neighbours(neighbours_of(indexed(unit_vectors(11))), no_lists()[1])
    assert lists.of(3) is None
    assert updated(lists, indexed(unit_vectors(12)), np.array([11]), None, IDS)[0].shape[0] == 0


def test_recall_of_lists_is_the_share_that_they_hold() -> None:
    index = indexed(unit_vectors(200))
    lists = neighbours_of(index)
    truth = Truth.of(np.arange(200), index.vectors, 200)
    assert listed_recall(Neighbours(lists, no_lists()[1]), truth, index.vectors, None) == 1.0
    # the nearest of each is missing, and what came eleventh is no substitute
    shifted = np.concatenate([lists[:, :, 1:], np.full((200, 2, 1), -1, np.int32)], axis=2)
    found = listed_recall(Neighbours(shifted, no_lists()[1]), truth, index.vectors, None)
    assert found == pytest.approx(0.9)
    assert listed_recall(Neighbours(*no_lists()), truth, index.vectors, None) is None


def test_new_tracks_are_listed_and_enter_the_lists_of_others() -> None:
    vectors = unit_vectors(90)
    before = Neighbours(neighbours_of(indexed(vectors[:80])), no_lists()[1])
    lists, changed = updated(before, indexed(vectors), np.arange(80, 90), None, IDS)
    after = Neighbours(lists, changed)
    for row in range(90):
        assert similarities(after.of(row)) == expected(vectors, row, list(range(90)))


def test_dead_tracks_enter_no_list() -> None:
    vectors = unit_vectors(90)
    before = Neighbours(neighbours_of(indexed(vectors[:80])), no_lists()[1])
    live = Selection.of(np.arange(10, 90), 90)
    after = Neighbours(*updated(before, indexed(vectors), np.arange(80, 90), live, IDS))
    for row in range(80, 90):
        found = after.of(row)
        assert found is not None
        assert found[0].min() >= 10
        assert similarities(found) == expected(vectors, row, list(range(10, 90)))


def test_lists_stay_in_their_file_until_many_have_changed() -> None:
    vectors = clustered(1_200)
    first = Neighbours(neighbours_of(indexed(vectors[:1_000])), no_lists()[1])
    few = updated(first, indexed(vectors[:1_002]), np.arange(1_000, 1_002), None, IDS)
    assert few[0] is first.lists
    assert 2 <= len(few[1]) <= MOST_CHANGED * 1_000
    many = updated(Neighbours(*few), indexed(vectors), np.arange(1_002, 1_200), None, IDS)
    assert many[0].shape == (1_200, 2, LISTED)
    assert len(many[1]) == 0
    assert Neighbours(*many).of(1_001) is not None


def test_of_equal_neighbours_the_first_by_id_comes_first() -> None:
    vectors = np.concatenate([unit_vectors(40), np.repeat(unit_vectors(1, seed=9), 6, axis=0)])
    before = Neighbours(neighbours_of(indexed(vectors[:43])), no_lists()[1])
    assert similarities(before.of(41))[:2] == [1.0, 1.0]
    first = before.of(41)
    assert first is not None
    assert first[0, :2].tolist() == [40, 42]
    after = Neighbours(*updated(before, indexed(vectors), np.arange(43, 46), None, IDS))
    for row in range(40, 46):
        found = after.of(row)
        assert found is not None
        others = sorted(set(range(40, 46)) - {row}, key=lambda other: IDS[other])
        assert found[0, :5].tolist() == others


def test_lists_of_a_large_catalog_are_read_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, file = unit_vectors(90), tmp_path / "neighbours.npy"
    np.save(file, neighbours_of(indexed(vectors[:80])))
    monkeypatch.setattr(slices, "MOST_MAPPED_BYTES", 0)
    before = Neighbours(RowFile.of(file), no_lists()[1])
    assert isinstance(before.lists, RowFile)
    after = Neighbours(*updated(before, indexed(vectors), np.arange(80, 90), None, IDS))
    for row in range(90):
        assert similarities(after.of(row)) == expected(vectors, row, list(range(90)))


def test_lists_are_searched_for_as_hard_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "MOST_COMPARED", 0)
    vectors = unit_vectors(4_000, dimension=48)
    index = indexed(vectors, "ivf-rabitq").at_effort(1)
    truth = Truth.within(index, None, 100)
    assert truth is not None

    def recall(wanted: float) -> float:
        lists = Neighbours(neighbours_of(index, truth, wanted), no_lists()[1])
        return listed_recall(lists, truth, index.vectors, None) or 0.0

    usual = recall(0.0)
    assert usual + 0.1 <= recall(usual + 0.1) < recall(1.0) < 1.0
