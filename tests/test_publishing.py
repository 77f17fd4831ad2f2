"""Publishing: complete or not at all, whatever fails and whenever."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender import building, press, publishing, update_files, update_limits
from recommender.current import (
    Served,
    current_generation,
    generations_dir,
    list_generations,
    make_current,
)
from recommender.errors import GenerationError, RecallError, StorageError
from recommender.generation import normalised, open_generation
from recommender.housekeeping import KEEP_GENERATIONS, prune, sweep
from recommender.index import tuning
from recommender.index.faiss import FaissIndex
from recommender.index.recipes import IndexOptions, flat
from recommender.manifest import MANIFEST, Manifest, data_files
from recommender.press import How
from recommender.projection import CENTRING_PRIOR_TRACKS, fit
from recommender.publishing import publish
from recommender.questions import Options
from recommender.space import Space
from recommender.update_limits import Limits
from tests.builders import (
    SPACE,
    SPEC,
    entry,
    folder_of,
    indexed,
    open_library,
    opened,
    publish_entries,
    random_entries,
)

OLD, NEW = random_entries(10, seed=1), random_entries(12, seed=2)


class Crash(BaseException):
    """The process stops here; nothing in the program may catch it for good."""


def names_in(data_dir: Path) -> list[str]:
    return sorted(p.name for p in generations_dir(data_dir).iterdir())


def test_a_published_generation_holds_exactly_its_files(tmp_path: Path) -> None:
    name = publish_entries(tmp_path, OLD)
    folder = folder_of(tmp_path, name)
    files = (*data_files(SPACE.describe(), flat()), MANIFEST)
    assert sorted(p.name for p in folder.iterdir()) == sorted(files)
    assert current_generation(tmp_path) == name
    assert names_in(tmp_path) == [name]
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("library")) == [
        "CURRENT",
        "generations",
    ]


def test_the_vectors_are_those_of_the_library_centred_and_normalised(tmp_path: Path) -> None:
    generation = open_generation(tmp_path, publish_entries(tmp_path, OLD))
    vectors = np.array([e.vector for e in OLD], np.float32)
    centre = vectors.sum(axis=0) / (10 + CENTRING_PRIOR_TRACKS)
    units = (vectors - centre) / np.linalg.norm(vectors - centre, axis=1, keepdims=True)
    np.testing.assert_allclose(generation.projection.centre, centre, atol=1e-6)
    np.testing.assert_allclose(generation.index.vectors(np.arange(10)), units, atol=1e-5)
    assert generation.track_ids == [e.id for e in OLD]
    for row, original in enumerate(OLD):
        np.testing.assert_allclose(
            generation.project(np.array(original.vector, np.float32)), units[row], atol=1e-5
        )


def test_levels_are_summed_up_in_quantiles(tmp_path: Path) -> None:
    entries = [replace(e, level_dbfs=-float(i)) for i, e in enumerate(random_entries(101))]
    manifest = open_generation(tmp_path, publish_entries(tmp_path, entries)).manifest
    expected = [-100 * (1 - q) for q in building.LEVEL_QUANTILES]
    assert manifest.level_quantiles_dbfs == pytest.approx(expected)


@pytest.mark.parametrize("n_tracks", [0, 1, 2])
def test_very_small_libraries_are_published(tmp_path: Path, n_tracks: int) -> None:
    name = publish_entries(tmp_path, random_entries(n_tracks))
    generation = open_generation(tmp_path, name)
    assert len(generation.index) == n_tracks
    assert len(generation.manifest.level_quantiles_dbfs) == (
        len(building.LEVEL_QUANTILES) if n_tracks else 0
    )


def test_tracks_that_sound_the_same_are_published(tmp_path: Path) -> None:
    twins = [entry(id_, [1, 2, 3, 4]) for id_ in ("a", "b")]
    generation = open_generation(tmp_path, publish_entries(tmp_path, twins))
    one, other = generation.index.vectors(np.arange(2))
    np.testing.assert_array_equal(one, other)


def test_only_tracks_of_the_space_are_published(tmp_path: Path) -> None:
    other = Space(SPEC, None)
    with open_library(tmp_path) as library:
        library.add_space(other)
        library.store([indexed(NEW[0])], other)
        library.store([indexed(OLD[1])], SPACE)
        generation = open_generation(tmp_path, publish(tmp_path, library, SPACE))
    assert generation.track_ids == [OLD[1].id]


def test_what_is_up_to_date_is_not_published_again(tmp_path: Path) -> None:
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in OLD], SPACE)
        name = publish(tmp_path, library, SPACE)
        assert publish(tmp_path, library, SPACE) == name
        library.store([indexed(NEW[11])], SPACE)
        newer = publish(tmp_path, library, SPACE)
        assert newer != name
        assert publish(tmp_path, library, SPACE) == newer
        make_current(tmp_path, Served(name))
        assert publish(tmp_path, library, SPACE) not in (name, newer)


def test_another_space_is_published_although_the_library_is_the_same(tmp_path: Path) -> None:
    other = replace(SPACE, projection="none")
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in OLD], SPACE)
        assert publish(tmp_path, library, SPACE) != publish(tmp_path, library, other)


def test_another_index_is_published_although_the_library_is_the_same(tmp_path: Path) -> None:
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in OLD], SPACE)
        name = publish(tmp_path, library, SPACE)
        how = How(IndexOptions("flat-fp16"))
        other = publish(tmp_path, library, SPACE, how)
        assert other != name
        assert open_generation(tmp_path, other).manifest.index.recipe.kind == "flat-fp16"
        # and stays as it was asked for
        assert publish(tmp_path, library, SPACE) == other
        library.store([indexed(NEW[11])], SPACE)
        newest = Manifest.read(folder_of(tmp_path, publish(tmp_path, library, SPACE)))
        assert newest.index.options == how.options


def test_a_damaged_generation_is_made_anew(tmp_path: Path) -> None:
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in OLD], SPACE)
        name = publish(tmp_path, library, SPACE)
        (folder_of(tmp_path, name) / "index.faiss").write_bytes(b"")
        again = publish(tmp_path, library, SPACE)
    assert again != name
    open_generation(tmp_path, again)


def test_an_index_that_finds_too_little_is_not_published_unless_that_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = publish_entries(tmp_path, OLD)
    real = tuning.tune

    def poor(*arguments: Any) -> Any:
        index, measurement = real(*arguments)
        return index, replace(measurement, recall_at_10=0.5)

    monkeypatch.setattr("recommender.building.tune", poor)
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in NEW], SPACE)
        with pytest.raises(RecallError, match=r"recall@10=0\.5000.*--allow-low-recall"):
            publish(tmp_path, library, SPACE)
        assert current_generation(tmp_path) == old
        assert names_in(tmp_path) == [old]
        accepted = publish(tmp_path, library, SPACE, How(accept_low_recall=True))
        assert current_generation(tmp_path) == accepted
        # what was accepted once need not be accepted at every run
        library.store([indexed(random_entries(99, seed=5)[98])], SPACE)
        assert publish(tmp_path, library, SPACE) != accepted


@pytest.mark.parametrize("vector", [[1, 2, 3], [np.nan] * 4, [np.inf, 0, 0, 0]])
def test_a_damaged_vector_is_named_and_nothing_changes(tmp_path: Path, vector: list[float]) -> None:
    old = publish_entries(tmp_path, OLD)
    with pytest.raises(GenerationError, match="track_id=bad has a damaged vector"):
        publish_entries(tmp_path, [*NEW, entry("bad", vector)])
    assert current_generation(tmp_path) == old
    assert names_in(tmp_path) == [old]


STEPS: list[tuple[Any, str]] = [
    (FaissIndex, "save"),
    (building, "write_catalog"),
    (np, "save"),
    (press, "sha256_of_all"),
    (Path, "write_text"),
    (os, "fsync"),
    (Path, "rename"),
    (press, "open_verified"),
    (Path, "replace"),
    (publishing, "prune"),
    (shutil, "rmtree"),
]
MOMENTS = [(*step, 1, after) for step in STEPS for after in (False, True)]
MOMENTS += [(os, "fsync", call, False) for call in range(2, 13)]
MOMENTS += [(np, "save", 2, False), (Path, "rename", 2, False)]
UPDATING: list[tuple[Any, str]] = [
    (update_limits, "measure"),
    (shutil, "copyfile"),
    (update_files, "update_catalog"),
    (np, "save"),
    (os, "link"),
    (Path, "rename"),
    (Path, "replace"),
]
UPDATES = [(*step, call, after) for step in UPDATING for call in (1, 2) for after in (False, True)]
ADDING: list[tuple[Any, str, int, bool]] = [
    (FaissIndex, "save", 1, after) for after in (False, True)
]
EASY = Limits(least_rows=1, most_drift=9)
HOW = {
    "whole": How(),
    "update": How(IndexOptions("hnsw"), limits=EASY),
    "adding": How(IndexOptions("hnsw"), limits=replace(EASY, most_beside=0)),
}


@pytest.fixture(scope="module")
def full_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with as many generations as are kept."""
    folder = tmp_path_factory.mktemp("full")
    for _ in range(KEEP_GENERATIONS):
        with open_library(folder) as library:
            library.store([indexed(e) for e in random_entries(99, seed=9)[98:]], SPACE)
        publish_entries(folder, OLD)
    with open_library(folder) as library:
        publish(folder, library, SPACE, HOW["update"])
    return folder


