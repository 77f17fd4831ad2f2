"""Questions by example: a catalogued track, or a clip that is uploaded."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from api.dependencies import ClipQuestion, Embeds, ServedSpaces, clip_question
from api.questions import SimilarQuestion
from api.routes.documented import problems
from api.schemas import AnswerJson
from api.uploads import FIELD

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


@router.get(
    "/similar",
    operation_id="similar",
    summary="What sounds like a track of the catalog",
    response_description="The matches, closest first.",
    responses=problems("unknown-track", "index-unavailable"),
)
def similar(query: Annotated[SimilarQuestion, Query()], spaces: ServedSpaces) -> AnswerJson:
    """Tracks in the order of similarity; the track itself is never among them."""
    answer = spaces.choose(query.space).similar(query.track_id, query.options())
    return AnswerJson.of(query.echo(), answer)


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
    ),
    openapi_extra=_CLIP_BODY,
)
def similar_to_clip(
    clip: Annotated[ClipQuestion, Depends(clip_question, scope="function")], embedder: Embeds
) -> AnswerJson:
    """The clip is decoded, compared and deleted; how loud it is matters little."""
    embeddings = [
        embedder.embed(clip.path, member.generation.manifest) for member in clip.spaces.members
    ]
    answer = clip.spaces.similar_to_clip(embeddings, clip.query.options())
    return AnswerJson.of(clip.query.echo(), answer)
