"""Pages of the catalog: cursors hold for one index and one search."""

import base64
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cursors import cursor_of, place_of
from api.problems import ProblemError
from tests.builders import publish_entries
from tests.fakes import service, slug_of, small_catalog

TEXT = st.text(st.characters(codec="utf-8"))


@given(after=TEXT, words=TEXT)
def test_a_cursor_stands_for_its_place(after: str, words: str) -> None:
    cursor = cursor_of("g", words, after)
    assert set(cursor) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert place_of(cursor, "g", words) == after
    for generation, others in (("h", words), ("g", words + "x")):
        with pytest.raises(ProblemError, match="begin again"):
            place_of(cursor, generation, others)


@given(cursor=st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ProblemError) as raised:
        place_of(cursor, "g", "")
    assert raised.value.slug == "invalid-cursor"


@pytest.mark.parametrize("json", ["[]", '["x"]', "{}", "1", '["x", 1]', '["x", null]', '"xy"'])
def test_a_cursor_of_another_shape_is_refused(client: httpx.Client, json: str) -> None:
    cursor = base64.urlsafe_b64encode(json.encode()).decode()
    answer = client.get("/tracks", params={"cursor": cursor})
    assert (answer.status_code, slug_of(answer)) == (400, "invalid-cursor")


@pytest.mark.parametrize("after", ["", "x", "-1", "[]", "null", "9" * 30, "\x00", "[1,2,3,4,5,6]"])
def test_a_forged_place_never_breaks_the_service(client: httpx.Client, after: str) -> None:
    generation = client.get("/index").json()["generation"]
    for words in ("", "song"):
        params = {"q": words, "cursor": cursor_of(generation, words, after)}
        assert client.get("/tracks", params=params).status_code in (200, 400, 422)


def test_a_cursor_is_of_one_search(client: httpx.Client) -> None:
    cursor = client.get("/tracks", params={"q": "song", "limit": 2}).json()["next_cursor"]
    following = client.get("/tracks", params={"q": "song", "limit": 2, "cursor": cursor})
    assert following.status_code == 200
    other = client.get("/tracks", params={"q": "ada", "cursor": cursor})
    assert (other.status_code, slug_of(other)) == (400, "invalid-cursor")
    assert "begin again" in other.json()["detail"]


def test_a_cursor_is_of_one_index(tmp_path: Path) -> None:
    publish_entries(tmp_path, small_catalog())
    with service(tmp_path, poll_seconds=0.02) as client:
        cursor = client.get("/tracks", params={"limit": 2}).json()["next_cursor"]
        generation = publish_entries(tmp_path, small_catalog()[:-1])
        while client.get("/index").json()["generation"] != generation:
            pass
        answer = client.get("/tracks", params={"limit": 2, "cursor": cursor})
    assert (answer.status_code, slug_of(answer)) == (400, "invalid-cursor")


@pytest.mark.parametrize("params", [{}, {"q": "song"}, {"q": "so al"}])
def test_every_page_goes_on_where_the_last_one_ended(
    client: httpx.Client, params: dict[str, str]
) -> None:
    whole = client.get("/tracks", params=params | {"limit": "100"}).json()
    assert whole["next_cursor"] is None
    found: list[object] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/tracks", params=params | {"limit": "3"} | cursor).json()
        assert page["total"] == whole["total"]
        found += page["tracks"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == whole["tracks"]
