"""What GET /map and GET /map/tracks take."""

from typing import Annotated, Literal

from pydantic import Field

from api.questions import FiltersQuestion, Name, Question
from recommender.drawing import MOST_POINTS, Colouring

MOST_ROWS = 100
_LARGEST_ROW = 2**31 - 1
MapRows = Annotated[
    tuple[Annotated[int, Field(ge=0, le=_LARGEST_ROW)], ...],
    Field(
        min_length=1,
        max_length=MOST_ROWS,
        strict=False,
        description="Numbers of points, as `rows` of the map gives them; repeat the name.",
        examples=[[0]],
    ),
]


class MapQuestion(FiltersQuestion):
    """The query of GET /map."""

    space: Name | None = Field(
        None,
        description="The space whose map it is, by its id or its embedder's name: one, not "
        "several.",
        examples=["musicnn"],
    )
    colour: Colouring = Field(
        "tag", description="What groups are made of: the strongest tag, the genre or the year."
    )
    limit: int = Field(
        100_000,
        ge=1,
        le=MOST_POINTS,
        description="Most points; when more tracks qualify, they are spread evenly over them.",
    )
    format: Literal["json", "binary"] = Field(
        "json", description="json, or the same without ids in a tenth of the bytes: binary."
    )


class MapTracksQuestion(Question):
    """The query of GET /map/tracks."""

    generation: Name = Field(description="That of the map.")
    row: MapRows
