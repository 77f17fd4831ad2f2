"""Listeners in a PostgreSQL database, for services on several machines."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from recommender.errors import MissingPackageError
from recommender.listeners_database import POOL, Database

CONNECT_SECONDS = 5


class PostgresqlDatabase(Database):
    """A database of a server.

    Raises
    ------
    MissingPackageError
        The driver is not installed.
    """

    def __init__(self, url: sa.URL):
        if find_spec("psycopg") is None:
            raise MissingPackageError(
                "listeners_url names a PostgreSQL database, which needs psycopg; install "
                "soundalike[postgresql]"
            )
        engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            # whatever the server is set to: rows that others wait for are read anew
            isolation_level="READ COMMITTED",
            # servers are restarted, and firewalls forget
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
            **POOL,
        )
        super().__init__(engine, f"postgresql://{url.host or ''}/{url.database or ''}")

    def insert_new(self, table: sa.Table) -> Any:
        """As :meth:`Database.insert_new`."""
        return insert(table).on_conflict_do_nothing()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """As :meth:`Database.writing`; whoever changes a listener's events locks its row first."""
        with self.translated_errors(), self.engine.begin() as connection:
            yield connection
