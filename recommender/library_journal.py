"""The journal of the library: which tracks changed since a revision.

Changes are numbered, and the rows of tracks and vectors keep the number of their last one: the
journal of a track is one number for each of its spaces, however often it changes. With every number
goes a random text, the revision. Two copies of a library that went different ways number their
changes alike, yet neither takes a revision of the other for its own.
"""

from collections.abc import Collection

import sqlalchemy as sa

from recommender import library_tables as t

# of one space, about 60 bytes each; what is older is told from nothing, and published as a whole
KEPT = 100_000

_OF: sa.BindParameter[str] = sa.bindparam("of")
_MARK_TRACK = sa.update(t.tracks).where(t.tracks.c.id == _OF)
_MARK_VECTOR = sa.update(t.vectors).where(
    t.vectors.c.track_id == _OF, t.vectors.c.space_id == sa.bindparam("space")
)


def note(connection: sa.Connection, track_ids: Collection[str], space_id: str) -> None:
    """Give a space a new revision if any: what would be published of these tracks has changed.

    `EVERY_SPACE` is for what is published in all of them: metadata, credits, files.
    """
    if not track_ids:
        return
    number = t.begin_revision(connection, space_id)
    outlived = t.revisions.c.number <= number - KEPT
    of_space = t.revisions.c.space_id == space_id
    connection.execute(sa.delete(t.revisions).where(of_space, outlived))
    mark, of_one = _MARK_TRACK, {}
    if space_id != t.EVERY_SPACE:
        mark, of_one = _MARK_VECTOR, {"space": space_id}
    marks = [{"of": track_id, "changed": number, **of_one} for track_id in track_ids]
    connection.execute(mark, marks)


def revision(connection: sa.Connection, space_id: str) -> str:
    """The text that came with the last change of a space."""
    latest = sa.select(t.revisions.c.text).order_by(t.revisions.c.number.desc()).limit(1)
    text: str = connection.scalars(latest.where(_is_of(space_id))).one()
    return text


def changed_since(connection: sa.Connection, text: str, space_id: str) -> set[str] | None:
    """Ids of tracks that changed in a space after a revision; None when there was no such one."""
    of_text = sa.select(t.revisions.c.number).where(t.revisions.c.text == text, _is_of(space_id))
    # those that came with an upgrade are numbered from 0 down
    number = connection.scalar(of_text.where(t.revisions.c.number > 0))
    if number is None:
        return None
    tracks = sa.select(t.tracks.c.id).where(t.tracks.c.changed > number)
    vectors = sa.select(t.vectors.c.track_id).where(
        t.vectors.c.space_id == space_id, t.vectors.c.changed > number
    )
    return {*connection.scalars(tracks), *connection.scalars(vectors)}


def _is_of(space_id: str) -> sa.ColumnElement[bool]:
    return t.revisions.c.space_id.in_([t.EVERY_SPACE, space_id])
