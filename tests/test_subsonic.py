"""The OpenSubsonic API as clients see it: shapes, forms, errors."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.subsonic_tracks import child_of
from recommender.track import Metadata, Track
from tests.builders import Entry, publish_entries
from tests.fakes import service, small_catalog

CALLER = {"u": "ada", "p": "secret", "v": "1.16.1", "c": "tests"}
NAMESPACE = "{http://subsonic.org/restapi}"
CALLS: dict[str, dict[str, str]] = {
    "ping": {},
    "getOpenSubsonicExtensions": {},
    "getSimilarSongs": {"id": "a0"},
    "getSimilarSongs2": {"id": "a0"},
    "getSonicSimilarTracks": {"id": "a0"},
    "findSonicPath": {"startSongId": "a0", "endSongId": "b1"},
}


def asked(client: httpx.Client, call: str, **parameters: str) -> dict[str, Any]:
    """What a call is answered with, as JSON, inside its envelope."""
    answer = client.get(f"/rest/{call}", params={**CALLER, "f": "json", **parameters})
    assert answer.headers["content-type"] == "application/json"
    content: dict[str, Any] = answer.json()["subsonic-response"]
    return content


def error_of(client: httpx.Client, call: str, parameters: dict[str, str]) -> tuple[int, str]:
    answer = client.get(f"/rest/{call}", params={"f": "json", **parameters})
    assert answer.status_code == 200
    content = answer.json()["subsonic-response"]
    assert content["status"] == "failed"
    return content["error"]["code"], content["error"]["message"]


def as_json(element: ElementTree.Element) -> dict[str, list[Any]]:
    """XML as lists of texts by name, to be compared with JSON put into the same form."""
    found: dict[str, list[Any]] = {name: [text] for name, text in element.attrib.items()}
    for inner in element:
        value = as_json(inner) if inner.attrib or len(inner) else inner.text
        found.setdefault(inner.tag.removeprefix(NAMESPACE), []).append(value)
    return found


def as_texts(content: dict[str, Any]) -> dict[str, list[Any]]:
    """JSON in the form of :func:`as_json`; an empty list is nothing in XML."""
    found = dict[str, list[Any]]()
    for name, value in content.items():
        items = value if isinstance(value, list) else [value]
        if items:
            found[name] = [
                as_texts(item) if isinstance(item, dict) else text(item) for item in items
            ]
    return found


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_answer_says_who_answers(client: httpx.Client) -> None:
    assert asked(client, "ping") == {
        "status": "ok",
        "version": "1.16.1",
        "type": "soundalike",
        "serverVersion": "0.1.0",
        "openSubsonic": True,
    }


@pytest.mark.parametrize("call", CALLS)
def test_xml_says_what_json_says(client: httpx.Client, call: str) -> None:
    answer = client.get(f"/rest/{call}", params=CALLER | CALLS[call])
    assert answer.headers["content-type"] == "application/xml"
    root = ElementTree.fromstring(answer.content)
    assert root.tag == NAMESPACE + "subsonic-response"
    assert as_json(root) == as_texts(asked(client, call, **CALLS[call]))


@pytest.mark.parametrize("call", CALLS)
def test_every_call_is_taken_in_all_its_forms(client: httpx.Client, call: str) -> None:
    parameters = {**CALLER, "f": "json", **CALLS[call]}
    plain = client.get(f"/rest/{call}", params=parameters)
    assert plain.json()["subsonic-response"]["status"] == "ok"
    for path in (f"/rest/{call}", f"/rest/{call}.view"):
        assert client.get(path, params=parameters).content == plain.content
        assert client.post(path, data=parameters).content == plain.content
        assert client.post(path, params=CALLER, data=parameters).content == plain.content
    head = client.head(f"/rest/{call}", params=parameters)
    assert (head.status_code, head.content) == (200, b"")


def test_the_extensions_are_told_without_a_name(client: httpx.Client) -> None:
    answer = client.get("/rest/getOpenSubsonicExtensions", params={"f": "json"}).json()
    assert answer["subsonic-response"]["openSubsonicExtensions"] == [
        {"name": "formPost", "versions": [1]},
        {"name": "sonicSimilarity", "versions": [1]},
    ]


def test_similar_tracks_come_with_their_similarity_closest_first(client: httpx.Client) -> None:
    found = asked(client, "getSonicSimilarTracks", id="a0", count="3")["sonicMatch"]
    assert [match["entry"]["id"] for match in found] == ["a1", "a2", "a3"]
    expected = client.get("/similar", params={"track_id": "a0", "limit": 3}).json()["matches"]
    assert [m["similarity"] for m in found] == [m["similarity"] for m in expected]


@pytest.mark.parametrize(
    ("call", "key"), [("getSimilarSongs", "similarSongs"), ("getSimilarSongs2", "similarSongs2")]
)
def test_similar_songs_are_the_same_tracks(client: httpx.Client, call: str, key: str) -> None:
    songs = asked(client, call, id="a0", count="3")[key]["song"]
    assert [song["id"] for song in songs] == ["a1", "a2", "a3"]


def test_a_path_has_both_ends_and_similarities_to_the_start(client: httpx.Client) -> None:
    found = asked(client, "findSonicPath", startSongId="a0", endSongId="b1", count="4")
    ids = [match["entry"]["id"] for match in found["sonicMatch"]]
    path = client.get("/path", params={"from": "a0", "to": "b1", "steps": 4}).json()["matches"]
    assert ids == [stop["track"]["id"] for stop in path]
    similar = client.get("/similar", params={"track_id": "a0"}).json()["matches"]
    to_start = {m["track"]["id"]: m["similarity"] for m in similar} | {"a0": 1.0}
    assert [m["similarity"] for m in found["sonicMatch"]] == [to_start[id_] for id_ in ids]


def test_more_than_there_is_or_may_be_asked_for_is_cut(client: httpx.Client) -> None:
    assert len(asked(client, "getSimilarSongs", id="a0", count="500")["similarSongs"]["song"]) == 7
    found = asked(client, "findSonicPath", startSongId="a0", endSongId="b1", count="500")
    assert len(found["sonicMatch"]) == 8


def test_parameters_that_are_not_known_are_ignored(client: httpx.Client) -> None:
    assert asked(client, "ping", musicFolderId="1", callback="x", nonsense="")["status"] == "ok"


@pytest.mark.parametrize("f", ["jsonp", "yaml"])
def test_other_formats_are_refused(client: httpx.Client, f: str) -> None:
    answer = client.get("/rest/ping", params={**CALLER, "f": f, "callback": "run"})
    assert f"f={f} is not served" in answer.text
    assert "run(" not in answer.text


TOKEN = {"u": "ada", "t": "26719a1196d2a940705a59634eb18eab", "s": "c19b2d", "v": "1.13", "c": "x"}


@pytest.mark.parametrize("caller", [CALLER, TOKEN])
def test_any_name_and_password_are_taken(client: httpx.Client, caller: dict[str, str]) -> None:
    answer = client.get("/rest/ping", params={"f": "json", **caller}).json()
    assert answer["subsonic-response"]["status"] == "ok"


def without(name: str, caller: dict[str, str] = CALLER) -> dict[str, str]:
    return {key: value for key, value in caller.items() if key != name}


@pytest.mark.parametrize(
    ("call", "parameters", "code", "named"),
    [
        ("ping", without("u"), 10, "u is"),
        ("ping", without("p"), 10, "p is missing, or both t and s"),
        ("ping", without("s", TOKEN), 10, "t and s"),
        ("ping", CALLER | {"v": ""}, 10, "v"),
        ("ping", without("c"), 10, "c"),
        ("ping", CALLER | {"v": "0.9"}, 20, "v=0.9"),
        ("ping", CALLER | {"v": "2.0.0"}, 30, "v=2.0.0"),
        ("ping", CALLER | {"v": "latest"}, 0, "v=latest"),
        ("ping", CALLER | TOKEN, 43, "p and t, s"),
        ("ping", {"apiKey": "k", "u": "ada"}, 43, "apiKey and u"),
        ("ping", {"apiKey": "k", "v": "1.16.1", "c": "x"}, 44, "no API keys"),
        ("getSimilarSongs", CALLER, 10, "id"),
        ("getSonicSimilarTracks", CALLER | {"id": ""}, 10, "id"),
        ("findSonicPath", CALLER | {"startSongId": "a0"}, 10, "endSongId"),
        ("getSimilarSongs2", CALLER | {"id": "gone"}, 70, "gone"),
        ("findSonicPath", CALLER | {"startSongId": "a0", "endSongId": "gone"}, 70, "gone"),
        ("findSonicPath", CALLER | {"startSongId": "a0", "endSongId": "a0"}, 0, "name two"),
        ("findSonicPath", CALLER | CALLS["findSonicPath"] | {"count": "1"}, 0, "count=1"),
        ("getSimilarSongs", CALLER | {"id": "a0", "count": "0"}, 0, "count=0"),
        ("getSimilarSongs", CALLER | {"id": "a0", "count": "٣"}, 0, "count=٣"),
    ],
)
def test_errors_have_the_codes_of_the_api(
    client: httpx.Client, call: str, parameters: dict[str, str], code: int, named: str
) -> None:
    found, message = error_of(client, call, parameters)
    assert found == code
    assert named in message


@pytest.mark.parametrize("call", ["stream", "getLicense.view", "a/b", "ping.view.view"])
def test_other_calls_are_not_offered(client: httpx.Client, call: str) -> None:
    for answer in (client.get(f"/rest/{call}?f=json"), client.post(f"/rest/{call}?f=json")):
        assert answer.status_code == 404
        assert answer.json()["subsonic-response"]["error"]["code"] == 0


def test_too_many_parameters_are_refused(client: httpx.Client) -> None:
    many = "&".join(f"x{i}=1" for i in range(1001))
    answer = client.post("/rest/ping", content=many, headers=FORM)
    assert "at most 1000" in answer.text


FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}


def test_of_a_parameter_that_is_repeated_the_first_counts(client: httpx.Client) -> None:
    query = "&".join(f"{name}={value}" for name, value in CALLER.items())
    answer = client.get(f"/rest/getSimilarSongs?{query}&f=json&id=gone&id=a0")
    assert answer.json()["subsonic-response"]["error"]["code"] == 70


@pytest.fixture(scope="module")
def unpublished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with service(tmp_path_factory.mktemp("nothing")) as client:
        yield client


def test_without_an_index_calls_fail_but_the_service_is_there(unpublished: httpx.Client) -> None:
    assert asked(unpublished, "ping")["status"] == "ok"
    code, message = error_of(unpublished, "getSimilarSongs", CALLER | {"id": "a0"})
    assert (code, "reindex" in message) == (0, True)


def test_a_child_says_what_is_known() -> None:
    metadata = Metadata(
        title="Rock/Pop",
        artist="Ada",
        album="One",
        album_artist="Various",
        composer="Cy",
        genre="Jazz",
        track_number=4,
        year=1999,
        musicbrainz_recording_id="189002e7-3285-4e2e-92a3-7f6c30d407a2",
    )
    assert child_of(Track("x", 181.6, metadata), b"/home/ada/music/04.FLAC") == {
        "id": "x",
        "isDir": False,
        "title": "Rock/Pop",
        "album": "One",
        "artist": "Ada",
        "track": 4,
        "year": 1999,
        "genre": "Jazz",
        "suffix": "flac",
        "contentType": "audio/flac",
        "duration": 182,
        "path": "Various/One/04 - Rock_Pop.flac",
        "isVideo": False,
        "type": "music",
        "mediaType": "song",
        "musicBrainzId": "189002e7-3285-4e2e-92a3-7f6c30d407a2",
        "displayArtist": "Ada",
        "displayAlbumArtist": "Various",
        "displayComposer": "Cy",
        "genres": [{"name": "Jazz"}],
    }


def test_a_child_of_which_nothing_is_known_is_called_by_its_file() -> None:
    child = child_of(Track("x", 0.0, Metadata()), b"/home/ada/caf\xe9 \xf0.xyz")
    assert child["title"] == "caf? ?"
    assert child["path"] == "Unknown Artist/Unknown Album/caf? ?.xyz"
    assert not {"album", "artist", "track", "year", "genre", "contentType"} & child.keys()


def test_where_files_lie_is_not_told(client: httpx.Client) -> None:
    assert "nowhere" not in str(asked(client, "getSimilarSongs", id="a0"))


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service over titles that XML cannot say, or says otherwise."""
    titles = ["\ufffe", "<&\"'>", "日本", "\U0001f3b5", " a  b "]
    entries: list[Entry] = [
        replace(one, metadata=replace(one.metadata, title=title))
        for one, title in zip(small_catalog(), titles, strict=False)
    ]
    folder: Path = tmp_path_factory.mktemp("strange")
    publish_entries(folder, entries)
    with service(folder) as client:
        yield client


def test_titles_survive_xml(strange: httpx.Client) -> None:
    answer = strange.get("/rest/getSimilarSongs", params=CALLER | {"id": "b0"})
    songs = ElementTree.fromstring(answer.content)[0]
    titles = {song.attrib["id"]: song.attrib["title"] for song in songs}
    assert titles == {"a0": "\ufffd", "a1": "<&\"'>", "a2": "日本", "a3": "\U0001f3b5"}


@given(
    call=st.sampled_from([*CALLS, "stream", "%01"]),
    parameters=st.dictionaries(
        st.sampled_from(["u", "p", "v", "c", "f", "id", "count", "startSongId", "endSongId", "t"]),
        st.sampled_from(["a0", "b1", "1.16.1", "json", "3"]) | st.text(max_size=8),
    ),
)
def test_whatever_is_asked_is_answered_in_the_envelope(
    client: httpx.Client, call: str, parameters: dict[str, str]
) -> None:
    answer = client.post(f"/rest/{call}", data=parameters)
    assert answer.status_code in (200, 404)
    if answer.headers["content-type"] == "application/json":
        status = answer.json()["subsonic-response"]["status"]
    else:
        status = ElementTree.fromstring(answer.content).attrib["status"]
    assert status in ("ok", "failed")
