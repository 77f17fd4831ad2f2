"""The indexer's own database: tracks, where their files are, vectors by space, failures.

SQLite in WAL mode with one writer, the indexer, which holds a lock on the data folder. Tracks and
vectors whose files are gone stay: a music folder that comes back is not embedded again.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from recommender import library_tables as t
from recommender.closing import Closing
from recommender.columns import metadata_of
from recommender.embedding import Embedding
from recommender.errors import GenerationError, StorageError
from recommender.records import Failed, FileState, Indexed, LibraryTrack
from recommender.space import Space
from recommender.track import Track


class Library(Closing):
    """The library database; open it with :meth:`open` and close it, or use ``with``."""

    def __init__(self, engine: sa.Engine):
        self._engine = engine

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the library at `path`, creating it when it is not there.

        Raises
        ------
        GenerationError
            The file is no library, or one of another schema version.
        StorageError
            The disk is full, or the file may not be written.
        """
        # not an f-string: "?" and "#" in a folder's name would be read as parts of a URL
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
        sa.event.listen(engine, "connect", _set_pragmas)
        library = cls(engine)
        try:
            library._create_schema()
        except BaseException:
            library.close()
            raise
        return library

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    def revision(self) -> str:
        """Opaque text that changes whenever what would be published changes."""
        return self._meta("revision")

    def files(self) -> dict[bytes, tuple[FileState, str]]:
        """Every known file: its state when it was read, and the id of its track."""
        query = sa.select(t.files.c.path, t.files.c.size, t.files.c.mtime_ns, t.files.c.track_id)
        with self._reading() as connection:
            return {path: (FileState(s, m), id_) for path, s, m, id_ in connection.execute(query)}

    def failures(self) -> list[Failed]:
        """Every file that failed, by path."""
        query = sa.select(t.failures).order_by(t.failures.c.path)
        with self._reading() as connection:
            return [
                Failed(r.path, FileState(r.size, r.mtime_ns), r.reason, r.message)
                for r in connection.execute(query)
            ]

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
            credit_by_path = _credits(connection)
            for row in connection.execute(query, execution_options={"yield_per": 1000}):
                yield _library_track(row._mapping, credit_by_path.get(row.path, {}))

    def add_space(self, space: Space) -> None:
        """Make a space known; nothing happens when it is."""
        row = {"id": space.id, "description": json.dumps(space.describe(), sort_keys=True)}
        with self._writing() as connection:
            connection.execute(insert(t.spaces).values(row).on_conflict_do_nothing())

    def store(self, outcomes: Sequence[Indexed | Failed], space: Space) -> None:
        """Store what became of some files, in one transaction."""
        with self._writing() as connection:
            changed = [_store_outcome(connection, outcome, space.id) for outcome in outcomes]
            if any(changed):
                _touch(connection)

    def forget_files(self, paths: Sequence[bytes]) -> None:
        """Drop files that are gone; their tracks and vectors stay for the day they come back."""
        with self._writing() as connection:
            forgotten = [_delete(connection, t.files, path) for path in paths]
            for path in paths:
                _delete(connection, t.failures, path)
            # failures alone are not published
            if any(forgotten):
                _touch(connection)

    def set_credits(self, source: bytes, rows: Mapping[bytes, Mapping[str, str]]) -> None:
        """Replace the credits that come from `source`, a music folder; `rows` maps paths to fields.

        Those of other folders stay, of folders above and below as well.
        """
        table = t.file_credits
        new = {path: {"source": source, "path": path, **fields} for path, fields in rows.items()}
        with self._writing() as connection:
            known = connection.execute(sa.select(table).where(table.c.source == source))
            if {row.path: dict(row._mapping) for row in known} == new:
                return
            connection.execute(sa.delete(table).where(table.c.source == source))
            if new:
                connection.execute(sa.insert(table), list(new.values()))
            _touch(connection)

    def damage(self) -> str:
        """What SQLite's integrity check complains of; "" for a sound database."""
        with self._reading() as connection:
            complaint = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        return "" if complaint == "ok" else str(complaint)

    def _create_schema(self) -> None:
        with self._writing() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar()
            if version not in (0, t.SCHEMA_VERSION):
                raise GenerationError(
                    f"library schema_version={version} is not {t.SCHEMA_VERSION}; "
                    "use the Soundalike version that wrote it, or delete it and run reindex"
                )
            if version == 0 and sa.inspect(connection).get_table_names():
                raise GenerationError(
                    "library.db is the database of another program; choose another data folder"
                )
            if version == 0:
                # first: a crash in between must not look like another program's database
                connection.exec_driver_sql(f"PRAGMA user_version={t.SCHEMA_VERSION}")
            t.schema.create_all(connection)

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
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA trusted_schema=OFF")


