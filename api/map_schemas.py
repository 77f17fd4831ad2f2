"""The JSON that maps are; `api.map_answers` writes it."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.schemas import TrackJson


class GroupJson(BaseModel):
    """Points of one kind."""

    name: str = Field(description="A tag, a genre, or a decade such as 1990s.")
    n_tracks: int = Field(description="How many points it has.")


class MapJson(BaseModel):
    """A point for each track; the arrays are alike long, and belong together by place."""

    query: dict[str, Any] = Field(description="What was asked, defaults included.")
    generation: str = Field(description="The published index that it is the map of.")
    space: str = Field(description="What was compared.")
    method: Literal["neighbours", "pca"] = Field(
        description="How it was made: by neighbours, or by principal components alone."
    )
    n_tracks: int = Field(description="How many tracks qualify, also of those beyond the limit.")
    legend: list[GroupJson] = Field(description="The largest groups, ten at most.")
    warnings: list[str]
    rows: list[int] = Field(description="What `GET /map/tracks` calls the points, ascending.")
    ids: list[str] = Field(description="Ids of the tracks.")
    x: list[float] = Field(description="From -1 to 1.")
    y: list[float] = Field(description="From -1 to 1.")
    groups: list[int] = Field(description="Place in the legend; -1 for none of these groups.")


class MapTrackJson(BaseModel):
    """A point of the map."""

    row: int
    track: TrackJson


class MapTracksJson(BaseModel):
    """Some points of the map."""

    generation: str
    tracks: list[MapTrackJson]
