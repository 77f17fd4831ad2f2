"""The tables of the library database, and how those of an older version become these."""

import uuid
from collections.abc import Collection, Iterator
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa

from recommender.columns import metadata_columns
from recommender.errors import GenerationError

SCHEMA_VERSION = 6
# since when the library keeps a journal
_JOURNALLED = 4
# since when it knows what tags say of tempo and key
_DESCRIBED = 6
EVERY_SPACE = ""
CREDIT_FIELDS = ("title", "artist", "album", "composer", "licence", "attribution")
# of each window of a track
SCALE_BYTES = 4
# SQLite before 3.32 takes no more than 999 values in one statement
_CHUNK = 900

_Item = TypeVar("_Item", str, bytes)

schema = sa.MetaData()


def _changed() -> "sa.Column[int]":
    """Number of the last change, see :mod:`recommender.library_journal`; 0 for none since then."""
    return sa.Column("changed", sa.Integer, nullable=False, server_default="0")


tracks = sa.Table(
    "tracks",
    schema,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("duration_seconds", sa.Float, nullable=False),
    *metadata_columns(),
    _changed(),
    sa.Index("ix_tracks_changed", "changed"),
)
files = sa.Table(
    "files",
    schema,
    sa.Column("path", sa.LargeBinary, primary_key=True),
    sa.Column("track_id", sa.Text, sa.ForeignKey("tracks.id"), nullable=False, index=True),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("mtime_ns", sa.Integer, nullable=False),
)
failures = sa.Table(
    "failures",
    schema,
    sa.Column("path", sa.LargeBinary, primary_key=True),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("mtime_ns", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("failed_at", sa.Text, nullable=False),
    # EVERY_SPACE when no embedder could make anything of the file
    sa.Column("space_id", sa.Text, nullable=False, server_default=""),
)
spaces = sa.Table(
    "spaces",
    schema,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("description", sa.Text, nullable=False),
)
vectors = sa.Table(
    "vectors",
    schema,
    sa.Column("track_id", sa.Text, sa.ForeignKey("tracks.id"), primary_key=True),
    sa.Column("space_id", sa.Text, sa.ForeignKey("spaces.id"), primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    sa.Column("tags", sa.LargeBinary, nullable=False),
    sa.Column("level_dbfs", sa.Float, nullable=False),
    sa.Column("n_windows", sa.Integer, nullable=False),
    _changed(),
    sa.Index("ix_vectors_space_id_changed", "space_id", "changed"),
)
segments = sa.Table(
    "segments",
    schema,
    sa.Column("track_id", sa.Text, sa.ForeignKey("tracks.id"), primary_key=True),
    sa.Column("space_id", sa.Text, sa.ForeignKey("spaces.id"), primary_key=True),
    # see recommender.segments.Codes
    sa.Column("places", sa.LargeBinary, nullable=False),
    sa.Column("scales", sa.LargeBinary, nullable=False),
    sa.Column("codes", sa.LargeBinary, nullable=False),
)
revisions = sa.Table(
    "revisions",
    schema,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("space_id", sa.Text, nullable=False, index=True),
    sa.Column("text", sa.Text, nullable=False),
)
file_credits = sa.Table(
    "file_credits",
    schema,
    sa.Column("source", sa.LargeBinary, primary_key=True),
    sa.Column("path", sa.LargeBinary, primary_key=True, index=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in CREDIT_FIELDS),
)


def chunks(values: Collection[_Item]) -> Iterator[list[_Item]]:
    """The values in order, no more at a time than one statement takes."""
    ordered = iter(sorted(values))
    while chunk := list(islice(ordered, _CHUNK)):
        yield chunk


def begin_revision(connection: sa.Connection, space_id: str) -> int:
    """Give a space, or `EVERY_SPACE`, a new revision; its number."""
    row = {"space_id": space_id, "text": uuid.uuid4().hex}
    return int(connection.execute(sa.insert(revisions).values(row)).lastrowid)


def prepare(connection: sa.Connection) -> None:
    """Create the tables in a new database, or bring those of an older version up to date.

    All in one transaction: a process that is killed meanwhile leaves the database as it was.

    Raises
    ------
    GenerationError
        The database is of another program, or of a version that this one does not know.
    """
    if _version(connection) == SCHEMA_VERSION:
        return
    # the driver would begin with the first row that is written, after the tables were changed
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    version, tables = _version(connection), sa.inspect(connection).get_table_names()
    if not 0 <= version <= SCHEMA_VERSION:
        raise GenerationError(
            f"library schema_version={version} is not {SCHEMA_VERSION}; "
            "use the Soundalike version that wrote it, or delete it and run reindex"
        )
    if version == 0 and tables:
        raise GenerationError(
            "library.db is the database of another program; choose another data folder"
        )
    if version == 1:
        _add_composers(connection, tables)
    if version in (1, 2):
        _add_space_of_failures(connection, tables)
    if version in (1, 2, 3):
        _add_changes(connection, tables)
    if 0 < version < _DESCRIBED:
        _add_tempo_and_key(connection, tables)
    schema.create_all(connection)
    if version < _JOURNALLED:
        _begin_journal(connection, tables)
    connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")


def _version(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _add_composers(connection: sa.Connection, tables: list[str]) -> None:
    """From version 1, whose tables were created one by one: a crash left only some of them."""
    for name in {"tracks", "file_credits"}.intersection(tables):
        connection.exec_driver_sql(
            f"ALTER TABLE {name} ADD COLUMN composer TEXT NOT NULL DEFAULT ''"
        )
    _read_tags_again(connection, tables)


def _add_tempo_and_key(connection: sa.Connection, tables: list[str]) -> None:
    """From version 5, whose tracks had neither."""
    if "tracks" in tables:
        for column in ("bpm FLOAT NOT NULL DEFAULT 0", "\"key\" TEXT NOT NULL DEFAULT ''"):
            connection.exec_driver_sql(f"ALTER TABLE tracks ADD COLUMN {column}")
    _read_tags_again(connection, tables)


def _read_tags_again(connection: sa.Connection, tables: list[str]) -> None:
    """Have the next run read all tags; it needs no new vectors."""
    if "files" in tables:
        # no file has this size
        connection.execute(sa.update(files).values(size=-1))


def _add_space_of_failures(connection: sa.Connection, tables: list[str]) -> None:
    """From version 2, where a file that one embedder failed at had failed for all."""
    if "failures" not in tables:
        return
    columns = sa.inspect(connection).get_columns("failures")
    if "space_id" not in {column["name"] for column in columns}:
        connection.exec_driver_sql(
            "ALTER TABLE failures ADD COLUMN space_id TEXT NOT NULL DEFAULT ''"
        )


def _add_changes(connection: sa.Connection, tables: list[str]) -> None:
    """From version 3, which knew that something had changed, but not what."""
    for table in (tracks, vectors):
        if table.name in tables:
            connection.exec_driver_sql(
                f"ALTER TABLE {table.name} ADD COLUMN changed INTEGER NOT NULL DEFAULT 0"
            )
    for table in (tracks, vectors, file_credits):
        if table.name in tables:
            for index in table.indexes:
                index.create(connection)


def _begin_journal(connection: sa.Connection, tables: list[str]) -> None:
    """Keep the revisions of an older version: nothing is published anew for an upgrade alone."""
    if "meta" not in tables:
        begin_revision(connection, EVERY_SPACE)
        return
    rows = connection.exec_driver_sql("SELECT key, value FROM meta")
    meta = {str(key): str(value) for key, value in rows}
    every = meta.pop("revision", "")
    texts = {EVERY_SPACE: every}
    for key, value in meta.items():
        texts[key.removeprefix("revision:")] = f"{every} {value}".strip()
    # 0 and below: what changed since them is not known
    numbered = enumerate(texts.items(), start=1 - len(texts))
    kept = [{"number": n, "space_id": id_, "text": text} for n, (id_, text) in numbered]
    connection.execute(sa.insert(revisions), kept)
    connection.exec_driver_sql("DROP TABLE meta")
