"""Filters, on every recommending call."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.builders import publish_entries
from tests.fakes import FakeClipEmbedder, ids_of, service, similar, slug_of, small_catalog

YEARS = {"a1": 1959, "a2": 1964, "a3": 1975, "b0": 1976, "b1": 1990}
# the first bounds go by titles, years and lengths of `catalog`
CASES: list[tuple[dict[str, Any], set[str]]] = [
    ({"genre": ["jazz"]}, {"a1", "a2"}),
    ({"genre": ["JAZZ", "rock"]}, {"a1", "a2", "a3"}),
    ({"artist": ["bjork"]}, {"b0", "b1"}),
    ({"artist": ["Ada", "bjork"]}, {"a1", "a2", "a3", "b0", "b1"}),
    ({"album": ["album"], "genre": ["rock"]}, {"a3"}),
    ({"year_to": 1975}, {"a1", "a2", "a3"}),
    ({"year_from": 1964, "year_to": 1976}, {"a2", "a3", "b0"}),
    ({"duration_max": 120.0}, {"a1"}),
    ({"duration_min": 120.5, "artist": ["ada"]}, {"a2", "a3"}),
    ({"genre": ["polka"]}, set()),
    ({"tag": ["jazz"], "tag_threshold": 0.7}, {"a1", "a2", "a3", "b0", "b1", "c0", "c1"}),
    ({"tag": ["jazz"], "tag_threshold": 0.9}, set()),
    ({"tag": ["jazz", "rock"], "tag_threshold": 0.5}, set()),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    entries = []
    for entry in small_catalog():
        genre = {"a1": "Jazz", "a2": "jazz", "a3": "Rock"}.get(entry.id, "")
        metadata = replace(entry.metadata, genre=genre, year=YEARS.get(entry.id, 0))
        seconds = 100.0 if entry.id == "a1" else 180.0
        entries.append(replace(entry, metadata=metadata, duration_seconds=seconds))
    data_dir = tmp_path_factory.mktemp("data")
    publish_entries(data_dir, entries)
    with service(data_dir, FakeClipEmbedder()) as client:
        yield client


@pytest.mark.parametrize(("filters", "expected"), CASES)
def test_a_query_is_filtered(
    client: httpx.Client, filters: dict[str, Any], expected: set[str]
) -> None:
    assert set(similar(client, **filters)) == expected


@pytest.mark.parametrize(("filters", "expected"), CASES)
def test_a_body_is_filtered(
    client: httpx.Client, filters: dict[str, Any], expected: set[str]
) -> None:
    body = {"positive": [{"track_id": "a0"}], "filters": filters}
    answer = client.post("/recommendations", json=body)
    assert set(ids_of(answer)) == expected
    assert answer.json()["query"]["filters"].items() >= filters.items()


IN_VAIN = {"genre": ["Jaz", "jazz"], "artist": ["Ade"], "album": ["album", "Ålbum"]}
WARNED = [
    "genre=Jaz is in no track of the catalog",
    "artist=Ade is in no track of the catalog",
    "exclude_artist=Bjorkø is in no track of the catalog",
]


def test_a_name_that_no_track_has_gives_an_empty_list_and_a_warning(client: httpx.Client) -> None:
    asked = {"track_id": "a0", "exclude_artist": ["Bjorkø", "björk"], **IN_VAIN}
    body = {
        "positive": [{"track_id": "a0"}],
        "exclude_artist": asked["exclude_artist"],
        "filters": IN_VAIN,
    }
    clip = {key: value for key, value in asked.items() if key != "track_id"}
    for answer in (
        client.get("/similar", params=asked),
        client.get("/similar", params=asked),
        client.post("/recommendations", json=body),
        client.post("/similar/clip", params=clip, files={"file": ("clip.wav", b"sound")}),
    ):
        assert ids_of(answer) == []
        assert answer.json()["warnings"] == WARNED
    for known in ({}, {"genre": "jazz"}):
        answer = client.get("/similar", params={"track_id": "a0", **known})
        assert answer.json()["warnings"] == []


def test_a_clip_is_filtered(client: httpx.Client) -> None:
    answer = client.post(
        "/similar/clip",
        params={"genre": ["jazz", "rock"], "year_to": 1970},
        files={"file": ("clip.wav", b"sound")},
    )
    assert set(ids_of(answer)) == {"a1", "a2"}


def test_a_list_is_as_long_as_it_can_be(client: httpx.Client) -> None:
    assert len(similar(client, limit=2, artist=["ada"])) == 2
    assert len(similar(client, limit=3, year_from=1900)) == 3


@pytest.mark.parametrize(
    ("least", "most"), [("year_from", "year_to"), ("duration_min", "duration_max")]
)
def test_a_range_the_wrong_way_round_is_refused(
    client: httpx.Client, least: str, most: str
) -> None:
    ranges = {least: 1990, most: 1980}
    asked = client.get("/similar", params={"track_id": "a0", **ranges})
    assert (asked.status_code, slug_of(asked)) == (422, "invalid-parameter")
    assert f"1980 is below {least}=1990" in asked.json()["detail"]
    assert [error["name"] for error in asked.json()["errors"]] == [most]
    body = {"positive": [{"track_id": "a0"}], "filters": ranges}
    sent = client.post("/recommendations", json=body)
    assert (sent.status_code, slug_of(sent)) == (422, "invalid-parameter")
    assert [error["name"] for error in sent.json()["errors"]] == [f"filters.{most}"]


def test_a_range_of_one_value_is_taken(client: httpx.Client) -> None:
    assert similar(client, year_from=1959, year_to=1959) == ["a1"]


@pytest.mark.parametrize(
    "query",
    [
        "genre=",
        "artist=%00",
        "tag_threshold=1.5",
        "tag_threshold=nan",
        "year_from=0",
        "year_to=10000",
        "year_from=x",
        "duration_min=-1",
        "duration_max=inf",
        "year_from=1&year_from=2",
        "&".join(["genre=x"] * 101),
    ],
)
def test_no_filter_out_of_range_is_taken(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/similar?track_id=a0&{query}")
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")


@pytest.mark.parametrize(
    "filters", [{"year_from": "1975"}, {"genre": "jazz"}, {"duration_min": "1"}, [], None]
)
def test_no_filter_of_another_type_is_taken_in_json(client: httpx.Client, filters: Any) -> None:
    answer = client.post(
        "/recommendations", json={"positive": [{"track_id": "a0"}], "filters": filters}
    )
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")


def test_a_tag_that_a_space_does_not_know_is_refused(client: httpx.Client) -> None:
    answer = client.get("/similar", params={"track_id": "a0", "tag": "zydeco"})
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert "tag=zydeco" in answer.json()["detail"]