def failing(real: Callable[..., Any], call: int, after: bool, error: BaseException) -> Any:
    """A function that works until its `call`-th call, and then fails before or after its work."""
    calls = 0

    def wrapper(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        result = real(*arguments, **options) if after or calls != call else None
        if calls == call:
            raise error
        return result

    return wrapper


@pytest.mark.parametrize(
    ("how", "owner", "name", "call", "after"),
    [("whole", *moment) for moment in MOMENTS]
    + [("update", *moment) for moment in UPDATES]
    + [("adding", *moment) for moment in ADDING],
)
def test_a_crash_at_any_moment_leaves_one_whole_generation_current(
    tmp_path: Path, full_folder: Path, how: str, owner: Any, name: str, call: int, after: bool
) -> None:
    shutil.copytree(full_folder, tmp_path, dirs_exist_ok=True)
    made = list_generations(tmp_path)
    with open_library(tmp_path) as library, pytest.MonkeyPatch.context() as patch:
        library.store([indexed(e) for e in NEW], SPACE)
        patch.setattr(owner, name, failing(getattr(owner, name), call, after, Crash()))
        if name != "rmtree":
            # the dead do not tidy up
            patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        crashed = False
        try:
            publish(tmp_path, library, SPACE, HOW[how])
        except Crash:
            crashed = True
    serving = current_generation(tmp_path)
    assert crashed or serving not in made
    assert len(open_generation(tmp_path, serving).index) == (10 if serving in made else 12)
    again = publish_entries(tmp_path, NEW)
    assert len(open_generation(tmp_path, again).index) == 12
    assert names_in(tmp_path) == list_generations(tmp_path)
    assert len(names_in(tmp_path)) <= KEEP_GENERATIONS
    for kept in list_generations(tmp_path):
        open_generation(tmp_path, kept)


@pytest.mark.parametrize(("owner", "name"), STEPS[:9])
def test_a_failing_disk_keeps_the_old_generation_and_no_leftovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    old = publish_entries(tmp_path, OLD)
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in NEW], SPACE)
        error = OSError(28, "No space left on device")
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, failing(getattr(owner, name), 1, False, error))
            with pytest.raises((OSError, StorageError), match="No space left"):
                publish(tmp_path, library, SPACE)
    assert current_generation(tmp_path) == old
    assert not [n for n in names_in(tmp_path) if n.startswith(".")]
    for kept in list_generations(tmp_path):
        open_generation(tmp_path, kept)


