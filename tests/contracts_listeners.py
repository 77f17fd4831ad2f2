"""What every store of listeners has to do, whatever keeps it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recommender.errors import InvalidParameterError
from recommender.events import Event, Kind
from recommender.listeners import Added, Listeners

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
Address = str | Path


def listen(track_id: str, minutes: float = 0.0, kind: Kind = Kind.LISTEN) -> Event:
    """An event so many minutes after noon."""
    return Event(track_id, kind, NOON + timedelta(minutes=minutes), 30.5)


class ListenersContract:
    """Subclasses have a fixture `address`, of a store that is empty for every test."""

    @pytest.fixture
    def store(self, address: Address) -> Iterator[Listeners]:
        with Listeners.open(address) as store:
            yield store

    def test_what_was_added_is_there_newest_first(self, store: Listeners) -> None:
        events = [listen("a", 1), listen("b", 3), listen("ü 🎵", 2, Kind.SKIP)]
        assert store.add("ada", events) == Added(3, 0)
        assert store.events("ada") == [events[1], events[2], events[0]]

    def test_seconds_that_are_not_known_stay_unknown(self, store: Listeners) -> None:
        store.add("ada", [Event("a", Kind.LIKE, NOON)])
        assert store.events("ada")[0].seconds_played is None

    def test_an_event_is_there_once_however_often_it_is_told(self, store: Listeners) -> None:
        first = listen("a")
        again = Event("a", Kind.LISTEN, NOON, 99.0)
        assert store.add("ada", [first, again]) == Added(1, 1)
        assert store.add("ada", [again, listen("b")]) == Added(1, 1)
        assert store.events("ada") == [listen("b"), first]

    def test_another_kind_moment_track_or_listener_makes_another_event(
        self, store: Listeners
    ) -> None:
        others = [listen("a"), listen("a", 0, Kind.LIKE), listen("a", 1), listen("b")]
        assert store.add("ada", others) == Added(4, 0)
        assert store.add("bob", others) == Added(4, 0)

    def test_nobody_is_unknown(self, store: Listeners) -> None:
        summary = store.summary("nobody")
        assert (summary.events, summary.first, summary.last) == (0, None, None)
        assert summary.by_kind == dict.fromkeys(Kind, 0)
        assert store.events("nobody") == []
        assert store.remove("nobody", "a") == store.erase("nobody") == 0
        assert store.add("nobody", []) == Added(0, 0)

    def test_a_summary_counts_kinds_and_tells_first_and_last(self, store: Listeners) -> None:
        store.add("ada", [listen("a"), listen("b", 5), listen("a", -7, Kind.DISLIKE)])
        summary = store.summary("ada")
        assert summary.by_kind == {Kind.LISTEN: 2, Kind.LIKE: 0, Kind.DISLIKE: 1, Kind.SKIP: 0}
        assert summary.first == NOON - timedelta(minutes=7)
        assert summary.last == NOON + timedelta(minutes=5)

    def test_pages_hold_every_event_once_although_others_come_and_go(
        self, store: Listeners
    ) -> None:
        # many of one moment, and ids that languages would sort otherwise than bytes do
        ids = ["a", "B", "b", "A", "ä", "z", "Z", "_", "é", "e", "10", "9"]
        events = [listen(id_, n % 2, kind) for n, id_ in enumerate(ids) for kind in Kind]
        store.add("ada", events)
        pages = [store.events("ada", 5)]
        while pages[-1]:
            pages.append(store.events("ada", 5, pages[-1][-1]))
            store.add("ada", [listen("new", 10 + len(pages))])
            if len(pages) == 3:
                store.remove("ada", pages[-1][-1].track_id)
        told = [event for page in pages for event in page]
        assert len(told) == len(set(told))
        gone = set(events) - set(told)
        assert len({event.track_id for event in gone}) <= 1
        order = [(e.at, e.track_id.encode(), list(Kind).index(e.kind)) for e in told]
        assert order == sorted(order, reverse=True)

    def test_events_are_taken_back_by_track_kind_and_moment(self, store: Listeners) -> None:
        like = listen("a", 1, Kind.LIKE)
        store.add("ada", [listen("a"), listen("a", 1), like, listen("b")])
        store.add("bob", [like])
        assert store.remove("ada", "a", Kind.LIKE, NOON) == 0
        assert store.remove("ada", "a", Kind.LIKE) == 1
        assert store.remove("ada", "a", at=NOON) == 1
        assert store.remove("ada", "a") == 1
        assert store.events("ada") == [listen("b")]
        assert store.events("bob") == [like]

    def test_what_was_taken_back_can_be_told_again(self, store: Listeners) -> None:
        store.add("ada", [listen("a")])
        store.remove("ada", "a")
        assert store.add("ada", [listen("a")]) == Added(1, 0)

    def test_a_store_can_be_copied_into_another(self, store: Listeners, tmp_path: Path) -> None:
        for name in ("b", "Ä", "a"):
            store.add(name, [listen("t"), listen("u", 1, Kind.LIKE)])
        assert store.ids() == ["a", "b", "Ä"]
        with Listeners.open(tmp_path / "other.db") as other:
            for name in store.ids():
                other.add(name, store.events(name))
            assert [other.events(n) for n in other.ids()] == [store.events(n) for n in store.ids()]

    def test_erasing_a_listener_leaves_all_others(self, store: Listeners) -> None:
        store.add("ada", [listen("a"), listen("b")])
        store.add("bob", [listen("a")])
        assert store.erase("ada") == 2
        assert store.summary("ada").events == 0
        assert store.events("bob") == [listen("a")]
        assert store.erase("ada") == 0

    def test_what_is_older_than_a_moment_is_forgotten_of_all(
        self, store: Listeners, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("recommender.listeners._FORGOTTEN_TOGETHER", 2)
        for number in range(5):
            store.add(f"l{number}", [listen("a", -n) for n in range(number)])
        assert store.forget_before(NOON - timedelta(minutes=1)) == 0 + 0 + 0 + 1 + 2
        kept = [store.summary(f"l{number}").events for number in range(5)]
        assert kept == [0, 1, 2, 2, 2]

    def test_what_has_expired_is_neither_stored_nor_told(self, address: Address) -> None:
        now = datetime.now(UTC)
        old, new = (Event("a", Kind.LISTEN, now - timedelta(days=days)) for days in (31, 29))
        with Listeners.open(address) as store:
            store.add("ada", [old, new])
            store.add("bob", [old])
        with Listeners.open(address, retention_days=30) as store:
            assert store.events("ada") == [new]
            assert store.summary("ada").events == 1
            assert store.summary("bob").first is None
            assert store.add("ada", [old, new]) == Added(0, 1, expired=1)
            assert store.add("eve", [old]) == Added(0, 0, expired=1)
            assert store.forget_expired() == 2
            assert store.forget_expired() == 0
        with Listeners.open(address) as store:
            assert store.events("ada") == [new]
            assert store.forget_expired() == 0

    def test_thousands_of_events_fit_one_transaction(self, store: Listeners) -> None:
        events = [listen(f"t{n % 100}", n) for n in range(5000)]
        assert store.add("ada", events) == Added(5000, 0)
        assert store.add("ada", [*events, listen("new")]) == Added(1, 5000)

    def test_it_is_there_when_it_is_opened_again(self, address: Address) -> None:
        for expected in (Added(1, 0), Added(0, 1)):
            with Listeners.open(address) as store:
                assert store.add("ada", [listen("a")]) == expected

    def test_many_write_at_once_and_nothing_is_lost_or_twice(self, address: Address) -> None:
        events = [listen(f"t{n}") for n in range(40)]

        def write(number: int) -> int:
            accepted = 0
            for first in range(0, 40, 8):
                turned = events[first:] + events[:first]
                accepted += stores[number % 2].add("ada", turned[: 8 + number]).accepted
            return accepted

        with Listeners.open(address) as one, Listeners.open(address) as other:
            stores = (one, other)
            with ThreadPoolExecutor(8) as pool:
                assert sum(pool.map(write, range(8))) == 40
            assert len(one.events("ada")) == 40

    def test_an_acknowledged_event_outlives_everything_but_its_own_erasure(
        self, address: Address
    ) -> None:
        def write(number: int) -> None:
            for n in range(20):
                assert one.add(f"l{number}", [listen("a", n)]) == Added(1, 0)
                if n % 5 == 0:
                    assert one.remove(f"l{number}", "a", at=listen("a", n).at) == 1

        def forget(_: int) -> None:
            for _ in range(10):
                other.forget_before(NOON - timedelta(days=1))
                other.erase("somebody else")

        with Listeners.open(address) as one, Listeners.open(address) as other:
            with ThreadPoolExecutor(8) as pool:
                work = [pool.submit(write, n) for n in range(4)]
                work += [pool.submit(forget, n) for n in range(4)]
                for done in work:
                    done.result()
            assert [one.summary(f"l{n}").events for n in range(4)] == [16, 16, 16, 16]

    @pytest.mark.parametrize("name", ["", "a/b", "a\x00", "a" * 201])
    def test_nobody_is_called_what_no_address_can_tell(self, store: Listeners, name: str) -> None:
        for ask in (
            lambda: store.add(name, [listen("a")]),
            lambda: store.events(name),
            lambda: store.summary(name),
            lambda: store.remove(name, "a"),
            lambda: store.erase(name),
        ):
            with pytest.raises(InvalidParameterError, match="listener_id"):
                ask()

    def test_sql_in_names_is_a_name(self, store: Listeners) -> None:
        name, track_id = "'; DROP TABLE events; --%_\\", "x' OR '1'='1"
        store.add(name, [listen(track_id)])
        store.add("ada", [listen("a")])
        assert store.remove(name, track_id) == 1
        assert store.summary("ada").events == 1
