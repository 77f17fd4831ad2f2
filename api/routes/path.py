"""Paths from one track to another."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.dependencies import running
from api.etags import etag_of, revalidated
from api.lean import LeanRoute
from api.path_question import PathQuestion
from api.playlists import form_of
from api.replies import Reply
from api.routes.documented import NOT_MODIFIED, PLAYLISTS, problems
from api.schemas import AnswerJson
from recommender.paths import find_path
from recommender.playlists import name_of
from recommender.track import Track

lean = APIRouter(tags=["Recommending"], route_class=LeanRoute)


@lean.get(
    "/path",
    operation_id="path",
    summary="A smooth walk from one track to another",
    response_description="The tracks in order, both ends among them.",
    response_model=AnswerJson,
    responses=problems("unknown-track", "index-unavailable") | NOT_MODIFIED | PLAYLISTS,
)
async def path(query: Annotated[PathQuestion, Query()], request: Request) -> Reply:
    """Each track sounds like the one before, and no track comes twice."""
    service = running(request)
    served = service.live.spaces
    generation = served.choose(query.space).only().generation
    asked = query.json_text()

    def title() -> str:
        ends = (served.holding(one).document(one) for one in (query.from_id, query.to_id))
        names = (name_of(Track.from_document(end).metadata) for end in ends)
        return f"From {' to '.join(names)}"

    form = form_of(request, query, served, title)

    def search() -> bytes:
        return form.write(asked, find_path(generation, query.from_id, query.to_id, query.options()))

    etag = etag_of("/path", [generation.manifest.generation], asked + form.tag)
    return await revalidated(request, etag, lambda: service.searches.run(search), form.headers)
