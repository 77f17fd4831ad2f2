"""Playlists: what independent readers find in them is what was written, whatever titles hold."""

import io
import json
import os
import re
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes, urlsplit
from xml.etree import ElementTree

import m3u8 as m3u8_reader
import pytest
import xspf_lib
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from recommender.playlists import (
    Item,
    file_uri,
    jspf,
    m3u8,
    name_of,
    relative_uri,
    xspf,
)
from recommender.track import Metadata, Track

MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
URL = "http://localhost:8000/tracks/a/audio"
NAMESPACE = "{http://xspf.org/ns/0/}"
# of a track in XSPF 1: names in the order of the specification; those that may come repeatedly
ELEMENTS = [
    *("location", "identifier", "title", "creator", "annotation", "info", "image", "album"),
    *("trackNum", "duration", "link", "meta", "extension"),
]
REPEATED = {"location", "identifier", "link", "meta", "extension"}
WHOLE_NUMBERS = {"trackNum": 1, "duration": 0}
# every character, those that UTF-8 does not know included
UGLY = st.text(
    st.one_of(
        st.sampled_from("\n\r\t\0\x0b\x0c\x1c\x1e\x85\u2028\u2029\ufeff\ufffe\ud800 #,<>&\"'];:/%"),
        st.characters(),
    ),
    max_size=30,
)
URI = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
PATHS = (
    st.lists(st.binary(min_size=1, max_size=10), min_size=1, max_size=4)
    .map(lambda parts: os.path.normpath(b"/".join([b"", *parts]).replace(b"\0", b"x")))
    .filter(lambda path: path.strip(b"/"))
    .map(lambda path: b"/" + path.lstrip(b"/"))
)


def item(location: str = URL, similarity: float | None = 0.93, **metadata: Any) -> Item:
    return Item(Track("a", 214.6, Metadata(**metadata)), location, similarity)


FULL = item(
    title="Slow Elevator",
    artist="Kitto",
    album="Small Hours",
    track_number=2,
    musicbrainz_recording_id=MBID,
)
BARE = Item(Track("b", 0.2, Metadata()), "", None)


def metadata_of(texts: Sequence[str]) -> dict[str, Any]:
    return dict(zip(("title", "artist", "album"), texts, strict=True))


def entries(document: bytes) -> list[tuple[str, str, float]]:
    """Locations, titles and seconds of an M3U8, as a reader of another project finds them."""
    found = m3u8_reader.loads(document.decode())
    return [(one.uri, one.title, one.duration) for one in found.segments]


def tracks_of(document: bytes) -> list[dict[str, list[str]]]:
    """The tracks of an XSPF document that is what the specification asks for."""
    root = ElementTree.fromstring(document)
    assert root.tag == f"{NAMESPACE}playlist"
    assert root.attrib == {"version": "1"}
    assert [child.tag.removeprefix(NAMESPACE) for child in root] == [
        "title",
        "creator",
        "trackList",
    ]
    (track_list,) = root.findall(f"{NAMESPACE}trackList")
    assert {child.tag for child in track_list} <= {f"{NAMESPACE}track"}
    return [track_of(child) for child in track_list]


def track_of(track: ElementTree.Element) -> dict[str, list[str]]:
    found = dict[str, list[str]]()
    for child in track:
        assert not len(child)
        assert not child.attrib
        found.setdefault(child.tag.removeprefix(NAMESPACE), []).append(child.text or "")
    assert list(found) == [name for name in ELEMENTS if name in found]
    for name, values in found.items():
        assert name in REPEATED or len(values) == 1
        assert name not in ("location", "identifier") or all(map(URI.fullmatch, values))
        assert name not in WHOLE_NUMBERS or int(values[0]) >= WHOLE_NUMBERS[name]
    return found


class Shape(BaseModel):
    """Of JSON in which there is nothing that is not named."""

    model_config = ConfigDict(extra="forbid", strict=True)


Uri = Annotated[str, Field(pattern=f"^{URI.pattern}$")]


class JspfTrack(Shape):
    """What xspf.org/jspf documents, as far as it is written here."""

    location: list[Uri] = []
    identifier: list[Uri] = []
    title: str = ""
    creator: str = ""
    annotation: str = ""
    album: str = ""
    trackNum: PositiveInt | None = None  # noqa: N815
    duration: Annotated[int, Field(ge=0)] | None = None


class JspfPlaylist(Shape):
    """A playlist, with the extension that ListenBrainz wants."""

    title: str
    creator: str
    extension: dict[str, dict[str, bool]]
    track: list[JspfTrack]


