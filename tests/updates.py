"""A catalog that is published and changed, and what tests of updates ask of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from recommender.generation import Generation, open_generation
from recommender.index.grown import parts
from recommender.index.recipes import IndexOptions
from recommender.press import How
from recommender.publishing import publish
from recommender.update_limits import Limits
from tests.builders import SPACE, Entry, folder_of, indexed, open_library, random_entries

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
    """A published catalog of :data:`TRACKS`."""
    store(tmp_path, TRACKS)
    return brought_up_to_date(tmp_path)


def new_entries(count: int, seed: int = 8) -> list[Entry]:
    """New ones, whose ids lie between those that there are."""
    return [replace(e, id=f"{e.id}-new") for e in random_entries(count, seed)]


def reason_for_building(caplog: pytest.LogCaptureFixture) -> str:
    [record] = [r for r in caplog.records if r.name == "recommender.updating"]
    return record.getMessage()


def of_parts(generation: Generation) -> tuple[int, int]:
    """Rows of the index itself, and rows beside it."""
    base, beside = parts(generation.index)
    return len(base), len(beside)


def same_file(data_dir: Path, one: Generation, other: Generation, name: str) -> bool:
    of_one, of_other = (folder_of(data_dir, g.manifest.generation) for g in (one, other))
    return (of_one / name).samefile(of_other / name)
