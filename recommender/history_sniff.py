"""Telling what a text file is from how it begins, whatever it is called (pure)."""

import codecs
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import BinaryIO, TextIO

from recommender.history_entries import LOG, TABLE, Broken, Format, format_of
from recommender.history_records import (
    DELIMITERS,
    HEADERLESS,
    Read,
    columns_of,
    json_array,
    json_lines,
    lines,
    log,
    split,
    table,
)
from recommender.history_values import moment_of

HEAD_BYTES = 1 << 18
_SCANNED = 100
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ARRAY = re.compile(r"\s*\[")
# Maloja says what the file is first
_SCROBBLES = re.compile(r'\s*\{.{0,2000}?"scrobbles"\s*:\s*\[', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a file of text is read.

    Attributes
    ----------
    format
        Of its rows; None when each record tells its own.
    name
        Of its format, for people.
    encoding
        Of its text.
    skipped
        Characters in front of the first record.
    read
        Its records.
    """

    format: Format | None
    name: str
    encoding: str
    skipped: int
    read: Callable[[TextIO], Iterator[Read]]

    def records(self, file: BinaryIO) -> Iterator[Read]:
        """Records of an open file, which is closed at their end.

        What its encoding does not know becomes a replacement sign.
        """
        with io.TextIOWrapper(file, self.encoding, errors="replace") as text:
            text.read(self.skipped)
            yield from self.read(text)


def kind_of(head: bytes) -> Kind | None:
    """What a file is that begins with `head`; None when it is no history that is known.

    Parameters
    ----------
    head
        Its first :data:`HEAD_BYTES`.
    """
    encoding = _encoding(head)
    text = io.TextIOWrapper(io.BytesIO(head), encoding, errors="replace").read()
    if text.startswith("#AUDIOSCROBBLER/"):
        return Kind(LOG, LOG.name, encoding, 0, log)
    return _json(text, encoding) or _table(text, encoding)


def _encoding(head: bytes) -> str:
    """That of its mark; else UTF-8, unless it is none: then what Windows took for long."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _json(text: str, encoding: str) -> Kind | None:
    for begin in (_ARRAY, _SCROBBLES):
        if found := begin.match(text):
            if known := _known(json_array, text[found.end() :]):
                return Kind(None, known.name, encoding, found.end(), json_array)
            return None
    known = _known(json_lines, text)
    return Kind(None, known.name, encoding, 0, json_lines) if known else None


def _known(read: Callable[[TextIO], Iterator[Read]], text: str) -> Format | None:
    """The format of the first record that has one."""
    records = islice(read(io.StringIO(text)), _SCANNED)
    formats = (format_of(read[1]) for read in records if not isinstance(read, Broken))
    return next(filter(None, formats), None)


def _table(text: str, encoding: str) -> Kind | None:
    found = islice(lines(io.StringIO(text)), _SCANNED)
    rows = [line[1] for line in found if not isinstance(line, Broken)]
    for delimiter in DELIMITERS if rows else ():
        if columns_of(split(rows[0], delimiter)) or any(_is_plain(row, delimiter) for row in rows):
            return Kind(TABLE, TABLE.name, encoding, 0, partial(table, delimiter=delimiter))
    return None


def _is_plain(row: str, delimiter: str) -> bool:
    """Whether it is a row of a table without a header, which always ends with a time."""
    fields = split(row, delimiter)
    if len(fields) != len(HEADERLESS) or not fields[0] or not fields[2]:
        return False
    try:
        moment_of(fields[3])
    except ValueError:
        return False
    return True
