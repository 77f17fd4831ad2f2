"""The tables of a catalog: written once, or changed in a copy that nobody reads yet.

Rows are those of the index: given by the caller, and never renumbered.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from string import punctuation
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows
from recommender.documents import DocumentWriter
from recommender.errors import StorageError
from recommender.figures import Figures
from recommender.records import LibraryTrack
from recommender.text import folded, genre_keys, words_to_index

_AT_ONCE = 2_000
_BETWEEN_KEYS = "\x1f"  # counts as white space, so that no folded text holds it


def _quoted(text: str, sign: str) -> str:
    return sign + text.replace(sign, 2 * sign) + sign


# words come parted by spaces: everything else belongs to them
_TOKENIZER = _quoted(f"ascii tokenchars {_quoted(punctuation, chr(39))}", chr(34))
_TABLES = (
    """CREATE TABLE tracks (
        row INTEGER PRIMARY KEY, id TEXT NOT NULL, artist_key TEXT NOT NULL,
        album_key TEXT NOT NULL, track_number INTEGER NOT NULL, genre_keys TEXT NOT NULL,
        path BLOB NOT NULL)""",
    "CREATE TABLE genres (key TEXT, row INTEGER, PRIMARY KEY (key, row)) WITHOUT ROWID",
    "CREATE TABLE figures (years BLOB NOT NULL, durations BLOB NOT NULL)",
    f"""CREATE VIRTUAL TABLE words USING fts5 (
        title, artist, album, album_artist, composer, tokenize = {_TOKENIZER})""",
)
_INDEXES = (
    "CREATE UNIQUE INDEX tracks_by_id ON tracks (id)",
    # a record shelf; it also finds the tracks of an artist
    "CREATE INDEX shelf ON tracks (artist_key, album_key, track_number, id)",
    "CREATE INDEX albums ON tracks (album_key)",
)
_TRACK = "INSERT INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?)"
_GENRE = "INSERT INTO genres VALUES (?, ?)"
_WORDS = """INSERT INTO words (rowid, title, artist, album, album_artist, composer)
    VALUES (?, ?, ?, ?, ?, ?)"""
FIGURES = "SELECT years, durations FROM figures"
_ARTISTS = """SELECT count(*), group_concat(row)
    FROM tracks WHERE artist_key <> '' GROUP BY artist_key"""
_ARTIST_OF = "SELECT artist_key FROM tracks WHERE row = ? AND artist_key <> ''"
_ROWS_OF = "SELECT row FROM tracks WHERE artist_key = ?"


def write_catalog(path: Path, tracks: Iterable[LibraryTrack], rows: Iterable[int]) -> None:
    """Write the catalog of a generation; a crash on the way leaves no catalog.

    Parameters
    ----------
    path
        A file that is not there yet; documents are written beside it.
    tracks
        In any number: they are not gathered in memory.
    rows
        The row of each track.

    Raises
    ------
    StorageError
        The disk is full or not writable.
    """
    figures = Figures()
    with _writing(path) as connection, DocumentWriter(path) as documents:
        for statement in _TABLES:
            connection.execute(statement)
        _insert(connection, figures, documents, zip(rows, tracks, strict=True))
        for statement in _INDEXES:
            connection.execute(statement)
        connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        _write_figures(connection, figures)


def update_catalog(
    path: Path, removed: Sequence[int], put: Iterable[tuple[int, LibraryTrack]]
) -> None:
    """Change a catalog that nobody reads; a crash on the way leaves it of no use.

    Parameters
    ----------
    path
        A copy of a published catalog, with its documents beside it.
    removed
        Rows whose tracks leave.
    put
        Tracks by row; what was there before is replaced.

    Raises
    ------
    StorageError
        The disk is full or not writable.
    """
    new = list(put)
    leaving = sorted({*removed, *(row for row, _ in new)})
    with _writing(path) as connection, DocumentWriter(path) as documents:
        figures = Figures(*connection.execute(FIGURES).fetchone())
        known = _delete(connection, leaving)
        figures.forget(leaving)
        documents.forget(known)
        _insert(connection, figures, documents, new)
        _write_figures(connection, figures)


def artist_codes(path: Path, n_rows: int) -> npt.NDArray[np.int32]:
    """A number for the artist of each row: from 0, in the order of their folded names.

    Returns
    -------
    array
        int32, shape (n_rows,); -1 where there is no track, or it names no artist.
    """
    codes = np.full(n_rows, -1, dtype=np.int32)
    with closing(sqlite3.connect(path)) as connection:
        artists = connection.execute(_ARTISTS).fetchall()
    codes[numbers(",".join(rows for _, rows in artists))] = np.repeat(
        np.arange(len(artists)), [count for count, _ in artists]
    )
    return codes


def updated_artist_codes(
    path: Path, before: npt.NDArray[np.int32], changed: Collection[int], n_rows: int
) -> npt.NDArray[np.int32]:
    """The numbers of the artists of each row after an update, at the cost of what changed.

    Artists keep their numbers, and new ones get the next, whatever their names.

    Parameters
    ----------
    path
        The catalog, updated.
    before
        The numbers until now, shape (at most n_rows,).
    changed
        Rows whose track is new, another, or gone.
    n_rows
        How many rows there are now.

    Returns
    -------
    array
        As of :func:`artist_codes`.
    """
    codes = np.full(n_rows, -1, dtype=np.int32)
    codes[: len(before)] = before
    codes[list(changed)] = -1
    unused = int(before.max(initial=-1)) + 1
    with closing(sqlite3.connect(path)) as connection:
        for row in changed:
            for (key,) in connection.execute(_ARTIST_OF, [row]):
                alike = (codes[other] for (other,) in connection.execute(_ROWS_OF, [key]))
                codes[row] = next((code for code in alike if code >= 0), unused)
                unused = max(unused, int(codes[row]) + 1)
    return codes


def numbers(text: str | None) -> Rows:
    """The numbers of a `group_concat`: one text takes a quarter of the time of a row for each."""
    return np.fromstring(text, np.int64, sep=",") if text else np.empty(0, np.int64)


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection without journal or flushes: whoever publishes the file flushes it."""
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise StorageError(
            f"catalog={path.name} could not be written ({error}); make room or mend permissions"
        ) from error


