"""The routes of listeners, asked over a real connection: what is kept, told, and taken back."""

from pathlib import Path

import httpx
import pytest

from tests.fakes import slug_of
from tests.listener_client import EVENT, post, told

# what is kept


def test_events_are_counted_as_accepted_duplicate_and_unknown(client: httpx.Client) -> None:
    answer = post(client, "counted", EVENT, EVENT, EVENT | {"track_id": "nowhere"})
    assert answer.status_code == 200
    assert answer.json() == {"accepted": 2, "duplicates": 1, "expired": 0, "unknown": 1}
    again = post(client, "counted", EVENT).json()
    assert again == {"accepted": 0, "duplicates": 1, "expired": 0, "unknown": 0}


@pytest.mark.parametrize("listener", ["a b", "ü🎵", "x@example.org", "%25", "..a", "a" * 200, "+"])
def test_a_listener_may_be_called_anything_printable(client: httpx.Client, listener: str) -> None:
    assert post(client, listener, EVENT).json()["accepted"] == 1
    assert told(client, listener)[0]["track_id"] == "a0"
    assert client.delete(f"/listeners/{listener}").status_code == 204


def test_a_summary_counts_by_kind(client: httpx.Client) -> None:
    later = "2026-02-01T00:30:00.5+01:00"
    post(client, "summed", EVENT, EVENT | {"kind": "like", "at": later})
    assert client.get("/listeners/summed").json() == {
        "events": 2,
        "by_kind": {"listen": 1, "like": 1, "dislike": 0, "skip": 0},
        "first": "2026-01-31T12:00:00.000Z",
        "last": "2026-01-31T23:30:00.500Z",
    }


def test_a_listener_without_events_is_no_error(client: httpx.Client) -> None:
    summary = client.get("/listeners/nobody").json()
    assert (summary["events"], summary["first"], summary["last"]) == (0, None, None)
    assert told(client, "nobody") == []
    assert client.delete("/listeners/nobody").status_code == 204
    removed = client.delete("/listeners/nobody/events", params={"track_id": "a0"})
    assert removed.json() == {"removed": 0}


def test_moments_are_written_in_utc_and_milliseconds(client: httpx.Client) -> None:
    given = ["2026-01-31T12:00:00.123456789+02:00", "2026-01-31t12:00:00z", "1970-01-01T00:00:00Z"]
    post(client, "moments", *(EVENT | {"at": at} for at in given))
    assert [event["at"] for event in told(client, "moments")] == [
        "2026-01-31T12:00:00.000Z",
        "2026-01-31T10:00:00.123Z",
        "1970-01-01T00:00:00.000Z",
    ]


def test_the_history_comes_in_pages_newest_first(client: httpx.Client) -> None:
    days = [f"2026-01-{day:02}T00:00:00Z" for day in range(1, 8)]
    post(client, "paged", *(EVENT | {"at": at} for at in days))
    found, cursor = [], None
    for _ in range(3):
        query = {"limit": 3} if cursor is None else {"limit": 3, "cursor": cursor}
        page = client.get("/listeners/paged/events", params=query).json()
        found += [event["at"] for event in page["events"]]
        cursor = page["next_cursor"]
        # what comes meanwhile moves nothing
        post(client, "paged", EVENT | {"at": f"2026-02-01T00:00:{len(found):02}Z"})
    assert cursor is None
    assert found == [day.replace("Z", ".000Z") for day in reversed(days)]


@pytest.mark.parametrize("cursor", ["", "x", "WyJhIiwiYiJd", "é", "a" * 5000])
def test_a_cursor_of_nobody_is_refused(client: httpx.Client, cursor: str) -> None:
    answer = client.get("/listeners/a/events", params={"cursor": cursor})
    assert (answer.status_code, slug_of(answer)) == (400, "invalid-cursor")


def test_a_cursor_of_another_listener_is_refused(client: httpx.Client) -> None:
    post(client, "cursors", EVENT, EVENT | {"kind": "skip"})
    cursor = client.get("/listeners/cursors/events?limit=1").json()["next_cursor"]
    answer = client.get("/listeners/other/events", params={"cursor": cursor})
    assert slug_of(answer) == "invalid-cursor"


# what is taken back


def test_single_events_are_taken_back(client: httpx.Client) -> None:
    other = "2026-01-31T13:00:00+02:00"
    post(client, "sorry", EVENT, EVENT | {"at": other}, EVENT | {"kind": "like"})
    path = "/listeners/sorry/events?track_id=a0"
    assert client.delete(f"{path}&kind=dislike").json() == {"removed": 0}
    assert client.delete(f"{path}&kind=like").json() == {"removed": 1}
    # a plus that is not written as %2B is a space
    assert client.delete(f"{path}&at={other}").json() == {"removed": 1}
    assert [event["at"] for event in told(client, "sorry")] == ["2026-01-31T12:00:00.000Z"]
    assert client.delete(path).json() == {"removed": 1}


def test_no_more_is_taken_back_than_is_named(client: httpx.Client) -> None:
    post(client, "careful", EVENT)
    for query in ("", "?kind=listen", "?track_id=", "?track_id=a0&kind=love", "?track_id=a0&at=x"):
        answer = client.delete(f"/listeners/careful/events{query}")
        assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert len(told(client, "careful")) == 1


def test_erasing_leaves_nothing_in_any_file(client: httpx.Client, data_dir: Path) -> None:
    post(client, "erase-me-4711", *(EVENT | {"track_id": f"gone-{n}"} for n in range(200)))
    post(client, "keep-me-4711", EVENT)
    answer = client.delete("/listeners/erase-me-4711")
    assert (answer.status_code, answer.content) == (204, b"")
    files = b"".join(path.read_bytes() for path in data_dir.glob("listeners.db*"))
    assert b"erase-me-4711" not in files
    assert b"gone-" not in files
    assert b"keep-me-4711" in files
    assert client.get("/listeners/erase-me-4711").json()["events"] == 0


def test_nothing_on_the_way_keeps_what_is_told(client: httpx.Client) -> None:
    for path in ("/listeners/a", "/listeners/a/events"):
        assert client.get(path).headers["cache-control"] == "no-store"
