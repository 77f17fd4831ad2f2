"""Questions by example: a catalogued track, or a clip that is uploaded."""

from collections.abc import Awaitable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import ClipQuestion, Embeds, Running, ServedSpaces, clip_question, running
from api.etags import etag_of, revalidated
from api.lean import LeanRoute
from api.playlists import form_of
from api.questions import SimilarQuestion
from api.replies import Reply, response_of
from api.routes.documented import NOT_MODIFIED, PLAYLISTS, problems
from api.schemas import AnswerJson
from api.uploads import FIELD
from recommender.embedding import Embedding
from recommender.playlists import name_of
from recommender.segments import ClipWindows
from recommender.track import Track

lean = APIRouter(tags=["Recommending"], route_class=LeanRoute)
router = APIRouter(tags=["Recommending"])

_CLIP_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "additionalProperties": False,
                    "properties": {
                        FIELD: {
                            "type": "string",
                            "format": "binary",
                            "description": "A recording: WAV, FLAC, Ogg, MP3 or M4A.",
                        }
                    },
                }
            }
        },
    }
}


@lean.get(
    "/similar",
    operation_id="similar",
    summary="What sounds like a track of the catalog",
    response_description="The matches, closest first.",
    response_model=AnswerJson,
    responses=problems("unknown-track", "index-unavailable") | NOT_MODIFIED | PLAYLISTS,
)
async def similar(query: Annotated[SimilarQuestion, Query()], request: Request) -> Reply:
    """Tracks in the order of similarity; the track itself is never among them."""
    service = running(request)
    served = service.live.spaces
    spaces = served.choose(query.space)
    options, asked = query.options(), query.json_text()

    def title() -> str:
        document = served.holding(query.track_id).document(query.track_id)
        return f"Sounds like {name_of(Track.from_document(document).metadata)}"

    form = form_of(request, query, served, title)

    def search() -> bytes:
        return form.write(asked, spaces.similar(query.track_id, options))

    def answer() -> Awaitable[bytes]:
        return service.searches.ask(spaces, options, search, brief=form.brief)

    generations = (one.generation.manifest.generation for one in spaces.members)
    etag = etag_of("/similar", generations, asked + form.tag)
    return await revalidated(request, etag, answer, form.headers)


@router.post(
    "/similar/clip",
    operation_id="similar_to_clip",
    summary="What sounds like a recording that you upload",
    response_description="The matches, closest first.",
    responses=problems(
        "payload-too-large",
        "request-timeout",
        "unsupported-media",
        "undecodable-audio",
        "audio-too-short",
        "silent-audio",
        "audio-limit-exceeded",
        "decoder-crashed",
        "index-unavailable",
        "embedder-mismatch",
        "weights-unavailable",
        "embedder-unavailable",
        "overloaded",
    )
    | PLAYLISTS,
    openapi_extra=_CLIP_BODY,
    response_model=AnswerJson,
)
async def similar_to_clip(
    clip: Annotated[ClipQuestion, Depends(clip_question, scope="function")],
    embedder: Embeds,
    service: Running,
    served: ServedSpaces,
    request: Request,
) -> Response:
    """The clip is decoded, compared and deleted; how loud it is matters little."""
    form = form_of(request, clip.query, served, lambda: "Sounds like a clip")

    def embeddings() -> tuple[list[list[Embedding]], ClipWindows | None]:
        manifests = [member.generation.manifest for member in clip.spaces.members]
        if clip.in_time:
            whole, windows = embedder.embed_in_time(clip.path, manifests[0])
            return [whole], windows
        return [embedder.embed(clip.path, manifest) for manifest in manifests], None

    # not in the threads of searches, which would wait for children
    heard, windows = await run_in_threadpool(embeddings)
    options = clip.query.options()

    def search() -> bytes:
        answer = clip.spaces.similar_to_clip(heard, options, windows)
        return form.write(clip.query.json_text(), answer)

    brief = form.brief and windows is None
    body = await service.searches.ask(clip.spaces, options, search, brief=brief)
    return response_of(body, form.headers)
