"""Listeners and what they did: the only thing that the service itself remembers.

An event is there once, whoever sends it how often: (listener, track, kind, moment) tells it. Ids of
listeners are theirs: no message and no log repeats them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from recommender import listeners_rows as rows
from recommender import listeners_tables as t
from recommender.closing import Closing
from recommender.errors import InvalidParameterError
from recommender.events import Event, Kind, check_listener_id, milliseconds_of, moment_of
from recommender.listeners_address import LISTENERS_FILE, SQLITE, kind_of
from recommender.listeners_database import Database
from recommender.listeners_postgresql import PostgresqlDatabase
from recommender.listeners_sqlite import SqliteDatabase
from recommender.settings import Settings

# listeners whose old events are forgotten in one transaction: others wait no longer than for that
_FORGOTTEN_TOGETHER = 500
_MILLISECOND = timedelta(milliseconds=1)
_columns = (t.events.c.at, t.events.c.track_id, t.events.c.kind)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of events: each is counted once.

    Attributes
    ----------
    accepted
        Stored now.
    duplicates
        There already, or twice among those handed in; the first stays as it is.
    expired
        Older than events are kept, and not stored.
    """

    accepted: int
    duplicates: int
    expired: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a listener: events by kind, all kinds, and the first and last moment."""

    by_kind: Mapping[Kind, int]
    first: datetime | None
    last: datetime | None

    @property
    def events(self) -> int:
        """How many there are."""
        return sum(self.by_kind.values())


class Listeners(Closing):
    """The store of events; open it with :meth:`of` or :meth:`open`, for all threads together.

    Every method raises StorageError when the database cannot be used, and InvalidParameterError
    when an id cannot be one of a listener. A listener without events is none that is not known.

    Parameters
    ----------
    database
        Where they are.
    retention_days
        For how long events are kept: what is older is never returned. 0 for ever.
    """

    def __init__(self, database: Database, retention_days: float = 0.0):
        self._database, self._retention = database, timedelta(days=retention_days)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The store that settings name; raises as :meth:`open`."""
        where = settings.listeners_url or settings.data_dir / LISTENERS_FILE
        return cls.open(where, settings.retention_days)

    @classmethod
    def open(cls, url: str | Path, retention_days: float = 0.0) -> Self:
        """Open a store, created or brought up to date; several processes may do so at once.

        Parameters
        ----------
        url
            A file, or the URL of one or of a PostgreSQL database, as SQLAlchemy writes them.
        retention_days
            See the class.

        Raises
        ------
        InvalidParameterError
            The URL is of another kind of database.
        MissingPackageError
            The driver is not installed.
        StorageError
            It cannot be opened, is of a newer version, or of another program.
        """
        database = _database_at(url)
        try:
            with database.writing() as connection:
                t.prepare(connection)
        except BaseException:
            database.close()
            raise
        return cls(database, retention_days)

    def close(self) -> None:
        """Release the database."""
        self._database.close()

    def add(self, listener_id: str, events: Sequence[Event]) -> Added:
        """Store events in one transaction; when this returns they are on the disk."""
        check_listener_id(listener_id)
        least = self._least()
        kept = [row for event in events if (row := rows.row_of(event))["at"] >= least]
        expired = len(events) - len(kept)
        if not kept:
            return Added(0, 0, expired)
        with self._database.writing() as connection:
            key = rows.key_for(connection, self._database, listener_id)
            for row in kept:
                row["listener"] = key
            # a server's driver counts only when it is asked to
            insert = self._database.insert_new(t.events).execution_options(preserve_rowcount=True)
            accepted = connection.execute(insert, kept).rowcount
        return Added(accepted, len(kept) - accepted, expired)

    def events(
        self, listener_id: str, limit: int | None = None, before: Event | None = None
    ) -> list[Event]:
        """What a listener did, newest first.

        Parameters
        ----------
        listener_id
            The listener.
        limit
            Most events; None for all.
        before
            The last event of the page before: the next begins behind it, whatever came or was
            taken back meanwhile.
        """
        check_listener_id(listener_id)
        query = (
            sa.select(*_columns, t.events.c.seconds_played)
            .where(t.events.c.listener == rows.key_of(listener_id), t.events.c.at >= self._least())
            .order_by(*(column.desc() for column in _columns))
            .limit(limit)
        )
        if before is not None:
            row = rows.row_of(before)
            place = (row[column.name] for column in _columns)
            query = query.where(sa.tuple_(*_columns) < sa.tuple_(*place))
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        return [Event(id_, t.KINDS[kind], moment_of(at), s) for at, id_, kind, s in found]

    def summary(self, listener_id: str) -> Summary:
        """How many events there are, by kind, and of what time."""
        check_listener_id(listener_id)
        at = t.events.c.at
        query = (
            sa.select(t.events.c.kind, sa.func.count(), sa.func.min(at), sa.func.max(at))
            .where(t.events.c.listener == rows.key_of(listener_id), at >= self._least())
            .group_by(t.events.c.kind)
        )
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        counts = {t.KINDS[code]: int(n) for code, n, _, _ in found}
        return Summary(
            {kind: counts.get(kind, 0) for kind in Kind},
            moment_of(min(first for _, _, first, _ in found)) if found else None,
            moment_of(max(last for _, _, _, last in found)) if found else None,
        )

    def remove(
        self,
        listener_id: str,
        track_id: str,
        kind: Kind | None = None,
        at: datetime | None = None,
    ) -> int:
        """Take events of a track back, of one kind or moment only if given; how many there were."""
        check_listener_id(listener_id)
        wanted = [t.events.c.track_id == track_id]
        if kind is not None:
            wanted.append(t.events.c.kind == t.CODES[kind])
        if at is not None:
            wanted.append(t.events.c.at == milliseconds_of(at))
        with self._database.writing() as connection:
            removed = rows.delete_events(connection, rows.locked(connection, listener_id), *wanted)
        # even when nothing was there: it finishes what was deleted before the process ended
        self._database.scrub()
        return removed

    def ids(self) -> list[str]:
        """Ids of all listeners, in order."""
        with self._database.reading() as connection:
            return list(connection.scalars(sa.select(t.listeners.c.name).order_by("name")))

    def erase(self, listener_id: str) -> int:
        """Delete all that is known of a listener, from the files as well; how many events."""
        check_listener_id(listener_id)
        with self._database.writing() as connection:
            removed = rows.delete_events(connection, rows.locked(connection, listener_id))
        # as above, or while it was read by others
        self._database.scrub()
        return removed

    def forget_before(self, moment: datetime) -> int:
        """Delete all events before a moment, and listeners without others; how many events."""
        older = t.events.c.at < milliseconds_of(moment)
        ids, last, removed = t.listeners.c.id, 0, 0
        query = sa.select(ids).order_by(ids).limit(_FORGOTTEN_TOGETHER).with_for_update()
        while True:
            with self._database.writing() as connection:
                keys = list(connection.scalars(query.where(ids > last)))
                removed += rows.delete_events(connection, keys, older) if keys else 0
            if not keys:
                break
            last = keys[-1]
        self._database.scrub()
        return removed

    def forget_expired(self) -> int:
        """Delete what is older than events are kept; how many events."""
        return self.forget_before(moment_of(self._least())) if self._retention else 0

    def _least(self) -> int:
        """The first millisecond that is kept."""
        if not self._retention:
            return 0
        return max(0, milliseconds_of(datetime.now(UTC)) - self._retention // _MILLISECOND)


def _database_at(url: str | Path) -> Database:
    if isinstance(url, Path):
        return SqliteDatabase(url)
    kind = kind_of(url)
    try:
        parsed = sa.make_url(url.strip().replace("postgres://", "postgresql://", 1))
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidParameterError(
            "listeners_url cannot be read; write it as postgresql://USER:PASSWORD@HOST:PORT/NAME"
        ) from None
    if kind == SQLITE:
        return SqliteDatabase(Path(parsed.database or LISTENERS_FILE))
    return PostgresqlDatabase(parsed)
