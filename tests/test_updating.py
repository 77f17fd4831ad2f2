"""Updates of a generation: what changed, nothing else, and as a whole when that is better."""

import logging
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender import generation as generations
from recommender import updating
from recommender.engine import Recommender
from recommender.errors import GenerationError
from recommender.files import sha256_of_all
from recommender.filters import Filters
from recommender.generation import Generation, open_generation
from recommender.index import tuning
from recommender.index.grown import parts
from recommender.index.measurement import Measurement
from recommender.index.recipes import INDEX, IndexOptions
from recommender.manifest import ADDED, ARTISTS, CATALOG, CENTRE, IDS, NEIGHBOURS, TAGS, Manifest
from recommender.press import How
from recommender.publishing import publish
from recommender.questions import Options
from recommender.updating import QUERIES, Limits
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
# so few may lie beside the index
FEW = replace(HNSW, limits=replace(LIMITS, most_beside=5))


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


def test_new_tracks_enter_the_lists_of_those_near_them(tmp_path: Path, before: Generation) -> None:
    old = TRACKS[17]
    new = [replace(e, vector=old.vector) for e in new_entries(2)]
    store(tmp_path, new)
    after = brought_up_to_date(tmp_path)
    for asked, others in ((old, new), (new[0], [old, new[1]])):
        [row] = after.rows_of([asked.id])[0].tolist()
        found = after.arrays.neighbours.of(row)
        assert found is not None
        assert set(after.arrays.names(found[0][:2])) == {e.id for e in others}
        assert found[1][:2].tolist() == [1_000_000] * 2
    folders = (folder_of(tmp_path, g.manifest.generation) for g in (before, after))
    assert len({(folder / NEIGHBOURS).stat().st_ino for folder in folders}) == 1
    assert len(after.arrays.neighbours.changed) < 0.25 * 300
    assert after.manifest.index.measurement.listed_recall_at_10 is not None


