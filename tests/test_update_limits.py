"""An update that would go too far, or find too little, gives way to a whole build."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from recommender import update_limits
from recommender.generation import Generation
from recommender.index import tuning
from recommender.index.measurement import Measurement
from recommender.index.recipes import IndexOptions
from recommender.update_limits import QUERIES, Limits
from tests.builders import LIBRARY_FILE
from tests.updates import (
    FEW,
    HNSW,
    TRACKS,
    brought_up_to_date,
    forget,
    new_entries,
    reason_for_building,
    store,
)


def test_lists_that_miss_too_much_have_all_built_anew(
    tmp_path: Path,
    before: Generation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert before.manifest.index.measurement.listed_recall_at_10 == 1.0
    monkeypatch.setattr(update_limits, "listed_recall", lambda *_: 0.5)
    caplog.set_level(logging.INFO)
    store(tmp_path, new_entries(2))
    assert brought_up_to_date(tmp_path).manifest.parent == ""
    assert "recall@10=0.5000 of the lists" in reason_for_building(caplog)


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


def poor(recalls: list[float], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have searches find `recalls`, one after the other; the efforts that were tried."""
    efforts = list[int]()
    real = tuning.measure

    def measured(index: object, *arguments: object) -> Measurement:
        found: Measurement = real(index, *arguments)  # type: ignore[arg-type]
        efforts.append(found.effort)
        return replace(found, recall_at_10=recalls[len(efforts) - 1])

    monkeypatch.setattr("recommender.update_limits.measure", measured)
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
