"""Lists of tracks as files that players open: M3U8, XSPF and JSPF (pure).

M3U8 is the extended M3U that players have agreed on, in UTF-8. XSPF is version 1
(https://xspf.org/spec), and JSPF the same in JSON (https://xspf.org/jspf), with what ListenBrainz
asks for (https://musicbrainz.org/doc/jspf).

Whatever a title or a path holds, it stays on its line, and within its element.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from recommender.track import Metadata, Track

CREATOR = "Soundalike"
UNTITLED = "Untitled"
_XSPF = "http://xspf.org/ns/0/"
_RECORDING = "https://musicbrainz.org/recording/"
_LISTENBRAINZ = "https://musicbrainz.org/doc/jspf#playlist"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# what ends a line somewhere, is not seen, or has no place in XML or UTF-8
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_BLANKS = re.compile(f"(?:{_UNWRITABLE.pattern}| )+")
_ADDRESS = ("http://", "https://")
_FILE = "file://"


@dataclass(frozen=True, slots=True)
class Item:
    """A track of a playlist.

    Attributes
    ----------
    track
        What is known of it.
    location
        Where it is: a URI, or one relative to the place of the playlist; "" when it is nowhere.
    similarity
        In [0, 1], to what the list is about; None when that says nothing.
    """

    track: Track
    location: str
    similarity: float | None = None


def file_uri(path: bytes) -> str:
    """The URI of an absolute path, whatever its bytes are."""
    return _FILE + quote(path)


def relative_uri(path: bytes, folder: bytes) -> str:
    """The URI of a path below `folder`, relative to it.

    Parameters
    ----------
    path
        Absolute.
    folder
        Absolute, with a slash at its end.
    """
    return quote(path.removeprefix(folder))


def name_of(metadata: Metadata) -> str:
    """``artist - title`` on one line, as far as they are known."""
    artist, title = _line(metadata.artist), _line(metadata.title) or UNTITLED
    return f"{artist} - {title}" if artist else title


def m3u8(title: str, items: Iterable[Item]) -> bytes:
    """Extended M3U in UTF-8.

    Paths are written as they are, not percent-encoded: few players decode them. A path that is no
    text, or not of one line, is a ``file:`` URI, or a comment says that its track is left out if it
    is relative, for which there is no such URI.
    """
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(title)}"]
    for item in items:
        name, place = name_of(item.track.metadata), _place(item.location)
        if place:
            lines += [f"#EXTINF:{_whole_seconds(item.track)},{name}", place]
        else:
            lines.append(f"# {name} is left out: its location cannot be written here")
    return "\n".join([*lines, ""]).encode()


def xspf(title: str, items: Iterable[Item]) -> bytes:
    """XSPF, version 1."""
    playlist = Element("playlist", {"version": "1", "xmlns": _XSPF})
    SubElement(playlist, "title").text = _line(title)
    SubElement(playlist, "creator").text = CREATOR
    tracks = SubElement(playlist, "trackList")
    for item in items:
        track = SubElement(tracks, "track")
        for name, value in _known(item).items():
            SubElement(track, name).text = str(value)
    indent(playlist)
    document: bytes = tostring(playlist, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def jspf(title: str, items: Iterable[Item]) -> bytes:
    """JSPF; to ListenBrainz it is a playlist that is not public."""
    playlist = {
        "title": _line(title),
        "creator": CREATOR,
        "extension": {_LISTENBRAINZ: {"public": False}},
        "track": [
            {
                name: [value] if name in ("location", "identifier") else value
                for name, value in _known(item).items()
            }
            for item in items
        ],
    }
    return json.dumps({"playlist": playlist}, ensure_ascii=False).encode()


def _known(item: Item) -> dict[str, str | int]:
    """What is known of a track, by the names and in the order of XSPF."""
    of = item.track.metadata
    similarity = item.similarity
    id_ = of.musicbrainz_recording_id
    every: dict[str, str | int] = {
        "location": item.location,
        "identifier": _RECORDING + id_ if _UUID.fullmatch(id_) else "",
        "title": _line(of.title),
        "creator": _line(of.artist),
        "annotation": "" if similarity is None else f"Similarity {similarity:.3f}",
        "album": _line(of.album),
        "trackNum": of.track_number,
        # milliseconds
        "duration": round(1000 * item.track.duration_seconds),
    }
    return {name: value for name, value in every.items() if value}


def _line(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


def _whole_seconds(track: Track) -> int:
    # players take -1 for a length that is not known
    return round(track.duration_seconds) or -1


def _place(location: str) -> str:
    """A location as a line of M3U8, "" if it cannot be one."""
    if location.startswith(_ADDRESS):
        return location
    path = unquote_to_bytes(location.removeprefix(_FILE))
    try:
        text = path.decode()
    except UnicodeDecodeError:
        text = ""
    # blanks at the end would be taken off
    if not text or _UNWRITABLE.search(text) or text != text.rstrip():
        return location if location.startswith(_FILE) else ""
    # what begins a comment, or would be taken off
    return f"./{text}" if text[0] == "#" or text[0].isspace() else text
