"""What histories say, read from single values: text, numbers, times, ids (pure).

Every function refuses what it cannot understand with a :class:`ValueError` that says why.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from recommender.tags import MAX_TEXT, clean_text

_NUMBER = re.compile(r"\s*[0-9]{1,15}(?:\.[0-9]{0,9})?\s*", re.ASCII)
_DAY = re.compile(
    r"\s*([0-9]{1,2}) ([A-Za-z]{3})[a-z]* ([0-9]{4}),? ([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\s*",
    re.ASCII,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII)
# milliseconds from here on: as seconds it would be the year 5138
_MILLISECONDS = 1e11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# of another calendar, another unit, or a clock that was never set
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)


def text_of(value: Any) -> str:
    """A name without control characters; "" for none, and for what is no text."""
    if not isinstance(value, str):
        return ""
    if value.isascii() and value.isprintable() and len(value) <= MAX_TEXT:
        return " ".join(value.split())  # what cleaning would make of it, several times as fast
    return clean_text(value)


def number_of(value: Any) -> float | None:
    """A number that is not negative; None for none."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    # before it becomes a float, which very large integers cannot
    if not plain or not 0 <= value < 1e15 or not math.isfinite(value):
        raise ValueError("a number is not one")
    return float(value)


def milliseconds_of(value: Any) -> float | None:
    """Seconds of a number of milliseconds; None for none."""
    number = number_of(value)
    return None if number is None else number / 1000


def mbid_of(value: Any) -> str:
    """A MusicBrainz id in lower case; "" for what is none."""
    text = value.strip().lower() if isinstance(value, str) else ""
    return text if _UUID.fullmatch(text) else ""


def moment_of(value: Any) -> datetime:
    """A time in UTC.

    Unix seconds or milliseconds, ISO 8601 (UTC where it names no zone), or ``15 Jun 2007, 22:30``.
    """
    moment = _from_number(value) or _from_text(value)
    if moment is None:
        raise ValueError("no time that can be understood")
    if moment < _FIRST:
        raise ValueError("a time before 1990: the clock was not set")
    return moment


def _from_number(value: Any) -> datetime | None:
    try:
        number = number_of(value)
    except ValueError:
        return None
    if number is None:
        return None
    seconds = number / 1000 if number >= _MILLISECONDS else number
    return _EPOCH + timedelta(seconds=seconds) if seconds < _MILLISECONDS else None


def _from_text(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        if day := _DAY.fullmatch(value):
            month = _MONTHS.index(day[2].lower()) + 1
            hour, minute, second = (int(part or 0) for part in day.group(4, 5, 6))
            return datetime(int(day[3]), month, int(day[1]), hour, minute, second, tzinfo=UTC)
        moment = datetime.fromisoformat(value.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
