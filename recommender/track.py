"""What the product talks about: tracks, and matches between them."""

from dataclasses import dataclass, field


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


@dataclass(frozen=True, slots=True)
class TagStrength:
    """A musical tag that two tracks share, with its strength in [0, 1]."""

    name: str
    strength: float


@dataclass(frozen=True, slots=True)
class SpaceRank:
    """The place of a track in the answer of one of several spaces, 1 for the closest."""

    space: str
    rank: int


@dataclass(frozen=True, slots=True)
class Match:
    """One answer to a question.

    Attributes
    ----------
    rank
        1 for the closest.
    similarity
        (1 + cosine) / 2 of the two vectors, in [0, 1]: 1 is the same sound, 0.5 is what two
        unrelated tracks of the catalog have on average (vectors are centred on the catalog). Of
        several spaces together it is the score of :func:`recommender.ensemble.fused`.
    track
        The catalogued track.
    shared_tags
        Why: the tags that are strong in both the query and the track, strongest first.
    space_ranks
        When several spaces answer together: the track's place in each that ranks it.
    """

    rank: int
    similarity: float
    track: Track
    shared_tags: tuple[TagStrength, ...] = field(default=())
    space_ranks: tuple[SpaceRank, ...] = field(default=())
