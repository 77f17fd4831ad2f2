"""The JSON and the queries that the service takes."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.examples import OTHER_ID, TRACK_ID
from recommender.questions import MAX_LIMIT, Options, Preference

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
    space: Name | None = Field(None, description="The space whose tracks are meant.")
