"""Windows of a generation: built, updated, dropped, damaged; rows keep what is theirs."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.current import current_generation
from recommender.errors import GenerationError
from recommender.generation import Generation, open_generation
from recommender.index.grown import parts
from recommender.index.recipes import IndexOptions
from recommender.manifest import SEGMENTS
from recommender.press import How
from recommender.segment_index import SegmentIndex
from tests.builders import SPACE, Entry, folder_of, indexed, open_library, random_entries
from tests.segmented import (
    N_WINDOWS,
    SEGMENTED,
    TRACKS,
    UPDATING,
    published,
    segmented,
    store_segmented,
    windows_of,
)


def segments_of(generation: Generation) -> SegmentIndex:
    assert generation.segments is not None
    return generation.segments


def check_windows(generation: Generation, entry: Entry, n_windows: int = N_WINDOWS) -> None:
    """Those of a track are its own, in order, as far as they are kept."""
    segments, row = segments_of(generation), generation.arrays.row_of(entry.id)
    assert row is not None
    places, units = segments.of(row)
    wanted = windows_of(entry, n_windows)
    assert places.tolist() == wanted.places.tolist()
    centred = wanted.vectors - segments.projection.centre
    cosines = (units * centred).sum(axis=1) / np.linalg.norm(centred, axis=1)
    assert cosines.min(initial=1.0) > 0.999
    first = int(segments.spans[row, 0])
    assert (segments.rows[first : first + n_windows] == row).all()


def new_entries(count: int) -> list[Entry]:
    return [replace(e, id=f"{e.id}-new") for e in random_entries(count, seed=8)]


def test_every_track_has_its_windows_in_a_generation(tmp_path: Path) -> None:
    store_segmented(tmp_path, TRACKS)
    generation = published(tmp_path)
    record = generation.manifest.index.segments
    assert record is not None
    assert (record.n_windows, record.n_tracks) == (150 * N_WINDOWS, 150)
    assert (record.step_seconds, record.window_seconds, record.dimension) == (3.0, 3.0, 4)
    for entry in TRACKS[::20]:
        check_windows(generation, entry)
    files = {file for file in generation.manifest.files if file.startswith(f"{SEGMENTS}/")}
    assert files == set(record.files)
    assert generation.manifest.bytes_of(files) > record.n_windows * (2 * 4 + 8)


def test_windows_are_published_only_when_they_are_wanted(tmp_path: Path) -> None:
    store_segmented(tmp_path, TRACKS[:9])
    without = published(tmp_path, How())
    assert without.segments is None
    with_them = published(tmp_path)
    assert with_them.manifest.generation != without.manifest.generation
    # from now on they are, unless they are not wanted any more
    assert published(tmp_path, None).manifest.generation == with_them.manifest.generation
    assert published(tmp_path, How()).segments is None


def test_vectors_of_tracks_are_the_same_with_and_without_windows(tmp_path: Path) -> None:
    store_segmented(tmp_path, TRACKS)
    every = np.arange(len(TRACKS))
    one, other = (published(tmp_path, how) for how in (How(), SEGMENTED))
    assert one.manifest.space_id == other.manifest.space_id
    assert one.index.vectors(every).tobytes() == other.index.vectors(every).tobytes()


def test_tracks_without_windows_have_none(tmp_path: Path) -> None:
    store_segmented(tmp_path, TRACKS[:5])
    store_segmented(tmp_path, TRACKS[5:6], n_windows=0)
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in TRACKS[6:9]], SPACE)
        assert library.segmented(SPACE.id) == {e.id for e in TRACKS[:6]}
    generation = published(tmp_path)
    assert segments_of(generation).spans[:, 1].tolist() == [N_WINDOWS] * 5 + [0] * 4
    check_windows(generation, TRACKS[4])


@pytest.mark.parametrize("n_tracks", [0, 1])
def test_of_few_tracks_or_none_they_are_published_as_well(tmp_path: Path, n_tracks: int) -> None:
    store_segmented(tmp_path, TRACKS[:n_tracks])
    assert len(segments_of(published(tmp_path)).index) == n_tracks * N_WINDOWS


def test_many_dimensions_are_reduced_once_there_are_windows_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.segment_building.DIMENSION", 3)
    monkeypatch.setattr("recommender.segment_building.LEAST_FITTED", 150)
    store_segmented(tmp_path, TRACKS[:2])
    assert segments_of(published(tmp_path)).record.reduced is False
    store_segmented(tmp_path, TRACKS)
    segments = segments_of(published(tmp_path))
    assert (segments.record.reduced, segments.record.dimension) == (True, 3)
    assert segments.index.dimension == segments.projection.dimension == 3


# updates


@pytest.mark.parametrize("most_beside", [2_000, 10])
def test_an_update_adds_the_windows_of_new_tracks(tmp_path: Path, most_beside: int) -> None:
    how = replace(UPDATING, limits=replace(UPDATING.limits, most_beside=most_beside))
    store_segmented(tmp_path, TRACKS)
    before = published(tmp_path, how)
    new = new_entries(5)
    store_segmented(tmp_path, new)
    after = published(tmp_path, how)
    assert after.manifest.parent == before.manifest.generation
    for entry in (*TRACKS[::40], *new):
        check_windows(after, entry)
    assert segments_of(after).record.n_tracks == 155
    beside = len(parts(segments_of(after).index)[1])
    assert beside == (5 * N_WINDOWS if most_beside > 10 else 0)
    same = [
        (folder_of(tmp_path, g.manifest.generation) / SEGMENTS / "index.faiss").stat().st_ino
        for g in (before, after)
    ]
    assert len(set(same)) == (1 if beside else 2)


@pytest.mark.parametrize(
    ("kind", "quick", "budget"),
    [("hnsw-fp16", 0, 2**30), ("ivf-rabitq", 0, 1_000_000)],
)
def test_every_kind_of_their_index_is_searched_and_takes_more_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, quick: int, budget: int
) -> None:
    monkeypatch.setattr("recommender.segment_building.QUICK_SCAN_BYTES", quick)
    options = replace(UPDATING.options, memory_budget=budget)
    limits = replace(UPDATING.limits, most_beside=10)
    how = replace(UPDATING, options=options, limits=limits)
    store_segmented(tmp_path, TRACKS)
    before = published(tmp_path, how)
    new = new_entries(5)
    store_segmented(tmp_path, new)
    after = published(tmp_path, how)
    assert after.manifest.parent == before.manifest.generation
    for generation, entry in ((before, TRACKS[9]), (after, TRACKS[9]), (after, new[2])):
        segments, row = segments_of(generation), generation.arrays.row_of(entry.id)
        assert segments.record.recipe.kind == kind
        check_windows(generation, entry)
        assert row is not None
        found = [
            segments.rows[segments.index.nearest(unit, 1, np.empty(0, np.int64))[0][0]] == row
            for unit in segments.of(row)[1]
        ]
        assert np.mean(found) > 0.8


def test_an_update_without_new_windows_links_them(tmp_path: Path) -> None:
    store_segmented(tmp_path, TRACKS)
    before = published(tmp_path, UPDATING)
    with open_library(tmp_path) as library:
        library.forget_files([TRACKS[3].file])
    after = published(tmp_path, UPDATING)
    assert after.manifest.parent == before.manifest.generation
    record = after.manifest.index.segments
    assert record == before.manifest.index.segments
    assert record is not None
    for name in record.files:
        inodes = {
            (folder_of(tmp_path, g.manifest.generation) / name).stat().st_ino
            for g in (before, after)
        }
        assert len(inodes) == (2 if name.endswith("spans.npy") else 1)


def test_windows_that_came_after_their_track_are_added(tmp_path: Path) -> None:
    store_segmented(tmp_path, TRACKS[1:])
    with open_library(tmp_path) as library:
        library.store([indexed(TRACKS[0])], SPACE)
    before = published(tmp_path, UPDATING)
    assert segments_of(before).spans[0].tolist() == [0, 0]
    store_segmented(tmp_path, TRACKS[:1])
    after = published(tmp_path, UPDATING)
    assert after.manifest.parent == before.manifest.generation
    assert after.manifest.n_rows == 150
    check_windows(after, TRACKS[0])
    check_windows(after, TRACKS[1])


def test_an_older_generation_can_be_served_with_its_windows(tmp_path: Path) -> None:
    store_segmented(tmp_path, TRACKS)
    before = published(tmp_path, UPDATING).manifest.generation
    store_segmented(tmp_path, new_entries(3))
    published(tmp_path, UPDATING)
    check_windows(open_generation(tmp_path, before), TRACKS[7])


# damage


@pytest.mark.parametrize("name", ["spans.npy", "rows.npy", "places.npy", "index.faiss"])
def test_a_damaged_file_is_noticed(tmp_path: Path, name: str) -> None:
    store_segmented(tmp_path, TRACKS[:9])
    published(tmp_path)
    generation = current_generation(tmp_path)
    path = folder_of(tmp_path, generation) / SEGMENTS / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(GenerationError, match=rf"{SEGMENTS}/{name} is damaged"):
        open_generation(tmp_path, generation)
    shutil.rmtree(path.parent)
    with pytest.raises(GenerationError, match="is missing or cut"):
        open_generation(tmp_path, generation)


def test_damaged_windows_in_the_library_are_refused_by_name(tmp_path: Path) -> None:
    store_segmented(tmp_path, TRACKS[:3])
    wrong = segmented(TRACKS[3])
    assert wrong.segments is not None
    wrong = replace(
        wrong, segments=replace(wrong.segments, vectors=np.ones((N_WINDOWS, 3), np.float32))
    )
    with open_library(tmp_path) as library:
        library.store([wrong], SPACE)
    with pytest.raises(GenerationError, match=f"track_id={TRACKS[3].id} has damaged segments"):
        published(tmp_path)


def test_kinds_of_the_index_of_windows_fit_half_of_the_budget(tmp_path: Path) -> None:
    store_segmented(tmp_path, TRACKS)
    kinds = [
        segments_of(published(tmp_path, How(IndexOptions(memory_budget=b, segments=True))))
        for b in (2**30, 4 * 6_000 * 4 - 2)
    ]
    assert [one.record.recipe.kind for one in kinds] == ["flat-fp16", "ivf-rabitq"]
