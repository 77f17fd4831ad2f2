"""Which track of a catalog a history speaks of: by MusicBrainz id, then by artist and title.

The index of names and ids takes some 16 bytes for each of them, 50 bytes a track; what was found is
read from the catalog once more, so that no two names are ever taken for one.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from recommender.arrays import Rows
from recommender.catalog import Catalog
from recommender.events import Event, Kind
from recommender.history_entries import HistoryEntry
from recommender.recording_names import NOBODY, artist_key, artist_keys, title_key
from recommender.text import folded
from recommender.track import Track

# what is played for less, and less than half, was skipped
SKIPPED_SECONDS = 30.0
# two files of one recording differ by a pause or two, a history's length by its rounding
SAME_SECONDS = 2.0

# tracks of one name that are looked at, and of those that fit equally, that are told
MAX_CANDIDATES, MAX_TOLD = 1_000, 10

_AT_ONCE = 4_096
_REMEMBERED = 16_384


@dataclass(frozen=True, slots=True)
class Matched:
    """The track that an entry speaks of, found by its id, or else by its name."""

    track: Track
    by_id: bool


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Tracks that fit equally well, the first in the order of their ids."""

    tracks: tuple[Track, ...]


def event_of(entry: HistoryEntry, track: Track) -> Event:
    """What a listener did with the track of an entry.

    A listen of less than 30 s and less than half the track is a skip. What the history calls a skip
    is none when half the track or more was heard.
    """
    kind, played, half = entry.kind, entry.seconds_played, track.duration_seconds / 2
    if played is not None and kind is Kind.SKIP and played >= half:
        kind = Kind.LISTEN
    elif played is not None and kind is Kind.LISTEN and played < min(half, SKIPPED_SECONDS):
        kind = Kind.SKIP
    return Event(track.id, kind, entry.at, played)


class Recordings:
    """The tracks of a catalog, to be found by what histories call them.

    Parameters
    ----------
    catalog
        All its documents are read once.
    n_rows
        Of the catalog, those of tracks that left included.
    """

    def __init__(self, catalog: Catalog, n_rows: int):
        self._catalog = catalog
        names, ids = _Rows(), _Rows()
        artists_of = lru_cache(_REMEMBERED)(_artists_of)
        for row, document in _documents(catalog, n_rows):
            if mbid := document["musicbrainz_recording_id"]:
                ids.add(mbid, row)
            if title := title_key(document["title"]):
                for artist in artists_of(document["artist"], document["album_artist"]):
                    names.add(_name(artist, title), row)
        names.close()
        ids.close()
        self._names, self._ids = names, ids
        # per object: a cache of the class would keep catalogs alive
        self._found = lru_cache(_REMEMBERED)(self._find)

    def find(self, entry: HistoryEntry) -> Matched | Ambiguous | None:
        """The track that an entry speaks of; None when the catalog has none.

        Of several with the MusicBrainz id, and of several with artist and title, those fit best
        that agree in the whole artist, the album, the length, and the spelling of the title, in
        this order. When several fit equally, and are as long as each other, they are one recording
        on several albums, and the first in the order of their ids is it.
        """
        return self._found(
            entry.recording_mbids, entry.artist, entry.title, entry.album, entry.track_seconds
        )

    def _find(
        self,
        mbids: tuple[str, ...],
        artist: str,
        title: str,
        album: str,
        seconds: float | None,
    ) -> Matched | Ambiguous | None:
        wanted = _Wanted(artist, title, album, seconds)
        for mbid in mbids:
            tracks = self._tracks(self._ids.of(mbid))
            tracks = [t for t in tracks if t.metadata.musicbrainz_recording_id == mbid]
            if tracks:
                return Matched(wanted.best_of(tracks)[0], by_id=True)
        best = wanted.best_of(self._named(wanted))
        if not best:
            return None
        lengths = [track.duration_seconds for track in best]
        if max(lengths) - min(lengths) > SAME_SECONDS:
            return Ambiguous(tuple(best[:MAX_TOLD]))
        return Matched(best[0], by_id=False)

    def _named(self, wanted: "_Wanted") -> list[Track]:
        if not wanted.title:
            return []
        rows = {
            row for artist in wanted.artists for row in self._names.of(_name(artist, wanted.title))
        }
        return [track for track in self._tracks(sorted(rows)) if wanted.is_named(track)]

    def _tracks(self, rows: Sequence[int]) -> list[Track]:
        return list(self._catalog.tracks(rows[:MAX_CANDIDATES]).values())


