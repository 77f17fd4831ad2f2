"""Tags in: what a file says of its recording, made safe to store, print and compare.

Tags are user data. Whatever is wrong with them, the track stays: a broken tag counts as a missing
one, and a missing title is taken from the file name.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, BinaryIO

import mutagen
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, Encoding

from recommender.keys import key_name
from recommender.track import Metadata

MAX_TEXT = 500
MOST_BPM = 1_000.0
_SCANNED_TEXT = 4 * MAX_TEXT  # a title of 10 MB is cut before any other work on it

# by field: names of ID3 frames, of MP4 atoms, and of Vorbis, APE and ASF keys in lower case
_NAMES = {
    "title": ("TIT2", "\xa9nam", "title"),
    "artist": ("TPE1", "\xa9ART", "artist", "author"),
    "album": ("TALB", "\xa9alb", "album", "wm/albumtitle"),
    "album_artist": ("TPE2", "aART", "albumartist", "album artist", "wm/albumartist"),
    "composer": ("TCOM", "\xa9wrt", "composer", "wm/composer"),
    "genre": ("TCON", "\xa9gen", "genre", "wm/genre"),
    "track_number": ("TRCK", "trkn", "tracknumber", "track", "wm/tracknumber"),
    "year": ("TDRC", "TDOR", "TYER", "\xa9day", "date", "year", "originaldate", "wm/year"),
    "musicbrainz_recording_id": (
        "UFID:http://musicbrainz.org",
        "----:com.apple.iTunes:MusicBrainz Track Id",
        "musicbrainz_trackid",
        "musicbrainz/track id",
    ),
    "musicbrainz_album_id": (
        "TXXX:MusicBrainz Album Id",
        "----:com.apple.iTunes:MusicBrainz Album Id",
        "musicbrainz_albumid",
        "musicbrainz/album id",
    ),
    "musicbrainz_artist_id": (
        "TXXX:MusicBrainz Artist Id",
        "----:com.apple.iTunes:MusicBrainz Artist Id",
        "musicbrainz_artistid",
        "musicbrainz/artist id",
    ),
    "bpm": ("TBPM", "tmpo", "bpm", "wm/beatsperminute"),
    "key": (
        "TKEY",
        "----:com.apple.iTunes:initialkey",
        "initialkey",
        "key",
        "wm/initialkey",
    ),
}

_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?=(\d{4})?(?!\d))")  # 2001, 2001-05, 20010503
_TEMPO = re.compile(r"\d{1,4}([.,]\d{1,6})?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# "03 - x", "3. x", "03_x" and "03 x", but not "99 Luftballons"
_LEADING_NUMBER = re.compile(r"(\d{1,3})(?:\s*[-._)]+\s*|(?<=^0\d)\s+)(?=\S)")
_BIDI_CONTROLS = frozenset(
    "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def read_metadata(file: BinaryIO, file_name: str) -> Metadata:
    """Read the tags of an open file; never raises, whatever the tags hold.

    Parameters
    ----------
    file
        An open, seekable binary file; it is left at an undefined position.
    file_name
        Its name without folders, for what the tags do not say: "03 - Artist - Title.ogg".
    """
    values = _tag_values(file)
    guess = _from_file_name(file_name)
    title = clean_text(values.get("title", ""))
    return Metadata(
        title=title or guess.title,
        artist=clean_text(values.get("artist", "")) or ("" if title else guess.artist),
        album=clean_text(values.get("album", "")),
        album_artist=clean_text(values.get("album_artist", "")),
        composer=clean_text(values.get("composer", "")),
        genre=clean_text(values.get("genre", "")),
        track_number=_number(values.get("track_number", "")) or guess.track_number,
        year=_year(values.get("year", "")),
        musicbrainz_recording_id=_uuid(values.get("musicbrainz_recording_id", "")),
        musicbrainz_album_id=_uuid(values.get("musicbrainz_album_id", "")),
        musicbrainz_artist_id=_uuid(values.get("musicbrainz_artist_id", "")),
        bpm=_tempo(values.get("bpm", "")),
        key=key_name(values.get("key", "")),
    )


def _tag_values(file: BinaryIO) -> dict[str, str]:
    """The first value of each field that has one."""
    tags = _load(file)
    if tags is None:
        return {}
    exact = isinstance(tags, ID3)
    names = tags.keys()  # iterating over Vorbis comments would give pairs
    by_name = {name if exact else _folded(name): name for name in names}
    found = {}
    for field, candidates in _NAMES.items():
        values = (_value(tags, by_name[name]) for name in candidates if name in by_name)
        found[field] = next(filter(None, values), "")
    return found


def _folded(name: str) -> str:
    """MP4 atoms have exact names; the keys of Vorbis, APE and ASF differ in case at will."""
    return name if name.startswith(("\xa9", "----")) or name == "aART" else name.lower()


def _load(file: BinaryIO) -> Any:
    """The tags of the file, None without any that can be read."""
    try:
        file.seek(0)
        found = mutagen.File(file)
        if found is not None and found.tags:
            return found.tags
        file.seek(0)
        return APEv2(file)  # type: ignore[no-untyped-call]
    except Exception:
        # hostile tags raise nearly everything in parsers; a broken tag counts as a missing one
        return None


def _value(tags: Any, name: str) -> str:
    try:
        return next((text for text in map(str, _values(tags[name])) if text.strip("\0 ")), "")
    except Exception:
        # some values are only parsed when they are asked for
        return ""


def _values(value: Any) -> Iterator[Any]:
    """Single values out of what the parsers give for a name."""
    if hasattr(value, "genres"):
        yield from value.genres
    elif hasattr(value, "text"):
        legacy = value.encoding == Encoding.LATIN1
        yield from (_repaired(str(text)) if legacy else text for text in value.text)
    elif hasattr(value, "data"):
        yield value.data.decode("ascii", "replace")
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _values(item)
    else:
        yield value


def _repaired(text: str) -> str:
    """Text that was written in another encoding than the Latin-1 it claims, where that is sure."""
    raw = text[:_SCANNED_TEXT].encode("latin-1", "replace")
    if raw.isascii():
        return text
    for encoding, is_sure in (
        ("utf-8", _always),
        ("cp932", _is_japanese),
        ("cp1251", _is_cyrillic),
    ):
        try:
            decoded = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if is_sure(decoded):
            return decoded
    return text


def _always(_: str) -> bool:
    # Latin-1 text is hardly ever valid UTF-8
    return True


def _is_japanese(text: str) -> bool:
    """Kana of full width, and no half-width kana: single bytes of any encoding look like those."""
    kana = sum("\u3041" <= c <= "\u30fe" for c in text)
    return kana >= 2 and not any("\uff61" <= c <= "\uff9f" for c in text)


def _is_cyrillic(text: str) -> bool:
    """Words of Russian letters only: Latin-1 words have ASCII letters among the accented ones."""
    letters = [c for c in text if c.isalpha()]
    russian = [c for c in letters if "\u0410" <= c <= "\u044f" or c in "\u0401\u0451"]
    return len(letters) >= 4 and letters == russian and not any(ord(c) > 127 for c in _rest(text))


def _rest(text: str) -> str:
    return "".join(c for c in text if not c.isalpha())


def clean_text(value: str) -> str:
    """Printable, composed, on one line, at most `MAX_TEXT` characters; up to the first NUL."""
    scanned = value[:_SCANNED_TEXT].strip("\0").partition("\0")[0]
    printable = "".join(map(_printable, unicodedata.normalize("NFC", scanned)))
    return " ".join(printable.split())[:MAX_TEXT].rstrip()


def _printable(character: str) -> str:
    if character in _BIDI_CONTROLS:
        return ""
    kind = unicodedata.category(character)
    return {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "\ufffd"}.get(kind, character)


def _number(value: str) -> int:
    match = re.match(r"\s*(\d{1,4})(?!\d)", value)
    return int(match[1]) if match else 0


def _year(value: str) -> int:
    match = _YEAR.search(value[:_SCANNED_TEXT])
    return int(match[1]) if match else 0


def _tempo(value: str) -> float:
    match = _TEMPO.fullmatch(value[:_SCANNED_TEXT].strip())
    bpm = round(float(match[0].replace(",", ".")), 1) if match else 0.0
    return bpm if bpm < MOST_BPM else 0.0


def _uuid(value: str) -> str:
    match = _UUID.search(value[:_SCANNED_TEXT].lower())
    return match[0] if match else ""


def _from_file_name(file_name: str) -> Metadata:
    name = clean_text(PurePath(file_name).stem)
    if " " not in name:
        name = name.replace("_", " ").strip() or name
    number = _LEADING_NUMBER.match(name)
    if number:
        name = name[number.end() :]
    artist, dash, title = name.partition(" - ")
    if not (dash and artist.strip() and title.strip()):
        artist, title = "", name
    return Metadata(
        title=title.strip(), artist=artist.strip(), track_number=int(number[1]) if number else 0
    )
