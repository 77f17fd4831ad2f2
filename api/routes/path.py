"""Paths from one track to another."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.answers import answer_json
from api.dependencies import running
from api.etags import etag_of, revalidated
from api.lean import LeanRoute
from api.path_question import PathQuestion
from api.replies import Reply
from api.routes.documented import NOT_MODIFIED, problems
from api.schemas import AnswerJson
from recommender.paths import find_path

lean = APIRouter(tags=["Recommending"], route_class=LeanRoute)


@lean.get(
    "/path",
    operation_id="path",
    summary="A smooth walk from one track to another",
    response_description="The tracks in order, both ends among them.",
    response_model=AnswerJson,
    responses=problems("unknown-track", "index-unavailable") | NOT_MODIFIED,
)
async def path(query: Annotated[PathQuestion, Query()], request: Request) -> Reply:
    """Each track sounds like the one before, and no track comes twice."""
    service = running(request)
    generation = service.live.spaces.choose(query.space).only().generation
    asked = query.json_text()

    def search() -> bytes:
        return answer_json(
            asked, find_path(generation, query.from_id, query.to_id, query.options())
        )

    etag = etag_of("/path", [generation.manifest.generation], asked)
    return await revalidated(request, etag, lambda: service.searches.run(search))
