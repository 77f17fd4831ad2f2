"""Records of text files, one after another: JSON in lines and in arrays, tables, logs (pure).

Whatever is in a file, no more of it is held than :data:`RECORD_CHARACTERS` a few times over; what
is broken is told of, and reading goes on behind it.
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, TextIO

import orjson

from recommender.history_entries import Broken

# an entry of ListenBrainz has some 2,000
RECORD_CHARACTERS = 1 << 18

COLUMNS = {
    "artist": ("artist", "artist name", "artist_name", "artistname"),
    "title": ("track", "title", "track name", "track_name", "trackname", "song", "name"),
    "album": ("album", "album name", "album_name", "release", "release_name"),
    "time": ("uts", "timestamp", "listened_at", "played_at", "date", "time", "utc_time"),
    "recording_mbid": ("track_mbid", "recording_mbid", "mbid"),
    "seconds_played": ("seconds_played",),
    "ms_played": ("ms_played",),
}
HEADERLESS = ("artist", "album", "title", "time")
LOGGED = ("artist", "album", "title", "number", "length", "rating", "time", "recording_mbid")
DELIMITERS = (",", ";", "\t")

_BETWEEN = re.compile(r"[\s,]*")
_NEXT = re.compile(r"\}\s*,\s*(?=\{)")
_FIRST_KEY = re.compile(r'\{\s*("(?:[^"\\]|\\.){1,100}")')
_DECODER = json.JSONDecoder()

Read = tuple[str, dict[str, Any]] | Broken


def lines(file: TextIO) -> Iterator[tuple[str, str] | Broken]:
    """Lines without their end, each with its place; a line that never ends is broken."""
    for number in count(1):
        line = file.readline(RECORD_CHARACTERS)
        if not line:
            return
        place = f"line {number}"
        if len(line) == RECORD_CHARACTERS and not line.endswith("\n"):
            while (more := file.readline(RECORD_CHARACTERS)) and not more.endswith("\n"):
                pass
            yield Broken(place, f"longer than {RECORD_CHARACTERS} characters")
        elif text := line.strip("\r\n\0 "):
            yield place, text


def json_lines(file: TextIO) -> Iterator[Read]:
    """Objects, one a line."""
    for line in lines(file):
        if isinstance(line, Broken):
            yield line
            continue
        try:
            record = orjson.loads(line[1])
        except ValueError:
            yield Broken(line[0], "not JSON")
            continue
        yield (line[0], record) if isinstance(record, dict) else Broken(line[0], "not an object")


def json_array(file: TextIO) -> Iterator[Read]:
    """Objects of an array; `file` stands behind its bracket.

    After a broken one it goes on where the next seems to begin: with the key that the last sound
    one began with.
    """
    ahead = _Ahead(file)
    for number in count(1):
        if ahead.at_end():
            return
        place = f"entry {number}"
        try:
            record = ahead.decoded()
        except (ValueError, RecursionError):
            yield Broken(place, "not JSON, or cut off")
            if not ahead.next_found():
                return
            continue
        yield (place, record) if isinstance(record, dict) else Broken(place, "not an object")


class _Ahead:
    """What of an array is at hand, and how far it was read."""

    def __init__(self, file: TextIO):
        self._file, self._text, self._at = file, "", 0
        self._next = _NEXT

    def at_end(self) -> bool:
        """Whether nothing follows; moves to what does."""
        while True:
            self._fill()
            found = _BETWEEN.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at] == "]"
            if not self._fill():
                return True

    def decoded(self) -> Any:
        """The value that begins here; moves behind it."""
        value, end = _DECODER.raw_decode(self._text, self._at)
        if self._next is _NEXT and (key := _FIRST_KEY.match(self._text, self._at)):
            self._next = re.compile(rf",\s*(?=\{{\s*{re.escape(key[1])})")
        self._at = end
        return value

    def next_found(self) -> bool:
        """Move to what seems to be the next value; False when there is none."""
        self._at += 1
        while not (found := self._next.search(self._text, self._at)):
            # its beginning may be the end of what is at hand
            self._at = max(self._at, len(self._text) - RECORD_CHARACTERS // 2)
            if not self._fill():
                return False
        self._at = found.end()
        return True

    def _fill(self) -> bool:
        """Have a whole record at hand; False when nothing more could be read."""
        if len(self._text) - self._at >= RECORD_CHARACTERS:
            return True
        if more := self._file.read(2 * RECORD_CHARACTERS):
            self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)


def table(file: TextIO, delimiter: str) -> Iterator[Read]:
    """Rows of a table, by the names of :data:`COLUMNS`; its first line may tell its columns."""
    names: Sequence[str] = ()
    for line in lines(file):
        if isinstance(line, Broken):
            yield line
            continue
        place, text = line
        fields = split(text, delimiter)
        if not names:
            names = columns_of(fields) or HEADERLESS
            if names is not HEADERLESS:
                continue
        if len(fields) != len(names):
            yield Broken(place, f"not {len(names)} columns, or quotes that do not end")
        else:
            yield place, _first_of_each(names, fields)


def split(text: str, delimiter: str) -> list[str]:
    """Fields of one line; none when its quotes do not end."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def columns_of(fields: Sequence[str]) -> list[str]:
    """What each column is, "" where it is nothing that is read; [] when it is no header."""
    kinds = {alias: kind for kind, aliases in COLUMNS.items() for alias in aliases}
    # one exporter has the name of the user behind a #
    names = [kinds.get(field.strip().casefold().partition("#")[0], "") for field in fields]
    return names if {"artist", "title", "time"} <= set(names) else []


def _first_of_each(names: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """Fields by name; of several of one name the first that says something."""
    record = dict[str, str]()
    for name, field in zip(names, fields, strict=True):
        if not record.get(name):
            record[name] = field
    return record


def log(file: TextIO) -> Iterator[Read]:
    """Lines of a portable player's log; those that begin with ``#`` are its header."""
    for line in lines(file):
        if isinstance(line, Broken):
            yield line
        elif not line[1].startswith("#"):
            fields = line[1].split("\t")
            # without ids in version 1.0, and where a player leaves them out
            if len(fields) in (len(LOGGED) - 1, len(LOGGED)):
                yield line[0], dict(zip(LOGGED, fields, strict=False))
            else:
                yield Broken(line[0], f"not {len(LOGGED)} columns")
