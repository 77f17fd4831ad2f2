"""What listeners do, and what they may be called."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from recommender.errors import InvalidParameterError

MAX_LISTENER_ID = 200
MAX_TRACK_ID = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# no control characters, line breaks or halves of characters; U+FFFD is what servers make of bytes
# that are no text, so that two listeners would become one; and an address takes no slash
_LISTENER_ID = re.compile(
    rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd/]{{1,{MAX_LISTENER_ID}}}"
)
_TRACK_ID = re.compile(rf"[^\x00-\x1f\x7f\ud800-\udfff]{{1,{MAX_TRACK_ID}}}")
# clients take these for steps in an address, and leave them out
_STEPS = frozenset({".", ".."})


class Kind(StrEnum):
    """What a listener did with a track."""

    LISTEN = "listen"
    LIKE = "like"
    DISLIKE = "dislike"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a listener did.

    Parameters
    ----------
    track_id
        The track; not necessarily one of the catalog that is served.
    kind
        What was done.
    at
        When, with its offset; kept in UTC, cut to milliseconds.
    seconds_played
        How much of the track was heard; None when that is not known.

    Raises
    ------
    InvalidParameterError
        A value cannot be kept: no such id, a moment without offset, before 1970 or after 9999, or
        seconds that are negative or not finite.
    """

    track_id: str
    kind: Kind
    at: datetime
    seconds_played: float | None = None

    def __post_init__(self) -> None:
        if not _TRACK_ID.fullmatch(self.track_id):
            raise InvalidParameterError(
                f"track_id={self.track_id[:50]!a} must be 1 to {MAX_TRACK_ID} characters, "
                "none of them a control character"
            )
        seconds = self.seconds_played
        if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
            raise InvalidParameterError(f"seconds_played={seconds} must be 0 or more, and finite")
        object.__setattr__(self, "kind", Kind(self.kind))
        object.__setattr__(self, "at", moment_of(milliseconds_of(self.at)))


def milliseconds_of(moment: datetime) -> int:
    """Milliseconds since 1970 UTC, what is smaller cut off.

    Raises
    ------
    InvalidParameterError
        The moment has no offset, or is before 1970 or after 9999.
    """
    if moment.tzinfo is None:
        raise InvalidParameterError(f"at={moment.isoformat()} needs an offset, as Z or +02:00")
    milliseconds = (moment - _EPOCH) // _MILLISECOND
    if not 0 <= milliseconds <= _LAST:
        raise InvalidParameterError(f"at={moment.isoformat()} must be of the years 1970 to 9999")
    return milliseconds


def moment_of(milliseconds: int) -> datetime:
    """The moment, in UTC, of milliseconds since 1970."""
    return _EPOCH + milliseconds * _MILLISECOND


def check_listener_id(listener_id: str) -> None:
    """Refuse what cannot be the id of a listener; the message does not repeat it.

    Raises
    ------
    InvalidParameterError
        It is empty, longer than `MAX_LISTENER_ID` characters, or holds a control character or a
        slash.
    """
    if not _LISTENER_ID.fullmatch(listener_id) or listener_id in _STEPS:
        raise InvalidParameterError(
            f"listener_id must be 1 to {MAX_LISTENER_ID} printable characters without slashes, "
            "and neither . nor ..; send another, as a UUID"
        )


_LAST = (datetime(9999, 12, 31, 23, 59, 59, 999000, UTC) - _EPOCH) // _MILLISECOND
