"""Rows of the library database: how outcomes become rows, and rows become tracks again."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from recommender import library_tables as t
from recommender.columns import metadata_of
from recommender.embedding import Embedding
from recommender.records import Failed, Indexed, LibraryTrack
from recommender.track import Track

EVERY_SPACE = ""


def revision_key(space_id: str) -> str:
    """What the revision of a space is kept under; that of `EVERY_SPACE` is of tracks and files."""
    return f"revision:{space_id}" if space_id else "revision"


def note_change(connection: sa.Connection, space_id: str = EVERY_SPACE) -> None:
    """Give a space a new revision: what would be published of it has changed."""
    _upsert(connection, t.meta, {"key": revision_key(space_id), "value": uuid.uuid4().hex})


def store_outcome(connection: sa.Connection, outcome: Indexed | Failed, space_id: str) -> set[str]:
    """Store one outcome; the spaces of which other things than before would be published."""
    if isinstance(outcome, Indexed):
        return _store_indexed(connection, outcome, space_id)
    return {EVERY_SPACE} if _store_failed(connection, outcome, space_id) else set()


def _store_indexed(connection: sa.Connection, outcome: Indexed, space_id: str) -> set[str]:
    track = outcome.track
    row = {
        "id": track.id,
        "duration_seconds": track.duration_seconds,
        **asdict(track.metadata),
    }
    known = connection.execute(sa.select(t.tracks).where(t.tracks.c.id == track.id)).first()
    home = connection.scalar(sa.select(t.files.c.track_id).where(t.files.c.path == outcome.path))
    changed = set[str]()
    if home != track.id or known is None or dict(known._mapping) != row:
        changed.add(EVERY_SPACE)
    _upsert(connection, t.tracks, row)
    _upsert(
        connection,
        t.files,
        {"path": outcome.path, "track_id": track.id, **asdict(outcome.state)},
    )
    delete_path(connection, t.failures, outcome.path)
    if outcome.embedding is not None:
        _upsert(connection, t.vectors, _vector_row(outcome.embedding, track.id, space_id))
        changed.add(space_id)
    return changed


def _vector_row(embedding: Embedding, track_id: str, space_id: str) -> dict[str, object]:
    return {
        "track_id": track_id,
        "space_id": space_id,
        "vector": embedding.vector.astype("<f4").tobytes(),
        "tags": embedding.tags.astype("<f4").tobytes(),
        "level_dbfs": embedding.level_dbfs,
        "n_windows": embedding.n_windows,
    }


def _store_failed(connection: sa.Connection, outcome: Failed, space_id: str) -> bool:
    was_good = _was_good(connection, outcome)
    if was_good:
        delete_path(connection, t.files, outcome.path)
    row = {
        "path": outcome.path,
        **asdict(outcome.state),
        "reason": outcome.reason,
        "message": outcome.message,
        "failed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "space_id": space_id if outcome.track_id else EVERY_SPACE,
    }
    _upsert(connection, t.failures, row)
    return was_good or _moved(connection, outcome)


def _moved(connection: sa.Connection, outcome: Failed) -> bool:
    """Give a track of other spaces its new file, which only this embedder fails at."""
    embedded = sa.select(t.vectors.c.track_id).where(t.vectors.c.track_id == outcome.track_id)
    if connection.scalar(embedded.limit(1)) is None:
        return False
    before = connection.scalar(sa.select(t.files.c.track_id).where(t.files.c.path == outcome.path))
    home = {"path": outcome.path, "track_id": outcome.track_id, **asdict(outcome.state)}
    _upsert(connection, t.files, home)
    return bool(before != outcome.track_id)


def _was_good(connection: sa.Connection, outcome: Failed) -> bool:
    """Whether a file was good and is now bad, and must leave the catalog."""
    query = sa.select(t.files.c.track_id).where(t.files.c.path == outcome.path)
    track_id = connection.scalar(query)
    # the same recording as before stays in the spaces whose embedders made something of it
    return track_id is not None and track_id != outcome.track_id


def delete_path(connection: sa.Connection, table: sa.Table, path: bytes) -> bool:
    """Delete the row of a path; whether there was one."""
    return connection.execute(sa.delete(table).where(table.c.path == path)).rowcount > 0


def _upsert(connection: sa.Connection, table: sa.Table, row: Mapping[str, object]) -> None:
    keys = [column.name for column in table.primary_key]
    others = {name: value for name, value in row.items() if name not in keys}
    statement = insert(table).values(dict(row))
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others))


def credits_by_path(connection: sa.Connection) -> dict[bytes, dict[str, str]]:
    """Non-empty credit fields by path; a credit is curated and outranks the file's own tags."""
    table, found = t.file_credits, dict[bytes, dict[str, str]]()
    # the folder nearest to the file comes last and has the last word
    for row in connection.execute(sa.select(table).order_by(sa.func.length(table.c.source))):
        fields = {name: row._mapping[name] for name in t.CREDIT_FIELDS if row._mapping[name]}
        found.setdefault(row.path, {}).update(fields)
    return found


def library_track(row: Mapping[Any, Any], credit: Mapping[str, Any]) -> LibraryTrack:
    """The track in a joined row, with the credit that outranks its tags."""
    return LibraryTrack(
        track=Track(row["id"], row["duration_seconds"], replace(metadata_of(row), **credit)),
        path=row["path"],
        vector=np.frombuffer(row["vector"], "<f4"),
        tags=np.frombuffer(row["tags"], "<f4"),
        level_dbfs=row["level_dbfs"],
    )
