"""Updates of a generation: what changed, nothing else, with the answers of a whole build."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.engine import Recommender
from recommender.filters import Filters
from recommender.generation import Generation
from recommender.index.recipes import IndexOptions
from recommender.manifest import IDS, NEIGHBOURS, Manifest
from recommender.press import How
from recommender.questions import Options
from tests.builders import DIMENSION, entry, folder_of, random_entries
from tests.updates import HNSW, LIMITS, TRACKS, brought_up_to_date, forget, new_entries, store


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


def test_a_file_that_comes_back_is_found_again(tmp_path: Path, before: Generation) -> None:
    forget(tmp_path, TRACKS[:3])
    brought_up_to_date(tmp_path)
    store(tmp_path, TRACKS[:3])
    after = brought_up_to_date(tmp_path)
    assert after.track_ids == before.track_ids
    assert after.manifest.n_rows == 303


def test_on_a_damaged_generation_nothing_is_built(tmp_path: Path, before: Generation) -> None:
    path = folder_of(tmp_path, before.manifest.generation) / IDS
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    store(tmp_path, new_entries(4))
    after = brought_up_to_date(tmp_path)
    assert (after.manifest.parent, after.manifest.n_tracks) == ("", 304)


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
