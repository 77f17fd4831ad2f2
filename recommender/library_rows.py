"""Rows of the library database: how outcomes become rows, and rows become tracks again."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from recommender import library_tables as t
from recommender.embedding import Embedding
from recommender.records import Failed, FileState, Indexed, LibraryTrack
from recommender.segments import Codes, Segments
from recommender.track import Metadata, Track

# the columns of a track in the order in which `Track` and `Metadata` take them
_METADATA = tuple(field.name for field in fields(Metadata))
_TRACK = tuple(t.tracks.c[name] for name in ("id", "duration_seconds", *_METADATA))
_PATH = len(_TRACK)
# where in the metadata the fields of a credit are
_CREDITED = tuple(_METADATA.index(name) for name in t.CREDIT_FIELDS)
_READ_AT_ONCE = 900


def store_outcome(
    connection: sa.Connection, outcome: Indexed | Failed, space_id: str
) -> dict[str, set[str]]:
    """Store one outcome; the tracks of which something else would be published now, by space."""
    if isinstance(outcome, Indexed):
        return _store_indexed(connection, outcome, space_id)
    return {t.EVERY_SPACE: _store_failed(connection, outcome, space_id)}


def _store_indexed(
    connection: sa.Connection, outcome: Indexed, space_id: str
) -> dict[str, set[str]]:
    track = outcome.track
    row = {"id": track.id, "duration_seconds": track.duration_seconds, **asdict(track.metadata)}
    known = connection.execute(sa.select(*_TRACK).where(t.tracks.c.id == track.id)).first()
    everywhere = set[str]()
    if known is None or dict(known._mapping) != row:
        everywhere.add(track.id)
        _upsert(connection, t.tracks, row)
    everywhere |= _store_file(connection, outcome.path, outcome.state, track.id)
    delete_paths(connection, t.failures, [outcome.path])
    if outcome.embedding is None:
        return {t.EVERY_SPACE: everywhere}
    _upsert(connection, t.vectors, _vector_row(outcome.embedding, track.id, space_id))
    if outcome.segments is not None:
        _upsert(connection, t.segments, _segments_row(outcome.segments, track.id, space_id))
    # what is new to every space needs no second note for one of them
    return {t.EVERY_SPACE: everywhere, space_id: {track.id} - everywhere}


def _store_file(
    connection: sa.Connection, path: bytes, state: FileState, track_id: str
) -> set[str]:
    """Store which track a file holds; the tracks that won or lost it."""
    before = connection.scalar(sa.select(t.files.c.track_id).where(t.files.c.path == path))
    _upsert(connection, t.files, {"path": path, "track_id": track_id, **asdict(state)})
    return {track_id, before or track_id} if before != track_id else set()


def _vector_row(embedding: Embedding, track_id: str, space_id: str) -> dict[str, object]:
    return {
        "track_id": track_id,
        "space_id": space_id,
        "vector": embedding.vector.astype("<f4").tobytes(),
        "tags": embedding.tags.astype("<f4").tobytes(),
        "level_dbfs": embedding.level_dbfs,
        "n_windows": embedding.n_windows,
    }


def _segments_row(segments: Segments, track_id: str, space_id: str) -> dict[str, object]:
    return {"track_id": track_id, "space_id": space_id, **asdict(Codes.of(segments))}


def _store_failed(connection: sa.Connection, outcome: Failed, space_id: str) -> set[str]:
    lost = _lost(connection, outcome)
    row = {
        "path": outcome.path,
        **asdict(outcome.state),
        "reason": outcome.reason,
        "message": outcome.message,
        "failed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "space_id": space_id if outcome.track_id else t.EVERY_SPACE,
    }
    _upsert(connection, t.failures, row)
    return lost or _moved(connection, outcome)


def _moved(connection: sa.Connection, outcome: Failed) -> set[str]:
    """Give a track of other spaces its new file, which only this embedder fails at."""
    embedded = sa.select(t.vectors.c.track_id).where(t.vectors.c.track_id == outcome.track_id)
    if connection.scalar(embedded.limit(1)) is None:
        return set()
    return _store_file(connection, outcome.path, outcome.state, outcome.track_id)


def _lost(connection: sa.Connection, outcome: Failed) -> set[str]:
    """Take a file that was good and is now bad out of the catalog; the track that it was of."""
    query = sa.select(t.files.c.track_id).where(t.files.c.path == outcome.path)
    track_id = connection.scalar(query)
    # the same recording as before stays in the spaces whose embedders made something of it
    if track_id is None or track_id == outcome.track_id:
        return set()
    delete_paths(connection, t.files, [outcome.path])
    return {track_id}


def tracks_of(connection: sa.Connection, paths: Collection[bytes]) -> set[str]:
    """Ids of the tracks that files hold."""
    query = sa.select(t.files.c.track_id)
    return {
        track_id
        for chunk in t.chunks(paths)
        for track_id in connection.scalars(query.where(t.files.c.path.in_(chunk)))
    }


def delete_paths(connection: sa.Connection, table: sa.Table, paths: Collection[bytes]) -> None:
    """Delete the rows of paths."""
    if paths:
        one = sa.delete(table).where(table.c.path == sa.bindparam("gone"))
        connection.execute(one, [{"gone": path} for path in paths])


def _upsert(connection: sa.Connection, table: sa.Table, row: Mapping[str, object]) -> None:
    keys = [column.name for column in table.primary_key]
    others = {name: value for name, value in row.items() if name not in keys}
    statement = insert(table).values(dict(row))
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others))


def replace_credits(
    connection: sa.Connection, source: bytes, new: Mapping[bytes, Mapping[str, str]]
) -> set[str]:
    """Make `new` the credits of a source, fields by path; the tracks whose credits differ."""
    table = t.file_credits
    of_source = table.c.source == source
    columns = [table.c.path, *(table.c[name] for name in t.CREDIT_FIELDS)]
    known = {
        row.path: dict(row._mapping)
        for row in connection.execute(sa.select(*columns).where(of_source))
    }
    rows = {path: {"path": path, **fields} for path, fields in new.items()}
    differ = {path for path in known.keys() | rows.keys() if known.get(path) != rows.get(path)}
    for chunk in t.chunks(differ):
        connection.execute(sa.delete(table).where(of_source, table.c.path.in_(chunk)))
    added = [{"source": source, **rows[path]} for path in sorted(differ & rows.keys())]
    if added:
        connection.execute(sa.insert(table), added)
    return tracks_of(connection, differ)


def publishable(
    connection: sa.Connection, space_id: str, track_ids: Collection[str] | None
) -> Iterator[LibraryTrack]:
    """Tracks with a file and a vector in the space, by id; of some tracks, or of all."""
    vectors = t.vectors.c
    query = (
        # by place, for names cost more than all else
        sa.select(
            *_TRACK, sa.func.min(t.files.c.path), vectors.vector, vectors.tags, vectors.level_dbfs
        )
        .join(t.files, t.files.c.track_id == t.tracks.c.id)
        .join(t.vectors, vectors.track_id == t.tracks.c.id)
        .where(vectors.space_id == space_id)
        .group_by(t.tracks.c.id)
        .order_by(t.tracks.c.id)
    )
    queries = [query]
    if track_ids is not None:
        queries = [query.where(t.tracks.c.id.in_(chunk)) for chunk in t.chunks(set(track_ids))]
    for part in queries:
        found = connection.execute(part, execution_options={"yield_per": _READ_AT_ONCE})
        for rows in found.partitions():
            yield from _library_tracks(connection, rows)


def _library_tracks(
    connection: sa.Connection, rows: Iterable[Sequence[Any]]
) -> Iterator[LibraryTrack]:
    credit_by_path = _credits(connection, [row[_PATH] for row in rows])
    for id_, duration, *texts, path, vector, tags, level in rows:
        for place, text in credit_by_path.get(path, {}).items():
            texts[place] = text
        yield LibraryTrack(
            Track(id_, duration, Metadata(*texts)),
            path,
            np.frombuffer(vector, "<f4"),
            np.frombuffer(tags, "<f4"),
            level,
        )


def _credits(connection: sa.Connection, paths: Collection[bytes]) -> dict[bytes, dict[int, str]]:
    """What outranks the metadata of files, by place in it: a credit is curated."""
    table, found = t.file_credits, dict[bytes, dict[int, str]]()
    # the folder nearest to the file comes last and has the last word
    query = sa.select(table.c.path, *(table.c[name] for name in t.CREDIT_FIELDS)).order_by(
        sa.func.length(table.c.source), table.c.source
    )
    for chunk in t.chunks(paths):
        for path, *texts in connection.execute(query.where(table.c.path.in_(chunk))):
            said = {place: text for place, text in zip(_CREDITED, texts, strict=True) if text}
            found[path] = found[path] | said if path in found else said
    return found


def segments(
    connection: sa.Connection, space_id: str, track_ids: Iterable[str]
) -> Iterator[tuple[str, Codes]]:
    """Segments of those of some tracks that have any, by id."""
    table = t.segments
    query = sa.select(table.c.track_id, table.c.places, table.c.scales, table.c.codes)
    for chunk in t.chunks(set(track_ids)):
        of_some = query.where(table.c.space_id == space_id, table.c.track_id.in_(chunk))
        for track_id, *codes in connection.execute(of_some.order_by(table.c.track_id)):
            yield track_id, Codes(*codes)
