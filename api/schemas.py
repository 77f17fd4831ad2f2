"""The JSON that the service takes and gives."""

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.examples import ANSWER, OTHER_ID, TRACK_ID
from recommender.engine import MAX_LIMIT, Answer, Options, Preference
from recommender.manifest import Manifest
from recommender.served import embedder_of
from recommender.track import Match, TagStrength, Track

MAX_PREFERENCES = 100
MAX_EXCLUSIONS = 1000
MAX_TEXT = 500
MAX_OFFSET = 10**9

TrackId = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT, pattern=r"^[^\x00]*$")]
Name = Annotated[Text, StringConstraints(min_length=1)]


class Question(BaseModel):
    """What a caller may send; a name that is not known is refused, so that no typo goes unseen."""

    model_config = ConfigDict(extra="forbid")


class NoParameters(Question):
    """For routes that take none."""


class RecommendingQuestion(Question):
    """The options of every recommending call."""

    limit: int = Field(10, ge=1, le=MAX_LIMIT, description="Most matches.")
    exclude_id: list[TrackId] = Field(
        [],
        max_length=MAX_EXCLUSIONS,
        description="Tracks to leave out; in a query, repeat the name.",
    )
    exclude_artist: list[Name] = Field(
        [],
        max_length=MAX_EXCLUSIONS,
        description="Artists to leave out, in any case and accents; repeated like exclude_id.",
    )
    max_per_artist: int | None = Field(None, ge=1, description="Most matches by one artist.")
    min_similarity: float = Field(
        0.0, ge=0.0, le=1.0, allow_inf_nan=False, description="Leave out matches below."
    )
    space: Name | None = Field(
        None,
        description="The space that answers, by its id or its embedder's name; several with + "
        "between answer together. GET /index lists them.",
        examples=["musicnn"],
    )

    def options(self) -> Options:
        """The same for the recommender."""
        return Options(
            limit=self.limit,
            exclude_ids=tuple(self.exclude_id),
            exclude_artists=tuple(self.exclude_artist),
            max_per_artist=self.max_per_artist,
            min_similarity=self.min_similarity,
        )

    def echo(self) -> dict[str, Any]:
        """What was asked, defaults included."""
        return self.model_dump(exclude_none=True)


class SimilarQuestion(RecommendingQuestion):
    """The query of GET /similar."""

    track_id: TrackId = Field(description="The track to start from.", examples=[TRACK_ID])


class PreferenceQuestion(Question):
    """A track, and how much it counts."""

    model_config = ConfigDict(strict=True)

    track_id: TrackId
    weight: float = Field(1.0, gt=0.0, allow_inf_nan=False)

    def preference(self) -> Preference:
        """The same for the recommender."""
        return Preference(self.track_id, self.weight)


class RecommendationsQuestion(RecommendingQuestion):
    """The body of POST /recommendations."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "positive": [{"track_id": TRACK_ID, "weight": 2}],
                    "negative": [{"track_id": OTHER_ID}],
                    "limit": 20,
                    "max_per_artist": 1,
                }
            ]
        },
    )

    positive: list[PreferenceQuestion] = Field(
        min_length=1, max_length=MAX_PREFERENCES, description="Tracks to sound like."
    )
    negative: list[PreferenceQuestion] = Field(
        [], max_length=MAX_PREFERENCES, description="Tracks to stay away from."
    )


class TracksQuestion(Question):
    """The query of GET /tracks."""

    q: Text = Field("", description="Words in title, artist, album or composer; all must be there.")
    limit: int = Field(20, ge=1, le=MAX_LIMIT, description="Most tracks of the page.")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="Tracks to skip.")


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
        "the mean of 61 / (60 + rank), where 1 is first in all of them."
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
