"""Order and caps, by known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking import Cap, corrected, diversified, ordered, picked, similarity


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


ARTISTS = [0, 0, 1, -1, -1, 0, 1]


@pytest.mark.parametrize(
    ("most", "kept", "spent"),
    [
        (1, [0, 2, 3, 4], [0, 1]),
        (2, [0, 1, 2, 3, 4, 6], [0, 1]),
        (3, [0, 1, 2, 3, 4, 5, 6], [0]),
        (99, [0, 1, 2, 3, 4, 5, 6], []),
    ],
)
def test_the_cap_keeps_the_first_of_each_artist_and_all_without_one(
    most: int, kept: list[int], spent: list[int]
) -> None:
    cap = Cap(most)
    assert picked([(cap, ARTISTS)], 7, 7) == kept
    assert cap.spent == spent


def test_a_cap_goes_on_where_it_was() -> None:
    cap = Cap(2)
    assert picked([(cap, ARTISTS)], 2, 7) == [0, 1]
    assert picked([(cap, ARTISTS[2:])], 7, 5) == [0, 1, 2, 4]


def test_no_more_are_picked_than_are_wanted_and_only_those_count() -> None:
    cap = Cap(1)
    assert picked([(cap, [5, 6, 7])], 1, 3) == [0]
    assert cap.spent == [5]


def test_every_cap_must_admit_a_track() -> None:
    assert picked([(Cap(1), [1, 1, 2, 2]), (Cap(1), [8, 9, 8, 9])], 4, 4) == [0, 3]


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 30))
def test_a_cap_is_kept_and_leaves_out_no_more_than_it_must(
    most: int, n_artists: int, n_tracks: int
) -> None:
    artists = [track % n_artists for track in range(n_tracks)]
    kept = [artists[place] for place in picked([(Cap(most), artists)], n_tracks, n_tracks)]
    expected = [min(most, artists.count(artist)) for artist in range(n_artists)]
    assert [kept.count(artist) for artist in range(n_artists)] == expected


def test_hubs_lose_half_of_how_crowded_they_are() -> None:
    scores = corrected(np.array([0.9, 0.8]), np.array([0.8, 0.4]))
    assert scores.tolist() == pytest.approx([0.5, 0.6])


def unit(degrees: float) -> list[float]:
    return [float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))]


NEAR_AND_FAR = np.array([unit(0), unit(1), unit(90)], np.float32)
NO_VECTORS = np.empty((0, 2), np.float32)


@pytest.mark.parametrize(("diversity", "order"), [(0.0, [0, 1, 2]), (0.5, [0, 2, 1])])
def test_a_diverse_list_takes_the_unlike_before_the_like(
    diversity: float, order: list[int]
) -> None:
    scores = np.array([0.9, 0.89, 0.7])
    assert diversified(scores, NEAR_AND_FAR, NO_VECTORS, diversity, [], 3) == order


def test_what_was_chosen_before_counts_for_diversity() -> None:
    scores = np.array([0.9, 0.89, 0.7])
    assert diversified(scores, NEAR_AND_FAR, NEAR_AND_FAR[:1], 0.5, [], 1) == [2]


def test_a_diverse_list_heeds_caps() -> None:
    scores = np.array([0.9, 0.89, 0.7])
    groups = (Cap(1), [4, 4, 4])
    assert diversified(scores, NEAR_AND_FAR, NO_VECTORS, 0.5, [groups], 3) == [0]
