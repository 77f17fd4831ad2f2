"""Values, ids and bodies about listeners that are made to break something: never a 500."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.app import MAX_BODY_BYTES
from tests.fakes import slug_of
from tests.listener_client import AT, EVENT, post, told

JSON = {"Content-Type": "application/json"}


def test_a_slash_is_no_part_of_a_listener(client: httpx.Client) -> None:
    post(client, "a", EVENT)
    assert slug_of(client.get("/listeners/a%2Fb")) == "not-found"
    # decoded it would be another listener's history
    for answer in (
        client.get("/listeners/a%2Fevents"),
        client.delete("/listeners/a%2fevents?track_id=a0"),
        client.post("/listeners/a%2Fevents", json={"events": [EVENT]}),
    ):
        assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert len(told(client, "a")) == 1


@pytest.mark.parametrize(
    "listener", ["%00", "a%0d%0aX-Evil:1", "%7f", "%C2%85", "%ff", "%ed%a0%80", "%2e%2e", "a" * 201]
)
def test_what_is_no_id_is_refused_and_not_repeated(client: httpx.Client, listener: str) -> None:
    for answer in (
        client.get(f"/listeners/{listener}"),
        client.post(f"/listeners/{listener}/events", json={"events": [EVENT]}),
        client.delete(f"/listeners/{listener}"),
    ):
        assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
        assert "x-evil" not in answer.headers
        assert "Evil" not in answer.text
        assert "aaa" not in answer.text


def with_value(name: str, value: str) -> str:
    others = {"track_id": '"a0"', "kind": '"listen"', "at": f'"{AT}"', "seconds_played": "1"}
    fields = ",".join(f'"{k}":{v}' for k, v in (others | {name: value}).items())
    return f'{{"events": [{{{fields}}}]}}'


AHEAD = "9000-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "body",
    [
        *(with_value("seconds_played", v) for v in ("NaN", "Infinity", "-1", "1e400", "true")),
        *(with_value("seconds_played", v) for v in ('"1"', "9" * 400, "9" * 5000, "[]")),
        *(with_value("track_id", v) for v in ("5", "null", '""', '"\\u0000"', '"\\ud800"')),
        with_value("track_id", '"' + "a" * 501 + '"'),
        *(with_value("kind", v) for v in ('"love"', '"LISTEN"', "1", "null", "[]", '"\\ud800"')),
        *(with_value("at", v) for v in ("0", "1769860800", "1e400", "9" * 5000, "null", "NaN")),
        *(with_value("at", f'"{v}"') for v in ("", "2026-01-31", "2026-01-31T12:00:00", "now")),
        *(with_value("at", f'"{v}"') for v in ("1769860800", "2026-01-31 12:00:00Z", "\\u0000")),
        *(with_value("at", f'"{v}"') for v in ("2026-02-30T12:00:00Z", "2026-01-31T12:00:60Z")),
        *(
            with_value("at", f'"{v}"')
            for v in ("1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00")
        ),
        *(
            with_value("at", f'"{v}"')
            for v in ("0001-01-01T00:00:00+01:00", "２０26-01-31T12:00:00Z")
        ),
        *(with_value("at", f'"{v}"') for v in (f"{AT[:-1]}+25:00", f"{AT[:-1]} 01:00", AHEAD)),
        with_value("loud", "true"),
        with_value("listener", '"b"'),
        '{"events": []}',
        '{"events": {}}',
        '{"events": [[]]}',
        '{"events": [null]}',
        '{"events": [], "events_": []}',
        "[]",
        "",
        "null",
        "[" * 100_000,
        b"\xff\xfe\x00",
        '{"events": [' + ",".join([with_value("seconds_played", "1")[12:-2]] * 1001) + "]}",
    ],
)
def test_no_hostile_json_is_taken(client: httpx.Client, body: str | bytes) -> None:
    answer = client.post("/listeners/hostile/events", content=body, headers=JSON)
    assert answer.status_code in (400, 422), answer.text
    assert slug_of(answer) in ("malformed-request", "invalid-parameter")
    assert len(answer.content) < 6000
    assert "hostile" not in answer.text
    assert told(client, "hostile") == []


def test_a_thousand_events_are_taken_at_once(client: httpx.Client) -> None:
    events = [EVENT | {"at": f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z"} for n in range(1000)]
    assert post(client, "busy", *events).json()["accepted"] == 1000


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("kind", "love", "it must be one of listen, like, dislike, skip"),
        ("at", "today", "write a moment of RFC 3339 with offset, as 2026-01-31T12:00:00Z"),
        ("at", AHEAD, "it is more than a day from now"),
        ("seconds_played", -1, "it must be a finite number of 0 or more"),
    ],
)
def test_what_is_refused_is_told_what_it_must_be(
    client: httpx.Client, name: str, value: object, message: str
) -> None:
    [error] = post(client, "wordy", EVENT | {name: value}).json()["errors"]
    assert error == {"in": "body", "name": f"events.0.{name}", "message": message}


def test_clocks_may_be_ahead_by_no_more_than_a_day(client: httpx.Client) -> None:
    for minutes, status in ((-5, 200), (5, 422)):
        at = datetime.now(UTC) + timedelta(days=1, minutes=minutes)
        assert post(client, "ahead", EVENT | {"at": at.isoformat()}).status_code == status


def test_one_event_that_is_no_use_keeps_the_others_out(client: httpx.Client) -> None:
    answer = post(client, "whole", EVENT, EVENT | {"kind": "love"})
    assert answer.json()["errors"][0]["name"] == "events.1.kind"
    assert told(client, "whole") == []


def test_of_a_name_that_is_there_twice_the_last_counts(client: httpx.Client) -> None:
    body = with_value("track_id", '"a1", "track_id": "a2"')
    answer = client.post("/listeners/twice/events", content=body, headers=JSON)
    assert answer.json()["accepted"] == 1
    assert told(client, "twice")[0]["track_id"] == "a2"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused(client: httpx.Client, chunked: bool) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)
    content = (body[i : i + 65536] for i in range(0, len(body), 65536)) if chunked else body
    answer = client.post("/listeners/a/events", content=content, headers=JSON)
    assert (answer.status_code, slug_of(answer)) == (413, "payload-too-large")


# a form needs no permission for its types
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_page_of_another_site_can_post_nothing(client: httpx.Client, kind: str) -> None:
    headers, body = {"Content-Type": kind}, with_value("kind", '"like"')
    answer = client.post("/listeners/a/events", content=body, headers=headers)
    assert (answer.status_code, slug_of(answer)) == (415, "unsupported-media")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=1&limit=2", "limt=1", "limit=x"])
def test_no_page_out_of_range_is_told(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/listeners/a/events?{query}")
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("POST", "/events"), ("GET", "/events"), ("DELETE", "/events")],
)
def test_no_route_takes_an_unknown_parameter(client: httpx.Client, method: str, path: str) -> None:
    sent: dict[str, Any] = {"json": {"events": [EVENT]}} if method == "POST" else {}
    answer = client.request(method, f"/listeners/a{path}?track_id=a0&limt=3", **sent)
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert "limt" in [error["name"] for error in answer.json()["errors"]]


def encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


@settings(max_examples=30)
@given(listener=st.text(min_size=1), body=st.dictionaries(st.text(), st.text()))
def test_no_listener_and_no_body_breaks_the_service(
    client: httpx.Client, listener: str, body: dict[str, str]
) -> None:
    path = "/listeners/" + "".join(f"%{byte:02x}" for byte in encodable(listener).encode())
    assert client.get(path).status_code < 500
    event = EVENT | {encodable(name): encodable(value) for name, value in body.items()}
    assert post(client, "x", event).status_code < 500
