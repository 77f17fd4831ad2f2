"""The JSON that the service gives; what it takes is in `api.questions`.

Answers that are asked for often are written by `api.answers`, and these models describe them.
"""

from dataclasses import asdict
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from api.examples import ANSWER, HEARD, RECOMMENDED
from recommender.manifest import IndexRecord, Manifest
from recommender.served import embedder_of


class TagJson(BaseModel):
    """A musical tag and its strength in [0, 1]."""

    name: str
    strength: float


class TrackJson(BaseModel):
    """A track; text is empty and numbers are 0 when they are not known."""

    id: str
    title: str
    artist: str
    album: str
    album_artist: str
    composer: str
    duration_seconds: float
    genre: str
    year: int
    track_number: int
    musicbrainz_recording_id: str
    musicbrainz_album_id: str
    musicbrainz_artist_id: str
    licence: str
    attribution: str
    bpm: float
    key: str


class SpaceRankJson(BaseModel):
    """The place of a track in the answer of one space."""

    space: str
    rank: int


class BecauseJson(BaseModel):
    """What a track is recommended for."""

    track_id: str = Field(description="The track of the listener that it is most like.")
    interest: int = Field(description="The interest that this belongs to, 1 the largest.")


class SeedJson(BaseModel):
    """Which of several tracks that were asked about a match is most like."""

    track_id: str
    similarity: float


class TempoJson(BaseModel):
    """Tempo of a match, and of what it is compared with."""

    bpm: float
    seed_bpm: float
    close: bool = Field(description="Whether they differ by 4 % at most, in half or double time.")


class KeyJson(BaseModel):
    """Key of a match, and of what it is compared with."""

    key: str
    seed_key: str
    related: bool = Field(
        description="Whether they are the same, relative keys, or of one mode and a fifth apart."
    )


class LevelJson(BaseModel):
    """How loud a match is."""

    level_dbfs: float = Field(description="RMS, in dB relative to full scale.")
    difference_db: float = Field(description="Above 0 when it is louder than what was asked about.")


class SegmentJson(BaseModel):
    """Where in a track a clip is."""

    start_seconds: float = Field(description="From the beginning of the track.")
    end_seconds: float
    similarity: float = Field(
        description="In [0, 1]: (1 + cosine) / 2, the mean over the windows of the clip."
    )
    same_recording: bool = Field(
        description="Whether it is the very recording, as far as can be told."
    )


class WhyJson(BaseModel):
    """Why a track is a match; what is not known, or does not apply, is not there."""

    shared_tags: list[TagJson] = Field(description="Tags strong in both, strongest first.")
    space_ranks: list[SpaceRankJson] = Field(
        description="When several spaces answer: the place in the answer of each that ranks it."
    )
    tempo: TempoJson | None = Field(None, description="As the tags of both files say.")
    key: KeyJson | None = Field(None, description="As the tags of both files say.")
    level: LevelJson | None = Field(None, description="As it was measured.")
    seed: SeedJson | None = Field(None, description="Of several tracks that were asked about.")
    because: BecauseJson | None = Field(
        None,
        description="Of a listener; null when nothing of the listener speaks for a track.",
    )
    segment: SegmentJson | None = Field(None, description="Of a clip: where it is in the track.")
    hub_corrected: bool | None = Field(
        None, description="true when tracks that are near to everything were put back."
    )


class MatchJson(BaseModel):
    """A track that sounds like what was asked for."""

    rank: int = Field(description="1 for the closest, or the first.")
    similarity: float | None = Field(
        description="In [0, 1]: (1 + cosine) / 2, where 1 is the same sound; or of several spaces "
        "the mean of 61 / (60 + rank): 1 is first in all of them, a rank beyond 1000 counts as 0. "
        "Of a clip that was found in time: that of the segment when it is the very recording, else "
        "the mean of it and of that of the whole track. In a path, to the track before; null of "
        "the first."
    )
    track: TrackJson
    why: WhyJson


