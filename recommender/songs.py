"""What a song is known by, as numbers; and whether two tracks are one recording (pure).

The same recording comes as a single, on an album, on a compilation, remastered, in another
encoding, a little faster or cut. Its copies sound nearly alike. How nearly they must depends on
what their names say: two works of one artist may be as alike as two copies of a third.
"""

import re
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.ranking import Similarities
from recommender.recording_names import NOBODY, artist_keys, title_key
from recommender.selection import Mask
from recommender.track import Track

Songs = npt.NDArray[np.void]
"""What is compared of tracks, of type :data:`SONG`; 0 stands for what is not known."""

SONG = np.dtype(
    [
        # 32 bits: names that meet by chance must sound alike as well
        ("title", "<u4"),
        ("note", "<u4"),
        ("artist", "<u4"),
        ("recording", "<u4"),
        ("seconds", "<f4"),
        # whether the title is one that many songs have
        ("common", "?"),
    ]
)

# cosines from which on tracks are copies: of whatever length, and of nearly the same
NAMED = 0.75, 0.75
ALIKE = 0.86, 0.75
WEAK = 0.95, 0.90
NAMELESS = 2.0, 0.92
OTHERS = 2.0, 0.99
SAME_LENGTH = 0.97
# of what lies between a track and the last in its list of neighbours, so much at most lies between
# it and a copy that names do not tell
SHARE = 0.3
# copies of one recording are never further apart than this
LEAST = 0.75

_NOTES = re.compile(r"\s*[(\[{]([^()\[\]{}]*)[)\]}]")
_AFTER_DASH = re.compile(r"\s[-–—]\s+([^()\[\]{}]*)$")
_NUMBERED = re.compile(r"^\d{1,3}\s*[-._)]+\s*(?=\S)")
_VERSION = re.compile(
    r"\b(?:live|unplugged|re-?master(?:ed|ing)?|mono|stereo|demo|edit|version|single|album|radio|"
    r"acoustic|session|sessions|take|rehearsal|concert|bonus|original|explicit|clean|extended|"
    r"feat|ft|featuring)\b"
)
# what tells one work from another, in a note
_ANOTHER = re.compile(
    r"\b(?:remix|rmx|mix|mashup|medley|dub|instrumental|karaoke|a ?cappella|reprise|cover|"
    r"part|pt|vol|volume|no|nr|op|act|movement|mvt)\b|^\W*(?:\d{1,3}|[ivx]+)\b"
)
_COMMON = re.compile(
    r"(?:(?:audio)?(?:track|titel|titre|piste|pista|traccia|faixa|spur)|title|untitled|unknown|"
    r"noname|song|intro|introduction|outro|interlude|skit|prelude|bgm|theme|maintheme|music)?\d*"
)


def song_of(track: Track) -> tuple[int, int, int, int, float, bool]:
    """What is compared of a track, in the order of :data:`SONG`."""
    title, note = parted(track.metadata.title)
    return (
        _number(title),
        _number(note),
        _number(_artist(track.metadata.artist or track.metadata.album_artist)),
        _number(track.metadata.musicbrainz_recording_id),
        track.rounded_seconds,
        _COMMON.fullmatch(title) is not None,
    )


def parted(title: str) -> tuple[str, str]:
    """The name of a song in a title, and what stands beside it, as they are compared.

    What says that it is the same song, such as "live" or "remastered", is left out; what tells that
    it is another work, such as "remix" or "part 2", belongs to the name.
    """
    notes = list[str]()

    def taken(found: re.Match[str]) -> str:
        note = found[1].casefold()
        if _ANOTHER.search(note):
            return f" {note} "
        if not _VERSION.search(note):
            notes.append(note)
        return " "

    def without(found: re.Match[str]) -> str:
        note = found[1].casefold()
        return " " if _VERSION.search(note) and not _ANOTHER.search(note) else found[0]

    name = _NOTES.sub(taken, _one_of(title))
    key = title_key(_NUMBERED.sub("", _AFTER_DASH.sub(without, name)))
    return (key, title_key(" ".join(notes))) if key else (title_key(title), "")


def _one_of(title: str) -> str:
    """A title that is there twice, as "The Song;Song", once."""
    if ";" not in title:
        return title
    parts = [(title_key(part), part) for part in title.split(";")]
    longest, part = max(parts, key=lambda named: len(named[0]))
    return part if all(key in longest for key, _ in parts) else title


def _artist(artist: str) -> str:
    """The first who is named, for guests come and go."""
    whole, *parts = artist_keys(artist) or [""]
    return "" if whole in NOBODY else (parts[0] if parts else whole)


def _number(text: str) -> int:
    if not text:
        return 0
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "little") or 1


def are_copies(one: Songs, other: Songs, cosines: Similarities, room: Similarities) -> Mask:
    """Whether tracks are copies of one recording, pair by pair.

    Parameters
    ----------
    one, other
        Shape (n,).
    cosines
        Of their vectors, shape (n,).
    room
        Cosine of each pair's nearer one of the last in their lists of neighbours, -1 where that is
        not known, shape (n,): where the catalog is dense, more must lie between the two and others.
    """
    any_length, same_length = _least(one, other)
    copies = cosines >= np.where(_ratio(one, other) >= SAME_LENGTH, same_length, any_length)
    told = same_length < WEAK[1]
    exact = (same_length < OTHERS[1]) | (_ratio(one, other) >= OTHERS[1])
    copies &= exact & (told | (1.0 - cosines <= SHARE * (1.0 - room)))
    return copies


def may_be_copies(one: Songs, other: Songs, cosines: Similarities) -> Mask:
    """Whether nothing speaks against tracks being of one recording, as others say that they are."""
    _, same_length = _least(one, other)
    return (cosines >= LEAST) & ((same_length < OTHERS[1]) | (cosines >= OTHERS[1]))


def _least(one: Songs, other: Songs) -> tuple[Similarities, Similarities]:
    """The least cosines of copies, of whatever length and of nearly the same."""
    titled = (one["title"] > 0) & (other["title"] > 0)
    title = titled & (one["title"] == other["title"])
    known = (one["artist"] > 0) & (other["artist"] > 0)
    artist = known & (one["artist"] == other["artist"])
    common = one["common"] | other["common"]
    tells = title & artist & ~common & (one["note"] == other["note"])
    tells |= (one["recording"] > 0) & (one["recording"] == other["recording"])
    half = title & np.where(common, artist, artist | ~known)
    cases: list[tuple[Any, tuple[float, float]]] = [
        (tells, NAMED),
        (half, ALIKE),
        (title, WEAK),
        (titled | known & ~artist, OTHERS),
    ]
    masks = [mask for mask, _ in cases]
    return (
        np.select(masks, [least[0] for _, least in cases], NAMELESS[0]),
        np.select(masks, [least[1] for _, least in cases], NAMELESS[1]),
    )


def _ratio(one: Songs, other: Songs) -> Similarities:
    """Of the shorter length to the longer."""
    seconds = one["seconds"].astype(np.float64), other["seconds"].astype(np.float64)
    longer = np.maximum(*seconds)
    ratio: Similarities = np.minimum(*seconds) / np.where(longer > 0, longer, 1.0)
    return ratio
