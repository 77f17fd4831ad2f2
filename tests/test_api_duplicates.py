"""Copies of one recording, asked for in every way that recommends."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.builders import Entry, publish_beside, publish_entries
from tests.fakes import FakeClipEmbedder, ids_of, service, slug_of, small_catalog
from tests.listener_client import EVENT, post
from tests.test_subsonic import CALLER

COPIES = {"a0": "a0-live", "a1": "a1-mono", "b0": "b0-remaster"}


def catalog() -> list[Entry]:
    """The small one, and copies of three of its tracks."""
    entries = {e.id: e for e in small_catalog()}
    copies = [
        replace(
            entries[id_],
            id=copy,
            path=f"/nowhere/{copy}.wav".encode(),
            vector=[x + 0.02 for x in entries[id_].vector],
            metadata=replace(
                entries[id_].metadata, title=f"Song {id_} ({copy[3:]})", album="Elsewhere"
            ),
        )
        for id_, copy in COPIES.items()
    ]
    return [*entries.values(), *copies]


def songs(ids: list[str]) -> list[str]:
    return [id_[:2] for id_ in ids]


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service over the catalog with copies, in two spaces."""
    folder = tmp_path_factory.mktemp("copies")
    publish_entries(folder, catalog())
    publish_beside(folder, catalog())
    with service(folder, FakeClipEmbedder()) as client:
        yield client


@pytest.mark.parametrize("space", ["fake", "other:layer=last", "fake+other:layer=last"])
@pytest.mark.parametrize("track_id", ["a0", "a0-live", "b0", "c0"])
def test_no_list_has_a_recording_twice_nor_the_one_it_starts_from(
    copies: httpx.Client, space: str, track_id: str
) -> None:
    asked = {"track_id": track_id, "space": space}
    found = songs(ids_of(copies.get("/similar", params=asked)))
    assert sorted(found) == sorted(
        {"a0", "a1", "a2", "a3", "b0", "b1", "c0", "c1"} - {track_id[:2]}
    )
    three = ids_of(copies.get("/similar", params={**asked, "limit": 3}))
    assert songs(three) == found[:3]
    kept = ids_of(copies.get("/similar", params={**asked, "duplicates": "keep"}))
    assert len(kept) == 10


def test_what_is_liked_or_excluded_is_not_recommended_in_another_copy(copies: httpx.Client) -> None:
    body: dict[str, Any] = {"positive": [{"track_id": "a0"}], "exclude_id": ["a1"]}
    found = songs(ids_of(copies.post("/recommendations", json=body)))
    assert sorted(found) == ["a2", "a3", "b0", "b1", "c0", "c1"]
    kept = ids_of(copies.post("/recommendations", json={**body, "duplicates": "keep"}))
    assert {"a0-live", "a1-mono"} < set(kept)


def test_a_clip_is_answered_with_one_copy_of_each(copies: httpx.Client) -> None:
    upload = {"file": ("clip.wav", b"RIFF")}
    found = songs(ids_of(copies.post("/similar/clip", files=upload)))
    assert len(found) == len(set(found)) == 8
    kept = copies.post("/similar/clip", files=upload, params={"duplicates": "keep", "limit": 20})
    assert len(ids_of(kept)) == 11


def test_a_listener_is_not_recommended_another_copy_of_what_was_heard(
    copies: httpx.Client,
) -> None:
    post(copies, "fan", EVENT | {"track_id": "a0", "kind": "like"})
    address = "/listeners/fan/recommendations"
    found = songs(ids_of(copies.get(address, params={"limit": 20})))
    assert sorted(found) == ["a1", "a2", "a3", "b0", "b1", "c0", "c1"]
    kept = ids_of(copies.get(address, params={"limit": 20, "duplicates": "keep"}))
    assert len(kept) == 10
    start = songs(ids_of(copies.get("/listeners/nobody/recommendations", params={"limit": 20})))
    assert len(start) == len(set(start)) == 8


def test_a_path_visits_no_recording_twice(copies: httpx.Client) -> None:
    ends: dict[str, str | int] = {"from": "a0", "to": "b1", "steps": 11}
    found = songs(ids_of(copies.get("/path", params=ends)))
    assert len(found) == len(set(found)) == 8
    assert len(ids_of(copies.get("/path", params={**ends, "duplicates": "keep"}))) == 11
    # who names two copies as the ends gets both
    both = copies.get("/path", params={"from": "a0", "to": "a0-live", "steps": 3})
    assert songs(ids_of(both))[::2] == ["a0", "a0"]


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        ("getSonicSimilarTracks", {"id": "a0"}),
        ("findSonicPath", {"startSongId": "a0", "endSongId": "b1", "count": "11"}),
    ],
)
def test_subsonic_clients_get_one_copy_of_each(
    copies: httpx.Client, call: str, parameters: dict[str, str]
) -> None:
    answer = copies.get(f"/rest/{call}", params={**CALLER, "f": "json", **parameters})
    matches = answer.json()["subsonic-response"]["sonicMatch"]
    found = songs([match["entry"]["id"] for match in matches])
    assert len(found) == len(set(found)) > 6


def test_what_becomes_of_copies_is_one_of_two_things(client: httpx.Client) -> None:
    for address in ("/similar?track_id=a0", "/path?from=a0&to=b1"):
        assert slug_of(client.get(f"{address}&duplicates=some")) == "invalid-parameter"
        assert client.get(address).json()["query"]["duplicates"] == "collapse"
