from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.events import Event, Kind
from recommender.generation import normalised
from recommender.taste import (
    DISLIKE,
    LIKE,
    Opinion,
    aversion,
    fit,
    interests_of,
    merged,
    opinions,
    revoked,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def event(kind: str, track_id: str = "a", days: float = 0.0, seconds: float | None = None) -> Event:
    return Event(track_id, Kind(kind), NOW - timedelta(days=days), seconds)


def weight_of(*events: Event, half_life_days: float = 100.0, seconds: float = 200.0) -> float:
    [opinion] = opinions(events, NOW, half_life_days, {"a": seconds})
    return opinion.weight


def units(*rows: list[float]) -> np.ndarray:
    return normalised(np.array(rows, np.float32))


def test_a_listen_counts_one_and_more_count_less_than_their_sum() -> None:
    assert weight_of(event("listen")) == pytest.approx(1.0)
    assert weight_of(*[event("listen", days=0)] * 3) == pytest.approx(2.0)


@pytest.mark.parametrize(("played", "heard"), [(200, 1.0), (100, 0.5), (500, 1.0), (0, 0.0)])
def test_a_listen_counts_as_much_as_was_heard(played: float, heard: float) -> None:
    assert weight_of(event("listen", seconds=played)) == pytest.approx(np.log2(1 + heard))


def test_a_track_of_unknown_length_was_heard_as_a_whole() -> None:
    [opinion] = opinions([event("listen", seconds=3)], NOW, 100, {})
    assert opinion == Opinion("a", 1.0)


def test_a_listen_is_worth_half_after_the_half_life() -> None:
    assert weight_of(event("listen", days=100)) == pytest.approx(np.log2(1.5))
    assert weight_of(event("listen", days=30), half_life_days=30) == pytest.approx(np.log2(1.5))


def test_what_is_to_come_is_as_new_as_now() -> None:
    assert weight_of(event("listen", days=-3)) == pytest.approx(1.0)


def test_skips_speak_against_and_fade() -> None:
    assert weight_of(event("skip"), event("skip")) == pytest.approx(-1.0)
    assert weight_of(event("skip", days=100)) == pytest.approx(-0.25)
    assert weight_of(event("listen"), event("skip")) == pytest.approx(0.5)


def test_likes_do_not_fade() -> None:
    assert weight_of(event("like", days=5000)) == LIKE


def test_the_last_of_likes_and_dislikes_counts() -> None:
    liked = opinions([event("dislike", days=2), event("like", days=1)], NOW, 100, {})
    assert liked == [Opinion("a", LIKE)]
    disliked = opinions([event("dislike", days=1), event("like", days=2)], NOW, 100, {})
    assert disliked == [Opinion("a", DISLIKE, disliked=True)]


@pytest.mark.parametrize("kinds", [("like", "dislike"), ("dislike", "like")])
def test_of_a_like_and_a_dislike_at_once_the_dislike_counts(kinds: tuple[str, str]) -> None:
    [opinion] = opinions([event(kind) for kind in kinds], NOW, 100, {})
    assert opinion.disliked


def test_many_listens_do_not_outweigh_a_dislike() -> None:
    events = [event("listen", days=day) for day in range(50)]
    [opinion] = opinions([*events, event("dislike", days=90)], NOW, 100, {})
    assert opinion == Opinion("a", DISLIKE, disliked=True)


@given(
    st.permutations([("listen", "a", 1), ("skip", "b", 2), ("like", "c", 3), ("dislike", "d", 4)])
)
def test_the_order_of_events_does_not_matter(events: list[tuple[str, str, int]]) -> None:
    found = opinions([event(*one) for one in events], NOW, 100, {})
    assert [one.track_id for one in found] == ["c", "d", "a", "b"]


def test_styles_apart_are_interests_apart_with_what_they_weigh() -> None:
    vectors = units([1, 0.1, 0], [1, -0.1, 0], [1, 0, 0.1], [0, 0.1, 1], [0, -0.1, 1])
    one, other = interests_of(vectors, np.array([1.0, 1, 1, 1, 2]))
    assert {*one.members.tolist()} == {0, 1, 2} or {*one.members.tolist()} == {3, 4}
    by_size = {len(interest.members): interest for interest in (one, other)}
    assert by_size[2].share == pytest.approx(0.5)
    assert by_size[2].members.tolist()[0] == 4
    assert by_size[2].shares.sum() == pytest.approx(1.0)


def test_nothing_liked_is_no_interest() -> None:
    assert interests_of(np.empty((0, 3), np.float32), np.empty(0)) == []


def test_a_track_fits_when_it_is_near_to_some_of_an_interest() -> None:
    vectors = units([1, 0], [0, 1])
    [interest] = interests_of(vectors[:1], np.ones(1))
    assert fit(vectors, interest, vectors).tolist() == pytest.approx([1.0, 0.0])
    both = interests_of(units([1, 0], [1, 0]), np.ones(2))[0]
    assert fit(units([1, 0], [1, 0]), both, vectors).tolist() == pytest.approx([1.0, 0.0])


def test_the_fit_lies_between_the_mean_and_the_best() -> None:
    vectors = normalised(np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32))
    for interest in interests_of(vectors, np.ones(9)):
        cosines = vectors @ vectors[interest.members].T
        found = fit(vectors, interest, vectors)
        assert (found <= cosines.max(axis=1) + 1e-6).all()
        assert (found >= cosines.mean(axis=1) - 1e-6).all()