class AnswerJson(BaseModel):
    """The answer of every recommending call; a path is in its own order."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWER, RECOMMENDED, HEARD]})

    query: dict[str, Any] = Field(description="What was asked, defaults included.")
    generation: str = Field(description="The published index that answered; + between several.")
    space: str = Field(description="What makes its vectors comparable; + between several.")
    matches: list[MatchJson]
    warnings: list[str]


class TracksJson(BaseModel):
    """A page of the catalog."""

    tracks: list[TrackJson]
    total: int = Field(description="How many tracks there are on all pages.")
    next_cursor: str | None = Field(description="For the next page; null on the last one.")
    generation: str


class TrackDetailJson(BaseModel):
    """A track and what it sounds like."""

    track: TrackJson
    tags: list[TagJson] = Field(description="Its strongest tags, strongest first.")
    generation: str


class PointJson(BaseModel):
    """What an index finds of what exact search finds, at one effort."""

    effort: int = Field(description="How hard it searches; 0 when there is nothing to choose.")
    recall_at_10: float = Field(description="Share of the 10 nearest that it finds.")
    recall_at_100: float
    milliseconds: float = Field(description="Median of a search for 10, on one core.")


class MeasurementJson(PointJson):
    """An index against exact search over its own catalog, at the effort that it is served with."""

    queries: int = Field(description="How many tracks it was asked about.")
    bytes_per_vector: float = Field(
        description="Of the index, for a vector of so many numbers as `dimension` says; lists of "
        "neighbours, tags, the catalog and vectors in a file of their own are not counted."
    )
    curve: list[PointJson] = Field(description="Other efforts, ascending.")
    listed_recall_at_10: float | None = Field(
        description="Share of the 10 nearest that is in the lists of neighbours, from which most "
        "questions about a track are answered; null without such lists."
    )


class VectorIndexJson(BaseModel):
    """How the vectors of a space are searched."""

    kind: str
    factory: str = Field(description="What FAISS calls it.")
    target_recall: float = Field(description="The recall_at_10 that was asked for.")
    measurement: MeasurementJson | None = Field(
        description="As it was last measured; null of a catalog too small for that."
    )
    warnings: list[str] = Field(description="Why it is another one than was asked for.")

    @classmethod
    def of(cls, record: IndexRecord) -> Self:
        """The JSON of how an index was made."""
        return cls(
            kind=record.recipe.kind,
            factory=record.recipe.factory,
            target_recall=record.options.target_recall,
            measurement=MeasurementJson.model_validate(asdict(record.measurement))
            if record.measurement.queries
            else None,
            warnings=list(record.recipe.warnings),
        )


class SegmentsJson(BaseModel):
    """Windows that are kept one by one, in which clips are found in time."""

    n_windows: int
    n_tracks: int = Field(description="How many tracks they are of.")
    step_seconds: float = Field(description="From the beginning of a window to that of the next.")
    window_seconds: float
    kind: str = Field(description="How they are searched.")
    bytes: int = Field(description="Of their files.")

    @classmethod
    def of(cls, manifest: Manifest) -> Self | None:
        """The JSON of those of a generation, None when it has none."""
        record = manifest.index.segments
        if record is None:
            return None
        return cls(
            n_windows=record.n_windows,
            n_tracks=record.n_tracks,
            step_seconds=round(record.step_seconds, 3),
            window_seconds=round(record.window_seconds, 3),
            kind=record.recipe.kind,
            bytes=manifest.bytes_of(record.files),
        )


class SpaceJson(BaseModel):
    """What answers in one space."""

    generation: str
    created_at: str = Field(description="When it was made, UTC, ISO 8601.")
    space: str
    embedder: str
    windows: int | Literal["all"] = Field(description="Windows spread over a track.")
    pooling: str
    projection: str
    dimension: int
    n_tracks: int
    index: VectorIndexJson
    segments: SegmentsJson | None = Field(description="null when clips are found as a whole only.")

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """The JSON of a generation."""
        return cls(
            generation=manifest.generation,
            created_at=manifest.created_at,
            space=manifest.space_id,
            embedder=embedder_of(manifest),
            windows=manifest.space["n_windows"],
            pooling=manifest.space["pooling"],
            projection=manifest.space["projection"],
            dimension=manifest.dimension,
            n_tracks=manifest.n_tracks,
            index=VectorIndexJson.of(manifest.index),
            segments=SegmentsJson.of(manifest),
        )


class IndexJson(SpaceJson):
    """What is served: the default space, and all of them."""

    spaces: list[SpaceJson] = Field(description="Every space that is served, the default first.")
    audio: bool = Field(description="Whether GET /tracks/{track_id}/audio gives the files.")
    stale: str | None = Field(
        description="Set when a newer index was published but could not be served."
    )


class LiveJson(BaseModel):
    """That the service is up."""

    status: Literal["alive"] = "alive"


class ReadyJson(BaseModel):
    """That the service can answer, and from which generation."""

    status: Literal["ready"] = "ready"
    generation: str
