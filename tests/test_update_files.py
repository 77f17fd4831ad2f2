"""Which files an update writes, and what lies beside the index or in it."""

import logging
import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender import verifying
from recommender.engine import Recommender
from recommender.errors import GenerationError
from recommender.files import sha256_of_all
from recommender.generation import Generation, open_generation
from recommender.index.grown import parts
from recommender.index.recipes import INDEX, IndexOptions
from recommender.manifest import ADDED, CATALOG, CENTRE, IDS, NEIGHBOURS, TAGS
from recommender.press import How
from recommender.questions import Options
from tests.builders import folder_of
from tests.updates import (
    FEW,
    LIMITS,
    TRACKS,
    brought_up_to_date,
    forget,
    new_entries,
    of_parts,
    reason_for_building,
    same_file,
    store,
)


def test_when_tracks_leave_the_index_is_the_same_file(tmp_path: Path, before: Generation) -> None:
    forget(tmp_path, TRACKS[:3])
    after = brought_up_to_date(tmp_path)
    old, new = (folder_of(tmp_path, g.manifest.generation) for g in (before, after))
    for name in (INDEX, ADDED, "catalog.jsonl", IDS, TAGS, CENTRE):
        assert (old / name).samefile(new / name)
    assert not (old / "catalog.db").samefile(new / "catalog.db")


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

    monkeypatch.setattr(verifying, "sha256_of_all", noted)
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
