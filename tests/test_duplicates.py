"""Which rows are copies of one recording: known answers, chains, updates against whole builds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.arrays import FloatArray
from recommender.duplicates import (
    MOST_COPIES,
    MOST_NAMESAKES,
    Recordings,
    recordings_of,
    updated_recordings,
)
from recommender.generation import Generation
from recommender.index.faiss import FaissIndex
from recommender.manifest import RECORDINGS, SONGS
from recommender.neighbours import Neighbours, neighbours_of, no_lists, updated
from recommender.selection import Selection
from recommender.songs import SONG, Songs, song_of
from recommender.track import Metadata, Track
from tests.builders import Entry
from tests.updates import TRACKS, brought_up_to_date, forget, new_entries, same_file, store

DIMENSION = 48


def songs_of(names: list[Metadata], seconds: float = 180.0) -> Songs:
    return np.array([song_of(Track(str(i), seconds, name)) for i, name in enumerate(names)], SONG)


def unit(vectors: np.ndarray[Any, Any]) -> FloatArray:
    units: FloatArray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(
        np.float32
    )
    return units


def apart(count: int, seed: int = 1) -> FloatArray:
    return unit(np.random.default_rng(seed).standard_normal((count, DIMENSION)))


def near(vectors: FloatArray, cosine: float, seed: int = 2) -> FloatArray:
    """Vectors at a cosine of others."""
    drawn = np.random.default_rng(seed).standard_normal(vectors.shape)
    across = unit(drawn - (drawn * vectors).sum(axis=1, keepdims=True) * vectors)
    return unit(cosine * vectors + np.sqrt(1 - cosine**2) * across)


def grouped(vectors: FloatArray, songs: Songs, listed: bool = True) -> set[frozenset[int]]:
    index = FaissIndex.build(vectors)
    lists, changed = neighbours_of(index) if listed else no_lists()[0], no_lists()[1]
    return groups(recordings_of(songs, index, Neighbours(lists, changed)))


def groups(recordings: Recordings) -> set[frozenset[int]]:
    assert recordings.dtype == np.int32
    found = {
        frozenset(np.flatnonzero(recordings == number).tolist())
        for number in np.unique(recordings[recordings >= 0])
    }
    assert all(len(group) > 1 for group in found)
    return found


def named(count: int) -> list[Metadata]:
    return [Metadata(title=f"Song of {i}", artist="Kitto") for i in range(count)]


@pytest.mark.parametrize("listed", [True, False])
def test_copies_with_the_same_names_are_found_with_lists_of_neighbours_and_without(
    listed: bool,
) -> None:
    first = apart(40)
    vectors = np.concatenate([first, near(first[:10], 0.8), near(first[:5], 0.7, seed=3)])
    songs = songs_of([*named(40), *named(10), *named(5)])
    assert grouped(vectors, songs, listed) == {frozenset({i, 40 + i}) for i in range(10)}


@pytest.mark.usefixtures("told_by_sound")
def test_copies_without_names_are_found_among_neighbours() -> None:
    first = apart(40)
    vectors = np.concatenate([first, near(first[:10], 0.95)])
    assert grouped(vectors, songs_of([Metadata()] * 50)) == {
        frozenset({i, 40 + i}) for i in range(10)
    }
    assert grouped(vectors, songs_of(named(50))) == set()


def test_copies_of_copies_are_copies() -> None:
    first = apart(30)
    second = near(first[:1], 0.9)
    third = unit(second + 0.2 * (second - first[:1]))
    cosine = float(first[0] @ third[0])
    assert 0.75 < cosine < 0.86
    names = [*named(30), replace(named(1)[0], title="Song of 0 (a)"), named(1)[0]]
    assert grouped(np.concatenate([first, second, third]), songs_of(names)) == {
        frozenset({0, 30, 31})
    }


def test_a_chain_that_leads_too_far_away_is_cut() -> None:
    """Each is like the next, and the last is like nothing that the first is like."""
    at = np.arange(6) * np.arccos(0.9)
    chain = np.zeros((6, DIMENSION))
    chain[:, 0], chain[:, 1] = np.cos(at), np.sin(at)
    vectors = np.concatenate([unit(chain), apart(30)])
    songs = songs_of([*[named(1)[0]] * 6, *[Metadata()] * 30])
    found = grouped(vectors, songs)
    assert found
    for group in found:
        members = sorted(group)
        assert (vectors[members] @ vectors[members].T).min() >= 0.75 - 1e-6
    assert max(map(len, found)) == 2


@pytest.mark.usefixtures("told_by_sound")
def test_a_track_without_a_name_does_not_make_one_of_two_songs() -> None:
    first = apart(30)
    both = near(np.repeat(first[:1], 2, axis=0), 0.97)
    names = [Metadata(), Metadata(title="One"), Metadata(title="Two"), *named(29)]
    vectors = np.concatenate([first[:1], both, first[1:]])
    [group] = grouped(vectors, songs_of(names))
    assert len(group) == 2
    assert 0 in group


def test_a_title_of_very_many_songs_is_looked_for_among_neighbours_only() -> None:
    count = MOST_NAMESAKES + 30
    vectors = apart(count)
    vectors[1] = near(vectors[:1], 0.9)[0]
    songs = songs_of([Metadata(title="Home", artist="Kitto")] * count)
    assert grouped(vectors, songs) == {frozenset({0, 1})}
    assert grouped(vectors, songs, listed=False) == set()


def test_no_recording_has_more_than_so_many_copies() -> None:
    count = MOST_COPIES + 100
    vectors = np.repeat(apart(1), count, axis=0)
    songs = songs_of([Metadata(title="Silence", artist="Nobody")] * count)
    assert max(map(len, grouped(vectors, songs))) <= MOST_COPIES


def test_an_empty_catalog_has_no_copies() -> None:
    assert grouped(np.empty((0, DIMENSION), np.float32), songs_of([])) == set()


@given(st.integers(0, 2**32), st.integers(0, 20), st.integers(0, 20))
@settings(max_examples=40)
def test_an_update_finds_what_a_whole_build_does(seed: int, n_new: int, n_removed: int) -> None:
    random = np.random.default_rng(seed)
    of = np.concatenate([np.arange(40), random.integers(40, size=40)])
    vectors = near(apart(40)[of], 0.93, seed)
    songs = songs_of([named(40)[i] for i in of])
    n_old = 80 - n_new
    index, ids = (
        FaissIndex.build(vectors[:n_old]),
        np.array([f"{i:03}".encode() for i in range(80)]),
    )
    lists = Neighbours(neighbours_of(index), no_lists()[1])
    before = recordings_of(songs[:n_old], index, lists)
    # some leave, some come, and one is called otherwise
    removed = random.permutation(n_old)[:n_removed]
    kept = np.setdiff1d(np.arange(80), removed)
    live = Selection.of(kept, 80) if n_removed else None
    songs[kept[0]] = songs_of([named(41)[40]])[0]
    whole = FaissIndex.build(vectors)
    new = np.arange(n_old, 80)
    after = Neighbours(*updated(lists, whole, new, live, ids))
    changed = np.concatenate([removed, kept[:1], new])
    found = updated_recordings(before, songs, whole, after, live, changed)
    assert groups(found) == {
        frozenset(kept[list(group)].tolist()) for group in grouped(vectors[kept], songs[kept])
    }


def titled(entries: list[Entry], *, copies: str = "") -> list[Entry]:
    return [
        replace(e, id=e.id + copies, metadata=Metadata(title=f"Song {e.id}", artist="Kitto"))
        for e in entries
    ]


def recordings_by_id(generation: Generation) -> set[frozenset[str]]:
    names = generation.arrays.names(np.arange(generation.manifest.n_rows))
    return {frozenset(names[row] for row in rows) for rows in groups(generation.arrays.recordings)}


def test_publishing_finds_copies_and_keeps_them_up_to_date(tmp_path: Path) -> None:
    originals, copies = titled(TRACKS), titled(TRACKS[:20], copies="-copy")
    store(tmp_path, [*originals, *copies[:10]])
    first = brought_up_to_date(tmp_path)
    assert recordings_by_id(first) == {frozenset({e.id, e.id + "-copy"}) for e in originals[:10]}
    store(tmp_path, [*copies[10:], *titled(new_entries(3))])
    forget(tmp_path, copies[:4])
    second = brought_up_to_date(tmp_path)
    assert second.manifest.parent == first.manifest.generation
    assert recordings_by_id(second) == {frozenset({e.id, e.id + "-copy"}) for e in originals[4:20]}
    assert not same_file(tmp_path, first, second, SONGS)
    retitled = replace(originals[5], metadata=Metadata(title="Another", artist="Kitto"))
    store(tmp_path, [retitled])
    third = brought_up_to_date(tmp_path)
    assert recordings_by_id(third) == recordings_by_id(second) - {
        frozenset({retitled.id, f"{retitled.id}-copy"})
    }


def test_what_has_nothing_to_do_with_copies_leaves_the_files_of_them(tmp_path: Path) -> None:
    originals = titled(TRACKS)
    store(tmp_path, [*originals, *titled(TRACKS[:5], copies="-copy")])
    first = brought_up_to_date(tmp_path)
    other = replace(originals[50], metadata=replace(originals[50].metadata, genre="Jazz"))
    store(tmp_path, [other])
    second = brought_up_to_date(tmp_path)
    assert second.manifest.parent == first.manifest.generation
    assert same_file(tmp_path, first, second, RECORDINGS)
    assert same_file(tmp_path, first, second, SONGS)
