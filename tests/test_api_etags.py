"""Validators: what a caller holds already is not sent, or looked for, again."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api import etags
from recommender.engine import Recommender
from tests.builders import publish_entries
from tests.fakes import service, small_catalog

PATHS = [
    "/similar?track_id=a0",
    "/tracks",
    "/tracks?q=bjork&limit=1",
    "/tracks/a0",
    "/index",
]


def etag_of(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.headers["etag"]


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the questions that recommenders are asked."""
    asked: list[str] = []
    for name in ("answer", "search", "document"):
        original = getattr(Recommender, name)

        def noted(*args: object, original: object = original, name: str = name) -> object:
            asked.append(name)
            return original(*args)  # type: ignore[operator]

        monkeypatch.setattr(Recommender, name, noted)
    return iter([asked])


@pytest.mark.parametrize("path", PATHS)
def test_what_a_caller_holds_is_not_sent_again(client: httpx.Client, path: str) -> None:
    etag = etag_of(client, path)
    assert re.fullmatch(r'W/"[0-9a-f]{24}"', etag)
    answer = client.get(path, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert answer.headers["cache-control"] == "no-cache"
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("path", PATHS[:-1])
def test_what_a_caller_holds_is_not_looked_for(
    client: httpx.Client, searched: Iterator[list[str]], path: str
) -> None:
    asked = next(searched)
    etag = etag_of(client, path)
    assert len(asked) == 1
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert len(asked) == 1


@pytest.mark.parametrize("path", PATHS)
def test_validators_are_compared_weakly_and_in_lists(client: httpx.Client, path: str) -> None:
    etag = etag_of(client, path)
    strong = etag.removeprefix("W/")
    for held in (strong, f'"x,y", {etag}', f'W/"a",{strong},"b"', "*"):
        assert client.get(path, headers={"If-None-Match": held}).status_code == 304, held
    lines = [("If-None-Match", '"x"'), ("If-None-Match", etag)]
    assert client.get(path, headers=lines).status_code == 304
    for held in ('"x"', "", strong[1:-1], strong[:-1], f'"x{strong}x"', "**", '"*"'):
        assert client.get(path, headers={"If-None-Match": held}).status_code == 200, held


def test_head_is_answered_alike(client: httpx.Client) -> None:
    etag = etag_of(client, "/similar?track_id=a0")
    head = client.head("/similar?track_id=a0")
    assert (head.status_code, head.headers["etag"], head.content) == (200, etag, b"")
    held = client.head("/similar?track_id=a0", headers={"If-None-Match": etag})
    assert held.status_code == 304


def test_an_error_is_an_error_whatever_a_caller_holds(client: httpx.Client) -> None:
    for path, status in (("/similar?track_id=zz", 404), ("/tracks/zz", 404), ("/tracks?x=1", 422)):
        answer = client.get(path, headers={"If-None-Match": "*"})
        assert answer.status_code == status
        assert "etag" not in answer.headers


def test_another_question_has_another_validator(client: httpx.Client) -> None:
    options = ["", "&limit=3", "&exclude_id=a1", "&genre=jazz", "&artist=jazz", "&space=fake"]
    found = [etag_of(client, f"/similar?track_id=a0{option}") for option in options]
    assert len(set(found)) == len(found)
    assert etag_of(client, "/tracks/a0") != etag_of(client, "/tracks/a1")


def test_the_same_question_put_otherwise_has_the_same_validator(client: httpx.Client) -> None:
    plain = etag_of(client, "/similar?track_id=a0")
    assert etag_of(client, "/similar?limit=10&track_id=%610&min_similarity=0.0") == plain


def test_another_index_or_version_has_other_validators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_entries(tmp_path, small_catalog())
    with service(tmp_path, poll_seconds=0.02) as client:
        before = [etag_of(client, path) for path in PATHS]
        generation = publish_entries(tmp_path, small_catalog()[:-1])
        while client.get("/index").json()["generation"] != generation:
            pass
        after = [etag_of(client, path) for path in PATHS]
        monkeypatch.setattr(etags, "VERSION", "other")
        newer = [etag_of(client, path) for path in PATHS]
    assert not {*before} & {*after}
    assert not {*after} & {*newer}
