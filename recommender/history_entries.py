"""What a history is made of, and what each format calls it (pure).

Formats are told by the names of their fields, whatever their file is called. Sources: the exporting
code of ListenBrainz and Maloja, Spotify's description of its streaming history, the page "Portable
Player Logging" of audioscrobbler.net.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recommender.events import Kind
from recommender.history_values import mbid_of, milliseconds_of, moment_of, number_of, text_of

Record = Mapping[str, Any]

RATINGS = {"L": Kind.LISTEN, "S": Kind.SKIP}
SCORES = {1: Kind.LIKE, -1: Kind.DISLIKE}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A listen, like, dislike or skip that was noted elsewhere.

    Attributes
    ----------
    artist, title, album
        As they were noted; "" when unknown. Several artists are parted by ``; ``.
    at
        When, in UTC; of a listen its beginning or its end, as the format has it.
    kind
        What the format says it was; how long it was played may say otherwise.
    seconds_played
        How much of it was heard, None when unknown.
    track_seconds
        Length of the whole track, None when unknown.
    recording_mbids
        MusicBrainz ids of the recording, the likeliest first.
    """

    artist: str
    title: str
    album: str
    at: datetime
    kind: Kind = Kind.LISTEN
    seconds_played: float | None = None
    track_seconds: float | None = None
    recording_mbids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """A place in a history that cannot be understood, and why."""

    place: str
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry that is sound, but says nothing of a taste in music."""

    why: str


Item = HistoryEntry | Broken | LeftOut

_NOT_HEARD = LeftOut("not heard for a moment")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of record.

    Attributes
    ----------
    name
        For people.
    fields
        Names that a record of this kind has.
    entry
        What such a record says; a :class:`ValueError` tells why it says nothing.
    """

    name: str
    fields: frozenset[str]
    entry: Callable[[Record], HistoryEntry | LeftOut]


def format_of(record: object) -> Format | None:
    """The format of a record from a JSON file, None when it is of none that is known."""
    if not isinstance(record, dict):
        return None
    return next((known for known in JSON_FORMATS if known.fields <= record.keys()), None)


def _listenbrainz(record: Record) -> HistoryEntry:
    track = _mapping(record["track_metadata"])
    more = _mapping(track.get("additional_info") or {})
    mapped = _mapping(track.get("mbid_mapping") or {})
    played = number_of(more.get("duration_played"))
    length = number_of(more.get("duration"))
    return _named(
        HistoryEntry(
            artist=text_of(track.get("artist_name")),
            title=text_of(track.get("track_name")),
            album=text_of(track.get("release_name")),
            at=moment_of(record.get("listened_at")),
            seconds_played=milliseconds_of(more.get("ms_played")) if played is None else played,
            track_seconds=milliseconds_of(more.get("duration_ms")) if length is None else length,
            recording_mbids=_mbids(more.get("recording_mbid"), mapped.get("recording_mbid")),
        )
    )


def _feedback(record: Record) -> HistoryEntry | LeftOut:
    score = record["score"]
    if score == 0:
        return LeftOut("feedback that was taken back")
    if not isinstance(score, int) or isinstance(score, bool) or score not in SCORES:
        raise ValueError("a score is neither 1 nor -1")
    track = _mapping(record.get("track_metadata") or {})
    mapped = _mapping(track.get("mbid_mapping") or {})
    return _named(
        HistoryEntry(
            artist=text_of(track.get("artist_name")),
            title=text_of(track.get("track_name")),
            album=text_of(track.get("release_name")),
            at=moment_of(record.get("created")),
            kind=SCORES[score],
            recording_mbids=_mbids(record.get("recording_mbid"), mapped.get("recording_mbid")),
        )
    )