def jspf_tracks(document: bytes) -> list[JspfTrack]:
    content = json.loads(document)
    assert list(content) == ["playlist"]
    playlist = JspfPlaylist.model_validate(content["playlist"])
    assert playlist.extension == {"https://musicbrainz.org/doc/jspf#playlist": {"public": False}}
    return playlist.track


# what is written


def test_m3u8_is_these_lines() -> None:
    assert m3u8("Late", [FULL, BARE]).decode() == (
        "#EXTM3U\n"
        "#PLAYLIST:Late\n"
        "#EXTINF:215,Kitto - Slow Elevator\n"
        f"{URL}\n"
        "# Untitled is left out: its location cannot be written here\n"
    )
    assert entries(m3u8("Late", [FULL])) == [(URL, "Kitto - Slow Elevator", 215)]


def test_xspf_holds_all_that_is_known_and_no_more() -> None:
    full, bare = tracks_of(xspf("Late", [FULL, BARE]))
    assert full == {
        "location": [URL],
        "identifier": [f"https://musicbrainz.org/recording/{MBID}"],
        "title": ["Slow Elevator"],
        "creator": ["Kitto"],
        "annotation": ["Similarity 0.930"],
        "album": ["Small Hours"],
        "trackNum": ["2"],
        "duration": ["214600"],
    }
    assert bare == {"duration": ["200"]}


def test_another_reader_finds_the_same_in_xspf() -> None:
    document = io.BytesIO(xspf("Late", [FULL, BARE]))
    playlist = xspf_lib.Playlist.parse(document)
    assert (playlist.title, playlist.creator) == ("Late", "Soundalike")
    full, bare = playlist.trackList
    assert full.location == [URL]
    assert full.identifier == [f"https://musicbrainz.org/recording/{MBID}"]
    assert (full.title, full.creator, full.album) == ("Slow Elevator", "Kitto", "Small Hours")
    assert (full.trackNum, full.duration) == (2, 214600)
    assert (bare.title, bare.location) == (None, [])


def test_jspf_holds_all_that_is_known_and_no_more() -> None:
    full, bare = jspf_tracks(jspf("Late", [FULL, BARE]))
    assert full.model_dump(exclude_unset=True) == {
        "location": [URL],
        "identifier": [f"https://musicbrainz.org/recording/{MBID}"],
        "title": "Slow Elevator",
        "creator": "Kitto",
        "annotation": "Similarity 0.930",
        "album": "Small Hours",
        "trackNum": 2,
        "duration": 214600,
    }
    assert bare.model_dump(exclude_unset=True) == {"duration": 200}


def test_a_list_of_nothing_is_a_list() -> None:
    assert entries(m3u8("Late", [])) == []
    assert tracks_of(xspf("Late", [])) == []
    assert jspf_tracks(jspf("Late", [])) == []


@pytest.mark.parametrize("id_", ["", "x", f"{MBID}/../..", MBID.upper(), f"{MBID}\n"])
def test_what_is_no_musicbrainz_id_is_no_identifier(id_: str) -> None:
    (track,) = tracks_of(xspf("Late", [item(musicbrainz_recording_id=id_)]))
    assert "identifier" not in track


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({"title": "A", "artist": "B"}, "B - A"),
        ({"title": "A"}, "A"),
        ({"artist": "B"}, "B - Untitled"),
        ({"title": " A\r\nB\u2028C "}, "A B C"),
        ({}, "Untitled"),
    ],
)
def test_a_name_is_what_is_known_on_one_line(metadata: dict[str, Any], name: str) -> None:
    assert name_of(Metadata(**metadata)) == name


def test_a_length_that_is_not_known_is_minus_one() -> None:
    assert entries(m3u8("Late", [Item(Track("a", 0.0, Metadata()), URL)])) == [
        (URL, "Untitled", -1)
    ]


# titles that want to be something else


@pytest.mark.parametrize(
    "title",
    [
        "x\nhttp://evil.example/a.mp3",
        "x\r\n#EXTINF:1,y\rhttp://evil.example",
        "x\u2028/etc/passwd",
        "x\x85/etc/passwd\x1e/etc/shadow",
        "</title><location>http://evil.example</location><title>",
        "]]>&lt;!-- <!DOCTYPE x> &x;",
        '"}], "track": [{"location": ["http://evil.example"]',
        "\ud800\ufffe\0",
    ],
)
def test_a_title_stays_in_its_place(title: str) -> None:
    ugly = item(title=title, artist=title, album=title)
    ((location, _, _),) = entries(m3u8(title, [ugly]))
    assert location == URL
    (track,) = tracks_of(xspf(title, [ugly]))
    assert track["location"] == [URL]
    (read,) = jspf_tracks(jspf(title, [ugly]))
    assert read.location == [URL]


