"""The metadata of one published generation: read-only, addressed by row like the index."""

import unicodedata
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
import sqlalchemy as sa
from sqlalchemy.pool import NullPool, QueuePool

from recommender.arrays import FloatArray, Rows
from recommender.columns import metadata_columns, metadata_of
from recommender.errors import GenerationError, InvalidParameterError, StorageError
from recommender.records import LibraryTrack
from recommender.track import Track

MAX_WORDS = 50
CONNECTIONS = 8
_ROWS_AT_ONCE = 500
_schema = sa.MetaData()
_tracks = sa.Table(
    "tracks",
    _schema,
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("duration_seconds", sa.Float, nullable=False),
    *metadata_columns(),
    sa.Column("path", sa.LargeBinary, nullable=False),
    sa.Column("tags", sa.LargeBinary, nullable=False),
    sa.Column("artist_key", sa.Text, nullable=False, index=True),
    sa.Column("search_text", sa.Text, nullable=False),
)
_OTHER_COLUMNS = ("path", "tags", "search_text")
_TRACK_COLUMNS = [c for c in _tracks.c if c.name not in _OTHER_COLUMNS]
_BROWSING_ORDER = (_tracks.c.artist_key, _tracks.c.album, _tracks.c.track_number, _tracks.c.id)


def folded(text: str) -> str:
    """Text as it is compared: without case, accents and surplus white space."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def write_catalog(path: Path, tracks: Iterable[LibraryTrack]) -> None:
    """Write the catalog of a generation; the order of `tracks` gives their rows.

    Raises
    ------
    StorageError
        The disk is full or not writable.
    """
    url = sa.URL.create("sqlite", database=str(path))
    rows = [_row(number, track) for number, track in enumerate(tracks)]
    try:
        with sa.create_engine(url, poolclass=NullPool).begin() as connection:
            _schema.create_all(connection)
            if rows:
                connection.execute(sa.insert(_tracks), rows)
    except sa.exc.OperationalError as error:
        raise StorageError(
            f"catalog={path.name} could not be written ({error.orig}); "
            "make room or mend permissions"
        ) from error


def _row(number: int, entry: LibraryTrack) -> dict[str, object]:
    metadata = entry.track.metadata
    names = (metadata.title, metadata.artist, metadata.album, metadata.album_artist)
    return {
        "row": number,
        "id": entry.track.id,
        "duration_seconds": entry.track.duration_seconds,
        **asdict(metadata),
        "path": entry.path,
        "tags": entry.tags.astype("<f4").tobytes(),
        "artist_key": folded(metadata.artist),
        "search_text": folded(" ".join((*names, metadata.composer))),
    }


class Catalog:
    """Reads the catalog of a generation; safe to use from many threads."""

    def __init__(self, engine: sa.Engine):
        self._engine = engine
        self._track_columns: Sequence[sa.ColumnElement[Any]] = _TRACK_COLUMNS

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a catalog whose digest has been verified; the file is never written again.

        Raises
        ------
        GenerationError
            The file is not a catalog.
        """
        # immutable: no locks, no -wal or -shm files beside a published file
        flags = {"mode": "ro", "immutable": "1", "uri": "true"}
        url = sa.URL.create("sqlite", database=path.absolute().as_uri(), query=flags)
        engine = sa.create_engine(
            url, poolclass=QueuePool, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=None
        )
        catalog = cls(engine)
        weakref.finalize(catalog, engine.dispose)
        catalog._connect()
        return catalog

    def _connect(self) -> None:
        """Open every connection now: the generation may be pruned while it is still served."""
        with self._reading() as connection:
            self._track_columns = _columns_in(connection)
        everything = sa.select(*self._track_columns, *_tracks.c[_OTHER_COLUMNS])
        with ExitStack() as connections:
            for _ in range(CONNECTIONS):
                connection = connections.enter_context(self._reading())
                # a connection opens the file, and finds out what it holds, with its first query
                connection.execute(everything.limit(1))

    def __len__(self) -> int:
        with self._reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(_tracks)) or 0

    def tracks(self, rows: Sequence[int] | Rows) -> dict[int, Track]:
        """Tracks by row."""
        found = self._rows(rows, *self._track_columns)
        return {row["row"]: _track(row) for row in found}

    def tags(self, rows: Sequence[int] | Rows) -> dict[int, FloatArray]:
        """Tag probabilities by row, each float32 of shape (n_tags,)."""
        found = self._rows(rows, _tracks.c.row, _tracks.c.tags)
        return {row["row"]: np.frombuffer(row["tags"], "<f4") for row in found}

    def path(self, row: int) -> bytes:
        """Path of the file that the track was read from."""
        query = sa.select(_tracks.c.path).where(_tracks.c.row == int(row))
        with self._reading() as connection:
            return bytes(connection.scalars(query).one())

    def rows_by_artists(self, artists: Sequence[str]) -> Rows:
        """Rows of every track by one of `artists`, compared as :func:`folded`."""
        keys = sorted({folded(artist) for artist in artists} - {""})
        query = sa.select(_tracks.c.row).where(_tracks.c.artist_key.in_(keys))
        with self._reading() as connection:
            return np.array(list(connection.scalars(query)), dtype=np.int64)

    def search(self, query: str, limit: int, offset: int) -> tuple[list[Track], int]:
        """Tracks that hold every word of `query`, and how many there are.

        Words are looked for in title, artist, album, album artist and composer. The order is that
        of a record shelf: artist, album, track number.

        Raises
        ------
        InvalidParameterError
            `query` has more than `MAX_WORDS` different words.
        """
        words = sorted(set(folded(query).split()))
        if len(words) > MAX_WORDS:
            raise InvalidParameterError(f"q has {len(words)} words; use at most {MAX_WORDS}")
        # not LIKE: its wild cards would need escapes, and it stops reading at a NUL
        holds = [sa.func.instr(_tracks.c.search_text, word) > 0 for word in words]
        matching = sa.select(*self._track_columns).where(*holds).order_by(*_BROWSING_ORDER)
        counting = sa.select(sa.func.count()).select_from(_tracks).where(*holds)
        with self._reading() as connection:
            page = connection.execute(matching.limit(limit).offset(offset)).mappings()
            return [_track(row) for row in page], connection.scalar(counting) or 0

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except sa.exc.DatabaseError as error:
            name = Path(self._engine.url.database or "").name
            raise GenerationError(f"catalog={name} cannot be read: {error.orig}") from error

    def _rows(
        self, rows: Sequence[int] | Rows, *columns: sa.ColumnElement[Any]
    ) -> list[sa.RowMapping]:
        numbers = [int(row) for row in rows]
        found: list[sa.RowMapping] = []
        with self._reading() as connection:
            # in pieces: SQLite bounds the number of values in one statement
            for first in range(0, len(numbers), _ROWS_AT_ONCE):
                piece = _tracks.c.row.in_(numbers[first : first + _ROWS_AT_ONCE])
                found += connection.execute(sa.select(*columns).where(piece)).mappings()
        return found


def _columns_in(connection: sa.Connection) -> list[sa.ColumnElement[Any]]:
    """Columns of a track; catalogs of before there were composers go on being read, with none."""
    known = {row.name for row in connection.exec_driver_sql("PRAGMA table_info(tracks)")}
    none = sa.literal("").label("composer")
    return [none if c.name == "composer" and c.name not in known else c for c in _TRACK_COLUMNS]


def _track(row: Mapping[Any, Any]) -> Track:
    return Track(row["id"], row["duration_seconds"], metadata_of(row))
