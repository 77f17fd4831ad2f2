"""Histories of other services: told by their content, read one entry after another.

ListenBrainz (archive, lines or array), Spotify (archive or array, both kinds), Maloja, tables as
exporters of Last.fm write them, and logs of portable players. Memory does not depend on how long a
history is.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Self
from zipfile import ZipFile, ZipInfo

from recommender.closing import Closing
from recommender.errors import HistoryError
from recommender.history_archive import MAGIC, UNREADABLE, head_of, opened_archive
from recommender.history_entries import Broken, HistoryEntry, Item, format_of
from recommender.history_sniff import HEAD_BYTES, Kind, kind_of

FORMATS = (
    "a ListenBrainz export (.zip, .jsonl or .json), a Spotify streaming history (.zip or .json), a "
    "Maloja export (.json), a CSV of Last.fm, or an Audioscrobbler log (.scrobbler.log)"
)
# clocks of players go wrong by some hours
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of a history: `member` is None for what is no archive."""

    kind: Kind
    member: ZipInfo | None = None


class History(Closing):
    """A history that is open; iterate it, once, for its entries and what is wrong with others.

    Parameters
    ----------
    file
        What the parts are read from, unless they are in an archive.
    archive
        That of the parts.
    parts
        Files with entries.
    ignored
        Names of files in the archive that are no history.
    now
        Entries that lie beyond it are broken.
    stack
        Closed at the end.
    """

    def __init__(
        self,
        file: BinaryIO,
        archive: ZipFile | None,
        parts: list[_Part],
        ignored: list[str],
        now: datetime,
        stack: ExitStack,
    ):
        self._file, self._archive, self._parts, self._stack = file, archive, parts, stack
        self._latest = now + _AHEAD
        self.ignored = ignored

    @classmethod
    def open(cls, path: Path, now: datetime) -> Self:
        """Open a history.

        Raises
        ------
        HistoryError
            It is of no format that is known, or an archive that is damaged or too large.
        OSError
            It is not there, or cannot be read.
        """
        if path.exists() and not path.is_file():  # nor a FIFO, which would be waited for
            raise HistoryError(f"file={path} is no file; name one")
        with ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            head = file.read(HEAD_BYTES)
            archive, ignored = None, list[str]()
            try:
                if head.startswith(MAGIC):
                    archive = stack.enter_context(opened_archive(file))
                    parts, ignored = _members(archive)
                else:
                    kind = kind_of(head)
                    parts = [_Part(kind)] if kind else []
            except HistoryError as error:
                raise HistoryError(f"file={path}: {error}") from error
            if not parts:
                raise HistoryError(f"file={path} holds no history that is known; name {FORMATS}")
            return cls(file, archive, parts, ignored, now, stack.pop_all())

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    @property
    def formats(self) -> list[str]:
        """Names of the formats that it is in."""
        return list(dict.fromkeys(part.kind.name for part in self._parts))

    def __iter__(self) -> Iterator[Item]:
        for part in self._parts:
            name = f"{part.member.filename} " if part.member else ""
            for item in self._read(part):
                yield Broken(name + item.place, item.why) if isinstance(item, Broken) else item

    def _read(self, part: _Part) -> Iterator[Item]:
        if not (self._archive and part.member):
            self._file.seek(0)
            yield from self._items(part.kind, self._file)
            return
        try:
            with self._archive.open(part.member) as file:
                # mypy: what zipfile opens is no BinaryIO by name
                yield from self._items(part.kind, file)  # type: ignore[arg-type]
        except UNREADABLE:
            yield Broken("from here", "the archive is damaged")

    def _items(self, kind: Kind, file: BinaryIO) -> Iterator[Item]:
        for read in kind.records(file):
            yield read if isinstance(read, Broken) else self._item(kind, read)

    def _item(self, kind: Kind, read: tuple[str, dict[str, object]]) -> Item:
        place, record = read
        known = kind.format or format_of(record)
        if known is None:
            return Broken(place, "no entry of a format that is known")
        try:
            entry = known.entry(record)
        except ValueError as error:
            return Broken(place, str(error))
        if isinstance(entry, HistoryEntry) and entry.at > self._latest:
            return Broken(place, "a time that is yet to come")
        return entry


def _members(archive: ZipFile) -> tuple[list[_Part], list[str]]:
    """Members with entries, and the names of those without."""
    parts, ignored = list[_Part](), list[str]()
    for member in archive.infolist():
        if member.is_dir():
            continue
        kind = kind_of(head_of(archive, member, HEAD_BYTES))
        if kind:
            parts.append(_Part(kind, member))
        else:
            ignored.append(member.filename)
    return parts, ignored
