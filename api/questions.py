"""The JSON and the queries that the service takes."""

from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from api.examples import OTHER_ID, TRACK_ID
from api.wording import NO_CONTROLS, NO_NUL, worded
from recommender.filters import NO_FILTERS, Filters
from recommender.questions import MAX_LIMIT, Options, Preference

MAX_PREFERENCES = 100
MAX_EXCLUSIONS = 1000
MAX_FILTERS = 100
MAX_TEXT = 500
MAX_YEAR = 9999

TrackId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=NO_CONTROLS)]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT, pattern=NO_NUL)]
Name = Annotated[Text, StringConstraints(min_length=1)]


class Question(BaseModel):
    """What a caller may send; a name that is not known is refused, so that no typo goes unseen."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="wrap")
    @classmethod
    def _in_words(cls, given: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(given)
        except ValidationError as error:
            raise worded(cls, error) from None

    def json_text(self) -> bytes:
        """What was asked as JSON, defaults included."""
        # what model_dump_json does before it makes text of it
        made: bytes = self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_none=True)
        return made


class NoParameters(Question):
    """For routes that take none."""


# sequences are tuples, for pydantic copies a default that is a list for every request; not strict
# ones, or no list of a body would be taken
Names = Annotated[tuple[Name, ...], Field(max_length=MAX_FILTERS, strict=False)]
Year = Annotated[int, Field(ge=1, le=MAX_YEAR)]
Seconds = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
ExcludedIds = Annotated[
    tuple[TrackId, ...],
    Field(
        max_length=MAX_EXCLUSIONS,
        strict=False,
        description="Tracks to leave out; in a query, repeat the name.",
    ),
]
ExcludedArtists = Annotated[
    tuple[Name, ...],
    Field(
        max_length=MAX_EXCLUSIONS,
        strict=False,
        description="Artists to leave out, in any case and accents; repeated like exclude_id.",
    ),
]
COLLAPSE: Literal["collapse"] = "collapse"
Duplicates = Annotated[
    Literal["collapse", "keep"],
    Field(
        description="What becomes of further copies of a recording, such as a remaster or another "
        "encoding: collapse, one comes at most and none of what is asked about, or keep."
    ),
]


class FiltersQuestion(Question):
    """What a match must be like; text is compared without case and accents."""

    genre: Names = Field((), description="Of one of these genres; in a query, repeat the name.")
    artist: Names = Field((), description="By one of these artists; repeated like genre.")
    album: Names = Field((), description="On one of these albums; repeated like genre.")
    tag: Names = Field(
        (), description="With all of these tags, as the embedder hears them; repeated like genre."
    )
    tag_threshold: float = Field(
        Filters().tag_threshold,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="How strong a tag must be to count.",
    )
    year_from: Year | None = Field(None, description="Of this year or later.")
    year_to: Year | None = Field(None, description="Of this year or earlier.")
    duration_min: Seconds | None = Field(None, description="Of so many seconds or more.")
    duration_max: Seconds | None = Field(None, description="Of so many seconds or fewer.")

    @field_validator("year_to", "duration_max")
    @classmethod
    def _is_a_range(cls, most: float | None, info: ValidationInfo) -> float | None:
        other = {"year_to": "year_from", "duration_max": "duration_min"}[str(info.field_name)]
        least = info.data.get(other)
        if most is not None and least is not None and most < least:
            values = {"most": f"{most:g}", "other": other, "least": f"{least:g}"}
            raise PydanticCustomError("range", "{most} is below {other}={least}", values)
        return most

    def filters(self) -> Filters:
        """The same for the recommender."""
        if self.model_fields_set.isdisjoint(_FILTERS):
            return NO_FILTERS
        return Filters(
            genres=self.genre,
            artists=self.artist,
            albums=self.album,
            tags=self.tag,
            tag_threshold=self.tag_threshold,
            year_from=self.year_from,
            year_to=self.year_to,
            duration_min=self.duration_min,
            duration_max=self.duration_max,
        )


_FILTERS = frozenset(FiltersQuestion.model_fields)


class ListQuestion(Question):
    """How a list of matches is written."""

    format: Literal["json", "m3u8", "xspf", "jspf"] | None = Field(
        None,
        description="What the matches are written as: json, or a playlist, m3u8, xspf or jspf; "
        "without it the header Accept says, and json is the default.",
    )
    paths: Literal["url", "relative", "absolute"] | None = Field(
        None,
        description="Where a playlist finds its tracks: url, at this service, the default; "
        "relative, to the folder of the catalog's files; absolute, if the operator allows it.",
    )


class OptionsQuestion(ListQuestion):
    """The options of every recommending call, filters aside."""

    limit: int = Field(10, ge=1, le=MAX_LIMIT, description="Most matches.")
    exclude_id: ExcludedIds = ()
    exclude_artist: ExcludedArtists = ()
    max_per_artist: int | None = Field(None, ge=1, description="Most matches by one artist.")
    max_per_album: int | None = Field(None, ge=1, description="Most matches on one album.")
    diversity: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="How unlike each other matches are to be, 0 for not at all.",
    )
    hub_correction: bool = Field(
        False, description="Whether tracks that are near to everything are put back."
    )
    duplicates: Duplicates = COLLAPSE
    min_similarity: float = Field(
        0.0, ge=0.0, le=1.0, allow_inf_nan=False, description="Leave out matches below."
    )
    space: Name | None = Field(
        None,
        description="The space that answers, by its id or its embedder's name; several with + "
        "between answer together. GET /index lists them.",
        examples=["musicnn"],
    )

    def options_with(self, filters: Filters) -> Options:
        """The same for the recommender."""
        if filters is NO_FILTERS and self.model_fields_set.isdisjoint(_SHAPING):
            # questions have defaults of their own: a listener's are not those of a track
            return _of_default_shape(self.limit, self.diversity, self.hub_correction)
        return Options(
            limit=self.limit,
            exclude_ids=self.exclude_id,
            exclude_artists=self.exclude_artist,
            max_per_artist=self.max_per_artist,
            min_similarity=self.min_similarity,
            filters=filters,
            max_per_album=self.max_per_album,
            diversity=self.diversity,
            corrects_hubs=self.hub_correction,
            collapses_duplicates=self.duplicates == COLLAPSE,
        )


_SHAPING = frozenset(OptionsQuestion.model_fields) - {"limit"}


@cache
def _of_default_shape(limit: int, diversity: float, corrects_hubs: bool) -> Options:
    """Most questions are like this, and making options takes as long as reading a question."""
    return Options(limit=limit, diversity=diversity, corrects_hubs=corrects_hubs)


class RecommendingQuestion(FiltersQuestion, OptionsQuestion):
    """The query of every recommending call: its options, and its filters beside them."""

    def options(self) -> Options:
        """The same for the recommender."""
        return self.options_with(self.filters())


class SimilarQuestion(RecommendingQuestion):
    """The query of GET /similar."""

    track_id: TrackId = Field(description="The track to start from.", examples=[TRACK_ID])


class ClipSimilarQuestion(RecommendingQuestion):
    """The query of POST /similar/clip."""

    by: Literal["segments", "tracks"] | None = Field(
        None,
        description="What the clip is compared with: segments, the stretches of tracks, which also "
        "says where it is; or tracks as a whole. Segments where the index has them.",
    )


class StrictFilters(FiltersQuestion):
    """The filters in a body, where numbers are numbers."""

    model_config = ConfigDict(strict=True)


class PreferenceQuestion(Question):
    """A track, and how much it counts."""

    model_config = ConfigDict(strict=True)

    track_id: TrackId
    weight: float = Field(1.0, gt=0.0, allow_inf_nan=False)

    def preference(self) -> Preference:
        """The same for the recommender."""
        return Preference(self.track_id, self.weight)


class RecommendationsQuestion(OptionsQuestion):
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
                    "filters": {"genre": ["Jazz"], "year_to": 1975},
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
    filters: StrictFilters = Field(
        default_factory=lambda: StrictFilters.model_validate({}),
        description="What a match must be like.",
    )

    def options(self) -> Options:
        """The same for the recommender."""
        return self.options_with(self.filters.filters())


class TracksQuestion(Question):
    """The query of GET /tracks."""

    q: Text = Field(
        "",
        description="Words, or their beginnings, in title, artist, album, genre or composer; all "
        "must be there.",
    )
    limit: int = Field(20, ge=1, le=MAX_LIMIT, description="Most tracks of the page.")
    cursor: str | None = Field(
        None, description="next_cursor of the page before; for the same q and space."
    )
    space: Name | None = Field(None, description="The space whose tracks are meant.")
