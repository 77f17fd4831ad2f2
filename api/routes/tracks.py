"""The catalog: search, one track, and its audio."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.answers import track_json, tracks_json
from api.audio_response import audio_response, open_regular
from api.cursors import cursor_of, place_of
from api.dependencies import Running, ServedSpaces, TrackIdInPath, no_parameters, running
from api.etags import etag_of, revalidated
from api.lean import LeanRoute
from api.problems import ProblemError
from api.questions import TracksQuestion
from api.replies import Reply
from api.routes.documented import NOT_MODIFIED, problems
from api.schemas import TrackDetailJson, TracksJson

lean = APIRouter(tags=["Catalog"], route_class=LeanRoute)
router = APIRouter(tags=["Catalog"])


@lean.get(
    "/tracks",
    operation_id="tracks",
    summary="Search the catalog, or browse it",
    response_description="One page.",
    response_model=TracksJson,
    responses=problems("index-unavailable", "invalid-cursor") | NOT_MODIFIED,
)
async def tracks(query: Annotated[TracksQuestion, Query()], request: Request) -> Reply:
    """Best first; without words in the order of a record shelf: artist, album, track number."""
    service = running(request)
    recommender = service.live.spaces.choose(query.space).only()
    generation = recommender.generation.manifest.generation
    after = None if query.cursor is None else place_of(query.cursor, generation, query.q)

    def search() -> bytes:
        page = recommender.search(query.q, query.limit, after)
        cursor = None if page.after is None else cursor_of(generation, query.q, page.after)
        return tracks_json(page.documents, page.total, cursor, generation)

    etag = etag_of("/tracks", [generation], query.json_text())
    return await revalidated(request, etag, lambda: service.searches.run(search))


@lean.get(
    "/tracks/{track_id}",
    operation_id="track",
    summary="One track, and what it sounds like",
    response_description="The track.",
    response_model=TrackDetailJson,
    responses=problems("unknown-track", "index-unavailable") | NOT_MODIFIED,
)
async def track(track_id: TrackIdInPath, request: Request) -> Reply:
    """What is known of a track, with its strongest tags."""
    recommender = running(request).live.spaces.holding(track_id)
    generation = recommender.generation.manifest.generation

    async def answer() -> bytes:
        # at once: a row or two
        return track_json(recommender.document(track_id), recommender.tags(track_id), generation)

    etag = etag_of("/tracks/", [generation], track_id.encode())
    return await revalidated(request, etag, answer)


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
