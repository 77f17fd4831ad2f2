"""Order and caps, by known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking import capped, ordered, similarity


@pytest.mark.parametrize(
    ("cosine", "expected"),
    [(1.0, 1.0), (0.0, 0.5), (-1.0, 0.0), (0.5, 0.75), (1.0000006, 1.0), (-1.0000006, 0.0)],
)
def test_similarity_is_half_of_one_plus_cosine_within_its_bounds(
    cosine: float, expected: float
) -> None:
    assert similarity(np.array([cosine], np.float32)).tolist() == [expected]


def test_similarity_has_six_decimals() -> None:
    assert similarity(np.array([0.12345678])).tolist() == [0.561728]
    assert similarity(np.empty(0, np.float32)).shape == (0,)


IDS = np.array([f"{9 - row}".encode() for row in range(10)])


def test_the_most_similar_come_first_and_equal_ones_by_id() -> None:
    rows, similarities = ordered(np.array([5, 9, 2, 7]), np.array([0.5, 0.9, 0.5, 0.1]), IDS)
    assert rows.tolist() == [9, 5, 2, 7]
    assert similarities.tolist() == [0.9, 0.5, 0.5, 0.1]


ARTISTS = {0: "x", 1: "x", 2: "y", 3: None, 4: None, 5: "x", 6: "y"}


@pytest.mark.parametrize(
    ("most", "kept", "spent"),
    [
        (1, [0, 2, 3, 4], {"x", "y"}),
        (2, [0, 1, 2, 3, 4, 6], {"x", "y"}),
        (3, [0, 1, 2, 3, 4, 5, 6], {"x"}),
        (99, [0, 1, 2, 3, 4, 5, 6], set()),
    ],
)
def test_the_cap_keeps_the_first_of_each_artist_and_all_without_one(
    most: int, kept: list[int], spent: set[str]
) -> None:
    assert capped(range(7), ARTISTS.__getitem__, most) == (kept, spent)


@given(
    rows=st.lists(st.integers(0, 100), unique=True),
    n_artists=st.integers(1, 5),
    most=st.integers(1, 3),
)
def test_a_cap_is_kept_and_leaves_out_no_more_than_it_must(
    rows: list[int], n_artists: int, most: int
) -> None:
    kept, _ = capped(rows, lambda row: f"artist {row % n_artists}", most)
    assert kept == [row for row in rows if row in kept]
    for artist in range(n_artists):
        by_artist = [row for row in rows if row % n_artists == artist]
        assert [row for row in kept if row % n_artists == artist] == by_artist[:most]
