"""Where a clip fits: tracks of windows whose cosines are known."""

import numpy as np
import pytest

from recommender.alignment import align
from recommender.segments import PHASES

# as many directions at right angles as there are windows
N = 24
TRACK = np.eye(N, dtype=np.float32)
PLACES = np.arange(N, dtype=np.int32)


def clip_of(begins: int, n_places: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Windows of a clip that begins so many parts of a step into the track."""
    at = (begins + np.arange(n_places)) / PHASES
    # between two windows of the track a window is half like either
    low = np.floor(at).astype(int)
    share = (at - low)[:, np.newaxis]
    vectors = (1 - share) * TRACK[low] + share * TRACK[np.minimum(low + 1, N - 1)]
    vectors += noise * np.random.default_rng(0).normal(size=vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.arange(n_places, dtype=np.int32), vectors[np.newaxis].astype(np.float32)


@pytest.mark.parametrize("begins", [0, 1, 2, 3, 16, 17, 60])
def test_a_clip_is_found_where_it_begins(begins: int) -> None:
    found = align(*clip_of(begins, 8), PLACES, TRACK)
    assert found is not None
    assert found.begins == begins
    assert found.cosine == pytest.approx(1.0, abs=1e-6)


def test_the_cosine_is_the_mean_of_windows_that_coincide() -> None:
    places, clip = clip_of(12, 7)
    clip[0, 3] = TRACK[20]
    clip[0, [1, 2, 4, 5]] = -TRACK[22]
    found = align(places, clip, PLACES, TRACK)
    # of the three windows that coincide with windows 4, 5 and 6 one is something else
    assert found is not None
    assert found.begins == 12
    assert found.cosine == pytest.approx(2 / 3)


def test_the_best_of_the_levels_counts() -> None:
    places, clip = clip_of(30, 8)
    worse = np.sqrt(0.5) * (np.roll(clip, 5, axis=2) + np.roll(clip, 11, axis=2))
    levels = np.concatenate([worse, clip, -clip])
    found = align(places, levels, PLACES, TRACK)
    assert found is not None
    assert found.begins == 30
    assert found.cosine == pytest.approx(1.0)


def test_noise_does_not_move_it() -> None:
    found = align(*clip_of(31, 20, noise=0.1), PLACES, TRACK)
    assert found is not None
    assert found.begins == 31
    assert 0.6 < found.cosine < 1.0


def test_of_equally_good_moments_the_earliest_is_taken() -> None:
    track = np.tile(TRACK[:6], (4, 1))
    found = align(*clip_of(6, 7), PLACES, track)
    assert found is not None
    assert found.begins == 6


def test_windows_that_are_missing_count_for_nothing() -> None:
    audible = np.array([0, 1, 5, 6, 7])
    found = align(*clip_of(15, 7), PLACES[audible], TRACK[audible])
    assert found is not None
    assert found.begins == 15
    assert found.cosine == pytest.approx(1.0)
    places, clip = clip_of(15, 7)
    found = align(places[[0, 6]], clip[:, [0, 6]], PLACES, TRACK)
    assert found is not None
    assert found.begins == 15
    assert found.cosine == pytest.approx(1.0)


def test_a_clip_may_begin_before_the_track_and_end_after_it() -> None:
    places, clip = clip_of(6, 13)
    found = align(places, clip, PLACES[:10], TRACK[4:14])
    assert found is not None
    assert found.begins == 6 - 4 * PHASES
    found = align(places, clip, PLACES[:5], TRACK[:5])
    assert found is not None
    assert found.begins == 6
    assert found.cosine == pytest.approx(1.0)


def test_a_single_window_at_an_end_is_not_enough_for_a_clip_of_several() -> None:
    places, clip = clip_of(30, 13)
    # the last window of the clip is the first of the track, and nothing else is alike
    track = np.concatenate([clip[0, 12:13], TRACK[:6]])
    found = align(places, clip, np.arange(7, dtype=np.int32), track)
    assert found is not None
    assert found.cosine < 0.5


def test_without_windows_there_is_no_alignment() -> None:
    places, clip = clip_of(0, 4)
    none = np.empty(0, np.int32)
    assert align(none, clip[:, :0], PLACES, TRACK) is None
    assert align(places, clip, none, TRACK[:0]) is None
