"""Everything that can be asked wrongly is answered with a problem, and never with a 500."""

import logging
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.exceptions import HTTPException

from api.app import create_app
from api.dependencies import spaces_of
from api.problems import KINDS, problem_of, respond
from recommender import errors
from recommender.settings import Settings
from tests.builders import publish_entries
from tests.fakes import FakeClipEmbedder, service, slug_of, small_catalog
from tests.page_server import serving

JSON = {"Content-Type": "application/json"}
LIKED: dict[str, Any] = {"positive": [{"track_id": "a0"}]}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data_dir = tmp_path_factory.mktemp("data")
    publish_entries(data_dir, small_catalog())
    with service(data_dir, FakeClipEmbedder()) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "slug"),
    [
        ("GET", "/nothing", {}, 404, "not-found"),
        ("GET", "/similar/", {"params": {"track_id": "a0"}}, 404, "not-found"),
        ("GET", "/tracks/a0/", {}, 404, "not-found"),
        ("GET", "/tracks/zz", {}, 404, "unknown-track"),
        ("GET", "/tracks/zz/audio", {}, 404, "unknown-track"),
        ("GET", "/tracks/a0/audio", {}, 404, "audio-unavailable"),
        ("GET", "/similar", {"params": {"track_id": "zz"}}, 404, "unknown-track"),
        ("GET", "/similar", {}, 422, "invalid-parameter"),
        ("GET", "/tracks", {"params": {"cursor": "x"}}, 400, "invalid-cursor"),
        ("POST", "/similar", {}, 405, "method-not-allowed"),
        ("DELETE", "/tracks/a0", {}, 405, "method-not-allowed"),
        ("POST", "/", {}, 405, "method-not-allowed"),
        ("PROPFIND", "/livez", {}, 405, "method-not-allowed"),
        ("GET", "/recommendations", {}, 405, "method-not-allowed"),
        ("HEAD", "/recommendations", {}, 405, None),
        ("POST", "/recommendations", {"content": "{}"}, 415, "unsupported-media"),
        ("POST", "/recommendations", {"data": {"positive": "a0"}}, 415, "unsupported-media"),
        ("POST", "/recommendations", {"content": "{", "headers": JSON}, 422, "invalid-parameter"),
        ("POST", "/recommendations", {"json": {"positive": []}}, 422, "invalid-parameter"),
        ("POST", "/similar/clip", {"json": {}}, 415, "unsupported-media"),
    ],
)
def test_what_is_asked_wrongly_gets_its_problem(
    client: httpx.Client,
    method: str,
    path: str,
    sent: dict[str, Any],
    status: int,
    slug: str | None,
) -> None:
    answer = client.request(method, path, **sent)
    assert answer.status_code == status
    assert (slug_of(answer) if slug else None) == slug


def test_a_problem_names_every_unknown_track(client: httpx.Client) -> None:
    body = {"positive": [{"track_id": "a0"}, {"track_id": "x"}], "negative": [{"track_id": "y"}]}
    answer = client.post("/recommendations", json=body)
    assert slug_of(answer) == "unknown-track"
    assert "x, y" in answer.json()["detail"]


def test_a_problem_names_every_offending_value(client: httpx.Client) -> None:
    answer = client.get("/similar", params={"limit": 0, "min_similarity": 2})
    assert slug_of(answer) == "invalid-parameter"
    found = {(error["in"], error["name"]) for error in answer.json()["errors"]}
    assert found == {("query", "track_id"), ("query", "limit"), ("query", "min_similarity")}


# unknown and repeated parameters


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/similar?track_id=a0"),
        ("POST", "/similar/clip?"),
        ("POST", "/recommendations?"),
        ("GET", "/tracks?"),
        ("GET", "/tracks/a0?"),
        ("GET", "/tracks/a0/audio?"),
        ("GET", "/index?"),
        ("GET", "/livez?"),
        ("GET", "/readyz?"),
    ],
)
def test_no_route_takes_an_unknown_parameter(client: httpx.Client, method: str, path: str) -> None:
    files = {"file": ("clip.wav", b"sound")} if "clip" in path else None
    sent: dict[str, Any] = {"files": files} if files else {"json": LIKED} if "rec" in path else {}
    answer = client.request(method, f"{path}&limt=3", **sent)
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    [error] = answer.json()["errors"]
    assert (error["in"], error["name"]) == ("query", "limt")
    takes_limit = path in ("/similar?track_id=a0", "/similar/clip?", "/tracks?")
    names = re.search("^it is not known here; known are .*limit, ", error["message"])
    assert bool(names) == takes_limit
    assert takes_limit or error["message"] == "nothing is taken here"


@pytest.mark.parametrize(
    "body",
    [
        LIKED | {"limt": 3},
        LIKED | {"filters": {"genres": ["Jazz"]}},
        LIKED | {"genre": ["Jazz"]},
        {"positive": [{"track_id": "a0", "wieght": 2}]},
        {"positive": [{"id": "a0"}]},
    ],
)
def test_no_unknown_name_is_taken_in_json(client: httpx.Client, body: dict[str, Any]) -> None:
    answer = client.post("/recommendations", json=body)
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")


