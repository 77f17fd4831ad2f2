"""Where windows lie in audio, and what each of them weighs."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.embedding import EmbedderSpec, Window, spread, window_starts, windows_in
from recommender.errors import InvalidParameterError
from tests.builders import COVERED, SPEC, TAILS, length_of

HOP = SPEC.hop_samples


def test_all_windows_are_every_place_of_the_grid() -> None:
    assert window_starts(length_of(5), SPEC, None) == [0, 100, 200, 300, 400]


@pytest.mark.parametrize(("extra", "count"), [(-1, 4), (0, 5), (1, 5), (99, 5), (100, 6)])
def test_a_window_counts_only_if_it_is_filled(extra: int, count: int) -> None:
    assert len(window_starts(length_of(5) + extra, SPEC, None)) == count


def test_twelve_of_120_windows_are_the_middles_of_twelve_equal_parts() -> None:
    starts = window_starts(length_of(120), SPEC, 12)
    assert starts == [(5 + 10 * i) * HOP for i in range(12)]


def test_one_window_is_the_middle_one() -> None:
    assert window_starts(length_of(101), SPEC, 1) == [50 * HOP]


@pytest.mark.parametrize("n_samples", [0, 1, 299, 300])
@pytest.mark.parametrize("n_windows", [None, 1, 12])
def test_short_audio_has_one_window(n_samples: int, n_windows: int | None) -> None:
    assert window_starts(n_samples, SPEC, n_windows) == [0]


def test_more_windows_than_there_are_means_all() -> None:
    assert window_starts(length_of(7), SPEC, 12) == window_starts(length_of(7), SPEC, None)


def test_context_moves_every_window_back() -> None:
    spec = replace(SPEC, context_samples=30)
    assert window_starts(length_of(3), spec, None) == [-30, 70, 170]


@pytest.mark.parametrize("n_windows", [0, -1])
def test_less_than_one_window_is_refused(n_windows: int) -> None:
    with pytest.raises(InvalidParameterError, match=f"n_windows={n_windows}"):
        window_starts(length_of(3), SPEC, n_windows)


@given(n_samples=st.integers(0, 10**8), n_windows=st.integers(1, 200))
def test_some_windows_are_an_even_subset_of_the_grid(n_samples: int, n_windows: int) -> None:
    starts = window_starts(n_samples, SPEC, n_windows)
    available = max(1, 1 + (n_samples - SPEC.least_samples) // HOP)
    assert len(starts) == min(n_windows, available)
    assert all(s % HOP == 0 and 0 <= s <= max(0, n_samples - SPEC.least_samples) for s in starts)
    gaps = {b - a for a, b in pairwise(starts)}
    assert not gaps or (min(gaps) >= HOP and max(gaps) - min(gaps) <= HOP)


@pytest.mark.parametrize("n_windows", [None, 1, 3, 12])
@pytest.mark.parametrize("tail", ["dropped", "covered"])
def test_windows_of_the_grid_weigh_one(tail: str, n_windows: int | None) -> None:
    spec = TAILS[tail]
    windows = windows_in(length_of(9), spec, n_windows)
    assert windows == [(place * HOP, 1.0) for place in spread(9, n_windows)]


@pytest.mark.parametrize("extra", [1, 50, 99])
def test_a_covered_tail_is_a_window_that_ends_with_the_audio(extra: int) -> None:
    *grid, tail = windows_in(length_of(3) + extra, COVERED, None)
    assert grid == windows_in(length_of(3), SPEC, None)
    # each window of the grid adds a hop of 100 samples
    assert tail == (200 + extra, extra / 100)


@pytest.mark.parametrize("spec", [SPEC, COVERED], ids=lambda spec: spec.tail)
def test_tails_are_covered_only_for_embedders_that_say_so(spec: EmbedderSpec) -> None:
    last = window_starts(length_of(3) + 60, spec, None)[-1]
    assert last == (260 if spec is COVERED else 200)


def test_the_context_of_a_tail_lies_before_it() -> None:
    spec = replace(COVERED, context_samples=30)
    assert window_starts(length_of(2) + 40, spec, None) == [-30, 70, 110]


@pytest.mark.parametrize(("extra", "weight"), [(30, 0.1), (299, 299 / 300), (450, 1.0)])
def test_a_tail_behind_a_gap_weighs_what_it_holds_of_new_audio(extra: int, weight: float) -> None:
    spec = replace(COVERED, hop_samples=500)
    assert windows_in(300 + extra, spec, None)[-1] == Window(extra, weight)


@pytest.mark.parametrize("n_samples", [0, 1, 299, 300])
def test_audio_of_up_to_a_window_has_no_tail(n_samples: int) -> None:
    assert windows_in(n_samples, COVERED, None) == [(0, 1.0)]


@given(
    n_samples=st.integers(300, 10**6),
    hop=st.integers(1, 900),
    n_windows=st.one_of(st.none(), st.integers(1, 20)),
)
def test_all_windows_of_a_covered_tail_reach_the_end_and_some_are_among_them(
    n_samples: int, hop: int, n_windows: int | None
) -> None:
    spec = replace(COVERED, hop_samples=max(hop, n_samples // 1000))
    every, some = windows_in(n_samples, spec, None), windows_in(n_samples, spec, n_windows)
    assert every[-1].start == n_samples - 300
    assert set(some) <= set(every)
    assert all(0 < window.weight <= 1 for window in every)
    assert every == sorted(set(every))
