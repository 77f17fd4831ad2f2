"""Listeners and events as rows."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from recommender import listeners_tables as t
from recommender.events import Event, milliseconds_of
from recommender.listeners_database import Database


def row_of(event: Event) -> dict[str, Any]:
    """The row of an event, its listener aside."""
    return {
        "at": milliseconds_of(event.at),
        "track_id": event.track_id,
        "kind": t.CODES[event.kind],
        "seconds_played": event.seconds_played,
    }


def key_of(listener_id: str) -> sa.ScalarSelect[int]:
    """The key of a listener, in a query of events."""
    return sa.select(t.listeners.c.id).where(t.listeners.c.name == listener_id).scalar_subquery()


def locked(connection: sa.Connection, listener_id: str) -> list[int]:
    """The key of a listener, if there is one: nobody else changes its events meanwhile."""
    query = sa.select(t.listeners.c.id).where(t.listeners.c.name == listener_id)
    return list(connection.scalars(query.with_for_update()))


def delete_events(
    connection: sa.Connection, keys: Sequence[int], *wanted: sa.ColumnElement[bool]
) -> int:
    """Delete events of locked listeners, and those of them who have no others."""
    of_theirs = t.events.c.listener.in_(keys)
    removed = connection.execute(sa.delete(t.events).where(of_theirs, *wanted)).rowcount
    left = sa.exists().where(t.events.c.listener == t.listeners.c.id)
    connection.execute(sa.delete(t.listeners).where(t.listeners.c.id.in_(keys), ~left))
    return removed


def key_for(connection: sa.Connection, database: Database, listener_id: str) -> int:
    """The key of a listener, new or not, whose row is locked until the transaction ends."""
    while not (keys := locked(connection, listener_id)):
        # it may be erased again in between
        connection.execute(database.insert_new(t.listeners), {"name": listener_id})
    return keys[0]
