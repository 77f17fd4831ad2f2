"""Nothing that the service writes about itself names a listener, whatever happens."""

import os
import signal
from pathlib import Path

import httpx

from tests.builders import publish_entries
from tests.fakes import small_catalog
from tests.listener_client import EVENT, post
from tests.test_api_command import command
from tests.test_listeners import changed

SECRET = "somebody-4711@example.org"
TRACK = "their-secret-track"


def everything_that_can_be_asked(client: httpx.Client) -> list[httpx.Response]:
    """Every route about the listener, asked well and badly."""
    path, event = f"/listeners/{SECRET}", EVENT | {"track_id": TRACK}
    return [
        post(client, SECRET, event),
        post(client, SECRET, event | {"kind": "love"}),
        client.post(f"{path}/events", content=b"{", headers={"Content-Type": "application/json"}),
        client.post(f"{path}/events", content=b"{}"),
        client.post(f"{path}/events", content=b" " * 2**21),
        client.get(path),
        client.get(f"{path}/events?limit=1&cursor=x"),
        client.get(f"{path}/nothing"),
        client.get(f"/listeners/{SECRET}%2Fevents"),
        client.get(f"/listeners/{SECRET}%00"),
        client.get(f"{path}?track_id={SECRET}"),
        client.put(path),
        client.head(path),
        client.delete(f"{path}/events?track_id={TRACK}&kind=listen"),
        client.delete(path),
    ]


def test_no_log_and_no_answer_but_the_history_names_a_listener(tmp_path: Path) -> None:
    publish_entries(tmp_path, small_catalog())
    with command("--data-dir", str(tmp_path), "--port", "0", "--workers", "2") as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        with httpx.Client(base_url=url) as client:
            answers = everything_that_can_be_asked(client)
            changed(tmp_path / "listeners.db", "DROP TABLE events")
            answers += everything_that_can_be_asked(client)
            changed(tmp_path / "listeners.db", "DROP TABLE listeners")
            os.truncate(tmp_path / "listeners.db", 100)
            answers += everything_that_can_be_asked(client)
        process.send_signal(signal.SIGTERM)
        out, log = process.communicate(timeout=60)
    assert {200, 204, 400, 404, 405, 413, 415, 422, 503} <= {a.status_code for a in answers}
    assert 500 not in {answer.status_code for answer in answers}
    assert "POST /listeners/{listener_id}/events 200" in log
    assert "listeners-unavailable" in log
    for word in (SECRET, SECRET.replace("@", "%40"), "somebody", TRACK, "INSERT", "Traceback"):
        assert word not in log
        assert word not in out
        assert not any(word in answer.text for answer in answers)
