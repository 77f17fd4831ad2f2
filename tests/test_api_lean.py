"""Lean routes are answered before the layers of the application, and as these would answer."""

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api import access_log, counter
from api.app import MAX_BODY_BYTES, create_app
from recommender.engine import Recommender
from recommender.settings import Settings
from tests.fakes import service, slug_of

LEAN = ["/similar?track_id=a0", "/tracks?q=bjork", "/index"]
# the layers take what announces a body
THROUGH_LAYERS = {"Content-Length": "0"}
# of one answer alone
OWN = {"date", "x-request-id"}


def headers_of(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers.items() if name not in OWN]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Templates of the routes that are answered before the layers."""
    answered: list[str] = []
    original = counter.Application._answer

    async def noted(self: counter.Application, route: object, *others: object) -> None:
        answered.append(route.path)  # type: ignore[attr-defined]
        await original(self, route, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(counter.Application, "_answer", noted)
    return iter([answered])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", [*LEAN, "/similar", "/similar?x=1", "/similar?track_id=zz"])
def test_both_ways_give_the_same_answer(
    client: httpx.Client, at_once: Iterator[list[str]], method: str, path: str
) -> None:
    answered = next(at_once)
    lean = client.request(method, path)
    assert answered == [path.partition("?")[0]]
    layered = client.request(method, path, headers=THROUGH_LAYERS)
    assert len(answered) == 1
    assert (lean.status_code, headers_of(lean)) == (layered.status_code, headers_of(layered))
    if method == "HEAD":
        assert lean.content == b""
    elif lean.status_code == 200:
        assert lean.content == layered.content
    else:
        assert slug_of(lean) == slug_of(layered)
        assert lean.json()["detail"] == layered.json()["detail"]


def test_what_a_caller_holds_is_told_alike_both_ways(client: httpx.Client) -> None:
    held = {"If-None-Match": client.get(LEAN[0]).headers["etag"]}
    lean, layered = (client.get(LEAN[0], headers=held | more) for more in ({}, THROUGH_LAYERS))
    assert (lean.status_code, layered.status_code) == (304, 304)
    assert headers_of(lean) == headers_of(layered)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/similar")
    assert (answer.status_code, slug_of(answer)) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/similar/", "/Similar", "/similar/x"])
def test_other_paths_are_not_lean(
    client: httpx.Client, at_once: Iterator[list[str]], path: str
) -> None:
    assert client.get(path).status_code == 404
    assert next(at_once) == []


def test_hosts_that_are_not_known_are_refused(client: httpx.Client) -> None:
    for host in ("evil.example", "", "localhost:x"):
        answer = client.get(LEAN[0], headers={"Host": host})
        assert (answer.status_code, slug_of(answer)) == (400, "unknown-host")


def test_encoded_and_oversized_bodies_are_refused(client: httpx.Client) -> None:
    answer = client.get(LEAN[0], headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, slug_of(answer)) == (415, "unsupported-media")
    answer = client.request("GET", LEAN[0], content=bytes(MAX_BODY_BYTES + 1))
    assert (answer.status_code, slug_of(answer)) == (413, "payload-too-large")


def test_request_ids_are_kept_or_unique(client: httpx.Client) -> None:
    paths = [*LEAN, "/livez"] * 5
    ids = [client.get(path).headers["x-request-id"] for path in paths]
    assert len({*ids}) == len(paths)
    assert {len(one) for one in ids} == {32}
    assert (
        client.get(LEAN[0], headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    )


def test_two_services_give_different_request_ids(client: httpx.Client, data_dir: Path) -> None:
    with service(data_dir) as other:
        ids = [one.get(LEAN[0]).headers["x-request-id"] for one in (client, other)]
    assert ids[0][:20] != ids[1][:20]


def test_an_unexpected_error_is_logged_with_its_request_and_shows_nothing(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("SELECT secret FROM /nowhere")

    monkeypatch.setattr(Recommender, "answer", broken)
    answer = client.get(LEAN[0])
    assert (answer.status_code, slug_of(answer)) == (500, "internal")
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert answer.json()["request_id"] in record.getMessage()
    assert record.exc_info


def test_the_access_log_names_route_and_request(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=access_log.NAME)
    with service(data_dir) as client:
        answers = [client.get("/similar?track_id=a0"), client.get("/similar?track_id=secret")]
    lines = [line for line in caplog.text.splitlines() if "GET /similar " in line]
    for line, answer in zip(lines, answers, strict=True):
        assert f" {answer.status_code} " in line
        assert line.endswith(f"id={answer.headers['x-request-id']}")
    assert "secret" not in caplog.text.replace(answers[1].text, "")


def test_routes_with_parts_to_read_are_left_to_the_layers(
    client: httpx.Client, at_once: Iterator[list[str]]
) -> None:
    assert client.get("/tracks/a0").status_code == 200
    assert next(at_once) == []
    assert "/similar" in create_app(Settings()).openapi()["paths"]
