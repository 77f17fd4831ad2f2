"""Listeners in a PostgreSQL database that really runs: the same contract, and nothing told."""

import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from recommender.errors import StorageError
from recommender.events import Event, Kind
from recommender.listeners import Added, Listeners
from tests.contracts_listeners import NOON, ListenersContract, listen

SECRET = "somebody@example.org"
# where Debian puts what only the server's user calls
_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), *map(str, _PLACES)])
INITDB, POSTGRES = (shutil.which(name, path=_SEARCHED) for name in ("initdb", "postgres"))
# the server refuses root: whoever is root lends it a user who may do nothing
USER = 65534 if os.getuid() == 0 else None

if not (INITDB and POSTGRES) and not os.environ.get("CI"):
    pytest.skip("PostgreSQL is not installed (apt install postgresql)", allow_module_level=True)


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """The folder of the socket of a server of its own, which no network reaches."""
    assert INITDB, "CI needs PostgreSQL: apt install postgresql"
    # not below pytest's own folder, where nobody else may look
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        folder = Path(name)
        if USER is not None:
            os.chown(folder, USER, USER)
        data = folder / "data"
        as_music = ("--auth", "trust", "--username", "music", "--encoding", "UTF8")
        _run(INITDB, "--pgdata", data, *as_music, "--no-sync")
        with _running(data, folder):
            yield folder


@contextmanager
def _running(data: Path, socket: Path) -> Iterator[None]:
    options = ("-D", data, "-k", socket, "-c", "listen_addresses=", "-c", "fsync=off")
    command = [str(part) for part in (POSTGRES, *options)]
    with subprocess.Popen(
        command, user=USER, group=USER, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        try:
            told = ""
            while "ready to accept connections" not in told:
                line = process.stderr.readline()
                assert line, told
                told += line
            yield
        finally:
            process.terminate()
            process.communicate()


def _run(*command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=USER,
        group=USER,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def url_of(server: Path, name: str) -> str:
    return f"postgresql://music@/{name}?host={quote(str(server))}"


@pytest.fixture
def address(server: Path) -> str:
    """The URL of a new database, whose language sorts otherwise than bytes do."""
    with psycopg.connect(url_of(server, "postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS music WITH (FORCE)")
        connection.execute(
            "CREATE DATABASE music TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        )
    return url_of(server, "music")


class TestPostgresql(ListenersContract):
    """The contract, kept by a server."""


def test_services_that_open_a_new_database_at_once_make_it_once(address: str) -> None:
    def open_and_add(number: int) -> Added:
        with Listeners.open(address) as store:
            return store.add("ada", [listen(f"t{number}")])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_and_add, range(4))) == [Added(1, 0)] * 4
    with Listeners.open(address) as store:
        assert store.summary("ada").events == 4


def test_no_error_of_the_server_repeats_a_listener(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Listeners.open(address) as store:
        with psycopg.connect(address) as connection:
            # its message quotes the row
            connection.execute("ALTER TABLE listeners ADD CHECK (length(name) < 5)")
        with pytest.raises(StorageError, match="CheckViolation 23514") as raised:
            store.add(SECRET, [listen("a")])
        logging.getLogger("test").error("failed", exc_info=raised.value)
    assert SECRET not in caplog.text
    assert SECRET not in str(raised.value)


def test_connections_that_the_server_ended_are_made_anew(server: Path, address: str) -> None:
    with Listeners.open(address) as store:
        store.add("ada", [listen("a")])
        with psycopg.connect(url_of(server, "postgres"), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'music'"
            )
        assert store.add("ada", [listen("a")]) == Added(0, 1)


def test_a_server_that_is_away_is_told_without_the_password(tmp_path: Path) -> None:
    url = f"postgresql://music:secret@/music?host={quote(str(tmp_path))}"
    with pytest.raises(StorageError, match="could not be read or written") as raised:
        Listeners.open(url)
    assert "secret" not in str(raised.value)


def test_every_moment_that_an_event_may_have_is_kept(address: str) -> None:
    moments = [NOON.replace(year=1970), NOON.replace(year=9999)]
    with Listeners.open(address) as store:
        store.add("ada", [Event("a", Kind.LISTEN, at) for at in moments])
        assert [event.at for event in store.events("ada")] == moments[::-1]
