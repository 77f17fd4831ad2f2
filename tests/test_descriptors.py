import math

import pytest

from recommender.descriptors import UNKNOWN, compared, described, tempos_are_close
from recommender.track import Metadata


def test_what_is_known_of_a_track_is_kept_in_whole_numbers() -> None:
    assert described(-14.26, Metadata(bpm=120.4, key="A minor")) == (-143, 1204, 1)
    assert described(-14.26, Metadata()) == (-143, UNKNOWN, UNKNOWN)
    assert described(-1e9, Metadata())[0] > UNKNOWN


def test_tracks_are_compared_in_what_is_known_of_both() -> None:
    asked = described(-14.0, Metadata(bpm=120.0, key="C major"))
    alike = described(-12.6, Metadata(bpm=61.0, key="A minor"))
    other = described(-20.0, Metadata(bpm=131.0, key="F# major"))
    silent = described(-14.0, Metadata())
    first, second, third = compared(asked, [alike, other, silent])
    assert first == {
        "tempo": {"bpm": 61.0, "seed_bpm": 120.0, "close": True},
        "key": {"key": "A minor", "seed_key": "C major", "related": True},
        "level": {"level_dbfs": -12.6, "difference_db": 1.4},
    }
    assert second == {
        "tempo": {"bpm": 131.0, "seed_bpm": 120.0, "close": False},
        "key": {"key": "F# major", "seed_key": "C major", "related": False},
        "level": {"level_dbfs": -20.0, "difference_db": -6.0},
    }
    assert third == {"level": {"level_dbfs": -14.0, "difference_db": 0.0}}
    assert compared(silent, [alike]) == [{"level": {"level_dbfs": -12.6, "difference_db": 1.4}}]


@pytest.mark.parametrize(
    ("one", "other", "close"),
    [
        (120, 120, True),
        (120, 124.7, True),
        (120, 125.1, False),
        (60, 120, True),
        (174, 86, True),
        (90, 120, False),
        (40, 160, False),
    ],
)
def test_tempos_are_close_in_half_and_double_time(one: float, other: float, close: bool) -> None:
    assert tempos_are_close(one, other) is close
    assert math.isfinite(one / other)
