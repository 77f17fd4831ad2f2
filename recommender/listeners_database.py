"""What the two kinds of databases of listeners have in common."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa

from recommender.closing import Closing
from recommender.errors import StorageError

# of threads that write or read at a time; more wait for their turn
POOL = {"pool_size": 8, "max_overflow": 8, "pool_timeout": 15.0}


class Database(Closing):
    """A database, where it is, and how one writes to it.

    Parameters
    ----------
    engine
        It hides parameters: they are ids of listeners, which nothing may tell.
    name
        What messages call it, without a password.
    """

    def __init__(self, engine: sa.Engine, name: str):
        self.engine, self._name = engine, name

    def close(self) -> None:
        """Release the database."""
        self.engine.dispose()

    def insert_new(self, table: sa.Table) -> Any:
        """An INSERT that leaves out rows that are there."""
        raise NotImplementedError

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that is durable when the block has ended, and undone when it failed."""
        raise NotImplementedError

    def scrub(self) -> None:
        """See to it that no copy of what was deleted is left in files."""

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for one query."""
        with self.translated_errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Make StorageErrors of what goes wrong, which tell neither values nor statements."""
        try:
            yield
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            # what it came from could quote a listener
            raise self.error(_why(error)) from None
        except OSError as error:
            raise self.error(error.strerror or type(error).__name__) from None
        except StorageError as error:
            raise StorageError(f"{self._name}: {error}") from None

    def error(self, why: str) -> StorageError:
        """What is raised of something that went wrong."""
        return StorageError(
            f"listeners={self._name} could not be read or written ({why}); make room, mend "
            "permissions or start its server, it is tried again"
        )


def _why(error: sa.exc.SQLAlchemyError) -> str:
    """Why a statement failed; what was sent is quoted by some errors of servers, not by these."""
    if isinstance(error, sa.exc.OperationalError):
        return str(error.orig).partition("\n")[0]
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", "")
    return f"{type(cause).__name__} {code}".rstrip()
