"""Stores of listeners: at which address, and of which version."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from recommender import listeners_tables
from recommender.errors import InvalidParameterError, StorageError
from recommender.listeners import Added, Listeners
from recommender.listeners_address import POSTGRESQL, SQLITE, kind_of
from recommender.settings import Settings
from tests.contracts_listeners import listen
from tests.test_listeners import changed


@pytest.fixture
def address(tmp_path: Path) -> Path:
    return tmp_path / "data?#%" / "listeners.db"


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
