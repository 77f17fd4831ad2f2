"""GET /map and GET /map/tracks as callers see them."""

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from api.map_schemas import MapJson, MapTracksJson
from tests.builders import publish_entries
from tests.fakes import service, slug_of, small_catalog

IDS = ["a0", "a1", "a2", "a3", "b0", "b1", "c0", "c1"]


def unpacked(body: bytes) -> tuple[dict[str, Any], list[np.ndarray[Any, Any]]]:
    """The line and the columns of a packed map."""
    line, _, _ = body.partition(b"\n")
    assert (len(line) + 1) % 4 == 0
    head, columns, at = json.loads(line), list[np.ndarray[Any, Any]](), len(line) + 1
    for kind in ("<u4", "<u2", "<u2", "u1"):
        columns.append(np.frombuffer(body, kind, head["n_points"], at))
        at += columns[-1].nbytes
    assert at == len(body)
    return head, columns


def test_every_track_has_a_point(client: httpx.Client) -> None:
    answer = client.get("/map")
    body = MapJson.model_validate(answer.json())
    assert answer.json().keys() == MapJson.model_fields.keys()
    assert body.ids == IDS
    assert body.rows == list(range(8))
    assert {len(body.x), len(body.y), len(body.groups), body.n_tracks} == {8}
    assert max(map(abs, body.x + body.y)) == 1.0
    assert [(group.name, group.n_tracks) for group in body.legend] == [("jazz", 8)]
    assert (body.groups, body.method, body.warnings) == ([0] * 8, "pca", [])
    assert body.query["colour"] == "tag"
    assert body.generation == client.get("/index").json()["generation"]


def test_packed_it_says_the_same(client: httpx.Client) -> None:
    plain = client.get("/map", params={"colour": "year"}).json()
    answer = client.get("/map", params={"colour": "year", "format": "binary"})
    assert answer.headers["content-type"] == "application/octet-stream"
    head, (rows, x, y, groups) = unpacked(answer.content)
    for name in ("generation", "space", "method", "n_tracks", "legend", "warnings"):
        assert head[name] == plain[name]
    assert rows.tolist() == plain["rows"]
    np.testing.assert_allclose(x / 32767.5 - 1, plain["x"], atol=1e-4)
    np.testing.assert_allclose(y / 32767.5 - 1, plain["y"], atol=1e-4)
    # no year is known
    assert (groups.tolist(), plain["groups"], plain["legend"]) == ([255] * 8, [-1] * 8, [])


def test_filters_narrow_it(client: httpx.Client) -> None:
    body = client.get("/map", params={"artist": ["Björk", "Nobody"]}).json()
    assert (body["ids"], body["n_tracks"]) == (["b0", "b1"], 2)
    assert body["warnings"] == ["artist=Nobody is in no track of the catalog"]
    whole = client.get("/map").json()
    assert body["x"] == whole["x"][4:6]


def test_a_limit_spreads_points_over_all_tracks(client: httpx.Client) -> None:
    body = client.get("/map", params={"limit": 2}).json()
    assert (body["ids"], body["n_tracks"]) == (["a0", "c1"], 8)


@pytest.mark.parametrize("path", ["/map", "/map?format=binary", "/map?colour=genre&artist=Ada"])
def test_a_caller_who_holds_the_map_is_not_sent_it_again(client: httpx.Client, path: str) -> None:
    etag = client.get(path).headers["etag"]
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/map", params={"limit": 3}, headers={"If-None-Match": etag})
    assert other.status_code == 200


def test_another_index_has_another_map(tmp_path: Path) -> None:
    publish_entries(tmp_path, small_catalog())
    with service(tmp_path, poll_seconds=0.05) as client:
        etag = client.get("/map").headers["etag"]
        name = publish_entries(tmp_path, small_catalog()[:5])
        while client.get("/index").json()["generation"] != name:
            pass
        answer = client.get("/map", headers={"If-None-Match": etag})
        assert (answer.status_code, answer.json()["ids"]) == (200, IDS[:5])


def test_points_are_told_by_their_rows(client: httpx.Client) -> None:
    generation = client.get("/map").json()["generation"]
    answer = client.get("/map/tracks", params={"generation": generation, "row": [5, 0, 99, 5]})
    body = MapTracksJson.model_validate(answer.json())
    assert answer.json().keys() == MapTracksJson.model_fields.keys()
    assert [(point.row, point.track.id) for point in body.tracks] == [(5, "b1"), (0, "a0")]
    again = client.get(answer.url, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_points_of_another_index_are_refused(client: httpx.Client) -> None:
    params = {"generation": "20200101T000000Z-00000000", "row": "0"}
    answer = client.get("/map/tracks", params=params)
    assert (answer.status_code, slug_of(answer)) == (400, "invalid-cursor")


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "250001"},
        {"limit": "many"},
        {"limit": ["1", "2"]},
        {"colour": "red"},
        {"colour": ""},
        {"format": "png"},
        {"format": ["json", "binary"]},
        {"space": "nowhere"},
        {"space": ""},
        {"tag": "polka"},
        {"year_from": "2000", "year_to": "1999"},
        {"tag_threshold": "nan"},
        {"genre": "x" * 501},
        {"rows": "1"},
    ],
)
def test_what_makes_no_sense_is_refused(
    client: httpx.Client, params: dict[str, str | list[str]]
) -> None:
    answer = client.get("/map", params=params)
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")


@pytest.mark.parametrize(
    "rows", [[], ["-1"], [str(2**31)], ["9" * 5000], ["1.5"], ["one"], [""], ["0"] * 101]
)
def test_rows_that_are_none_are_refused(client: httpx.Client, rows: list[str]) -> None:
    generation = client.get("/map").json()["generation"]
    answer = client.get("/map/tracks", params={"generation": generation, "row": rows})
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")


def test_large_bounds_are_told_in_full(client: httpx.Client) -> None:
    answer = client.get("/map/tracks", params={"generation": "x", "row": -1})
    assert "from 0 to 2147483647" in answer.json()["detail"]