def _insert(
    connection: sqlite3.Connection,
    figures: Figures,
    documents: DocumentWriter,
    tracks: Iterable[tuple[int, LibraryTrack]],
) -> None:
    coming = iter(tracks)
    while batch := list(islice(coming, _AT_ONCE)):
        values = [_values(row, entry) for row, entry in batch]
        connection.executemany(_TRACK, values)
        connection.executemany(_GENRE, ((key, v[0]) for v in values for key in _keys(v[5])))
        connection.executemany(_WORDS, (_words(row, entry) for row, entry in batch))
        for row, entry in batch:
            figures.put(row, entry.track)
            documents.put(row, entry.track.document())


def _write_figures(connection: sqlite3.Connection, figures: Figures) -> None:
    connection.execute("DELETE FROM figures")
    connection.execute("INSERT INTO figures VALUES (?, ?)", figures.blobs())


def _values(row: int, entry: LibraryTrack) -> tuple[Any, ...]:
    track, metadata = entry.track, entry.track.metadata
    return (
        row,
        track.id,
        folded(metadata.artist),
        folded(metadata.album),
        metadata.track_number,
        _BETWEEN_KEYS.join(sorted(genre_keys(metadata.genre))),
        entry.path,
    )


def _words(row: int, entry: LibraryTrack) -> tuple[Any, ...]:
    of = entry.track.metadata
    texts = (of.title, of.artist, of.album, of.album_artist, of.composer)
    return (row, *map(words_to_index, texts))


def _keys(joined: str) -> list[str]:
    return joined.split(_BETWEEN_KEYS) if joined else []


def _delete(connection: sqlite3.Connection, rows: Sequence[int]) -> list[int]:
    """Delete rows; those of them that there were."""
    known = list[int]()
    for row in rows:
        for (joined,) in connection.execute("SELECT genre_keys FROM tracks WHERE row = ?", [row]):
            known.append(row)
            genres = ((key, row) for key in _keys(joined))
            connection.executemany("DELETE FROM genres WHERE key = ? AND row = ?", genres)
    for statement in ("DELETE FROM tracks WHERE row = ?", "DELETE FROM words WHERE rowid = ?"):
        connection.executemany(statement, ([row] for row in rows))
    return known
