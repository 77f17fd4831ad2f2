"""Updates of a generation: what changed, nothing else, and as a whole when that is better."""

import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.engine import Recommender
from recommender.filters import Filters
from recommender.generation import Generation, open_generation
from recommender.index import tuning
from recommender.index.measurement import Measurement
from recommender.index.recipes import IndexOptions
from recommender.manifest import CENTRE, IDS, TAGS, Manifest
from recommender.press import How
from recommender.publishing import publish
from recommender.questions import Options
from recommender.updating import Limits
from tests.builders import (
    DIMENSION,
    LIBRARY_FILE,
    SPACE,
    Entry,
    entry,
    folder_of,
    indexed,
    open_library,
    random_entries,
)

TRACKS = random_entries(300, seed=3)
LIMITS = Limits(least_rows=100)
HNSW = How(IndexOptions("hnsw"), limits=LIMITS)


def brought_up_to_date(data_dir: Path, how: How = HNSW) -> Generation:
    with open_library(data_dir) as library:
        return open_generation(data_dir, publish(data_dir, library, SPACE, how))


def store(data_dir: Path, entries: Sequence[Entry]) -> None:
    with open_library(data_dir) as library:
        library.store([indexed(e) for e in entries], SPACE)


def forget(data_dir: Path, entries: Sequence[Entry]) -> None:
    with open_library(data_dir) as library:
        library.forget_files([e.file for e in entries])


@pytest.fixture
def before(tmp_path: Path) -> Generation:
    store(tmp_path, TRACKS)
    return brought_up_to_date(tmp_path)


def new_entries(count: int, seed: int = 8) -> list[Entry]:
    """New ones, whose ids lie between those that there are."""
    return [replace(e, id=f"{e.id}-new") for e in random_entries(count, seed)]


def reason_for_building(caplog: pytest.LogCaptureFixture) -> str:
    [record] = [r for r in caplog.records if r.name == "recommender.updating"]
    return record.getMessage()


def test_new_tracks_are_added_at_the_end_and_found(tmp_path: Path, before: Generation) -> None:
    new = new_entries(7)
    store(tmp_path, new)
    after = brought_up_to_date(tmp_path)
    manifest = after.manifest
    assert manifest.parent == before.manifest.generation
    assert (manifest.n_tracks, manifest.n_rows, manifest.index.n_built) == (307, 307, 300)
    assert after.rows_of([e.id for e in new])[0].tolist() == list(range(300, 307))
    assert after.track_ids == sorted(e.id for e in [*TRACKS, *new])
    for one in new:
        twin = entry("twin", one.vector)
        found = Recommender(after).similar(one.id, Options(limit=5))
        assert one.id not in [match.track.id for match in found.matches]
        [nearest], _ = after.index.nearest(
            after.project(np.array(twin.vector, np.float32)), 1, np.empty(0, np.int64)
        )
        assert after.arrays.names(np.array([nearest])) == [one.id]


def test_the_projection_stays_the_one_that_was_fitted(tmp_path: Path, before: Generation) -> None:
    store(tmp_path, new_entries(7))
    after = brought_up_to_date(tmp_path)
    np.testing.assert_array_equal(after.projection.centre, before.projection.centre)
    np.testing.assert_array_equal(
        after.index.vectors(np.arange(300)), before.index.vectors(np.arange(300))
    )


def test_the_mean_follows_what_is_there(tmp_path: Path, before: Generation) -> None:
    store(tmp_path, new_entries(7))
    forget(tmp_path, TRACKS[:5])
    after = brought_up_to_date(tmp_path)
    live = after.index.vectors(after.arrays.order.astype(np.int64))
    np.testing.assert_allclose(after.arrays.means[1], live.mean(axis=0), atol=1e-6)
    np.testing.assert_array_equal(after.arrays.means[0], before.arrays.means[0])


@pytest.mark.parametrize(
    "kind", ["flat", "flat-fp16", "flat-sq8", "hnsw", "hnsw-fp16", "hnsw-sq8", "ivf-rabitq"]
)
def test_a_track_that_left_is_never_found_again(tmp_path: Path, kind: str) -> None:
    how = How(IndexOptions(kind), accept_low_recall=True, limits=LIMITS)
    store(tmp_path, TRACKS)
    brought_up_to_date(tmp_path, how)
    gone = TRACKS[10:30]
    forget(tmp_path, gone)
    after = brought_up_to_date(tmp_path, how)
    assert (after.manifest.n_tracks, after.manifest.n_rows) == (280, 300)
    recommender, names = Recommender(after), {e.id for e in gone}
    for one in TRACKS[30::10]:
        for options in (Options(limit=100), Options(limit=100, filters=Filters(year_to=1))):
            matches = recommender.similar(one.id, options).matches
            assert not names & {match.track.id for match in matches}
        assert len(recommender.similar(one.id, Options(limit=100)).matches) == 100
    clip = after.index.vectors(np.array([15]))[0]
    rows, _ = after.index.nearest(clip, 280, np.empty(0, np.int64), after.arrays.live)
    assert not names & set(after.arrays.names(rows))
    assert after.rows_of(sorted(names))[1] == sorted(names)
    assert not names & {t.id for t in after.catalog.tracks(np.arange(300)).values()}


