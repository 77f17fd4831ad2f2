"""The tables of listeners, and how they come about: by migrations, each in one transaction.

Events have one index, their primary key: it keeps a listener's events together in the order of
time, and lets none be there twice. In SQLite the table is that index.
"""

import logging
from pathlib import Path

import sqlalchemy as sa

from recommender.errors import StorageError
from recommender.events import Kind

# the newest of the migrations
HEAD = "0001"
VERSION_TABLE = "listeners_version"
MIGRATIONS = Path(__file__).with_name("listeners_migrations")
CODES = {Kind.LISTEN: 1, Kind.LIKE: 2, Kind.DISLIKE: 3, Kind.SKIP: 4}
KINDS = {code: kind for kind, code in CODES.items()}
# any number that no other program takes on the same server
_UPGRADE_LOCK = 0x50DA1

schema = sa.MetaData()
# SQLite counts up by itself in a column of this very type only
_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# by bytes, as SQLite compares: the order of a page must not hang on a server's language
_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

listeners = sa.Table(
    "listeners",
    schema,
    sa.Column("id", _key, primary_key=True),
    sa.Column("name", _text, nullable=False, unique=True),
)
events = sa.Table(
    "events",
    schema,
    # nothing cascades: an event that came meanwhile must keep its listener from being deleted
    sa.Column("listener", _key, sa.ForeignKey("listeners.id"), primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("track_id", _text, primary_key=True),
    sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("seconds_played", sa.Double),
    sqlite_with_rowid=False,
)
_version = sa.table(VERSION_TABLE, sa.column("version_num"))


def prepare(connection: sa.Connection) -> None:
    """Create the tables, or bring those of an older version up to date, in its transaction.

    Parameters
    ----------
    connection
        In a transaction that writes: in SQLite nobody else does meanwhile.

    Raises
    ------
    StorageError
        They are of a newer version, or of another program.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
    version = version_of(connection)
    if version == HEAD:
        return
    if not version and sa.inspect(connection).has_table(events.name):
        raise StorageError(
            f"its table {events.name} is of another program; name another database by listeners_url"
        )
    _upgrade(connection, version)


def version_of(connection: sa.Connection) -> str:
    """The migration that a database is at; "" for none."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    return str(connection.scalar(sa.select(_version.c.version_num)) or "")


def _upgrade(connection: sa.Connection, version: str) -> None:
    # here and not above: it is not needed once the tables are there
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    # it tells of every step
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        ScriptDirectory.from_config(config).get_revision(version or HEAD)
    except CommandError:
        raise StorageError(
            f"its version={version} is not known here, where the newest is {HEAD}; use the "
            "version of Soundalike that wrote it, or a newer one"
        ) from None
    command.upgrade(config, HEAD)
