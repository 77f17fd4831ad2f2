"""What a match must be like: whether anything is asked for, and ranges of years and seconds."""

from typing import Any

import numpy as np
import pytest

from recommender.figures import Figures, rows_in_ranges
from recommender.filters import TAG_THRESHOLD, Filters
from recommender.track import Metadata, Track


@pytest.mark.parametrize(
    "asked",
    [
        {"genres": ("jazz",)},
        {"artists": ("Kitto",)},
        {"albums": ("",)},
        {"tags": ("jazz",)},
        {"year_from": 0},
        {"year_to": 1975},
        {"duration_min": 0.0},
        {"duration_max": 360.0},
    ],
)
def test_filters_are_true_when_anything_is_asked_for(asked: dict[str, Any]) -> None:
    assert Filters(**asked)
    assert Filters(**asked) == Filters(**asked)
    assert hash(Filters(**asked)) == hash(Filters(**asked))


def test_a_threshold_alone_asks_for_nothing() -> None:
    assert not Filters()
    assert not Filters(tag_threshold=0.5)
    assert Filters().tag_threshold == TAG_THRESHOLD


def figures_of(*pairs: tuple[int, float]) -> Figures:
    figures = Figures()
    for row, (year, seconds) in enumerate(pairs):
        figures.put(row, Track(str(row), seconds, Metadata(year=year)))
    return figures


def rows(figures: Figures, **asked: Any) -> list[int]:
    return np.flatnonzero(rows_in_ranges(*figures.blobs(), Filters(**asked))).tolist()


def test_bounds_belong_to_a_range() -> None:
    figures = figures_of((1959, 100.0), (1960, 200.0), (1975, 300.0), (1976, 400.0))
    assert rows(figures, year_from=1960, year_to=1975) == [1, 2]
    assert rows(figures, year_from=1976) == [3]
    assert rows(figures, year_to=1959) == [0]
    assert rows(figures, duration_min=200, duration_max=300) == [1, 2]
    assert rows(figures, duration_min=200, year_to=1960) == [1]
    assert rows(figures, year_from=1975, year_to=1960) == []


def test_what_is_not_known_lies_in_no_range() -> None:
    figures = figures_of((0, 0.0), (1960, 200.0))
    assert rows(figures, year_to=2000) == rows(figures, year_from=0) == [1]
    assert rows(figures, duration_max=500) == rows(figures, duration_min=0) == [1]
    assert rows(figures) == [0, 1]


def test_seconds_are_compared_as_they_are_told() -> None:
    figures = figures_of((0, 180.0004))
    assert rows(figures, duration_max=180.0) == [0]


def test_rows_without_a_track_never_fit() -> None:
    figures = figures_of((1960, 100.0), (1960, 100.0))
    figures.put(4, Track("4", 100.0, Metadata(year=1960)))
    figures.forget([1, 9])
    assert rows(figures) == rows(figures, year_from=1900) == [0, 4]
    again = Figures(*figures.blobs())
    again.put(1, Track("1", 50.0, Metadata()))
    assert rows(again) == [0, 1, 4]
    assert rows(again, duration_max=60.0) == [1]


def test_no_rows() -> None:
    assert rows(Figures(), year_from=1900) == []
