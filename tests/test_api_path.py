"""GET /path as callers see it."""

from pathlib import Path

import httpx
import pytest

from api.schemas import AnswerJson
from tests.builders import publish_beside, publish_entries
from tests.fakes import ids_of, service, slug_of, small_catalog

ENDS = {"from": "a0", "to": "b1"}


def test_a_path_has_the_shape_of_every_recommending_answer(client: httpx.Client) -> None:
    answer = client.get("/path", params={**ENDS, "steps": 4})
    assert ids_of(answer)[0] == "a0"
    assert ids_of(answer)[-1] == "b1"
    body = AnswerJson.model_validate(answer.json())
    assert [stop.rank for stop in body.matches] == [1, 2, 3, 4]
    assert body.matches[0].similarity is None
    assert all(stop.similarity for stop in body.matches[1:])
    assert answer.json()["query"] == {
        "from": "a0",
        "to": "b1",
        "steps": 4,
        "genre": [],
        "artist": [],
        "album": [],
        "tag": [],
        "tag_threshold": 0.1,
        "exclude_id": [],
        "exclude_artist": [],
        "duplicates": "collapse",
    }
    assert (body.warnings, answer.json().keys()) == ([], AnswerJson.model_fields.keys())


def test_each_stop_has_tags_in_common_with_the_one_before(client: httpx.Client) -> None:
    first, second, *_ = client.get("/path", params=ENDS).json()["matches"]
    assert first["why"] == {"shared_tags": [], "space_ranks": []}
    assert [tag["name"] for tag in second["why"]["shared_tags"]] == ["jazz", "rock"]


def test_filters_hold_between_the_ends(client: httpx.Client) -> None:
    answer = client.get("/path", params={**ENDS, "artist": "Ada", "exclude_id": "a1"})
    assert ids_of(answer) == ["a0", "a2", "a3", "b1"]
    assert answer.json()["warnings"] == ["steps=10: no more than 4 tracks qualify"]


def test_a_caller_who_holds_the_path_is_not_sent_it_again(client: httpx.Client) -> None:
    etag = client.get("/path", params=ENDS).headers["etag"]
    again = client.get("/path", params=ENDS, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/path", params={"from": "b1", "to": "a0"}, headers={"If-None-Match": etag})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("params", "status", "slug"),
    [
        ({**ENDS, "to": "a0"}, 422, "invalid-parameter"),
        ({**ENDS, "steps": "1"}, 422, "invalid-parameter"),
        ({**ENDS, "steps": "101"}, 422, "invalid-parameter"),
        ({**ENDS, "limit": "5"}, 422, "invalid-parameter"),
        ({**ENDS, "min_similarity": "0.5"}, 422, "invalid-parameter"),
        ({**ENDS, "from_id": "a0"}, 422, "invalid-parameter"),
        ({"from": "a0"}, 422, "invalid-parameter"),
        ({**ENDS, "tag": "polka"}, 422, "invalid-parameter"),
        ({**ENDS, "space": "nowhere"}, 422, "invalid-parameter"),
        ({**ENDS, "to": "gone"}, 404, "unknown-track"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    client: httpx.Client, params: dict[str, str], status: int, slug: str
) -> None:
    answer = client.get("/path", params=params)
    assert (answer.status_code, slug_of(answer)) == (status, slug)


def test_errors_call_the_ends_by_the_names_that_callers_know(client: httpx.Client) -> None:
    assert client.get("/path").json()["errors"][0]["name"] == "from"


def test_a_path_leads_through_one_space(tmp_path: Path) -> None:
    publish_entries(tmp_path, small_catalog())
    publish_beside(tmp_path, small_catalog())
    with service(tmp_path) as client:
        spaces = [one["space"] for one in client.get("/index").json()["spaces"]]
        assert client.get("/path", params={**ENDS, "space": spaces[1]}).json()["space"] == spaces[1]
        refused = client.get("/path", params={**ENDS, "space": "+".join(spaces)})
    assert (refused.status_code, slug_of(refused)) == (422, "invalid-parameter")
    assert "name one" in refused.json()["detail"]


@pytest.mark.parametrize("form", ["m3u8", "xspf", "jspf"])
def test_a_path_is_given_as_a_playlist_too(client: httpx.Client, form: str) -> None:
    answer = client.get("/path", params={**ENDS, "steps": 4, "format": form})
    assert answer.status_code == 200
    named = f'attachment; filename="From Ada - Song a0 to Bjork - Song b1.{form}"'
    assert answer.headers["content-disposition"].startswith(named)
    stops = ids_of(client.get("/path", params={**ENDS, "steps": 4}))
    places = [answer.text.index(f"/tracks/{stop}/audio") for stop in stops]
    assert places == sorted(places)


def test_a_playlist_of_a_path_from_nowhere_is_refused(client: httpx.Client) -> None:
    answer = client.get("/path", params={"from": "x", "to": "a0", "format": "m3u8"})
    assert (answer.status_code, slug_of(answer)) == (404, "unknown-track")
