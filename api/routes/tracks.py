"""The catalog: search, one track, and its audio."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.audio_response import audio_response, open_regular
from api.dependencies import Running, ServedSpaces, TrackIdInPath, no_parameters
from api.problems import ProblemError
from api.questions import TracksQuestion
from api.routes.documented import problems
from api.schemas import TagJson, TrackDetailJson, TrackJson, TracksJson

router = APIRouter(tags=["Catalog"])


@router.get(
    "/tracks",
    operation_id="tracks",
    summary="Search the catalog, or browse it",
    response_description="One page.",
    responses=problems("index-unavailable"),
)
def tracks(query: Annotated[TracksQuestion, Query()], spaces: ServedSpaces) -> TracksJson:
    """In the order of a record shelf: artist, album, track number."""
    recommender = spaces.choose(query.space).only()
    found, total = recommender.search(query.q, query.limit, query.offset)
    return TracksJson(
        tracks=[TrackJson.of(track) for track in found],
        total=total,
        generation=recommender.generation.manifest.generation,
    )


@router.get(
    "/tracks/{track_id}",
    operation_id="track",
    summary="One track, and what it sounds like",
    response_description="The track.",
    responses=problems("unknown-track", "index-unavailable"),
    dependencies=[Depends(no_parameters)],
)
def track(track_id: TrackIdInPath, spaces: ServedSpaces) -> TrackDetailJson:
    """What is known of a track, with its strongest tags."""
    recommender = spaces.holding(track_id)
    return TrackDetailJson(
        track=TrackJson.of(recommender.track(track_id)),
        tags=[TagJson.of(tag) for tag in recommender.tags(track_id)],
        generation=recommender.generation.manifest.generation,
    )


@router.get(
    "/tracks/{track_id}/audio",
    operation_id="audio",
    summary="The recording itself",
    response_class=Response,
    responses={
        200: {"description": "The whole file.", "content": {"audio/*": {}}},
        206: {"description": "The range that was asked for.", "content": {"audio/*": {}}},
        304: {"description": "It has not changed since."},
        **problems(
            "unknown-track", "audio-unavailable", "range-not-satisfiable", "index-unavailable"
        ),
    },
    dependencies=[Depends(no_parameters)],
)
def audio(
    track_id: TrackIdInPath, request: Request, service: Running, spaces: ServedSpaces
) -> Response:
    """The file as it is, for players: one range at a time, and ETags that change with the file."""
    if not service.settings.serve_audio:
        raise ProblemError("audio-unavailable", "the operator does not serve audio")
    path = spaces.holding(track_id).audio_path(track_id)
    try:
        file = open_regular(path)
    except OSError as error:
        raise ProblemError(
            "audio-unavailable", f"the file of track_id={track_id} is gone; run reindex"
        ) from error
    return audio_response(file, path, request.headers, head_only=request.state.head_only)
