"""What is served, and whether it can be."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends

from api.dependencies import Running, Served, ServedSpaces, no_parameters
from api.routes.documented import problems
from api.schemas import IndexJson, LiveJson, ReadyJson, SpaceJson

router = APIRouter(tags=["Service"], dependencies=[Depends(no_parameters)])


@router.get(
    "/index",
    operation_id="index",
    summary="Facts about the index that is served",
    response_description="The facts.",
    responses=problems("index-unavailable"),
)
def index(service: Running, spaces: ServedSpaces) -> IndexJson:
    """Which generations answer, what made their vectors, how many tracks each holds."""
    return IndexJson(
        **dict(SpaceJson.of(spaces.default.generation.manifest)),
        spaces=[SpaceJson.of(one.generation.manifest) for one in spaces.available],
        stale=_stale(service.live.refused) if service.live.problem else None,
    )


@router.get(
    "/livez",
    operation_id="livez",
    summary="Whether the service is up",
    response_description="It is.",
    responses=problems(),
)
def livez() -> LiveJson:
    """Answers as soon as the service listens, with or without an index."""
    return LiveJson()


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Whether the service can answer questions",
    response_description="It can.",
    responses=problems("index-unavailable"),
)
def readyz(recommender: Served) -> ReadyJson:
    """503 until a valid index is loaded."""
    return ReadyJson(generation=recommender.generation.manifest.generation)


def _stale(refused: Sequence[str]) -> str:
    # the problem's own words may name paths; they are in the log
    which = f" of {', '.join(refused)}" if any(refused) else ""
    return (
        f"the index{which} that is published cannot be served; an older one answers, or none; "
        "on the server run: python -m indexer verify"
    )
