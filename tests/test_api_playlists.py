"""Answers as playlists: which form, where the tracks are found, and what caches may keep."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import httpx
import m3u8
import pytest

from api.playlists import accepted, disposition
from recommender.track import Metadata
from tests.builders import Entry, publish_beside, publish_entries
from tests.fakes import FakeClipEmbedder, ids_of, service, slug_of, small_catalog

PATH = "/similar?track_id=a0"
TYPES = {
    "json": "application/json",
    "m3u8": "audio/mpegurl",
    "xspf": "application/xspf+xml",
    "jspf": "application/jspf+json",
}
PLAYLISTS = [name for name in TYPES if name != "json"]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def locations(answer: httpx.Response) -> list[str]:
    """Where a playlist says that its tracks are."""
    assert answer.status_code == 200, answer.text
    match answer.headers["content-type"]:
        case "application/jspf+json":
            tracks = answer.json()["playlist"]["track"]
            return [one for track in tracks for one in track.get("location", [])]
        case "application/xspf+xml":
            root = ElementTree.fromstring(answer.content)
            return [str(one.text) for one in root.iter("{http://xspf.org/ns/0/}location")]
    return [one.uri for one in m3u8.loads(answer.content.decode()).segments]


def accept(*lines: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"x"), *((b"accept", line.encode()) for line in lines)]


# which form


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("how", ["format", "accept", "both"])
def test_a_form_is_chosen_by_format_or_by_accept(client: httpx.Client, name: str, how: str) -> None:
    other = TYPES["xspf" if name == "m3u8" else "m3u8"]
    path = PATH if how == "accept" else f"{PATH}&format={name}"
    header = {"format": "*/*", "accept": TYPES[name], "both": other}[how]
    answer = client.get(path, headers={"Accept": header})
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[name])
    assert answer.headers["vary"] == "Accept"
    assert ("content-disposition" in answer.headers) == (name != "json")


@pytest.mark.parametrize(
    ("lines", "best"),
    [
        ([], "application/json"),
        (["*/*"], "application/json"),
        (["application/json, text/plain, */*"], "application/json"),
        ([BROWSER], "application/json"),
        (["application/xspf+xml"], "application/xspf+xml"),
        (["APPLICATION/XSPF+XML ; Q=0.5"], "application/xspf+xml"),
        (["application/xspf+xml;q=0.5, application/json;q=0.4"], "application/xspf+xml"),
        (["application/xspf+xml;q=0.5, application/json;q=0.6"], "application/json"),
        (["application/xspf+xml, application/json"], "application/json"),
        (["application/*;q=0.5, application/json;q=0.4"], "application/x-mpegurl"),
        (["audio/*"], "audio/mpegurl"),
        (["application/xspf+xml, */*"], "application/xspf+xml"),
        (["application/json, audio/*, */*"], "application/json"),
        (["audio/x-mpegurl"], "audio/x-mpegurl"),
        (["application/vnd.apple.mpegurl"], "application/vnd.apple.mpegurl"),
        (["*/*;q=0.1, application/jspf+json"], "application/jspf+json"),
        (["*/*, application/json;q=0"], "audio/mpegurl"),
        (["audio/mpegurl;charset=utf-8;q=0.9", "application/json;q=0.1"], "audio/mpegurl"),
        (["application/xspf+xml;q=1;level=2, */*;q=0.1"], "application/xspf+xml"),
        # nothing suits, or nothing can be read
        (["text/html"], "application/json"),
        (["application/xspf+xml;q=0"], "application/json"),
        (["*/*;q=0"], "application/json"),
        (["application/xspf+xml;q=2"], "application/json"),
        (["application/xspf+xml;q=nan"], "application/json"),
        (["application/xspf+xml;q=-1"], "application/json"),
        ([";;,,;q=1,/,\xff"], "application/json"),
    ],
)  # fmt: skip
def test_what_suits_a_caller_best_is_chosen(lines: list[str], best: str) -> None:
    assert accepted(accept(*lines)).decode() == best


def test_without_a_wish_the_answer_is_json_as_ever(client: httpx.Client) -> None:
    plain, asked = client.get(PATH), client.get(f"{PATH}&format=json")
    assert "format" not in plain.json()["query"]
    assert "paths" not in plain.json()["query"]
    assert asked.json()["matches"] == plain.json()["matches"]


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_body_is_answered_alike(client: httpx.Client, name: str) -> None:
    liked: dict[str, Any] = {"positive": [{"track_id": "a0"}], "limit": 3}
    ids = ids_of(client.post("/recommendations", json=liked))
    for answer in (
        client.post("/recommendations", json=liked | {"format": name}),
        client.post("/recommendations", json=liked, headers={"Accept": TYPES[name]}),
    ):
        assert [unquote(place).split("/")[-2] for place in locations(answer)] == ids
        assert answer.headers["vary"] == "Accept"
        assert f"Recommendations.{name}" in answer.headers["content-disposition"]


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_clip_is_answered_alike(data_dir: Path, spool: Path, name: str) -> None:
    file = {"file": ("a.wav", b"x")}
    with service(data_dir, FakeClipEmbedder()) as client:
        answer = client.post(f"/similar/clip?limit=3&format={name}", files=file)
        negotiated = client.post(
            "/similar/clip?limit=3", files=file, headers={"Accept": TYPES[name]}
        )
    assert len(locations(answer)) == 3
    assert negotiated.content == answer.content


@pytest.mark.parametrize("query", ["format=m3u", "format=", "paths=x", "format=m3u8&format=xspf"])
def test_other_forms_are_refused(client: httpx.Client, query: str) -> None:
    answer = client.get(f"{PATH}&{query}")
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")


@pytest.mark.parametrize("query", ["paths=relative", "format=json&paths=url"])
def test_paths_without_a_playlist_are_refused(client: httpx.Client, query: str) -> None:
    answer = client.get(f"{PATH}&{query}")
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert "format=m3u8" in answer.json()["detail"]


@pytest.mark.parametrize("name", PLAYLISTS)
def test_an_error_is_a_problem_whatever_was_asked_for(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/similar?track_id=zz&format={name}")
    assert (answer.status_code, slug_of(answer)) == (404, "unknown-track")


def test_forms_are_documented(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for method, path in (
        ("get", "/similar"),
        ("post", "/similar/clip"),
        ("post", "/recommendations"),
    ):
        content = paths[path][method]["responses"]["200"]["content"]
        assert set(content) == set(TYPES.values())
        assert "$ref" in content["application/json"]["schema"]


# what caches keep


def test_every_form_has_its_own_validator(client: httpx.Client) -> None:
    queries = ["", *(f"&format={name}" for name in TYPES), "&format=m3u8&paths=relative"]
    etags = [client.get(PATH + query).headers["etag"] for query in queries]
    negotiated = [
        client.get(PATH, headers={"Accept": type_}).headers["etag"] for type_ in TYPES.values()
    ]
    assert len(set(etags)) == len(etags)
    assert len(set(negotiated)) == len(negotiated)
    assert negotiated[0] == etags[0]


@pytest.mark.parametrize("name", PLAYLISTS)
def test_what_a_caller_holds_in_a_form_is_not_sent_again(client: httpx.Client, name: str) -> None:
    for path, header in ((f"{PATH}&format={name}", "*/*"), (PATH, TYPES[name])):
        etag = client.get(path, headers={"Accept": header}).headers["etag"]
        held = client.get(path, headers={"Accept": header, "If-None-Match": etag})
        assert (held.status_code, held.content) == (304, b"")
        assert (held.headers["etag"], held.headers["vary"]) == (etag, "Accept")
        assert "content-disposition" not in held.headers
        assert client.get(PATH, headers={"If-None-Match": etag}).status_code == 200


def test_head_is_answered_alike(client: httpx.Client) -> None:
    path = f"{PATH}&format=xspf"
    head, got = client.head(path), client.get(path)
    own = {"date", "x-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in own} == {
        k: v for k, v in got.headers.items() if k not in own
    }
    assert head.content == b""


# where tracks are


@pytest.mark.parametrize("name", PLAYLISTS)
def test_tracks_are_where_the_service_was_asked(client: httpx.Client, name: str) -> None:
    ids = ids_of(client.get(PATH))
    forwarded = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=x",
    }
    found = locations(client.get(f"{PATH}&format={name}", headers=forwarded))
    assert found == [
        f"{client.base_url}/tracks/{id_}/audio".replace("//tracks", "/tracks") for id_ in ids
    ]
    named = client.get(f"{PATH}&format={name}", headers={"Host": "localhost:99"})
    assert locations(named)[0].startswith("http://localhost:99/tracks/")


@pytest.mark.parametrize("host", ["", 'a"b', "a b", "a/b", "a<b", "x:123456", "[::1", "ä", "u@h"])
def test_a_host_that_is_none_is_no_address(data_dir: Path, host: str) -> None:
    with service(data_dir, allowed_hosts="*") as client:
        answer = client.get(f"{PATH}&format=m3u8", headers=[(b"Host", host.encode())])
        assert (answer.status_code, slug_of(answer)) == (400, "malformed-request")
        for good in ("music.example", "[::1]:8000", "a_b:1"):
            answer = client.get(f"{PATH}&format=m3u8", headers={"Host": good})
            assert locations(answer)[0].startswith(f"http://{good}/tracks/")


ODD = [
    b"/music/x/\xffa0.flac",
    b"/music/x/a\n1.flac",
    b"/music/xy/#1 hits/a2.flac",
    b"/music/xy/a3.flac",
]


@pytest.fixture(scope="module")
def odd_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    entries = [
        Entry(f"a{n}", (1.0, n / 10, 0.0, 0.0), Metadata(title=f"Song {n}"), path=path)
        for n, path in enumerate(ODD)
    ]
    publish_entries(folder, entries)
    return folder


@pytest.fixture(scope="module")
def odd(odd_data: Path) -> Iterator[httpx.Client]:
    with service(odd_data, show_paths=True) as client:
        yield client


def found_in(client: httpx.Client, name: str, paths: str) -> list[str]:
    return locations(
        client.get("/similar", params={"track_id": "a3", "format": name, "paths": paths})
    )


@pytest.mark.parametrize("name", ["xspf", "jspf"])
def test_paths_are_uris_whatever_their_bytes(odd: httpx.Client, name: str) -> None:
    below = ["xy/%231%20hits/a2.flac", "x/a%0A1.flac", "x/%FFa0.flac"]
    assert found_in(odd, name, "relative") == below
    assert found_in(odd, name, "absolute") == [f"file:///music/{path}" for path in below]


def test_paths_that_are_no_lines_are_left_out_of_m3u8_or_uris(odd: httpx.Client) -> None:
    assert found_in(odd, "m3u8", "relative") == ["xy/#1 hits/a2.flac"]
    assert found_in(odd, "m3u8", "absolute") == [
        "/music/xy/#1 hits/a2.flac",
        "file:///music/x/a%0A1.flac",
        "file:///music/x/%FFa0.flac",
    ]


def test_paths_of_all_spaces_are_relative_to_one_folder(tmp_path: Path) -> None:
    publish_entries(tmp_path, small_catalog(Path("/music/one")))
    publish_beside(tmp_path, small_catalog(Path("/music/one"))[:2])
    with service(tmp_path) as client:
        for space in ("fake", "other:layer=last", "fake+other:layer=last"):
            query = {"limit": "1", "space": space, "format": "m3u8", "paths": "relative"}
            answer = client.get("/similar", params={"track_id": "a0"} | query)
            assert locations(answer) == ["a1.wav"]


@pytest.mark.parametrize("name", PLAYLISTS)
def test_paths_of_the_server_are_given_only_when_the_operator_says_so(
    client: httpx.Client, name: str
) -> None:
    answer = client.get(f"{PATH}&format={name}&paths=absolute")
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert "SOUNDALIKE_SHOW_PATHS" in answer.json()["detail"]


def test_without_audio_an_address_leads_nowhere(data_dir: Path) -> None:
    with service(data_dir, serve_audio=False) as client:
        answer = client.get(f"{PATH}&format=m3u8")
        assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
        assert locations(client.get(f"{PATH}&format=m3u8&paths=relative"))[0] == "a1.wav"
        assert locations(client.get(f"{PATH}&format=xspf")) == []
        tracks = client.get(f"{PATH}&format=jspf").json()["playlist"]["track"]
        assert tracks[0]["title"] == "Song a1"


# what it is called


def test_a_playlist_is_called_after_what_it_is_about(client: httpx.Client) -> None:
    answer = client.get(f"{PATH}&format=jspf")
    assert answer.json()["playlist"]["title"] == "Sounds like Ada - Song a0"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="Sounds like Ada - Song a0.jspf"'
    )
    other = client.get("/similar?track_id=b0&format=jspf").headers["content-disposition"]
    assert "filename*=UTF-8''Sounds%20like%20Bj%C3%B6rk%20-%20Song%20b0.jspf" in other


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Late", 'filename="Late.xspf"'),
        ("../../etc/passwd", 'filename="etc passwd.xspf"'),
        ('a"; filename="b.exe', 'filename="a ; filename= b.exe.xspf"'),
        ("a\r\nSet-Cookie: x=1", 'filename="a Set-Cookie x=1.xspf"'),
        ("a\u202egnp.exe\x00", 'filename="a gnp.exe.xspf"'),
        ("x" * 500, f'filename="{"x" * 60}.xspf"'),
        ("Café 50%", "filename=\"Cafe 50.xspf\"; filename*=UTF-8''Caf%C3%A9%2050.xspf"),
        ("音", "filename=\"playlist.xspf\"; filename*=UTF-8''%E9%9F%B3.xspf"),
        ("\ud800...", 'filename="playlist.xspf"'),
    ],
)
def test_a_file_name_is_safe(title: str, name: str) -> None:
    assert disposition(title, "xspf").decode() == f"attachment; {name}"


def test_titles_that_want_to_be_lines_stay_titles(tmp_path: Path) -> None:
    ugly = 'x</title>\n#EXTINF:1,\r\nhttp://evil.example/"]}'
    metadata = Metadata(title=ugly, artist=ugly, album=ugly)
    publish_entries(tmp_path, [Entry(f"a{n}", (1.0, n / 10, 0.0, 0.0), metadata) for n in range(3)])
    with service(tmp_path) as client:
        for name in PLAYLISTS:
            answer = client.get(f"{PATH}&duplicates=keep&format={name}")
            assert len(locations(answer)) == 2
            assert all(one.endswith("/audio") for one in locations(answer))
            assert json.dumps(dict(answer.headers)).isascii()