def test_a_dislike_takes_the_weight_of_what_is_like_it() -> None:
    liked, disliked = units([1, 0], [0, 1], [1, 1], [-1, 0]), units([1, 0])
    left = revoked(np.ones(4), liked, disliked, np.array([2.0]))
    assert left.tolist() == pytest.approx([1e-6, 1.0, 1 - np.sqrt(0.5), 1.0], abs=1e-5)


def test_a_lesser_dislike_takes_less() -> None:
    left = revoked(np.ones(1), units([1, 0]), units([1, 0]), np.array([1.0]))
    assert left.tolist() == pytest.approx([0.5])


def test_without_dislikes_all_weights_stay() -> None:
    nothing = np.empty((0, 2), np.float32)
    assert revoked(np.ones(2), units([1, 0], [0, 1]), nothing, np.empty(0)).tolist() == [1, 1]
    assert aversion(nothing, np.empty(0), units([1, 0])).tolist() == [0]


def test_what_is_like_a_dislike_loses_and_what_is_not_does_not() -> None:
    lost = aversion(units([1, 0]), np.array([2.0]), units([1, 0], [1, 1], [0, 1], [-1, 0]))
    assert lost.tolist() == pytest.approx([0.25, 0.25 * np.sqrt(0.5), 0, 0])


def test_lists_are_merged_by_their_shares() -> None:
    found = merged([[1, 2, 3, 4], [11, 12, 13]], [0.75, 0.25], 4)
    assert found == [(1, 0), (11, 1), (2, 0), (3, 0)] or found == [(1, 0), (2, 0), (11, 1), (3, 0)]
    assert len(merged([[1, 2, 3, 4], [11, 12, 13]], [0.75, 0.25], 100)) == 7


def test_a_row_of_two_lists_comes_once() -> None:
    assert merged([[1, 2], [1, 3]], [0.5, 0.5], 10) == [(1, 0), (3, 1), (2, 0)]


@given(
    st.lists(st.lists(st.integers(0, 30), unique=True, max_size=12), min_size=1, max_size=5),
    st.integers(0, 40),
)
def test_as_many_rows_as_there_are_each_once(lists: list[list[int]], limit: int) -> None:
    rows = [row for row, _ in merged(lists, [1.0] * len(lists), limit)]
    assert len(set(rows)) == len(rows) == min(limit, len({row for some in lists for row in some}))
