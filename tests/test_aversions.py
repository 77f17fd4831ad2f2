"""Albums that a listener wants nothing of any more."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.aversions import shunned
from recommender.engine import Recommender
from recommender.personal import Mood, Novelty, recommend_to
from recommender.questions import Options
from recommender.taste import DISLIKE, LIKE, Opinion
from tests.builders import Entry, entry, recommender_of

random = np.random.default_rng(3)


def album_of_sounds(name: str, count: int, **metadata: Any) -> list[Entry]:
    """Tracks of one album that have no sound in common."""
    return [
        entry(f"{name}{i}", random.standard_normal(4).tolist(), **metadata) for i in range(count)
    ]


@pytest.fixture
def recommender(tmp_path: Path) -> Recommender:
    """An album with many sounds, one of the same title by others, and tracks without an album."""
    return recommender_of(
        tmp_path,
        [
            *album_of_sounds("mine", 12, album="Hits", artist="Ada"),
            *album_of_sounds("other", 12, album="hits", artist="Bo"),
            *album_of_sounds("loose", 12, artist="Ada"),
        ],
    )


def disliked(*ids: str) -> list[Opinion]:
    return [Opinion(id_, DISLIKE, disliked=True) for id_ in ids]


def names_shunned(recommender: Recommender, opinions: list[Opinion]) -> set[str]:
    generation = recommender.generation
    rows, _ = generation.rows_of([one.track_id for one in opinions])
    return set(generation.arrays.names(shunned(generation, rows, opinions)))


MINE = {f"mine{i}" for i in range(12)}


def test_three_dislikes_of_an_album_are_enough(recommender: Recommender) -> None:
    assert names_shunned(recommender, disliked("mine0", "mine5")) == set()
    assert names_shunned(recommender, disliked("mine0", "mine5", "mine7")) == MINE


def test_an_album_that_is_liked_as_much_stays(recommender: Recommender) -> None:
    said = disliked("mine0", "mine1", "mine2")
    liked = [Opinion(f"mine{i}", LIKE) for i in (3, 4, 5)]
    assert names_shunned(recommender, [*said, *liked]) == set()
    assert names_shunned(recommender, [*said, *liked[:2]]) == MINE
    # what was only played does not speak for it
    heard = [Opinion(f"mine{i}", 1.0) for i in (3, 4, 5)]
    assert names_shunned(recommender, [*said, *heard]) == MINE


def test_tracks_without_an_album_are_on_none_together(recommender: Recommender) -> None:
    assert names_shunned(recommender, disliked("loose0", "loose1", "loose2")) == set()


@pytest.mark.parametrize("novelty", Novelty)
def test_nothing_of_it_comes_and_it_returns(recommender: Recommender, novelty: Novelty) -> None:
    heard = [Opinion("mine9", 1.0), Opinion("loose9", 1.0), Opinion("other9", 1.0)]
    options, mood = Options(limit=30), Mood(novelty)

    def found(opinions: list[Opinion]) -> set[str]:
        matches = recommend_to(recommender, opinions, options, mood).matches
        return {match.track.id for match in matches}

    before = found(heard)
    assert before & MINE
    after = found([*heard, *disliked("mine0", "mine1", "mine2")])
    assert not after & MINE
    assert after >= before - MINE
    assert found(heard) == before