def _touch(connection: sa.Connection) -> None:
    _upsert(connection, t.meta, {"key": "revision", "value": uuid.uuid4().hex})


def _store_outcome(connection: sa.Connection, outcome: Indexed | Failed, space_id: str) -> bool:
    """Store one outcome; whether what would be published may have changed."""
    if isinstance(outcome, Indexed):
        _store_indexed(connection, outcome, space_id)
        return True
    return _store_failed(connection, outcome)


def _store_indexed(connection: sa.Connection, outcome: Indexed, space_id: str) -> None:
    track = outcome.track
    _upsert(
        connection,
        t.tracks,
        {"id": track.id, "duration_seconds": track.duration_seconds, **asdict(track.metadata)},
    )
    _upsert(
        connection,
        t.files,
        {"path": outcome.path, "track_id": track.id, **asdict(outcome.state)},
    )
    _delete(connection, t.failures, outcome.path)
    if outcome.embedding is not None:
        _upsert(connection, t.vectors, _vector_row(outcome.embedding, track.id, space_id))


def _vector_row(embedding: Embedding, track_id: str, space_id: str) -> dict[str, object]:
    return {
        "track_id": track_id,
        "space_id": space_id,
        "vector": embedding.vector.astype("<f4").tobytes(),
        "tags": embedding.tags.astype("<f4").tobytes(),
        "level_dbfs": embedding.level_dbfs,
        "n_windows": embedding.n_windows,
    }


def _store_failed(connection: sa.Connection, outcome: Failed) -> bool:
    # a file that was good and is now bad must leave the catalog
    was_good = _delete(connection, t.files, outcome.path)
    row = {
        "path": outcome.path,
        **asdict(outcome.state),
        "reason": outcome.reason,
        "message": outcome.message,
        "failed_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    _upsert(connection, t.failures, row)
    return was_good


def _delete(connection: sa.Connection, table: sa.Table, path: bytes) -> bool:
    """Delete the row of a path; whether there was one."""
    return connection.execute(sa.delete(table).where(table.c.path == path)).rowcount > 0


def _upsert(connection: sa.Connection, table: sa.Table, row: Mapping[str, object]) -> None:
    keys = [column.name for column in table.primary_key]
    others = {name: value for name, value in row.items() if name not in keys}
    statement = insert(table).values(dict(row))
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others))


def _credits(connection: sa.Connection) -> dict[bytes, dict[str, str]]:
    """Non-empty credit fields by path; a credit is curated and outranks the file's own tags."""
    table, found = t.file_credits, dict[bytes, dict[str, str]]()
    # the folder nearest to the file comes last and has the last word
    for row in connection.execute(sa.select(table).order_by(sa.func.length(table.c.source))):
        fields = {name: row._mapping[name] for name in t.CREDIT_FIELDS if row._mapping[name]}
        found.setdefault(row.path, {}).update(fields)
    return found


def _library_track(row: Mapping[Any, Any], credit: Mapping[str, Any]) -> LibraryTrack:
    return LibraryTrack(
        track=Track(row["id"], row["duration_seconds"], replace(metadata_of(row), **credit)),
        path=row["path"],
        vector=np.frombuffer(row["vector"], "<f4"),
        tags=np.frombuffer(row["tags"], "<f4"),
        level_dbfs=row["level_dbfs"],
    )
