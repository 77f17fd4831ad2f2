"""The indexer's own database: tracks, where their files are, vectors by space, failures.

SQLite in WAL mode with one writer, the indexer, which holds a lock on the data folder. Tracks and
vectors whose files are gone stay: a music folder that comes back is not embedded again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from recommender import library_rows as rows
from recommender import library_tables as t
from recommender.closing import Closing
from recommender.errors import GenerationError, StorageError
from recommender.records import Failed, FileState, Indexed, LibraryTrack
from recommender.space import Space


class Library(Closing):
    """The library database; open it with :meth:`open` and close it, or use ``with``."""

    def __init__(self, engine: sa.Engine):
        self._engine = engine

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the library at `path`, creating it when it is not there.

        One of an older schema version is brought up to date; no vector is lost.

        Raises
        ------
        GenerationError
            The file is no library, or one of a newer schema version.
        StorageError
            The disk is full, or the file may not be written.
        """
        # not an f-string: "?" and "#" in a folder's name would be read as parts of a URL
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
        sa.event.listen(engine, "connect", _set_pragmas)
        library = cls(engine)
        try:
            with library._writing() as connection:
                t.prepare(connection)
        except BaseException:
            library.close()
            raise
        return library

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    def revision(self, space_id: str) -> str:
        """Opaque text that changes whenever what would be published of a space changes."""
        parts = (self._meta(rows.revision_key(key)) for key in (rows.EVERY_SPACE, space_id))
        return " ".join(filter(None, parts))

    def files(self) -> dict[bytes, tuple[FileState, str]]:
        """Every known file: its state when it was read, and the id of its track."""
        query = sa.select(t.files.c.path, t.files.c.size, t.files.c.mtime_ns, t.files.c.track_id)
        with self._reading() as connection:
            return {path: (FileState(s, m), id_) for path, s, m, id_ in connection.execute(query)}

    def failures(self, space_id: str | None = None) -> list[Failed]:
        """Every file that failed, by path; of a space those that count for it."""
        query = sa.select(t.failures).order_by(t.failures.c.path)
        if space_id is not None:
            query = query.where(t.failures.c.space_id.in_([rows.EVERY_SPACE, space_id]))
        with self._reading() as connection:
            return [
                Failed(r.path, FileState(r.size, r.mtime_ns), r.reason, r.message)
                for r in connection.execute(query)
            ]

    def spaces(self) -> list[str]:
        """Ids of the spaces that tracks were embedded in, in order."""
        with self._reading() as connection:
            return list(connection.scalars(sa.select(t.spaces.c.id).order_by(t.spaces.c.id)))

    def track_ids(self) -> set[str]:
        """Ids of all tracks that were ever known, with a file or without."""
        with self._reading() as connection:
            return set(connection.scalars(sa.select(t.tracks.c.id)))

    def embedded(self, space_id: str) -> set[str]:
        """Ids of the tracks that have a vector in the space."""
        query = sa.select(t.vectors.c.track_id).where(t.vectors.c.space_id == space_id)
        with self._reading() as connection:
            return set(connection.scalars(query))

    def count_publishable(self, space_id: str) -> int:
        """How many tracks :meth:`publishable` yields."""
        query = sa.select(sa.func.count(sa.distinct(t.files.c.track_id))).join(
            t.vectors, t.vectors.c.track_id == t.files.c.track_id
        )
        with self._reading() as connection:
            return connection.scalar(query.where(t.vectors.c.space_id == space_id)) or 0

    def publishable(self, space_id: str) -> Iterator[LibraryTrack]:
        """Tracks with a file and a vector in the space, by id."""
        path = sa.func.min(t.files.c.path).label("path")
        query = (
            sa.select(t.tracks, path, t.vectors.c.vector, t.vectors.c.tags, t.vectors.c.level_dbfs)
            .join(t.files, t.files.c.track_id == t.tracks.c.id)
            .join(t.vectors, t.vectors.c.track_id == t.tracks.c.id)
            .where(t.vectors.c.space_id == space_id)
            .group_by(t.tracks.c.id)
            .order_by(t.tracks.c.id)
        )
        with self._reading() as connection:
            credit_by_path = rows.credits_by_path(connection)
            for row in connection.execute(query, execution_options={"yield_per": 1000}):
                yield rows.library_track(row._mapping, credit_by_path.get(row.path, {}))

    def add_space(self, space: Space) -> None:
        """Make a space known; nothing happens when it is."""
        row = {"id": space.id, "description": json.dumps(space.describe(), sort_keys=True)}
        with self._writing() as connection:
            connection.execute(insert(t.spaces).values(row).on_conflict_do_nothing())

    def store(self, outcomes: Sequence[Indexed | Failed], space: Space) -> None:
        """Store what became of some files, in one transaction."""
        with self._writing() as connection:
            changed = [rows.store_outcome(connection, outcome, space.id) for outcome in outcomes]
            for space_id in set[str]().union(*changed):
                rows.note_change(connection, space_id)

    def forget_files(self, paths: Sequence[bytes]) -> None:
        """Drop files that are gone; their tracks and vectors stay for the day they come back."""
        with self._writing() as connection:
            forgotten = [rows.delete_path(connection, t.files, path) for path in paths]
            for path in paths:
                rows.delete_path(connection, t.failures, path)
            # failures alone are not published
            if any(forgotten):
                rows.note_change(connection)

    def set_credits(self, source: bytes, credit: Mapping[bytes, Mapping[str, str]]) -> None:
        """Replace the credits that come from `source`, a music folder: fields by path.

        Those of other folders stay, of folders above and below as well.
        """
        table = t.file_credits
        new = {path: {"source": source, "path": path, **fields} for path, fields in credit.items()}
        with self._writing() as connection:
            known = connection.execute(sa.select(table).where(table.c.source == source))
            if {row.path: dict(row._mapping) for row in known} == new:
                return
            connection.execute(sa.delete(table).where(table.c.source == source))
            if new:
                connection.execute(sa.insert(table), list(new.values()))
            rows.note_change(connection)

    def damage(self) -> str:
        """What SQLite's integrity check complains of; "" for a sound database."""
        with self._reading() as connection:
            complaint = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        return "" if complaint == "ok" else str(complaint)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._translated_errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._translated_errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        path = self._engine.url.database
        try:
            yield
        except sa.exc.OperationalError as error:
            raise StorageError(
                f"library={path} could not be read or written ({error.orig}); "
                "make room or mend permissions, then run reindex again"
            ) from error
        except (sa.exc.DatabaseError, UnicodeDecodeError) as error:
            why = getattr(error, "orig", error)
            raise GenerationError(
                f"library={path} is damaged ({why}); restore or delete it, then run reindex"
            ) from error

    def _meta(self, key: str) -> str:
        with self._reading() as connection:
            return connection.scalar(sa.select(t.meta.c.value).where(t.meta.c.key == key)) or ""


def _set_pragmas(connection: Any, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=5000",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")
