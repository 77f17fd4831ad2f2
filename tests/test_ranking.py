"""Order, caps and reasons, by known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking import capped, ordered, shared_tags, similarity, tag_strengths
from recommender.track import TagStrength


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


def test_the_most_similar_come_first_and_equal_ones_by_row() -> None:
    rows, similarities = ordered(np.array([5, 9, 2, 7]), np.array([0.5, 0.9, 0.5, 0.1]))
    assert rows.tolist() == [9, 2, 5, 7]
    assert similarities.tolist() == [0.9, 0.5, 0.5, 0.1]


ARTISTS = {0: "x", 1: "x", 2: "y", 3: "", 4: "", 5: "x", 6: "y"}


@pytest.mark.parametrize(
    ("most", "kept"),
    [
        (None, [0, 1, 2, 3, 4, 5, 6]),
        (1, [0, 2, 3, 4]),
        (2, [0, 1, 2, 3, 4, 6]),
        (99, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_the_cap_keeps_the_first_of_each_artist_and_all_without_one(
    most: int | None, kept: list[int]
) -> None:
    assert capped(range(7), ARTISTS.__getitem__, most) == kept


@given(
    rows=st.lists(st.integers(0, 100), unique=True),
    n_artists=st.integers(1, 5),
    most=st.integers(1, 3),
)
def test_a_cap_is_kept_and_leaves_out_no_more_than_it_must(
    rows: list[int], n_artists: int, most: int
) -> None:
    kept = capped(rows, lambda row: f"artist {row % n_artists}", most)
    assert kept == [row for row in rows if row in kept]
    for artist in range(n_artists):
        by_artist = [row for row in rows if row % n_artists == artist]
        assert [row for row in kept if row % n_artists == artist] == by_artist[:most]


def test_of_two_taggers_the_surer_counts() -> None:
    strengths = tag_strengths(["one:jazz", "two:jazz", "rock"], np.array([0.25, 0.5, 0.75]))
    assert strengths == {"jazz": 0.5, "rock": 0.75}


def test_names_and_probabilities_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="zip"):
        tag_strengths(["jazz"], np.array([0.1, 0.2], np.float32))


def test_shared_tags_are_the_strongest_three_at_the_weaker_strength() -> None:
    one = {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6, "e": 0.99}
    other = {"a": 0.3, "b": 0.8, "c": 0.5, "d": 0.4}
    assert shared_tags(one, other) == (
        TagStrength("b", 0.8),
        TagStrength("c", 0.5),
        TagStrength("d", 0.4),
    )
    assert shared_tags(other, one) == shared_tags(one, other)


def test_equally_strong_tags_come_by_name_and_weak_ones_not_at_all() -> None:
    tags = {"b": 0.5, "a": 0.5, "weak": 0.0499, "just": 0.05}
    assert shared_tags(tags, tags) == (
        TagStrength("a", 0.5),
        TagStrength("b", 0.5),
        TagStrength("just", 0.05),
    )


def test_nothing_shared_gives_no_reason() -> None:
    assert shared_tags({"a": 0.9}, {"b": 0.9}) == ()
    assert shared_tags({}, {}) == ()
