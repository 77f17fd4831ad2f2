"""What a child says of windows is checked like all that it says."""

from typing import Any

import numpy as np
import pytest

from recommender.analysis import embeddings_from, packed
from recommender.analysis_in_time import clip_windows_from, segments_from
from recommender.errors import ChildFailedError
from tests.builders import SPACE, embedding

PLACES = np.array([0, 2, 3], np.int32)
WINDOWS = np.arange(12, dtype=np.float32).reshape(3, 4)


def answer(**arrays: Any) -> bytes:
    return packed([embedding([1, 2, 3, 4])], **{"places": PLACES, "windows": WINDOWS, **arrays})


def clip_answer(**arrays: Any) -> bytes:
    clip = {"windows": np.stack([WINDOWS] * 2), "seconds": np.array([9.5])}
    return packed([embedding([1, 2, 3, 4])] * 2, **{"places": PLACES, **clip, **arrays})


def test_segments_come_back_beside_the_vector() -> None:
    segments = segments_from(answer(), SPACE)
    assert segments is not None
    np.testing.assert_array_equal(segments.places, PLACES)
    np.testing.assert_array_equal(segments.vectors, WINDOWS)
    assert embeddings_from(answer(), SPACE)[0].vector.tolist() == [1, 2, 3, 4]


def test_without_segments_there_are_none() -> None:
    assert segments_from(packed([embedding([1, 2, 3, 4])]), SPACE) is None


def test_windows_of_a_clip_come_back_at_every_level() -> None:
    clip = clip_windows_from(clip_answer(), SPACE)
    assert (clip.vectors.shape, clip.seconds) == ((2, 3, 4), 9.5)


WRONG: list[dict[str, Any]] = [
    {"places": np.array([0, 2, 2], np.int32)},
    {"places": np.array([-1, 2, 3], np.int32)},
    {"places": np.array([0, 2], np.int32)},
    {"places": PLACES.astype(np.int64)},
    {"windows": WINDOWS[:, :3]},
    {"windows": WINDOWS.astype(np.float64)},
    {"windows": np.full((3, 4), np.nan, np.float32)},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_windows_that_do_not_fit_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ChildFailedError, match="windows unfit for space"):
        segments_from(answer(**wrong), SPACE)
    with pytest.raises(ChildFailedError, match="windows unfit for space"):
        clip_windows_from(clip_answer(**wrong), SPACE)


@pytest.mark.parametrize("seconds", [0.0, -1.0, np.nan, np.inf])
def test_a_clip_of_no_length_is_refused(seconds: float) -> None:
    with pytest.raises(ChildFailedError, match="seconds="):
        clip_windows_from(clip_answer(seconds=np.array([seconds])), SPACE)
