"""The metadata of one published generation: read-only, addressed by row like the index."""

import json
import os
import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from queue import LifoQueue
from typing import Self

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows
from recommender.catalog_groups import commonest_genres, years_by_row
from recommender.catalog_search import Page, along_shelf, phrases, ranked
from recommender.catalog_tables import FIGURES, numbers
from recommender.documents import Documents
from recommender.errors import GenerationError, InvalidParameterError
from recommender.figures import rows_in_ranges
from recommender.filters import Filters
from recommender.text import folded
from recommender.track import Track

_CACHE_KIB = 8_192
_COUNT = "SELECT count(*) FROM tracks"
_IDS = "SELECT id FROM tracks WHERE row IN (SELECT value FROM json_each(?)) ORDER BY row"
_PATH = "SELECT path FROM tracks WHERE row = ?"
_ENDS = "SELECT min(path), max(path) FROM tracks"
_BY_ARTIST = """SELECT group_concat(row) FROM tracks
    WHERE artist_key IN (SELECT value FROM json_each(?))"""
_BY_ALBUM = """SELECT group_concat(row) FROM tracks
    WHERE album_key IN (SELECT value FROM json_each(?))"""
_BY_GENRE = """SELECT group_concat(row) FROM genres
    WHERE key IN (SELECT value FROM json_each(?))"""
# the places, among some names, of those that there are; a probe of an index for each
_KNOWN = """SELECT key FROM json_each(?)
    WHERE EXISTS (SELECT 1 FROM {table} WHERE {column} = json_each.value)"""
_KNOWN_ARTISTS = _KNOWN.format(table="tracks", column="artist_key")
_KNOWN_ALBUMS = _KNOWN.format(table="tracks", column="album_key")
_KNOWN_GENRES = _KNOWN.format(table="genres", column="key")
_ANY_OF_EACH = (
    # but for its blobs: of a million tracks they hold up all threads for 20 ms
    "SELECT rowid FROM figures",
    "SELECT * FROM tracks LIMIT 1",
    "SELECT * FROM genres LIMIT 1",
    "SELECT * FROM words LIMIT 1",
)


