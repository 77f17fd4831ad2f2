"""Paths through a generation: ends, filters, caps, warnings; known answers."""

from dataclasses import replace
from math import cos, radians, sin
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.errors import InvalidParameterError, UnknownTrackError
from recommender.filters import Filters
from recommender.generation import Generation
from recommender.index.recipes import IndexOptions
from recommender.paths import PathAnswer, PathOptions, find_path
from recommender.press import How
from recommender.publishing import publish
from recommender.update_limits import Limits
from tests.builders import (
    SPACE,
    Entry,
    entry,
    generation_of,
    indexed,
    open_library,
    opened,
    random_entries,
)


def on_circle(id_: str, degrees: float) -> Entry:
    return entry(id_, [cos(radians(degrees)), sin(radians(degrees)), 0.0, 0.0])


def ids_of(answer: PathAnswer) -> list[str]:
    return [stop.track.id for stop in answer.matches]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Generation:
    """Three hundred tracks by seven artists, every third of them jazz."""
    entries = [
        replace(one, metadata=replace(one.metadata, artist=f"Artist {i % 7}", genre=genre))
        for i, one in enumerate(random_entries(300))
        for genre in [("Jazz", "Rock", "")[i % 3]]
    ]
    return generation_of(tmp_path_factory.mktemp("crowd"), entries)


def test_tracks_on_a_circle_are_walked_in_order(tmp_path: Path) -> None:
    at = {"a": 0, "q": 22.5, "c": 45, "p": 67.5, "b": 90}
    generation = generation_of(tmp_path, [on_circle(id_, degrees) for id_, degrees in at.items()])
    found = find_path(generation, "a", "b", PathOptions(steps=5))
    assert ids_of(found) == ["a", "q", "c", "p", "b"]
    assert [stop.rank for stop in found.matches] == [1, 2, 3, 4, 5]
    hop = round((1 + cos(radians(22.5))) / 2, 6)
    assert [stop.similarity for stop in found.matches] == [None, hop, hop, hop, hop]
    assert (found.generation, found.warnings) == (generation.manifest.generation, ())


def test_the_way_back_visits_the_same_tracks(tmp_path: Path) -> None:
    at = {"a": 0, "q": 20, "c": 50, "p": 70, "b": 90}
    generation = generation_of(tmp_path, [on_circle(id_, degrees) for id_, degrees in at.items()])
    assert ids_of(find_path(generation, "b", "a", PathOptions(steps=5))) == list("bpcqa")


def test_two_steps_are_the_ends(crowd: Generation) -> None:
    assert ids_of(find_path(crowd, "t007", "t003", PathOptions(steps=2))) == ["t007", "t003"]


def test_each_track_shares_tags_with_the_one_before(tmp_path: Path) -> None:
    tags = {"a": (0.9, 0.0, 0.0), "m": (0.5, 0.7, 0.0), "z": (0.0, 0.6, 0.0)}
    entries = [
        replace(on_circle(id_, degrees), tags=tags[id_])
        for id_, degrees in (("a", 0), ("m", 40), ("z", 80))
    ]
    found = find_path(generation_of(tmp_path, entries), "a", "z", PathOptions(steps=3))
    shared = [[tag["name"] for tag in stop.shared_tags] for stop in found.matches]
    assert shared == [[], ["jazz"], ["rock"]]


@pytest.mark.parametrize(("opposite", "steps"), [(True, 5), (False, 5), (True, 100)])
def test_ends_may_be_opposite_or_equal(tmp_path: Path, opposite: bool, steps: int) -> None:
    sign = -1.0 if opposite else 1.0
    entries = [
        entry("a", [1.0, 0.5, 0.0, 0.2]),
        entry("b", [sign, sign * 0.5, 0.0, sign * 0.2]),
        *random_entries(98),
    ]
    found = ids_of(find_path(generation_of(tmp_path, entries), "a", "b", PathOptions(steps=steps)))
    assert (found[0], found[-1], len(set(found))) == ("a", "b", steps)


def test_a_walk_is_shorter_when_too_few_tracks_qualify(tmp_path: Path) -> None:
    generation = generation_of(tmp_path, random_entries(4))
    found = find_path(generation, "t000", "t003", PathOptions(steps=10))
    assert sorted(ids_of(found)) == ["t000", "t001", "t002", "t003"]
    assert found.warnings == ("steps=10: no more than 4 tracks qualify",)


def test_when_nothing_qualifies_the_ends_are_left(crowd: Generation) -> None:
    options = PathOptions(filters=Filters(genres=("Polka",)))
    found = find_path(crowd, "t000", "t001", options)
    assert ids_of(found) == ["t000", "t001"]
    assert found.warnings == (
        "genre=Polka is in no track of the catalog",
        "steps=10: no more than 2 tracks qualify",
    )