def test_what_fails_its_own_check_is_not_left_as_a_generation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = publish_entries(tmp_path, OLD)
    monkeypatch.setattr(building, "normalised", lambda vectors: vectors * 0.5)
    with pytest.raises(GenerationError, match="is not a unit vector"):
        publish_entries(tmp_path, NEW)
    assert names_in(tmp_path) == [old]
    assert current_generation(tmp_path) == old


@pytest.mark.parametrize("limit_bytes", [5_000, 60_000])
def test_a_full_disk_keeps_the_old_generation(tmp_path: Path, limit_bytes: int) -> None:
    old = publish_entries(tmp_path, OLD)
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in random_entries(1500)], SPACE)
    script = (
        "import resource, sys; from pathlib import Path;"
        "from recommender.errors import StorageError;"
        "from recommender.library import Library; from recommender.publishing import publish;"
        "from tests.builders import SPACE\n"
        "data_dir = Path(sys.argv[1]); library = Library.open(data_dir / 'library.db')\n"
        "limit = int(sys.argv[2]); resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "try: publish(data_dir, library, SPACE)\n"
        "except (StorageError, OSError) as error: sys.exit(74)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), str(limit_bytes)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 74, done.stderr
    assert current_generation(tmp_path) == old
    assert names_in(tmp_path) == [old]
    open_generation(tmp_path, old)


def test_leftovers_are_swept_and_nothing_else(tmp_path: Path) -> None:
    name = publish_entries(tmp_path, OLD)
    for leftover in (".tmp-one", ".tmp-two"):
        (generations_dir(tmp_path) / leftover / "deep").mkdir(parents=True)
        (generations_dir(tmp_path) / leftover / "deep" / "file").touch()
    (tmp_path / ".tmp-elsewhere").mkdir()
    sweep(tmp_path)
    assert names_in(tmp_path) == [name]
    assert (tmp_path / ".tmp-elsewhere").is_dir()


def test_sweeping_where_nothing_was_published_is_fine(tmp_path: Path) -> None:
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_newest_three_stay(tmp_path: Path) -> None:
    made = [publish_entries(tmp_path, random_entries(3, seed)) for seed in range(6)]
    assert current_generation(tmp_path) == made[-1]
    assert names_in(tmp_path) == made[-KEEP_GENERATIONS:]


def test_the_served_one_stays_however_old_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "prune", lambda data_dir: None)
    made = sorted(publish_entries(tmp_path, OLD) for _ in range(6))
    make_current(tmp_path, Served(made[0]))
    prune(tmp_path)
    assert names_in(tmp_path) == [made[0], *made[-3:]]
    prune(tmp_path)
    assert names_in(tmp_path) == [made[0], *made[-3:]]