@pytest.mark.parametrize(
    "query", ["track_id=a0&limit=1&limit=2", "track_id=a0&track_id=a0", "track_id=a0&x=1&x=2"]
)
def test_a_single_value_may_not_be_repeated(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/similar?{query}")
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")


TEXT = "text of 1 to 500 characters, without NUL"
ID = "text of 1 to 500 characters, without control characters"


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/tracks?x=1", "query x: it is not known here; known are q, limit, cursor, space"),
        ("/livez?x=1", "query x: nothing is taken here"),
        ("/similar?track_id=a0&limit=0", "query limit: it must be a whole number from 1 to 100"),
        ("/similar?track_id=a0&limit=abc", "query limit: it must be a whole number from 1 to 100"),
        ("/tracks?limit=101", "query limit: it must be a whole number from 1 to 100"),
        (
            "/similar?track_id=a0&max_per_artist=0",
            "query max_per_artist: it must be a whole number of 1 or more",
        ),
        (
            "/similar?track_id=a0&duration_min=inf",
            "query duration_min: it must be a finite number of 0 or more",
        ),
        (
            "/similar?track_id=a0&year_from=1990&year_to=1980",
            "query year_to: 1980 is below year_from=1990",
        ),
        (
            "/similar?track_id=a0&limit=1&limit=2",
            "query limit: it is there more than once; give it once",
        ),
        ("/similar", f"query track_id: it is missing; it must be {ID}"),
        ("/similar?track_id=%0a", f"query track_id: it must be {ID}"),
        ("/tracks/%0a", f"path track_id: it must be {ID}"),
        ("/tracks?q=%00", "query q: it must be text of at most 500 characters, without NUL"),
        ("/similar?track_id=a0&genre=", f"query genre.0: it must be {TEXT}"),
        (
            "/similar?track_id=a0" + 101 * "&genre=x",
            f"query genre: it must be a list of at most 100 items, each {TEXT}",
        ),
        ("/similar?track_id=a0&space=jazz", "space=jazz is not served; use one of fake"),
    ],
)
def test_a_refusal_names_the_parameter_and_what_it_takes(
    client: httpx.Client, path: str, detail: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert answer.json()["detail"] == detail


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{", "body 1: it is no JSON from this character on"),
        ("[]", "body: it must be an object"),
        ("{}", "body positive: it is missing; it must be a list of 1 to 100 items"),
        (
            '{"positive": [{"track_id": "a0", "weight": 0}]}',
            "body positive.0.weight: it must be a finite number above 0",
        ),
        (
            '{"positive": [{"track_id": "a0"}], "filters": {"years": 1}}',
            "body filters.years: it is not known here; known are genre, artist, album, tag, "
            "tag_threshold, year_from, year_to, duration_min, duration_max",
        ),
        (
            '{"positive": [{"track_id": "a0"}], "filters": {"year_to": "x{y}"}}',
            "body filters.year_to: it must be a whole number from 1 to 9999",
        ),
    ],
)
def test_a_refused_body_is_told_what_it_may_hold(
    client: httpx.Client, body: str, detail: str
) -> None:
    answer = client.post("/recommendations", content=body, headers=JSON)
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert answer.json()["detail"] == detail


# the service's own faults


def test_an_unexpected_error_is_logged_and_shows_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("SELECT secret FROM /nowhere/library.db")

    app = create_app(Settings(data_dir=tmp_path))
    app.dependency_overrides[spaces_of] = broken
    with serving(app) as url, httpx.Client(base_url=url) as client:
        answer = client.get("/readyz")
        assert (answer.status_code, slug_of(answer)) == (500, "internal")
        assert "secret" not in answer.text
    errors_logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors_logged) == 1
    assert answer.json()["request_id"] in errors_logged[0].getMessage()
    assert errors_logged[0].exc_info


def test_an_unexpected_error_of_a_lean_route_is_answered_like_any_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(Settings(data_dir=tmp_path))
    with serving(app) as url, httpx.Client(base_url=url) as client:
        app.state.service = None
        answer = client.get("/similar", params={"track_id": "a0"})
        assert (answer.status_code, slug_of(answer)) == (500, "internal")
    assert answer.json()["request_id"] in caplog.text


def all_errors(kind: type[Exception] = errors.SoundalikeError) -> list[type[Exception]]:
    return [kind, *(e for sub in kind.__subclasses__() for e in all_errors(sub))]


@pytest.mark.parametrize("kind", all_errors())
def test_every_error_of_the_domain_has_a_problem(kind: type[Exception]) -> None:
    unknown = kind is errors.UnknownTrackError
    error = errors.UnknownTrackError(["a"], "space") if unknown else kind("at /nowhere/x")
    slug = problem_of(error).slug
    assert slug in KINDS
    if isinstance(error, errors.AudioError):
        assert slug == error.reason


@pytest.mark.parametrize(
    "kind",
    [
        errors.IndexUnavailableError,
        errors.WeightsError,
        errors.RemoteEmbedderError,
        errors.PluginError,
        errors.ChildFailedError,
        errors.GenerationError,
        errors.StorageError,
    ],
)
def test_errors_that_name_paths_are_not_quoted(kind: type[Exception]) -> None:
    assert b"nowhere" not in respond("r", kind("data_dir=/nowhere/x")).body


def test_an_unforeseen_status_of_the_framework_is_an_internal_problem() -> None:
    assert problem_of(HTTPException(418)).slug == "internal"


def test_many_clients_at_once_are_all_answered(client: httpx.Client) -> None:
    barrier = threading.Barrier(16)

    def ask(number: int) -> int:
        barrier.wait()
        return client.get("/similar", params={"track_id": f"a{number % 5}"}).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(ask, range(16)))
    assert statuses == [404 if number % 5 == 4 else 200 for number in range(16)]