def test_when_tracks_leave_the_index_is_the_same_file(tmp_path: Path, before: Generation) -> None:
    forget(tmp_path, TRACKS[:3])
    after = brought_up_to_date(tmp_path)
    old, new = (folder_of(tmp_path, g.manifest.generation) for g in (before, after))
    for name in ("index.faiss", "catalog.jsonl", IDS, TAGS, CENTRE):
        assert (old / name).samefile(new / name)
    assert not (old / "catalog.db").samefile(new / "catalog.db")


def test_where_links_are_not_to_be_had_files_are_copied(
    tmp_path: Path, before: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    forget(tmp_path, TRACKS[:3])
    after = brought_up_to_date(tmp_path)
    assert after.manifest.parent == before.manifest.generation
    assert after.manifest.n_tracks == 297


def test_new_tags_of_a_file_change_the_catalog_and_no_row(
    tmp_path: Path, before: Generation
) -> None:
    retagged = replace(TRACKS[4], metadata=replace(TRACKS[4].metadata, artist="Ada", year=1970))
    store(tmp_path, [retagged])
    after = brought_up_to_date(tmp_path)
    assert after.manifest.n_rows == 300
    row = int(before.rows_of([retagged.id])[0][0])
    assert after.catalog.tracks([row])[row].metadata == retagged.metadata
    filters = Filters(artists=("ada",), year_from=1969)
    allowed = after.allowed.of(filters)
    assert allowed is not None
    assert allowed.rows.tolist() == [row]
    assert after.arrays.artists[row] >= 0


def test_a_track_that_was_heard_anew_gets_a_new_row(tmp_path: Path, before: Generation) -> None:
    other = replace(TRACKS[4], vector=[-v for v in TRACKS[4].vector], tags=(0.5, 0.25, 0.75))
    store(tmp_path, [other])
    after = brought_up_to_date(tmp_path)
    assert (after.manifest.n_tracks, after.manifest.n_rows) == (300, 301)
    [row] = after.rows_of([other.id])[0].tolist()
    assert row == 300
    np.testing.assert_allclose(after.arrays.tags[row], other.tags)
    expected = after.project(np.array(other.vector, np.float32))
    np.testing.assert_allclose(after.index.vectors(np.array([row]))[0], expected, atol=1e-6)


def test_other_tag_strengths_of_the_same_vector_are_kept_up_to_date(
    tmp_path: Path, before: Generation
) -> None:
    store(tmp_path, [replace(TRACKS[4], tags=(0.5, 0.25, 0.75))])
    after = brought_up_to_date(tmp_path)
    assert after.manifest.n_rows == 300
    row = after.rows_of([TRACKS[4].id])[0]
    np.testing.assert_allclose(after.arrays.tags[row][0], (0.5, 0.25, 0.75))
    np.testing.assert_allclose(before.arrays.tags[row][0], 0.0)


def test_a_file_that_comes_back_is_found_again(tmp_path: Path, before: Generation) -> None:
    forget(tmp_path, TRACKS[:3])
    brought_up_to_date(tmp_path)
    store(tmp_path, TRACKS[:3])
    after = brought_up_to_date(tmp_path)
    assert after.track_ids == before.track_ids
    assert after.manifest.n_rows == 303


REASONS = {
    "dead": (Limits(least_rows=100, most_dead=0.01), "rows are dead"),
    "grown": (Limits(least_rows=100, most_growth=0.001), "it grew by"),
    "drifted": (Limits(least_rows=100, most_drift=0.0001), "the catalog drifted by"),
    "small": (Limits(least_rows=301), "it is small, rows=300"),
}


@pytest.mark.parametrize("why", REASONS)
def test_beyond_a_limit_the_index_is_built_as_a_whole(
    tmp_path: Path, before: Generation, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    limits, reason = REASONS[why]
    forget(tmp_path, TRACKS[:4])
    store(tmp_path, new_entries(4))
    with caplog.at_level(logging.INFO):
        after = brought_up_to_date(tmp_path, replace(HNSW, limits=limits))
    assert reason in reason_for_building(caplog)
    assert (after.manifest.parent, after.manifest.n_rows) == ("", 300)
    assert after.manifest.index.n_built == 300


def test_another_kind_is_built_as_a_whole(tmp_path: Path, before: Generation) -> None:
    store(tmp_path, new_entries(4))
    after = brought_up_to_date(tmp_path, replace(HNSW, options=IndexOptions("hnsw-fp16")))
    assert after.manifest.parent == ""
    assert after.manifest.index.recipe.kind == "hnsw-fp16"


def test_of_a_library_that_was_made_anew_all_is_built(
    tmp_path: Path, before: Generation, caplog: pytest.LogCaptureFixture
) -> None:
    for file in tmp_path.glob(LIBRARY_FILE + "*"):
        file.unlink()
    store(tmp_path, TRACKS[:200])
    with caplog.at_level(logging.INFO):
        after = brought_up_to_date(tmp_path)
    assert "another" in reason_for_building(caplog)
    assert (after.manifest.parent, after.manifest.n_tracks) == ("", 200)


def test_on_a_damaged_generation_nothing_is_built(tmp_path: Path, before: Generation) -> None:
    path = folder_of(tmp_path, before.manifest.generation) / IDS
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    store(tmp_path, new_entries(4))
    after = brought_up_to_date(tmp_path)
    assert (after.manifest.parent, after.manifest.n_tracks) == ("", 304)


def poor(recalls: list[float], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have searches find `recalls`, one after the other; the efforts that were tried."""
    efforts = list[int]()
    real = tuning.measure

    def measured(index: object, *arguments: object) -> Measurement:
        found: Measurement = real(index, *arguments)  # type: ignore[arg-type]
        efforts.append(found.effort)
        return replace(found, recall_at_10=recalls[len(efforts) - 1])

    monkeypatch.setattr("recommender.updating.measure", measured)
    return efforts


def test_when_less_is_found_searches_try_harder(
    tmp_path: Path, before: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    efforts = poor([0.9, 0.9, 0.99], monkeypatch)
    store(tmp_path, new_entries(4))
    after = brought_up_to_date(tmp_path)
    assert efforts == sorted(set(efforts))
    assert len(efforts) == 3
    assert after.manifest.parent == before.manifest.generation
    assert after.manifest.index.measurement.effort == efforts[-1] > efforts[0]


def test_when_that_does_not_help_the_index_is_built_as_a_whole(
    tmp_path: Path,
    before: Generation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    poor([0.9] * 9, monkeypatch)
    store(tmp_path, new_entries(4))
    with caplog.at_level(logging.INFO):
        after = brought_up_to_date(tmp_path)
    assert "recall@10=0.9000 is below 0.98" in reason_for_building(caplog)
    assert (after.manifest.parent, after.manifest.n_rows) == ("", 304)


def test_after_fifty_small_publications_all_is_found_and_little_is_kept(tmp_path: Path) -> None:
    store(tmp_path, TRACKS)
    first = brought_up_to_date(tmp_path)
    folder = folder_of(tmp_path, first.manifest.generation)
    one = sum(path.stat().st_size for path in folder.iterdir())
    known = {e.id: e for e in TRACKS}
    for turn in range(50):
        new = [replace(e, id=f"{e.id}-{turn}") for e in random_entries(3, seed=100 + turn)]
        gone = [known[id_] for id_ in sorted(known)[turn % 7 :: 150][:2]]
        store(tmp_path, new)
        forget(tmp_path, gone)
        known = {k: e for k, e in known.items() if e not in gone} | {e.id: e for e in new}
        generation = brought_up_to_date(tmp_path)
        assert generation.track_ids == sorted(known)
        assert generation.manifest.index.measurement.recall_at_10 >= 0.98
    sizes = {
        path.stat().st_ino: path.stat().st_size
        for path in (tmp_path / "generations").rglob("*")
        if path.is_file()
    }
    assert sum(sizes.values()) < 5 * one
    dead = generation.manifest.n_rows - generation.manifest.n_tracks
    assert dead <= 0.1 * generation.manifest.n_rows


def test_an_update_gives_the_answers_of_a_whole_build(tmp_path: Path, before: Generation) -> None:
    new = new_entries(9)
    store(tmp_path, new)
    forget(tmp_path, TRACKS[50:60])
    updated = Recommender(brought_up_to_date(tmp_path, replace(HNSW)))
    shutil.rmtree(tmp_path / "generations")
    (tmp_path / "CURRENT").unlink()
    whole = Recommender(brought_up_to_date(tmp_path))
    assert Manifest.read(folder_of(tmp_path, whole.generation.manifest.generation)).parent == ""
    same = [
        len(
            {m.track.id for m in updated.similar(e.id, Options()).matches}
            & {m.track.id for m in whole.similar(e.id, Options()).matches}
        )
        for e in (*new, *TRACKS[:50:5])
    ]
    # the centre moved a little
    assert np.mean(same) > 9.5


def test_dimensions_of_a_projection_are_kept(tmp_path: Path) -> None:
    space = replace(SPACE, projection="pca:2")
    store(tmp_path, TRACKS)
    with open_library(tmp_path) as library:
        publish(tmp_path, library, space, HNSW)
    store(tmp_path, new_entries(4))
    with open_library(tmp_path) as library:
        generation = open_generation(tmp_path, publish(tmp_path, library, space, HNSW))
    assert generation.manifest.parent
    assert generation.index.dimension == 2
    assert generation.projection.components is not None
    assert generation.projection.components.shape == (2, DIMENSION)
