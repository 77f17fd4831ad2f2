"""The JSON that the service gives; what it takes is in `api.questions`."""

from dataclasses import asdict
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from api.examples import ANSWER
from recommender.manifest import Manifest
from recommender.questions import Answer
from recommender.served import embedder_of
from recommender.track import Match, TagStrength, Track


class TagJson(BaseModel):
    """A musical tag and its strength in [0, 1]."""

    name: str
    strength: float

    @classmethod
    def of(cls, tag: TagStrength) -> Self:
        """The JSON of a tag."""
        return cls(name=tag.name, strength=tag.strength)


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
    licence: str
    attribution: str

    @classmethod
    def of(cls, track: Track) -> Self:
        """The JSON of a track."""
        own = {"id": track.id, "duration_seconds": round(track.duration_seconds, 3)}
        return cls.model_validate(asdict(track.metadata) | own)


class SpaceRankJson(BaseModel):
    """The place of a track in the answer of one space."""

    space: str
    rank: int


class WhyJson(BaseModel):
    """Why a track is a match."""

    shared_tags: list[TagJson] = Field(description="Tags strong in both, strongest first.")
    space_ranks: list[SpaceRankJson] = Field(
        description="When several spaces answer: the place in the answer of each that ranks it."
    )


class MatchJson(BaseModel):
    """A track that sounds like what was asked for."""

    rank: int = Field(description="1 for the closest.")
    similarity: float = Field(
        description="In [0, 1]: (1 + cosine) / 2, where 1 is the same sound; or of several spaces "
        "the mean of 61 / (60 + rank): 1 is first in all of them, a rank beyond 1000 counts as 0."
    )
    track: TrackJson
    why: WhyJson

    @classmethod
    def of(cls, match: Match) -> Self:
        """The JSON of a match."""
        why = WhyJson(
            shared_tags=[TagJson.of(tag) for tag in match.shared_tags],
            space_ranks=[SpaceRankJson(space=r.space, rank=r.rank) for r in match.space_ranks],
        )
        track = TrackJson.of(match.track)
        return cls(rank=match.rank, similarity=match.similarity, track=track, why=why)


class AnswerJson(BaseModel):
    """The answer of every recommending call."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWER]})

    query: dict[str, Any] = Field(description="What was asked, defaults included.")
    generation: str = Field(description="The published index that answered; + between several.")
    space: str = Field(description="What makes its vectors comparable; + between several.")
    matches: list[MatchJson]
    warnings: list[str]

    @classmethod
    def of(cls, query: dict[str, Any], answer: Answer) -> Self:
        """The JSON of an answer."""
        return cls(
            query=query,
            generation=answer.generation,
            space=answer.space,
            matches=[MatchJson.of(match) for match in answer.matches],
            warnings=list(answer.warnings),
        )


class TracksJson(BaseModel):
    """A page of the catalog."""

    tracks: list[TrackJson]
    total: int = Field(description="How many tracks there are on all pages.")
    generation: str


class TrackDetailJson(BaseModel):
    """A track and what it sounds like."""

    track: TrackJson
    tags: list[TagJson] = Field(description="Its strongest tags, strongest first.")
    generation: str


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
    index_kind: str

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
            index_kind=manifest.index_kind,
        )


class IndexJson(SpaceJson):
    """What is served: the default space, and all of them."""

    spaces: list[SpaceJson] = Field(description="Every space that is served, the default first.")
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
