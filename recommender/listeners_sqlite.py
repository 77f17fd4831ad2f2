"""Listeners in a file, written by several threads and processes, one at a time.

A commit is on the disk when it returns (``synchronous=FULL``), and readers wait for no writer
(WAL). Writers take turns by a lock of their own: SQLite before 3.51.3 can damage a database when
one connection checkpoints while another one commits and begins the log anew, see "The WAL-Reset
Bug" in https://sqlite.org/wal.html. Both happen under that lock only.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from recommender.closing import Closing
from recommender.errors import StorageError
from recommender.listeners_database import POOL, Database

# how long a writer waits for others
PATIENCE_SECONDS = 15.0
_PAUSE_SECONDS = 0.001
_PRAGMAS = (
    f"busy_timeout={int(1000 * PATIENCE_SECONDS)}",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    # zeros over what is deleted
    "secure_delete=ON",
)


class SqliteDatabase(Database):
    """A file; it and its folder are created when they are not there."""

    def __init__(self, path: Path):
        # not an f-string: "?" and "#" in a folder's name would be read as parts of a URL
        url = sa.URL.create("sqlite", database=str(path))
        super().__init__(sa.create_engine(url, hide_parameters=True, **POOL), str(path))
        sa.event.listen(self.engine, "connect", _set_pragmas)
        with self.translated_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._turn = Turn(path.with_name(f"{path.name}.lock"))
            with self._turn.taken():
                _create(path)
                with self.engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")

    def close(self) -> None:
        """Release the file."""
        super().close()
        self._turn.close()

    def insert_new(self, table: sa.Table) -> Any:
        """As :meth:`Database.insert_new`."""
        return insert(table).on_conflict_do_nothing()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """As :meth:`Database.writing`; nobody else writes meanwhile."""
        with self.translated_errors(), self._turn.taken(), self.engine.begin() as connection:
            # the driver would begin with the first row, after others may have written
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def scrub(self) -> None:
        """Empty the log, which holds what was written before it was deleted.

        Raises
        ------
        StorageError
            Someone read for longer than one waits; delete again.
        """
        with self.translated_errors(), self._turn.taken(), self.engine.connect() as connection:
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if busy:
                raise StorageError("what was deleted is still in its log; delete it again")


class Turn(Closing):
    """One writer at a time, of all threads and processes; the system frees it however one ends."""

    def __init__(self, path: Path):
        self._threads = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Write in this block; raises StorageError when others take too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        if not self._threads.acquire(timeout=PATIENCE_SECONDS):
            raise _busy()
        try:
            while not self._try():
                if time.monotonic() > deadline:
                    raise _busy()
                time.sleep(_PAUSE_SECONDS)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _busy() -> StorageError:
    return StorageError(f"others wrote for more than {PATIENCE_SECONDS:g} seconds; try again")


def _create(path: Path) -> None:
    """Create a file that others may not read; its log inherits that."""
    try:
        # only if it is not there: to close another's file would free the locks that SQLite holds
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return


def _set_pragmas(connection: Any, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
