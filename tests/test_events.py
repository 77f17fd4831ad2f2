"""Events: what can be kept, and what listeners may be called."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from recommender.errors import InvalidParameterError
from recommender.events import Event, Kind, check_listener_id, milliseconds_of, moment_of

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_moment_is_kept_in_utc_and_in_milliseconds() -> None:
    at = datetime(2026, 1, 31, 14, 0, 0, 123_999, timezone(timedelta(hours=2)))
    event = Event("a", Kind.LISTEN, at)
    assert event.at == NOON.replace(microsecond=123_000)
    assert event.at.tzinfo is UTC
    assert event == Event("a", Kind("listen"), event.at)


@pytest.mark.parametrize(
    "moment", [datetime(1970, 1, 1, tzinfo=UTC), NOON, datetime(9999, 12, 31, 23, 59, tzinfo=UTC)]
)
def test_milliseconds_become_the_same_moment_again(moment: datetime) -> None:
    assert moment_of(milliseconds_of(moment)) == moment


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 1, 31, 12),
        datetime.min.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
    ],
)
def test_a_moment_without_offset_or_of_no_listening_is_refused(at: datetime) -> None:
    with pytest.raises(InvalidParameterError, match=r"^at="):
        Event("a", Kind.LIKE, at)


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf")])
def test_no_seconds_that_nobody_can_listen_are_taken(seconds: float) -> None:
    with pytest.raises(InvalidParameterError, match="seconds_played"):
        Event("a", Kind.LISTEN, NOON, seconds)


@pytest.mark.parametrize("track_id", ["", "a\x00", "a\nb", "\ud800", "a" * 501])
def test_no_id_that_is_no_text_is_taken(track_id: str) -> None:
    with pytest.raises(InvalidParameterError, match="track_id"):
        Event(track_id, Kind.LISTEN, NOON)


@pytest.mark.parametrize("name", ["a", "a b", "ä@example.org", "🎵" * 200, "%", "...", "' OR 1=1"])
def test_a_listener_may_be_called_anything_printable(name: str) -> None:
    check_listener_id(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "a" * 201, "\x00", "secret\n", "secret\x7f", "secret\x85", "secret\u2028", "\ud800"),
        *("secret\ufffd", "secret/a", ".", ".."),
    ],
)
def test_what_no_address_can_tell_is_no_id_of_a_listener_and_not_repeated(name: str) -> None:
    with pytest.raises(InvalidParameterError, match="listener_id") as raised:
        check_listener_id(name)
    assert "secret" not in str(raised.value)
