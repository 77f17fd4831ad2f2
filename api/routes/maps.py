"""The map of a catalog, and what its points are."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from api.dependencies import running
from api.etags import etag_of, revalidated
from api.lean import LeanRoute
from api.map_answers import map_json, map_packed, map_tracks_json
from api.map_question import MapQuestion, MapTracksQuestion
from api.map_schemas import MapJson, MapTracksJson
from api.problems import ProblemError
from api.replies import JSON_HEADERS, RawHeaders, Reply
from api.routes.documented import NOT_MODIFIED, problems
from recommender.drawing import draw

lean = APIRouter(tags=["Catalog"], route_class=LeanRoute)

_BYTES = "application/octet-stream"
_PACKED: RawHeaders = ((b"content-type", _BYTES.encode()),)
_FORMS = {"json": (map_json, JSON_HEADERS), "binary": (map_packed, _PACKED)}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}}}
}


@lean.get(
    "/map",
    operation_id="map",
    summary="All tracks in the plane, those that sound alike close together",
    response_description="A point for each track.",
    response_model=MapJson,
    responses=problems("index-unavailable") | NOT_MODIFIED | _CONTENT,
)
async def map_(query: Annotated[MapQuestion, Query()], request: Request) -> Reply:
    """Made when the index was; a track keeps its place until the index is built as a whole."""
    service = running(request)
    generation = service.live.spaces.choose(query.space).only().generation
    asked, (write, headers) = query.json_text(), _FORMS[query.format]

    def drawn() -> bytes:
        drawing = draw(generation, query.filters(), query.colour, query.limit)
        return write(asked, generation, drawing)

    etag = etag_of("/map", [generation.manifest.generation], asked)
    return await revalidated(request, etag, lambda: service.searches.run(drawn), headers)


@lean.get(
    "/map/tracks",
    operation_id="map_tracks",
    summary="What some points of the map are",
    response_description="The tracks, without those that are not there.",
    response_model=MapTracksJson,
    responses=problems("index-unavailable", "invalid-cursor") | NOT_MODIFIED,
)
async def map_tracks(query: Annotated[MapTracksQuestion, Query()], request: Request) -> Reply:
    """In the order of the question; of one generation, which must still be served."""
    service = running(request)
    known = {one.generation.manifest.generation: one for one in service.live.spaces.available}
    if query.generation not in known:
        raise ProblemError(
            "invalid-cursor", "generation: the map is of another index; ask GET /map again"
        )
    generation = known[query.generation].generation

    async def answer() -> bytes:
        return await service.searches.run(lambda: map_tracks_json(generation, query.row))

    etag = etag_of("/map/tracks", [query.generation], query.json_text())
    return await revalidated(request, etag, answer)