def _spotify_extended(record: Record) -> HistoryEntry | LeftOut:
    if record.get("incognito_mode") is True:
        return LeftOut("private session")
    if not record["master_metadata_track_name"]:
        return LeftOut("podcast, audiobook or video")
    if not record["ms_played"]:
        return _NOT_HEARD
    return _named(
        HistoryEntry(
            artist=text_of(record.get("master_metadata_album_artist_name")),
            title=text_of(record["master_metadata_track_name"]),
            album=text_of(record.get("master_metadata_album_album_name")),
            at=moment_of(record["ts"]),
            kind=Kind.SKIP if record.get("skipped") is True else Kind.LISTEN,
            seconds_played=milliseconds_of(record["ms_played"]),
        )
    )


def _spotify(record: Record) -> HistoryEntry | LeftOut:
    if not record["msPlayed"]:
        return _NOT_HEARD
    return _named(
        HistoryEntry(
            artist=text_of(record["artistName"]),
            title=text_of(record["trackName"]),
            album="",
            at=moment_of(record["endTime"]),
            seconds_played=milliseconds_of(record["msPlayed"]),
        )
    )


def _maloja(record: Record) -> HistoryEntry:
    track = _mapping(record["track"])
    artists, album = track.get("artists"), track.get("album")
    names = map(text_of, artists) if isinstance(artists, list) else [text_of(artists)]
    title = album.get("albumtitle") or album.get("name") if isinstance(album, dict) else album
    return _named(
        HistoryEntry(
            artist="; ".join(filter(None, names)),
            title=text_of(track.get("title")),
            album=text_of(title),
            at=moment_of(record["time"]),
            seconds_played=number_of(record.get("duration")),
            track_seconds=number_of(track.get("length")),
        )
    )


def _row(record: Record) -> HistoryEntry:
    """A row of a table, by the names of :data:`recommender.history_records.COLUMNS`."""
    played = number_of(record.get("seconds_played"))
    return _named(
        HistoryEntry(
            artist=text_of(record["artist"]),
            title=text_of(record["title"]),
            album=text_of(record.get("album")),
            at=moment_of(record["time"]),
            seconds_played=milliseconds_of(record.get("ms_played")) if played is None else played,
            recording_mbids=_mbids(record.get("recording_mbid")),
        )
    )


def _logged(record: Record) -> HistoryEntry:
    """A line of a log, by the names of :data:`recommender.history_records.LOGGED`."""
    if record["rating"] not in RATINGS:
        raise ValueError("a rating is neither L nor S")
    return _named(
        HistoryEntry(
            artist=text_of(record["artist"]),
            title=text_of(record["title"]),
            album=text_of(record["album"]),
            at=moment_of(record["time"]),
            kind=RATINGS[record["rating"]],
            track_seconds=number_of(record["length"]),
            recording_mbids=_mbids(record.get("recording_mbid")),
        )
    )


def _mapping(value: Any) -> Record:
    if not isinstance(value, dict):
        raise ValueError("a field is not an object")
    return value


def _mbids(*values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(mbid_of, values))))


def _named(entry: HistoryEntry) -> HistoryEntry:
    if not (entry.recording_mbids or (entry.artist and entry.title)):
        raise ValueError("neither artist and title nor a MusicBrainz id")
    return entry


# feedback first: it may hold the metadata of a listen
JSON_FORMATS = (
    Format("ListenBrainz feedback", frozenset({"score", "recording_msid"}), _feedback),
    Format("ListenBrainz", frozenset({"track_metadata"}), _listenbrainz),
    Format(
        "Spotify extended streaming history",
        frozenset({"ts", "ms_played", "master_metadata_track_name"}),
        _spotify_extended,
    ),
    Format(
        "Spotify streaming history",
        frozenset({"endTime", "msPlayed", "artistName", "trackName"}),
        _spotify,
    ),
    Format("Maloja", frozenset({"time", "track"}), _maloja),
)
TABLE = Format("Last.fm CSV", frozenset(), _row)
LOG = Format("Audioscrobbler log", frozenset(), _logged)
