"""Listeners in a file: durable, private, and brought up to date."""

import logging
import multiprocessing
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from recommender import listeners_sqlite, listeners_tables
from recommender.errors import InvalidParameterError, StorageError
from recommender.listeners import Added, Listeners
from recommender.listeners_address import POSTGRESQL, SQLITE, kind_of
from recommender.settings import Settings
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


# versions


def test_the_tables_are_those_that_the_migrations_make(address: Path) -> None:
    with Listeners.open(address) as store, store._database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": listeners_tables.VERSION_TABLE}
        )
        assert compare_metadata(context, listeners_tables.schema) == []
        made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'events'")
        assert "WITHOUT ROWID" in made.scalar_one()


def test_there_is_one_newest_migration_and_the_program_knows_it() -> None:
    config = Config()
    config.set_main_option("script_location", str(listeners_tables.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [listeners_tables.HEAD]


def test_a_store_that_is_up_to_date_is_opened_without_alembic(
    address: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Listeners.open(address).close()
    monkeypatch.setattr(listeners_tables, "_upgrade", None)
    Listeners.open(address).close()


def test_a_migration_that_fails_leaves_nothing_behind(
    address: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners_tables, "HEAD", "0009")
    with pytest.raises(StorageError, match="is not known here"):
        Listeners.open(address)
    monkeypatch.undo()
    with closing(sqlite3.connect(address)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    Listeners.open(address).close()


def test_a_store_of_a_newer_version_is_refused_and_stays_as_it_is(address: Path) -> None:
    with Listeners.open(address) as store:
        store.add("ada", [listen("a")])
    changed(address, "UPDATE listeners_version SET version_num = '0123'")
    with pytest.raises(StorageError, match=r"version=0123 is not known.*newest is 0001"):
        Listeners.open(address)
    changed(address, "UPDATE listeners_version SET version_num = '0001'")
    with Listeners.open(address) as store:
        assert store.summary("ada").events == 1


def test_the_database_of_another_program_is_refused(address: Path) -> None:
    address.parent.mkdir()
    changed(address, "CREATE TABLE events (name TEXT)")
    with pytest.raises(StorageError, match="another program"):
        Listeners.open(address)


def test_what_is_no_database_is_refused(address: Path) -> None:
    address.parent.mkdir()
    address.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError, match="SQLITE_NOTADB"):
        Listeners.open(address)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file/listeners\.db"):
        Listeners.open(tmp_path / "file" / "listeners.db")


# addresses


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("sqlite:///listeners.db", SQLITE),
        ("sqlite:////srv/a b/listeners.db", SQLITE),
        ("postgresql://me:secret@db/music", POSTGRESQL),
        ("postgres://db/music", POSTGRESQL),
        ("postgresql+psycopg://db:5432/music?sslmode=require", POSTGRESQL),
    ],
)
def test_files_and_postgresql_are_known(url: str, kind: str) -> None:
    assert kind_of(url) == kind


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@db/music",
        "postgresql+asyncpg://me:secret@db/music",
        "me:secret@db/music",
        "/srv/secret.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///secret.db?mode=ro",
        "sqlite://secret.db",
    ],
)
def test_other_addresses_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(InvalidParameterError, match="listeners_url") as raised:
        Listeners.open(url)
    assert "secret" not in str(raised.value)


def test_a_port_that_is_none_is_refused_without_repeating_the_address() -> None:
    with pytest.raises(InvalidParameterError, match="cannot be read") as raised:
        Listeners.open("postgresql://me:secret@db:port/music")
    assert "secret" not in str(raised.value)


def test_settings_name_the_file_and_how_long_events_are_kept(tmp_path: Path) -> None:
    with Listeners.of(Settings(data_dir=tmp_path, retention_days=1)) as store:
        assert store.add("ada", [listen("a", -60 * 24 * 365)]) == Added(0, 0, expired=1)
    assert (tmp_path / "listeners.db").exists()
    url = f"sqlite:///{tmp_path}/other.db"
    with Listeners.of(Settings(data_dir=tmp_path, listeners_url=url)):
        assert (tmp_path / "other.db").exists()
    assert "other.db" not in repr(Settings(listeners_url=url))


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
