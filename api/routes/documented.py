"""The problems that routes answer with, as OpenAPI documents them."""

from http import HTTPStatus
from typing import Any

from api.playlists import MEDIA_TYPES
from api.problems import KINDS, MEDIA_TYPE

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "If-None-Match names the ETag of what would be the answer."}
}
_TEXT = {"type": "string"}
PLAYLISTS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            type_.decode(): {"schema": _TEXT}
            for format_, type_ in MEDIA_TYPES.items()
            if format_ != "json"
        }
    }
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "/problems/<slug>, the same for every occasion."},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong here, and the next step."},
        "request_id": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"in": _TEXT, "name": _TEXT, "message": _TEXT},
            },
        },
    },
}


def problems(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses for some problems, and for those that every route may answer with."""
    responses: dict[int | str, dict[str, Any]] = {}
    for slug in ("malformed-request", "invalid-parameter", *slugs):
        kind = KINDS[slug]
        default = {"description": HTTPStatus(kind.status).phrase, "content": {}}
        response = responses.setdefault(kind.status, default)
        content = response["content"].setdefault(
            MEDIA_TYPE, {"schema": PROBLEM_SCHEMA, "examples": {}}
        )
        content["examples"][slug] = {"summary": kind.title, "value": _example(slug)}
    return responses


def _example(slug: str) -> dict[str, object]:
    return {
        "type": f"/problems/{slug}",
        "title": KINDS[slug].title,
        "status": KINDS[slug].status,
        "detail": "…",
        "request_id": "6f1c7a52d0b94b6c8a7e3f0d9b2c4e51",
    }