def test_an_unfinished_folder_of_another_maker_is_not_touched(tmp_path: Path) -> None:
    publish_entries(tmp_path, OLD)
    (generations_dir(tmp_path) / "backup").mkdir()
    publish_entries(tmp_path, NEW)
    assert "backup" in names_in(tmp_path)


def test_publishing_twice_gives_two_names_and_the_same_content(tmp_path: Path) -> None:
    one, two = publish_entries(tmp_path, OLD), publish_entries(tmp_path, OLD)
    assert one != two
    for file in ("index.faiss", "ids.npy", "tags.npy", "order.npy", "centre.npy"):
        contents = {(folder_of(tmp_path, name) / file).read_bytes() for name in (one, two)}
        assert len(contents) == 1


def test_files_that_are_gone_leave_the_next_generation(tmp_path: Path) -> None:
    publish_entries(tmp_path, OLD)
    with open_library(tmp_path) as library:
        library.forget_files([OLD[0].file])
        generation = open_generation(tmp_path, publish(tmp_path, library, SPACE))
    assert OLD[0].id not in generation.track_ids
    assert len(generation.track_ids) == 9


@pytest.mark.parametrize("projection", ["none", "corpus-centred", "pca:2"])
def test_a_projection_is_fitted_stored_and_applied_to_what_is_asked(
    tmp_path: Path, projection: str
) -> None:
    space = replace(SPACE, projection=projection)
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in NEW], space.stored)
        generation = open_generation(tmp_path, publish(tmp_path, library, space))
        assert publish(tmp_path, library, space) == generation.manifest.generation
    pooled = np.array([e.vector for e in sorted(NEW, key=lambda e: e.id)], np.float32)
    expected = normalised(fit(projection, pooled).apply(pooled))
    assert generation.manifest.dimension == expected.shape[1]
    assert generation.manifest.space_id == space.id
    found = generation.index.vectors(np.arange(len(NEW)))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    for vector, row in zip(pooled, expected, strict=True):
        np.testing.assert_allclose(generation.project(vector), row, atol=1e-6)


def test_another_projection_needs_no_other_vectors(tmp_path: Path) -> None:
    publish_entries(tmp_path, NEW)
    reduced = replace(SPACE, projection="pca:3")
    assert reduced.stored == SPACE
    with open_library(tmp_path) as library:
        name = publish(tmp_path, library, reduced)
    assert len(open_generation(tmp_path, name).track_ids) == len(NEW)


def test_more_components_than_tracks_are_refused_and_the_old_stays(tmp_path: Path) -> None:
    old = publish_entries(tmp_path, OLD[:3])
    with open_library(tmp_path) as library, pytest.raises(GenerationError, match="needs at least"):
        publish(tmp_path, library, replace(SPACE, projection="pca:4"))
    assert current_generation(tmp_path) == old


def test_a_track_without_a_direction_is_published_and_close_to_none(tmp_path: Path) -> None:
    space = replace(SPACE, projection="none")
    still = entry("still", [0, 0, 0, 0])
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in (*OLD, still)], SPACE)
        name = publish(tmp_path, library, space)
    answer = opened(tmp_path, name).similar("still", Options(limit=3))
    assert [match.similarity for match in answer.matches] == [0.5, 0.5, 0.5]
