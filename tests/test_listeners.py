"""Listeners in a file: durable, private, and written by several at once."""

import logging
import multiprocessing
import resource
import sqlite3
import stat
import threading
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import sqlalchemy as sa

from recommender import listeners_sqlite
from recommender.errors import StorageError
from recommender.listeners import Added, Listeners
from tests.contracts_listeners import ListenersContract, listen

SECRET = "somebody@example.org"


@pytest.fixture
def address(tmp_path: Path) -> Path:
    return tmp_path / "data?#%" / "listeners.db"


def bytes_of(address: Path) -> bytes:
    """All that lies in the files of a store."""
    return b"".join(path.read_bytes() for path in sorted(address.parent.iterdir()))


def changed(address: Path, statement: str) -> None:
    with closing(sqlite3.connect(address)) as connection, connection:
        connection.execute(statement)


class TestFile(ListenersContract):
    """The contract, kept by a file."""


# what is on the disk


def test_a_commit_is_on_the_disk_and_what_is_deleted_is_overwritten(address: Path) -> None:
    with Listeners.open(address) as store, store._database.reading() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "secure_delete")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in pragmas]
    # 2 is FULL
    assert found == ["wal", 2, 1, 0, 1]


def test_nobody_else_may_read_its_files(address: Path) -> None:
    with Listeners.open(address) as store:
        store.add("ada", [listen("a")])
        names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in address.parent.iterdir()}
    assert set(names) >= {"listeners.db", "listeners.db-wal", "listeners.db.lock"}
    assert set(names.values()) == {0o600}


def test_an_erased_listener_is_in_no_file_any_more(address: Path) -> None:
    with Listeners.open(address) as store:
        store.add("ada", [listen("a" * 50)])
        store.add(SECRET, [listen(f"secret track {n}", n) for n in range(1000)])
        assert SECRET.encode() in bytes_of(address)
        store.erase(SECRET)
        left = bytes_of(address)
        assert SECRET.encode() not in left
        assert b"secret track" not in left
        assert b"a" * 50 in left


@pytest.mark.parametrize("how", ["remove", "forget"])
def test_events_taken_back_or_forgotten_are_in_no_file_any_more(address: Path, how: str) -> None:
    with Listeners.open(address) as store:
        store.add(SECRET, [listen("secret track")])
        if how == "remove":
            store.remove(SECRET, "secret track")
        else:
            store.forget_before(listen("x", 1).at)
        left = bytes_of(address)
    # and of a listener without events nothing is known
    assert b"secret track" not in left
    assert SECRET.encode() not in left


def test_an_erasure_that_a_reader_delays_says_so_and_is_finished_by_the_next(
    address: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners_sqlite, "_PRAGMAS", ("busy_timeout=20", "secure_delete=ON"))
    with Listeners.open(address) as store:
        store.add(SECRET, [listen("a")])
        with closing(sqlite3.connect(address)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM listeners").fetchall()
            with pytest.raises(StorageError, match="delete it again"):
                store.erase(SECRET)
            assert store.summary(SECRET).events == 0
        assert store.erase(SECRET) == 0
        assert SECRET.encode() not in bytes_of(address)


def _fill(address: Path, told: Connection) -> None:
    with Listeners.open(address) as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**18, 2**18))
        n_stored = 0
        try:
            while True:
                events = [listen(f"{n_stored} {n}", n) for n in range(200)]
                n_stored += store.add("ada", events).accepted
        except StorageError:
            told.send(n_stored)


def test_when_the_disk_is_full_what_was_acknowledged_is_there_and_nothing_else(
    address: Path,
) -> None:
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_fill, args=(address, there))
    process.start()
    with here, there:
        assert here.poll(60)
        n_stored = here.recv()
    process.join()
    with Listeners.open(address) as store:
        assert store.summary("ada").events == n_stored > 0
        assert store.add("ada", [listen("a")]) == Added(1, 0)


# several at once


def _open_and_add(address: Path, number: int) -> None:
    with Listeners.open(address) as store:
        assert store.add("ada", [listen(f"t{number}")]) == Added(1, 0)


def test_processes_that_open_a_new_store_at_once_make_it_once(address: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_open_and_add, args=(address, n)) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    with Listeners.open(address) as store:
        assert store.summary("ada").events == 3


def test_who_waits_too_long_for_other_writers_is_told(
    address: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners_sqlite, "PATIENCE_SECONDS", 0.02)
    with Listeners.open(address) as store, Listeners.open(address) as other:
        with other._database.writing(), pytest.raises(StorageError, match="others wrote for more"):
            store.add("ada", [listen("a")])
        assert store.add("ada", [listen("a")]) == Added(1, 0)


def test_threads_of_one_process_take_turns_too(
    address: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners_sqlite, "PATIENCE_SECONDS", 0.02)
    refused = []
    with Listeners.open(address) as store:

        def write() -> None:
            try:
                store.add("ada", [listen("a")])
            except StorageError as error:
                refused.append(str(error))

        with store._database.writing():
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
    assert len(refused) == 1


def test_readers_wait_for_no_writer(address: Path) -> None:
    with Listeners.open(address) as store:
        store.add("ada", [listen("a")])
        with store._database.writing():
            assert store.summary("ada").events == 1


# privacy


def test_no_error_of_the_database_repeats_a_listener(
    address: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Listeners.open(address) as store:
        changed(address, "DROP TABLE events")
        for ask in (
            lambda: store.add(SECRET, [listen("a")]),
            lambda: store.summary(SECRET),
            lambda: store.events(SECRET),
            lambda: store.erase(SECRET),
        ):
            with pytest.raises(StorageError, match="no such table") as raised:
                ask()
            logging.getLogger("test").error("failed", exc_info=raised.value)
    assert SECRET not in caplog.text
    assert "SELECT" not in caplog.text


def test_statements_hide_what_is_sent(address: Path) -> None:
    statement = sa.text("SELECT :name FROM nowhere")
    with (
        Listeners.open(address) as store,
        store._database.engine.connect() as connection,
        pytest.raises(sa.exc.OperationalError) as raised,
    ):
        connection.execute(statement, {"name": SECRET})
    assert SECRET not in str(raised.value)


def test_a_file_that_cannot_be_opened_is_told(address: Path) -> None:
    address.mkdir(parents=True)
    with pytest.raises(StorageError, match="unable to open database file"):
        Listeners.open(address)