def test_the_ends_must_differ(crowd: Generation) -> None:
    with pytest.raises(InvalidParameterError, match="from=t001 is also to"):
        find_path(crowd, "t001", "t001", PathOptions())


@pytest.mark.parametrize("steps", [1, 0, 101])
def test_the_number_of_steps_has_bounds(crowd: Generation, steps: int) -> None:
    with pytest.raises(InvalidParameterError, match=f"steps={steps}"):
        find_path(crowd, "t001", "t002", PathOptions(steps=steps))


def test_unknown_ends_are_named(crowd: Generation) -> None:
    with pytest.raises(UnknownTrackError, match=r"x.*y"):
        find_path(crowd, "x", "y", PathOptions())


def test_excluded_tracks_and_artists_are_not_between_the_ends(crowd: Generation) -> None:
    plain = ids_of(find_path(crowd, "t000", "t001", PathOptions()))
    options = PathOptions(exclude_ids=(plain[3], "gone"), exclude_artists=("ARTIST 5",))
    found = find_path(crowd, "t000", "t001", options)
    assert plain[3] not in ids_of(found)
    assert len(found.matches) == 10
    assert "Artist 5" not in {stop.track.metadata.artist for stop in found.matches[1:-1]}
    assert found.warnings == ("exclude_id=gone is not in the catalog",)


def test_a_cap_is_kept_and_filled_from_farther_away(tmp_path: Path) -> None:
    # all that lie near the way are by one artist; others have to be looked for
    near = [
        entry(f"n{i:03}", [1.0, i / 400, 0.0, 0.01 * (i % 3)], artist="Many") for i in range(400)
    ]
    far = [entry(f"x{i}", [0.2, 0.1, 1.0, i / 10], artist=f"Few {i}") for i in range(6)]
    found = find_path(
        generation_of(tmp_path, near + far), "n000", "n399", PathOptions(8, max_per_artist=1)
    )
    between = [stop.track.metadata.artist for stop in found.matches[1:-1]]
    assert len(between) == len(set(between)) == 6


def test_a_cap_may_leave_too_few(tmp_path: Path) -> None:
    entries = [entry(e.id, e.vector, artist="One") for e in random_entries(300)]
    found = find_path(
        generation_of(tmp_path, entries), "t000", "t001", PathOptions(5, max_per_artist=2)
    )
    assert len(found.matches) == 4
    assert found.warnings == ("steps=5: no more than 4 tracks qualify",)


def test_tracks_that_left_the_catalog_are_not_walked_over(tmp_path: Path) -> None:
    how = How(IndexOptions("hnsw"), limits=Limits(least_rows=100))
    entries = [on_circle(f"t{i:03}", 0.3 * i) for i in range(300)]
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in entries], SPACE)
        publish(tmp_path, library, SPACE, how)
        library.forget_files([e.file for e in entries[3::15]])
        generation = opened(tmp_path, publish(tmp_path, library, SPACE, how)).generation
    assert (generation.manifest.n_rows, generation.manifest.n_tracks) == (300, 280)
    found = ids_of(find_path(generation, "t000", "t099", PathOptions(steps=100)))
    assert len(set(found)) == 100
    assert set(found) <= set(generation.track_ids)
    with pytest.raises(UnknownTrackError):
        find_path(generation, "t000", "t003", PathOptions())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ends=st.lists(st.integers(0, 299), min_size=2, max_size=2, unique=True),
    steps=st.integers(2, 100),
    cap=st.none() | st.integers(1, 20),
    jazz=st.booleans(),
)
def test_every_path_keeps_its_promises(
    crowd: Generation, ends: list[int], steps: int, cap: int | None, jazz: bool
) -> None:
    first, last = (f"t{i:03}" for i in ends)
    filters = Filters(genres=("jazz",)) if jazz else Filters()
    options = PathOptions(steps, max_per_artist=cap, filters=filters)
    found = find_path(crowd, first, last, options)
    ids = ids_of(found)
    assert (ids[0], ids[-1]) == (first, last)
    assert len(set(ids)) == len(ids)
    between = [stop.track.metadata for stop in found.matches[1:-1]]
    artists = [metadata.artist for metadata in between]
    assert all(artists.count(artist) <= (cap or 100) for artist in artists)
    assert not jazz or {metadata.genre for metadata in between} <= {"Jazz"}
    if cap is None and not jazz:
        assert len(ids) == steps
    assert bool(found.warnings) == (len(ids) < steps)
    rows, _ = crowd.rows_of(ids)
    vectors = crowd.index.vectors(rows).astype(np.float64)
    expected = (1 + (vectors[1:] * vectors[:-1]).sum(axis=1)) / 2
    assert [stop.similarity for stop in found.matches[1:]] == pytest.approx(expected, abs=1e-6)
    assert find_path(crowd, first, last, options) == found
