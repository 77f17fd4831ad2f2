"""What GET /path takes."""

from pydantic import Field

from api.examples import OTHER_ID, TRACK_ID
from api.questions import (
    COLLAPSE,
    Duplicates,
    ExcludedArtists,
    ExcludedIds,
    FiltersQuestion,
    ListQuestion,
    Name,
    TrackId,
)
from recommender.paths import MAX_STEPS, MIN_STEPS, PathOptions


class PathQuestion(FiltersQuestion, ListQuestion):
    """The query of GET /path; its filters are for what lies between the ends."""

    from_id: TrackId = Field(alias="from", description="The first track.", examples=[TRACK_ID])
    to_id: TrackId = Field(alias="to", description="The last track.", examples=[OTHER_ID])
    steps: int = Field(
        PathOptions().steps,
        ge=MIN_STEPS,
        le=MAX_STEPS,
        description="Tracks of the path, both ends included.",
    )
    exclude_id: ExcludedIds = ()
    exclude_artist: ExcludedArtists = ()
    max_per_artist: int | None = Field(
        None, ge=1, description="Most tracks by one artist between the ends."
    )
    duplicates: Duplicates = COLLAPSE
    space: Name | None = Field(
        None,
        description="The space to walk in, by its id or its embedder's name: one, not several.",
        examples=["musicnn"],
    )

    def options(self) -> PathOptions:
        """The same for the recommender."""
        return PathOptions(
            steps=self.steps,
            exclude_ids=self.exclude_id,
            exclude_artists=self.exclude_artist,
            max_per_artist=self.max_per_artist,
            filters=self.filters(),
            collapses_duplicates=self.duplicates == COLLAPSE,
        )
