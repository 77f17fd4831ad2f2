"""What the product talks about: tracks, and matches between them."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypedDict

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the tags of a file say of a recording; every field may be unknown.

    Attributes
    ----------
    title, artist, album, album_artist, composer, genre
        Text without control characters, at most 500 characters, "" when unknown.
    track_number, year
        0 when unknown.
    musicbrainz_recording_id, musicbrainz_album_id, musicbrainz_artist_id
        MusicBrainz ids in lower case, "" when unknown.
    licence, attribution
        Terms of use and credit, from a catalog's ATTRIBUTION.csv, "" when unknown.
    bpm
        Tempo in beats a minute, 0 when unknown.
    key
        As :func:`recommender.keys.key_name` spells it, "" when unknown.
    """

    title: str = ""
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    composer: str = ""
    genre: str = ""
    track_number: int = 0
    year: int = 0
    musicbrainz_recording_id: str = ""
    musicbrainz_album_id: str = ""
    musicbrainz_artist_id: str = ""
    licence: str = ""
    attribution: str = ""
    bpm: float = 0.0
    key: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """One recording of a catalog.

    Attributes
    ----------
    id
        Opaque, stable while the audio stays the same, whatever its file is called.
    duration_seconds
        Length that was really decoded, never a header's claim.
    metadata
        What the tags say.
    """

    id: str
    duration_seconds: float
    metadata: Metadata

    @property
    def rounded_seconds(self) -> float:
        """Its duration as it is told and compared: to the millisecond."""
        return round(self.duration_seconds, 3)

    def document(self) -> str:
        """The track as JSON text, the same that the service gives.

        One flat object: `id`, `duration_seconds` to the millisecond, and the fields of
        :class:`Metadata`.
        """
        metadata = self.metadata
        return _ENCODER.encode(
            {
                "id": self.id,
                "title": metadata.title,
                "artist": metadata.artist,
                "album": metadata.album,
                "album_artist": metadata.album_artist,
                "composer": metadata.composer,
                "duration_seconds": self.rounded_seconds,
                "genre": metadata.genre,
                "year": metadata.year,
                "track_number": metadata.track_number,
                "musicbrainz_recording_id": metadata.musicbrainz_recording_id,
                "musicbrainz_album_id": metadata.musicbrainz_album_id,
                "musicbrainz_artist_id": metadata.musicbrainz_artist_id,
                "licence": metadata.licence,
                "attribution": metadata.attribution,
                "bpm": metadata.bpm,
                "key": metadata.key,
            }
        )

    @classmethod
    def from_document(cls, text: str) -> Self:
        """The track that :meth:`document` wrote."""
        values: dict[str, Any] = json.loads(text)
        id_, seconds = values.pop("id"), values.pop("duration_seconds")
        return cls(id_, seconds, Metadata(**values))


class TagStrength(TypedDict):
    """A musical tag that two tracks share, with its strength in [0, 1].

    A dict, for answers hold thirty of them: it is made, and becomes JSON, several times as fast as
    an object.
    """

    name: str
    strength: float


class SpaceRank(NamedTuple):
    """The place of a track in the answer of one of several spaces, 1 for the closest."""

    space: str
    rank: int


class Because(TypedDict):
    """What a match comes from: a track of a listener, and which of the interests it belongs to."""

    track_id: str
    interest: int


class Seed(TypedDict):
    """Which of several tracks that were asked about a match is nearest to, and how near."""

    track_id: str
    similarity: float


class Tempo(TypedDict):
    """Tempo of a match and of what was asked about, in beats a minute."""

    bpm: float
    seed_bpm: float
    close: bool


class Key(TypedDict):
    """Key of a match and of what was asked about."""

    key: str
    seed_key: str
    related: bool


class Level(TypedDict):
    """RMS level of a match, and how much louder it is than what was asked about."""

    level_dbfs: float
    difference_db: float


class Stretch(TypedDict):
    """Where in a track a clip is found, in seconds from its beginning.

    `similarity` is (1 + cosine) / 2, the mean over the windows of the clip and those of the track
    beside them; `same_recording` says whether that is as high as only the very recording makes it.
    """

    start_seconds: float
    end_seconds: float
    similarity: float
    same_recording: bool


class Reasons(TypedDict, total=False):
    """Why a track is a match, beside what it shares in tags; what is not known is not there.

    `because` is None for a listener of whom nothing speaks for a track, and `segment` for a track
    that a clip was compared with as a whole.
    """

    because: Because | None
    seed: Seed
    tempo: Tempo
    key: Key
    level: Level
    segment: Stretch | None
    hub_corrected: bool


NO_REASONS = Reasons()


class Match(NamedTuple):
    """One answer to a question.

    Attributes
    ----------
    rank
        1 for the closest.
    similarity
        (1 + cosine) / 2 of the two vectors, in [0, 1]: 1 is the same sound, 0.5 is what two
        unrelated tracks of the catalog have on average (vectors are centred on the catalog). Of
        several spaces together it is the score of :func:`recommender.ensemble.fused`.
    document
        The catalogued track, see :meth:`Track.document`.
    shared_tags
        Why: the tags that are strong in both the query and the track, strongest first.
    space_ranks
        When several spaces answer together: the track's place in each that ranks it.
    reasons
        What else speaks for it.
    """

    rank: int
    similarity: float
    document: str
    shared_tags: tuple[TagStrength, ...] = ()
    space_ranks: tuple[SpaceRank, ...] = ()
    reasons: Reasons = NO_REASONS

    @property
    def track(self) -> Track:
        """The catalogued track, read from its document at every call."""
        return Track.from_document(self.document)