@given(st.lists(st.tuples(UGLY, UGLY, UGLY), max_size=4), UGLY)
def test_any_titles_are_read_again_by_all_readers(
    texts: list[tuple[str, str, str]], title: str
) -> None:
    items = [item(f"{URL}?{n}", **metadata_of(t)) for n, t in enumerate(texts)]
    places = [one.location for one in items]
    names = [name_of(one.track.metadata) for one in items]
    assert [(place, name) for place, name, _ in entries(m3u8(title, items))] == list(
        zip(places, names, strict=True)
    )
    lines = m3u8(title, items).decode().splitlines()
    assert len(lines) == 2 + 2 * len(items)
    found = tracks_of(xspf(title, items))
    assert [one["location"] for one in found] == [[place] for place in places]
    read = jspf_tracks(jspf(title, items))
    assert [one.location for one in read] == [[place] for place in places]
    # what is left of a title is the same everywhere
    assert [one.title for one in read] == [one.get("title", [""])[0] for one in found]
    for one, (text, _, _) in zip(read, texts, strict=True):
        assert one.title == " ".join(one.title.split(" "))
        assert set(one.title) <= {*text, " "}
    xspf_lib.Playlist.parse(io.BytesIO(xspf(title, items)))


# paths


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (b"/music/a b/100% #1.flac", "/music/a b/100% #1.flac"),
        ("/music/Björk/é.flac".encode(), "/music/Björk/é.flac"),
        (b"/music/\xff.flac", "file:///music/%FF.flac"),
        (b"/music/a\nb.flac", "file:///music/a%0Ab.flac"),
        ("/music/a\u2028b.flac".encode(), "file:///music/a%E2%80%A8b.flac"),
        (b"/music/end ", "file:///music/end%20"),
    ],
)
def test_an_absolute_path_is_a_line_or_else_a_uri(path: bytes, line: str) -> None:
    ((location, _, _),) = entries(m3u8("Late", [item(file_uri(path), title="x")]))
    assert location == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (b"a b/100%.flac", "a b/100%.flac"),
        (b"#1 hits/x.flac", "./#1 hits/x.flac"),
        (b" x.flac", "./ x.flac"),
        (b"AC:DC/x.flac", "AC:DC/x.flac"),
    ],
)
def test_a_relative_path_is_a_line_that_is_no_comment(path: bytes, line: str) -> None:
    uri = relative_uri(b"/music/" + path, b"/music/")
    assert m3u8("Late", [item(uri)]).decode().splitlines()[-1] == line


@pytest.mark.parametrize("path", [b"\xff.flac", b"a\nb.flac", b"end ", b"\x85", b"\xed\xa0\x80"])
def test_a_relative_path_that_is_no_line_is_left_out_with_a_word(path: bytes) -> None:
    document = m3u8("Late", [item(relative_uri(b"/music/" + path, b"/music/"), title="Song")])
    assert entries(document) == []
    assert "# Song is left out" in document.decode()


@given(PATHS)
def test_any_path_comes_back_from_its_uri(path: bytes) -> None:
    for uri, before in ((file_uri(path), b""), (relative_uri(path, b"/"), b"/")):
        (track,) = tracks_of(xspf("Late", [item(uri)]))
        (read,) = jspf_tracks(jspf("Late", [item(uri)]))
        if uri:
            assert track["location"] == read.location == [uri]
            parts = urlsplit(uri)
            assert parts.scheme == ("" if before else "file")
            assert before + unquote_to_bytes(parts.path) == path


@given(PATHS)
def test_any_path_is_found_again_in_m3u8_or_left_out(path: bytes) -> None:
    for uri in (file_uri(path), relative_uri(path, b"/")):
        lines = m3u8("Late", [item(uri)]).decode().splitlines()
        assert len(lines) in (3, 4)
        if len(lines) == 4:
            line = lines[3]
            found = unquote_to_bytes(line) if line.startswith("file://") else line.encode()
            assert not line.startswith("#")
            assert line == line.strip()
            assert os.path.normpath(os.path.join(b"/", found.removeprefix(b"file://"))) == path
