"""The indexer's own database: tracks, where their files are, vectors by space, failures.

SQLite in WAL mode with one writer, the indexer, which holds a lock on the data folder. Tracks and
vectors whose files are gone stay: a music folder that comes back is not embedded again.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from recommender import library_journal as journal
from recommender import library_rows as rows
from recommender import library_tables as t
from recommender.closing import Closing
from recommender.errors import GenerationError, StorageError
from recommender.records import Failed, FileState, Indexed, LibraryTrack
from recommender.segments import Segments
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
        with self._reading() as connection:
            return journal.revision(connection, space_id)

    def changed_since(self, revision: str, space_id: str) -> set[str] | None:
        """Which tracks would be published of a space otherwise than when its revision was read.

        Parameters
        ----------
        revision
            What :meth:`revision` gave for the space.
        space_id
            A space that is known, or another, which nothing was embedded in.

        Returns
        -------
        set of str or None
            Ids of tracks that came, left, or may differ in any field of what :meth:`publishable`
            yields; no fewer. None when that is not known: the revision is of another library, of
            a copy of this one that went another way, of an older schema version, or older than
            the last `KEPT` changes, see :mod:`recommender.library_journal`.
        """
        with self._reading() as connection:
            return journal.changed_since(connection, revision, space_id)

    def files(self) -> dict[bytes, tuple[FileState, str]]:
        """Every known file: its state when it was read, and the id of its track."""
        query = sa.select(t.files.c.path, t.files.c.size, t.files.c.mtime_ns, t.files.c.track_id)
        with self._reading() as connection:
            return {path: (FileState(s, m), id_) for path, s, m, id_ in connection.execute(query)}

    def failures(self, space_id: str | None = None) -> list[Failed]:
        """Every file that failed, by path; of a space those that count for it."""
        query = sa.select(t.failures).order_by(t.failures.c.path)
        if space_id is not None:
            query = query.where(t.failures.c.space_id.in_([t.EVERY_SPACE, space_id]))
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

    def segmented(self, space_id: str) -> set[str]:
        """Ids of the tracks that have segments in the space."""
        query = sa.select(t.segments.c.track_id).where(t.segments.c.space_id == space_id)
        with self._reading() as connection:
            return set(connection.scalars(query))

    def count_windows(self, space_id: str) -> int:
        """How many windows the segments in the space are, of tracks with a file or without."""
        scales = sa.func.sum(sa.func.length(t.segments.c.scales))
        query = sa.select(scales).where(t.segments.c.space_id == space_id)
        with self._reading() as connection:
            return (connection.scalar(query) or 0) // t.SCALE_BYTES

    def segments(self, space_id: str, track_ids: Collection[str]) -> Iterator[tuple[str, Segments]]:
        """The segments of those of some tracks that have any, by id.

        Raises
        ------
        GenerationError
            They are damaged.
        """
        with self._reading() as connection:
            for track_id, codes in rows.segments(connection, space_id, track_ids):
                try:
                    yield track_id, codes.segments()
                except ValueError as error:
                    raise GenerationError(
                        f"track_id={track_id} has damaged segments in the library; "
                        "run reindex --segments --full to listen to everything again"
                    ) from error

    def count_publishable(self, space_id: str) -> int:
        """How many tracks :meth:`publishable` yields."""
        query = sa.select(sa.func.count(sa.distinct(t.files.c.track_id))).join(
            t.vectors, t.vectors.c.track_id == t.files.c.track_id
        )
        with self._reading() as connection:
            return connection.scalar(query.where(t.vectors.c.space_id == space_id)) or 0

    def publishable(
        self, space_id: str, track_ids: Collection[str] | None = None
    ) -> Iterator[LibraryTrack]:
        """Tracks with a file and a vector in the space, by id; of these tracks, None for all."""
        with self._reading() as connection:
            # credits are of the same moment as the tracks
            connection.exec_driver_sql("BEGIN")
            yield from rows.publishable(connection, space_id, track_ids)

    def add_space(self, space: Space) -> None:
        """Make a space known; nothing happens when it is."""
        row = {"id": space.id, "description": json.dumps(space.describe(), sort_keys=True)}
        with self._writing() as connection:
            connection.execute(insert(t.spaces).values(row).on_conflict_do_nothing())

    def store(self, outcomes: Sequence[Indexed | Failed], space: Space) -> None:
        """Store what became of some files, in one transaction."""
        with self._writing() as connection:
            touched: dict[str, set[str]] = {t.EVERY_SPACE: set(), space.id: set()}
            for outcome in outcomes:
                for space_id, ids in rows.store_outcome(connection, outcome, space.id).items():
                    touched[space_id] |= ids
            for space_id, ids in touched.items():
                journal.note(connection, ids, space_id)

    def forget_files(self, paths: Collection[bytes]) -> None:
        """Drop files that are gone; their tracks and vectors stay for the day they come back."""
        with self._writing() as connection:
            # failures alone are not published
            touched = rows.tracks_of(connection, paths)
            rows.delete_paths(connection, t.files, paths)
            rows.delete_paths(connection, t.failures, paths)
            journal.note(connection, touched, t.EVERY_SPACE)

    def set_credits(self, source: bytes, credit: Mapping[bytes, Mapping[str, str]]) -> None:
        """Replace the credits that come from `source`, a music folder: fields by path.

        Those of other folders stay, of folders above and below as well.
        """
        with self._writing() as connection:
            touched = rows.replace_credits(connection, source, credit)
            journal.note(connection, touched, t.EVERY_SPACE)

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


def _set_pragmas(connection: Any, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=5000",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")
