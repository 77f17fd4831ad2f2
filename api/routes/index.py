"""What is served, and whether it can be."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request

from api.dependencies import Served, no_parameters, running
from api.etags import etag_of, revalidated
from api.lean import LeanRoute
from api.replies import Reply
from api.routes.documented import NOT_MODIFIED, problems
from api.schemas import IndexJson, LiveJson, ReadyJson, SpaceJson
from recommender.errors import IndexOutdatedError

lean = APIRouter(tags=["Service"], route_class=LeanRoute)
router = APIRouter(tags=["Service"], dependencies=[Depends(no_parameters)])


@lean.get(
    "/index",
    operation_id="index",
    summary="Facts about the index that is served",
    response_description="The facts.",
    response_model=IndexJson,
    responses=problems("index-unavailable") | NOT_MODIFIED,
)
async def index(request: Request) -> Reply:
    """Which generations answer, what made their vectors, how many tracks each holds."""
    service = running(request)
    live, spaces = service.live, service.live.spaces
    facts = IndexJson(
        **dict(SpaceJson.of(spaces.default.generation.manifest)),
        spaces=[SpaceJson.of(one.generation.manifest) for one in spaces.available],
        audio=service.settings.serve_audio,
        stale=_stale(live.refused, spaces.outdated) if live.problem else None,
    )
    body = facts.model_dump_json().encode()

    async def answer() -> bytes:
        return body

    return await revalidated(request, etag_of("/index", (), body), answer)


@router.get(
    "/livez",
    operation_id="livez",
    summary="Whether the service is up",
    response_description="It is.",
    responses=problems(),
)
async def livez() -> LiveJson:
    """Answers as soon as the service listens, with or without an index."""
    return LiveJson()


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Whether the service can answer questions",
    response_description="It can.",
    responses=problems("index-unavailable"),
)
async def readyz(recommender: Served) -> ReadyJson:
    """503 until a valid index is loaded."""
    return ReadyJson(generation=recommender.generation.manifest.generation)


def _stale(refused: Sequence[str], outdated: Sequence[str]) -> str:
    # the problem's own words may name paths; they are in the log
    if outdated and len(outdated) == len(refused):
        return str(IndexOutdatedError(outdated[0], f"the index of space={outdated[0]}"))
    which = f" of {', '.join(refused)}" if any(refused) else ""
    return (
        f"the index{which} that is published cannot be served; an older one answers, or none; "
        "on the server run: python -m indexer verify"
    )
