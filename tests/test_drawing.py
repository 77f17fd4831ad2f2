"""What is drawn of a map."""

from pathlib import Path

import numpy as np
import pytest

from recommender.drawing import MOST_GROUPS, NO_GROUP, draw
from recommender.errors import InvalidParameterError
from recommender.filters import NO_FILTERS, Filters
from recommender.generation import Generation
from tests.builders import Entry, entry, generation_of


def track(number: int, genre: str = "", year: int = 0, tags: tuple[float, ...] = ()) -> Entry:
    vector = [1.0, number / 10, 0.0, 0.1]
    return entry(f"t{number:02}", vector, genre=genre, year=year, tags=tags)


@pytest.fixture
def generation(tmp_path: Path) -> Generation:
    jazz, rock = (0.9, 0.1, 0.2), (0.1, 0.8, 0.3)
    return generation_of(
        tmp_path,
        [
            track(0, "Jazz", 1959, jazz),
            track(1, "Jazz; Soul", 1964, jazz),
            track(2, "Rock", 1969, rock),
            track(3, "Rock", 1971, rock),
            track(4, "Rock", 1971, rock),
            track(5, "", 0, (0.0, 0.0, 0.0)),
        ],
    )


def test_all_tracks_are_drawn_where_they_lie(generation: Generation) -> None:
    drawing = draw(generation, NO_FILTERS, "tag", 100)
    assert drawing.rows.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(drawing.places, generation.arrays.places)
    assert (drawing.n_tracks, drawing.warnings) == (6, ())


def test_groups_by_the_strongest_tag(generation: Generation) -> None:
    drawing = draw(generation, NO_FILTERS, "tag", 100)
    assert drawing.legend == (("rock", 3), ("jazz", 2))
    assert drawing.groups.tolist() == [1, 1, 0, 0, 0, NO_GROUP]


def test_groups_by_genre_take_the_commonest_of_several(generation: Generation) -> None:
    drawing = draw(generation, NO_FILTERS, "genre", 100)
    assert drawing.legend == (("rock", 3), ("jazz", 2))
    assert drawing.groups.tolist() == [1, 1, 0, 0, 0, NO_GROUP]


def test_groups_by_year_are_decades_in_their_order(generation: Generation) -> None:
    drawing = draw(generation, NO_FILTERS, "year", 100)
    assert drawing.legend == (("1950s", 1), ("1960s", 2), ("1970s", 2))
    assert drawing.groups.tolist() == [0, 1, 1, 2, 2, NO_GROUP]


def test_filters_leave_some(generation: Generation) -> None:
    drawing = draw(generation, Filters(genres=("jazz", "polka")), "year", 100)
    assert drawing.rows.tolist() == [0, 1]
    assert drawing.legend == (("1950s", 1), ("1960s", 1))
    assert drawing.warnings == ("genre=polka is in no track of the catalog",)
    nobody = draw(generation, Filters(artists=("Nobody",)), "tag", 100)
    assert (len(nobody.rows), nobody.legend) == (0, ())


def test_a_tag_that_nobody_hears_is_refused(generation: Generation) -> None:
    with pytest.raises(InvalidParameterError, match="tag=polka"):
        draw(generation, Filters(tags=("polka",)), "tag", 100)


def test_more_than_are_wanted_are_spread_evenly(generation: Generation) -> None:
    drawing = draw(generation, NO_FILTERS, "tag", 2)
    assert drawing.rows.tolist() == [0, 5]
    assert drawing.n_tracks == 6
    assert drawing.warnings == ("limit=2: of 6 tracks, spread evenly",)


def test_a_few_groups_are_named_and_the_others_are_none(tmp_path: Path) -> None:
    entries = [track(n, f"Genre {n // 2:02}") for n in range(2 * MOST_GROUPS + 2)]
    drawing = draw(generation_of(tmp_path, entries), NO_FILTERS, "genre", 100)
    assert len(drawing.legend) == MOST_GROUPS
    assert drawing.groups.tolist()[-2:] == [NO_GROUP, NO_GROUP]


@pytest.mark.parametrize("colouring", ["tag", "genre", "year"])
def test_an_empty_catalog_has_an_empty_map(tmp_path: Path, colouring: str) -> None:
    drawing = draw(generation_of(tmp_path, []), NO_FILTERS, colouring, 100)  # type: ignore[arg-type]
    assert (len(drawing.rows), drawing.legend) == (0, ())
