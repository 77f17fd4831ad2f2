"""Who played what, and when, read from a file."""

import csv
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows
from recommender.errors import InvalidParameterError

COLUMNS = ("listener", "track_id", "time")
POSITIVE_KINDS = ("listen", "like")
OTHER_KINDS = ("skip", "dislike")

_LINE_BYTES = 1 << 20
_SHOWN = 60
_SECONDS = re.compile(r"-?[0-9]+(\.[0-9]*)?")
# the end of the year 9999; milliseconds lie beyond it
_LAST_SECOND = 253_402_300_799

Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Plays of catalogued tracks, in the order of their file.

    Attributes
    ----------
    names
        Each listener's name.
    listeners, rows
        Whose play it was, as a position in `names`, and the row of the track, shape (n_plays,).
    times
        Seconds since 1970 UTC, shape (n_plays,).
    n_unknown
        Plays left out because the catalog does not hold the track.
    n_not_positive
        Skips and dislikes, which are left out.
    """

    names: Sequence[str]
    listeners: Rows
    rows: Rows
    times: Times
    n_unknown: int
    n_not_positive: int


def read_events(path: Path, ids: Sequence[str]) -> Events:
    """Read a CSV of plays: ``listener,track_id,time`` and perhaps ``kind``, in any order.

    The file is UTF-8 and streamed. A time is Unix seconds or ISO 8601, UTC where it names no
    zone. A kind is listen (also when empty), like, skip or dislike. Other columns are ignored.

    Parameters
    ----------
    path
        The file.
    ids
        The id of each row of the catalog.

    Raises
    ------
    InvalidParameterError
        Naming the file, and the first line that cannot be understood.
    """
    reading = _Reading({id_: row for row, id_ in enumerate(ids)})
    try:
        if not path.is_file():  # nor a FIFO, which would be waited for
            raise InvalidParameterError(
                f"events={path} is no file; name a CSV with {','.join(COLUMNS)}"
            )
        with path.open("rb") as file:
            _read(path, file, reading)
    except OSError as error:
        raise InvalidParameterError(
            f"events={path} cannot be read ({error.strerror}); mend its permissions"
        ) from error
    return reading.events()


class _Reading:
    """What was read so far, in arrays, 24 bytes a play."""

    def __init__(self, row_of: dict[str, int]):
        self._row_of = row_of
        self._number_of = dict[str, int]()
        self._listeners, self._rows, self._times = array("q"), array("q"), array("d")
        self._n_unknown = 0
        self._n_not_positive = 0

    def add(self, event: dict[str, str]) -> None:
        """Note an event, or count why not.

        Raises
        ------
        ValueError
            The event cannot be understood.
        """
        listener, time, kind = event["listener"], _seconds(event["time"]), event.get("kind", "")
        if not listener or not event["track_id"]:
            raise ValueError('listener="" or track_id=""; fill in both, or drop the line')
        if kind.casefold() in OTHER_KINDS:
            self._n_not_positive += 1
        elif kind and kind.casefold() not in POSITIVE_KINDS:
            raise ValueError(f"kind={_short(kind)}; use {_listed(POSITIVE_KINDS + OTHER_KINDS)}")
        elif event["track_id"] not in self._row_of:
            self._n_unknown += 1
        else:
            self._listeners.append(self._number_of.setdefault(listener, len(self._number_of)))
            self._rows.append(self._row_of[event["track_id"]])
            self._times.append(time)

    def events(self) -> Events:
        """All that was noted."""
        return Events(
            list(self._number_of),
            np.array(self._listeners, np.int64),
            np.array(self._rows, np.int64),
            np.array(self._times, np.float64),
            self._n_unknown,
            self._n_not_positive,
        )


def _read(path: Path, file: BinaryIO, reading: _Reading) -> None:
    reader = csv.reader(_lines(path, file), strict=True)
    try:
        header = _header(next(reader, []))
        for fields in reader:
            if fields:
                reading.add(_named(header, fields))
    except csv.Error as error:
        raise _refusal(path, reader.line_num, f"{error}; mend the line, or drop it") from error
    except ValueError as error:
        raise _refusal(path, reader.line_num, str(error)) from error


def _refusal(path: Path, line: int, why: str) -> InvalidParameterError:
    return InvalidParameterError(f"events={path} line={max(line, 1)}: {why}")


def _lines(path: Path, file: BinaryIO) -> Iterator[str]:
    """Lines of UTF-8, with or without the mark that spreadsheets put first."""
    for number in count(1):
        line = file.readline(_LINE_BYTES)
        if not line:
            return
        if len(line) == _LINE_BYTES:
            raise _refusal(path, number, f"longer than {_LINE_BYTES} bytes; end each event's line")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise _refusal(path, number, "not UTF-8; save the file as UTF-8") from error


def _header(fields: Sequence[str]) -> list[str]:
    names = [field.strip().casefold() for field in fields]
    missing = [name for name in COLUMNS if names.count(name) != 1]
    if missing:
        raise ValueError(
            f"columns={_short(','.join(names))} must have {_listed(missing)} once; "
            f"begin the file with {','.join(COLUMNS)}"
        )
    return names


def _named(header: list[str], fields: list[str]) -> dict[str, str]:
    if len(fields) != len(header):
        raise ValueError(
            f"n_columns={len(fields)} instead of {len(header)}; put quotes around commas"
        )
    return dict(zip(header, map(str.strip, fields), strict=True))


def _seconds(text: str) -> float:
    """Seconds since 1970 UTC."""
    if _SECONDS.fullmatch(text):
        seconds = float(text)
        if abs(seconds) > _LAST_SECOND:
            raise ValueError(f"time={_short(text)} is beyond the year 9999; give it in seconds")
        return seconds
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"time={_short(text)}; write 2026-01-31T12:00:00Z or seconds since 1970"
        ) from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _short(text: str) -> str:
    """What a file says, fit for a message: without control characters, and not of any length."""
    return ascii(text[:_SHOWN])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