def test_lists_that_miss_too_much_have_all_built_anew(
    tmp_path: Path,
    before: Generation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert before.manifest.index.measurement.listed_recall_at_10 == 1.0
    monkeypatch.setattr(updating, "listed_recall", lambda *_: 0.5)
    caplog.set_level(logging.INFO)
    store(tmp_path, new_entries(2))
    assert brought_up_to_date(tmp_path).manifest.parent == ""
    assert "recall@10=0.5000 of the lists" in reason_for_building(caplog)


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
    for name in (INDEX, ADDED, "catalog.jsonl", IDS, TAGS, CENTRE):
        assert (old / name).samefile(new / name)
    assert not (old / "catalog.db").samefile(new / "catalog.db")


def of_parts(generation: Generation) -> tuple[int, int]:
    """Rows of the index itself, and rows beside it."""
    base, beside = parts(generation.index)
    return len(base), len(beside)


def same_file(data_dir: Path, one: Generation, other: Generation, name: str) -> bool:
    of_one, of_other = (folder_of(data_dir, g.manifest.generation) for g in (one, other))
    return (of_one / name).samefile(of_other / name)


@pytest.mark.parametrize("kind", ["flat", "hnsw", "hnsw-sq8", "ivf-pq", "ivf-rabitq", "NSG8"])
def test_few_new_tracks_lie_beside_the_same_index(tmp_path: Path, kind: str) -> None:
    how = How(IndexOptions(kind), accept_low_recall=True, limits=LIMITS)
    store(tmp_path, TRACKS)
    first = brought_up_to_date(tmp_path, how)
    before = first
    for turn in (1, 2):
        new = new_entries(4, seed=turn)
        store(tmp_path, new)
        after = brought_up_to_date(tmp_path, how)
        assert of_parts(after) == (300, 4 * turn)
        for name in after.manifest.index.recipe.files:
            assert same_file(tmp_path, before, after, name)
            assert after.manifest.files[name] == first.manifest.files[name]
        rows = np.arange(300 + 4 * turn - 4, 300 + 4 * turn)
        expected = after.project(np.array(new[3].vector, np.float32))
        np.testing.assert_allclose(after.index.vectors(rows)[3], expected, atol=1e-3)
        assert after.index.nearest(expected, 1, np.empty(0, np.int64))[0].tolist() == [rows[3]]
        before = after


@pytest.mark.parametrize("kind", ["flat", "hnsw", "hnsw-fp16", "hnsw-sq8"])
def test_too_many_beside_are_added_to_the_index(tmp_path: Path, kind: str) -> None:
    how = How(IndexOptions(kind), accept_low_recall=True, limits=FEW.limits)
    store(tmp_path, TRACKS)
    brought_up_to_date(tmp_path, how)
    sizes, generations = list[tuple[int, int]](), list[Generation]()
    for turn in range(4):
        store(tmp_path, new_entries(3, seed=turn))
        generations.append(brought_up_to_date(tmp_path, how))
        sizes.append(of_parts(generations[-1]))
    assert sizes == [(300, 3), (306, 0), (306, 3), (312, 0)]
    beside, within = generations[:2]
    assert within.manifest.parent == beside.manifest.generation
    np.testing.assert_allclose(
        within.index.vectors(np.arange(303)), beside.index.vectors(np.arange(303)), atol=1e-3
    )
    assert within.manifest.index.n_built == 300


def test_an_index_that_takes_no_more_is_built_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    how = replace(FEW, options=IndexOptions("NSG8"), accept_low_recall=True)
    store(tmp_path, TRACKS)
    brought_up_to_date(tmp_path, how)
    store(tmp_path, new_entries(6))
    with caplog.at_level(logging.INFO):
        after = brought_up_to_date(tmp_path, how)
    assert "takes no more" in reason_for_building(caplog)
    assert (after.manifest.parent, of_parts(after)) == ("", (306, 0))


def test_a_track_beside_the_index_may_leave_or_be_heard_anew(
    tmp_path: Path, before: Generation
) -> None:
    new = new_entries(4)
    store(tmp_path, new)
    brought_up_to_date(tmp_path, FEW)
    forget(tmp_path, new[:1])
    left = brought_up_to_date(tmp_path, FEW)
    assert (of_parts(left), left.manifest.n_tracks) == ((300, 4), 303)
    assert same_file(tmp_path, before, left, INDEX)
    other = replace(new[1], vector=[-v for v in new[1].vector])
    store(tmp_path, [other])
    heard = brought_up_to_date(tmp_path, FEW)
    assert (of_parts(heard), heard.manifest.n_tracks) == ((300, 5), 303)
    assert heard.rows_of([other.id])[0].tolist() == [304]
    store(tmp_path, [replace(new_entries(1)[0], id="one more")])
    within = brought_up_to_date(tmp_path, FEW)
    assert (of_parts(within), within.manifest.n_tracks) == ((306, 0), 304)
    for generation in (left, heard, within):
        dead = generation.arrays.ids[[300]].astype(str).tolist()
        assert dead == [new[0].id]
        assert new[0].id not in generation.track_ids
        for one in TRACKS[::20]:
            matches = Recommender(generation).similar(one.id, Options(limit=100)).matches
            assert len(matches) == 100
            assert new[0].id not in {match.track.id for match in matches}
    expected = within.project(np.array(other.vector, np.float32))
    np.testing.assert_allclose(within.index.vectors(np.array([304]))[0], expected, atol=1e-6)


def test_a_damaged_row_beside_the_index_is_noticed(tmp_path: Path, before: Generation) -> None:
    store(tmp_path, new_entries(4))
    name = brought_up_to_date(tmp_path).manifest.generation
    path = folder_of(tmp_path, name) / ADDED
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(GenerationError, match=f"file={ADDED} is damaged"):
        open_generation(tmp_path, name)


def test_artists_keep_their_numbers(tmp_path: Path) -> None:
    named = [
        replace(e, metadata=replace(e.metadata, artist=f"Artist {place % 9}"))
        for place, e in enumerate([*TRACKS, *new_entries(12)])
    ]
    store(tmp_path, named[:300])
    first = brought_up_to_date(tmp_path)
    forget(tmp_path, named[:2])
    renamed = replace(named[2], metadata=replace(named[2].metadata, artist="ARTIST 7"))
    newcomer = replace(named[3], metadata=replace(named[3].metadata, artist="A first one"))
    store(tmp_path, [*named[300:], renamed, newcomer])
    after = brought_up_to_date(tmp_path)
    numbers = {e.id: place % 9 for place, e in enumerate(named)} | {renamed.id: 7, newcomer.id: 9}
    assert after.arrays.artists[:2].tolist() == [-1, -1]
    order = after.arrays.order
    assert after.arrays.artists[order].tolist() == [numbers[id_] for id_ in after.track_ids]
    assert not same_file(tmp_path, first, after, ARTISTS)


def test_what_is_found_is_measured_when_it_may_be_less(tmp_path: Path, before: Generation) -> None:
    whole = before.manifest.index.measurement
    store(tmp_path, new_entries(5))
    # rows beside are all compared, and the others are found as before
    assert brought_up_to_date(tmp_path, FEW).manifest.index.measurement == whole
    forget(tmp_path, TRACKS[:1])
    after_removal = brought_up_to_date(tmp_path, FEW).manifest.index.measurement
    store(tmp_path, new_entries(1, seed=3))
    after_adding = brought_up_to_date(tmp_path, FEW).manifest.index.measurement
    for measured in (after_removal, after_adding):
        assert measured.queries == QUERIES != whole.queries
        assert measured.effort >= whole.effort
        assert measured.recall_at_10 >= 0.98


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
    forget(tmp_path, TRACKS[:1])
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
    forget(tmp_path, TRACKS[:1])
    with caplog.at_level(logging.INFO):
        after = brought_up_to_date(tmp_path)
    assert "recall@10=0.9000 is below 0.98" in reason_for_building(caplog)
    assert (after.manifest.parent, after.manifest.n_rows) == ("", 303)


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


def test_files_that_are_verified_and_open_are_not_read_again(
    tmp_path: Path, before: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(tmp_path, new_entries(2))
    name = brought_up_to_date(tmp_path).manifest.generation
    read = list[str]()

    def noted(paths: Iterable[Path], *, patient: bool) -> list[str]:
        listed = list(paths)
        read.extend(path.name for path in listed)
        return sha256_of_all(listed, patient=patient)

    monkeypatch.setattr(generations, "sha256_of_all", noted)
    open_generation(tmp_path, name, [before.manifest])
    assert {INDEX, NEIGHBOURS, CENTRE}.isdisjoint(read)
    assert {ADDED, IDS, CATALOG} <= set(read)
    # the same by name and size, but another file
    index = folder_of(tmp_path, name) / INDEX
    content = index.read_bytes()
    index.unlink()
    index.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(GenerationError, match="is damaged"):
        open_generation(tmp_path, name, [before.manifest])
    # there is nothing beside it to compare with
    shutil.rmtree(folder_of(tmp_path, before.manifest.generation))
    with pytest.raises(GenerationError, match="is damaged"):
        open_generation(tmp_path, name, [before.manifest])


def test_many_like_tracks_at_once_enter_the_lists_of_the_few_that_were_there(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(5)
    away = 8.0 * np.eye(DIMENSION)[0]
    strays = [
        replace(e, vector=(away + random.normal(size=DIMENSION)).tolist())
        for e in random_entries(3, seed=30)
    ]
    strays = [replace(e, id=f"stray{at}") for at, e in enumerate(strays)]
    store(tmp_path, [*TRACKS, *strays])
    brought_up_to_date(tmp_path)
    like = [
        replace(e, vector=(away + random.normal(size=DIMENSION)).tolist()) for e in new_entries(140)
    ]
    store(tmp_path, like)
    after = brought_up_to_date(tmp_path, replace(HNSW, limits=replace(LIMITS, most_drift=9.0)))
    assert after.manifest.parent
    live = np.arange(after.manifest.n_rows)
    vectors = after.index.vectors(live).astype(np.float64)
    for stray in strays:
        [row] = after.rows_of([stray.id])[0].tolist()
        nearest = np.argsort(-(vectors @ vectors[row]))[1:11]
        found = after.arrays.neighbours.of(row)
        assert found is not None
        assert set(found[0][:10].tolist()) == set(nearest.tolist())


def test_similarities_stay_when_what_lay_beside_the_index_enters_it(tmp_path: Path) -> None:
    how = How(IndexOptions("flat-fp16"), limits=replace(LIMITS, most_beside=5))
    store(tmp_path, TRACKS)
    brought_up_to_date(tmp_path, how)
    new = new_entries(9)
    store(tmp_path, new[:4])
    beside = brought_up_to_date(tmp_path, how)
    store(tmp_path, new[4:])
    within = brought_up_to_date(tmp_path, how)
    assert [len(parts(g.index)[1]) for g in (beside, within)] == [4, 0]
    rows = np.arange(304)
    np.testing.assert_array_equal(beside.index.vectors(rows), within.index.vectors(rows))