class Catalog:
    """Reads the catalog of a generation; safe to use from many threads.

    Parameters
    ----------
    name
        What the file is called, for messages.
    connections
        All to the same catalog; each is used by one thread at a time.
    documents
        Of its rows.
    """

    def __init__(self, name: str, connections: Sequence[sqlite3.Connection], documents: Documents):
        self._name, self._documents = name, documents
        # the one that was used last has what is asked for most in its cache
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        for connection in connections:
            self._idle.put(connection)
        with self._reading() as connection:
            self._n_tracks: int = connection.execute(_COUNT).fetchone()[0]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a catalog whose digest has been verified; the file is never written again.

        Raises
        ------
        GenerationError
            The file is not a catalog.
        """
        # one for each thread that computes, and some for those that look something up
        n_connections = (os.cpu_count() or 1) + 4
        try:
            with ExitStack() as stack:
                connections = [stack.enter_context(_connected(path)) for _ in range(n_connections)]
                catalog = cls(path.name, connections, Documents(path))
                weakref.finalize(catalog, stack.pop_all().close)
        except sqlite3.DatabaseError as error:
            raise _unreadable(path.name, error) from error
        return catalog

    def __len__(self) -> int:
        return self._n_tracks

    def documents(self, rows: Sequence[int] | Rows) -> dict[int, str]:
        """Tracks by row as JSON, see :meth:`recommender.track.Track.document`."""
        return self._documents.of(rows.tolist() if isinstance(rows, np.ndarray) else rows)

    def tracks(self, rows: Sequence[int] | Rows) -> dict[int, Track]:
        """Tracks by row."""
        return {row: Track.from_document(text) for row, text in self.documents(rows).items()}

    def ids(self, rows: Iterable[int]) -> list[str]:
        """Track ids of some rows, as far as there are such, in the order of rows."""
        with self._reading() as connection:
            found = connection.execute(_IDS, [json.dumps(list(rows))])
            return [id_ for (id_,) in found]

    def path(self, row: int) -> bytes:
        """Path of the file that the track was read from."""
        with self._reading() as connection:
            path: bytes = connection.execute(_PATH, [row]).fetchone()[0]
        return path

    @cached_property
    def folder(self) -> bytes:
        """The deepest folder that all files of the catalog are below, "" when there are none.

        What the first and the last of all paths have in common, all others have too. Looking for
        them among a million takes some 0.3 s, so it is done once, and when somebody asks.
        """
        with self._reading() as connection:
            ends = connection.execute(_ENDS).fetchone()
        return os.path.commonpath([os.path.dirname(end or b"") for end in ends])

    def rows_by_artists(self, artists: Iterable[str]) -> Rows:
        """Rows of every track by one of `artists`, ascending; compared as `folded`."""
        with self._reading() as connection:
            return np.sort(_rows(connection, _BY_ARTIST, artists))

    def rows_matching(self, filters: Filters) -> Rows:
        """Rows of every track that fits, ascending; tags, which are not metadata, aside."""
        with self._reading() as connection:
            years, durations = connection.execute(FIGURES).fetchone()
            fits = rows_in_ranges(years, durations, filters)
            for statement, names in (
                (_BY_GENRE, filters.genres),
                (_BY_ARTIST, filters.artists),
                (_BY_ALBUM, filters.albums),
            ):
                if names:
                    named = np.zeros_like(fits)
                    named[_rows(connection, statement, names)] = True
                    fits &= named
        return np.flatnonzero(fits)

    def unknown_artists(self, artists: Sequence[str]) -> list[str]:
        """Those of `artists` that no track is by; compared as `folded`."""
        with self._reading() as connection:
            return _unknown(connection, _KNOWN_ARTISTS, artists)

    def unknown_names(self, filters: Filters) -> list[tuple[str, str]]:
        """Genres, artists and albums of `filters` that no track has: what it is, and the name."""
        with self._reading() as connection:
            return [
                (kind, name)
                for kind, statement, names in (
                    ("genre", _KNOWN_GENRES, filters.genres),
                    ("artist", _KNOWN_ARTISTS, filters.artists),
                    ("album", _KNOWN_ALBUMS, filters.albums),
                )
                for name in _unknown(connection, statement, names)
            ]

    def commonest_genres(self, limit: int) -> list[tuple[str, Rows]]:
        """See :func:`recommender.catalog_groups.commonest_genres`."""
        with self._reading() as connection:
            return commonest_genres(connection, limit)

    def years(self) -> npt.NDArray[np.int32]:
        """The year of each row, 0 when it is not known."""
        with self._reading() as connection:
            return years_by_row(connection)

    def search(self, query: str, limit: int, after: str | None = None) -> Page:
        """A page of the tracks that hold every word of `query` as the beginning of a word.

        Words are looked for in title, artist, album, album artist and composer, compared as
        :func:`recommender.text.folded`; those that are rare, or in a title or an artist's name, say
        most. Without words it is the whole catalog in the order of a record shelf: artist, album,
        track number.

        Parameters
        ----------
        query
            Any text.
        limit
            Most tracks, at least 1.
        after
            That of the page before, None for the first.

        Raises
        ------
        InvalidParameterError
            `query` has more than 50 different words, or `after` is not one that was given.
        """
        if limit < 1:
            raise InvalidParameterError(f"limit={limit} must be at least 1")
        words = phrases(query)
        with self._reading() as connection:
            if words:
                found = ranked(connection, words, limit, after)
            else:
                found = along_shelf(connection, self._n_tracks, limit, after)
        documents = self._documents.of(found.rows)
        return Page(list(documents.values()), found.total, found.after)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        connection = self._idle.get()
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            raise _unreadable(self._name, error) from error
        finally:
            self._idle.put(connection)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that has opened the file: it may be pruned while it is still served."""
    # immutable: no locks, no -wal or -shm files beside a published file
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as connection:
        connection.execute("PRAGMA temp_store = MEMORY")
        # so that a row of a million tracks costs one page: the pages above it are at hand
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # a connection opens the file, and finds out what it holds, with its first queries
        for statement in _ANY_OF_EACH:
            connection.execute(statement).fetchall()
        yield connection


def _unreadable(name: str, error: sqlite3.DatabaseError) -> GenerationError:
    return GenerationError(f"catalog={name} cannot be read: {error}")


def _rows(connection: sqlite3.Connection, statement: str, names: Iterable[str]) -> Rows:
    keys = {key for key in map(folded, names) if _may_be_known(key)}
    return numbers(connection.execute(statement, [json.dumps(sorted(keys))]).fetchone()[0])


def _unknown(connection: sqlite3.Connection, statement: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    keys = [key if _may_be_known(key) else None for key in map(folded, names)]
    known = {place for (place,) in connection.execute(statement, [json.dumps(keys)])}
    return [name for place, name in enumerate(names) if place not in known]


def _may_be_known(key: str) -> bool:
    # JSON in SQLite ends at a NUL, which no name in a catalog holds
    return bool(key) and "\0" not in key
