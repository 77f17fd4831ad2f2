"""The store of listeners of a running service: absent, failing, elsewhere, and tidied."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from api import listening
from api.__main__ import main
from api.app import create_app
from recommender.listeners import Listeners
from recommender.settings import Settings
from tests.builders import publish_entries
from tests.fakes import service, similar, slug_of, small_catalog
from tests.listener_client import EVENT, post, told
from tests.page_server import serving
from tests.test_api_workers import wait_until
from tests.test_listeners import changed


@pytest.fixture
def published(tmp_path: Path) -> Path:
    publish_entries(tmp_path, small_catalog())
    return tmp_path


def refused_routes(client: httpx.Client) -> Iterator[httpx.Response]:
    yield post(client, "a", EVENT)
    yield client.get("/listeners/a")
    yield client.get("/listeners/a/events")
    yield client.delete("/listeners/a/events?track_id=a0")
    yield client.delete("/listeners/a")


def test_without_its_store_everything_else_is_served_and_it_comes_back(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "RETRY_SECONDS", 0.02)
    Listeners.open(published / "listeners.db").close()
    changed(published / "listeners.db", "UPDATE listeners_version SET version_num = '0123'")
    with service(published) as client:
        for answer in refused_routes(client):
            assert (answer.status_code, slug_of(answer)) == (503, "listeners-unavailable")
            assert answer.headers["retry-after"]
        assert similar(client)
        assert client.get("/readyz").status_code == 200
        changed(published / "listeners.db", "UPDATE listeners_version SET version_num = '0001'")
        wait_until(lambda: post(client, "a", EVENT).status_code == 200)
        assert len(told(client, "a")) == 1


def test_a_store_that_fails_while_it_is_served_is_a_problem(published: Path) -> None:
    with service(published) as client:
        changed(published / "listeners.db", "DROP TABLE events")
        for answer in refused_routes(client):
            assert (answer.status_code, slug_of(answer)) == (503, "listeners-unavailable")
        assert similar(client)


def test_before_an_index_is_published_events_are_kept_all_the_same(tmp_path: Path) -> None:
    with service(tmp_path) as client:
        assert post(client, "early", EVENT).json() == {
            "accepted": 1,
            "duplicates": 0,
            "expired": 0,
            "unknown": 1,
        }


def test_what_is_older_than_the_setting_is_forgotten_when_the_service_starts(
    published: Path,
) -> None:
    now = datetime.now(UTC)
    old, new = ((now - timedelta(days=days)).isoformat() for days in (40, 20))
    with service(published) as client:
        post(client, "old", EVENT | {"at": old})
        post(client, "both", EVENT | {"at": old}, EVENT | {"at": new})
    with service(published, retention_days=30) as client:
        assert len(told(client, "both")) == 1
        assert client.get("/listeners/old").json()["events"] == 0
        added = post(client, "late", EVENT | {"at": old}).json()
        assert (added["accepted"], added["expired"]) == (0, 1)
        with closing(sqlite3.connect(published / "listeners.db")) as connection:
            query = "SELECT count(*) FROM events"
            wait_until(lambda: connection.execute(query).fetchone() == (1,))


# starting


@pytest.mark.parametrize("url", ["mysql://me:secret@db/x", "secret", "sqlite://"])
def test_the_command_refuses_a_database_of_another_kind_without_repeating_it(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOUNDALIKE_LISTENERS_URL", url)
    assert main(["--port", "0"]) == 2
    told = capsys.readouterr().err
    assert "listeners_url" in told
    assert "secret" not in told


def test_a_store_at_a_url_is_used_and_none_is_made_in_the_data_folder(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/elsewhere/other.db"
    with service(tmp_path / "data", listeners_url=url) as client:
        assert post(client, "a", EVENT).json()["accepted"] == 1
    assert (tmp_path / "elsewhere" / "other.db").exists()
    assert not (tmp_path / "data").exists()


def test_other_parts_of_the_service_find_the_store(published: Path) -> None:
    app = create_app(Settings(data_dir=published))
    with serving(app) as url, httpx.Client(base_url=url) as client:
        post(client, "shared", EVENT)
        [event] = app.state.service.listeners.events("shared")
        assert event.track_id == "a0"