class _Wanted:
    """What is looked for, as it is compared."""

    def __init__(self, artist: str, title: str, album: str, seconds: float | None):
        self.artists, self.title = artist_keys(artist), title_key(title)
        self._whole, self._album, self._seconds = artist_key(artist), title_key(album), seconds
        self._spelling = folded(title)

    def is_named(self, track: Track) -> bool:
        """Whether a track has the title, and an artist."""
        metadata = track.metadata
        if title_key(metadata.title) != self.title:
            return False
        return not _artists_of(metadata.artist, metadata.album_artist).isdisjoint(self.artists)

    def best_of(self, tracks: Iterable[Track]) -> list[Track]:
        """Those that fit best, in the order of their ids."""
        best = sorted(tracks, key=lambda track: track.id)
        tests: tuple[Callable[[Track], bool], ...] = (
            self._has_artist,
            self._has_album,
            self._has_length,
            self._has_spelling,
        )
        for test in tests:
            best = [track for track in best if test(track)] or best
        return best

    def _has_artist(self, track: Track) -> bool:
        metadata = track.metadata
        return self._whole in (artist_key(metadata.artist), artist_key(metadata.album_artist))

    def _has_album(self, track: Track) -> bool:
        return bool(self._album) and title_key(track.metadata.album) == self._album

    def _has_length(self, track: Track) -> bool:
        seconds = self._seconds
        return bool(seconds) and abs(track.duration_seconds - (seconds or 0)) <= SAME_SECONDS

    def _has_spelling(self, track: Track) -> bool:
        return folded(track.metadata.title) == self._spelling


class _Rows:
    """Rows by text, 16 bytes each: by its hash, so that others may be among them."""

    def __init__(self) -> None:
        self._gathered = array("q")
        self._hashes = self._rows = np.empty(0, np.int64)

    def add(self, text: str, row: int) -> None:
        """Note a text of a row."""
        self._gathered.append(hash(text))
        self._gathered.append(row)

    def close(self) -> None:
        """Have all texts found."""
        pairs: Rows = np.frombuffer(self._gathered, np.int64).reshape(-1, 2)
        order = np.argsort(pairs[:, 0], kind="stable")
        self._hashes, self._rows = pairs[order, 0], pairs[order, 1]
        self._gathered = array("q")

    def of(self, text: str) -> list[int]:
        """Rows that may have a text."""
        wanted = hash(text)
        first = np.searchsorted(self._hashes, wanted, "left")
        rows: list[int] = self._rows[
            first : np.searchsorted(self._hashes, wanted, "right")
        ].tolist()
        return rows


def _documents(catalog: Catalog, n_rows: int) -> Iterator[tuple[int, dict[str, Any]]]:
    for first in range(0, n_rows, _AT_ONCE):
        documents = catalog.documents(range(first, min(first + _AT_ONCE, n_rows)))
        for row, document in documents.items():
            yield row, orjson.loads(document)


def _artists_of(artist: str, album_artist: str) -> frozenset[str]:
    """Keys of those who play: of a compilation's artist none, for no one is called that."""
    keys = artist_keys(artist)
    if album_artist != artist:
        keys += [key for key in artist_keys(album_artist) if key not in NOBODY]
    return frozenset(keys)


def _name(artist: str, title: str) -> str:
    return f"{artist}\n{title}"
