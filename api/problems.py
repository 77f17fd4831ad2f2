"""The one place where errors become answers: RFC 9457 problems, for everything that goes wrong."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from recommender.errors import (
    AudioError,
    ChildFailedError,
    GenerationError,
    IndexOutdatedError,
    IndexUnavailableError,
    InvalidParameterError,
    MissingPackageError,
    PluginError,
    RemoteEmbedderError,
    SoundalikeError,
    SpaceMismatchError,
    SpaceUnavailableError,
    StorageError,
    UnknownTrackError,
    WeightsError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_MAX_DETAIL = 500
_MAX_ERRORS = 20
_NO_JSON = "it is no JSON from this character on"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: the status it is answered with, and its title."""

    status: int
    title: str


KINDS = {
    "malformed-request": Kind(400, "The request cannot be read"),
    "invalid-cursor": Kind(400, "The cursor is no use"),
    "unknown-host": Kind(400, "The service does not answer to this host name"),
    "not-found": Kind(404, "Nothing is here"),
    "unknown-track": Kind(404, "Unknown track"),
    "audio-unavailable": Kind(404, "The audio cannot be served"),
    "method-not-allowed": Kind(405, "This method is not allowed here"),
    "request-timeout": Kind(408, "The request came too slowly"),
    "payload-too-large": Kind(413, "The body is too large"),
    "unsupported-media": Kind(415, "This type of content is not supported"),
    "range-not-satisfiable": Kind(416, "The range lies beyond the end"),
    "invalid-parameter": Kind(422, "Invalid parameter"),
    "bad-audio": Kind(422, "The audio cannot be used"),
    "undecodable-audio": Kind(422, "The audio cannot be decoded"),
    "audio-limit-exceeded": Kind(422, "The audio is beyond a limit"),
    "audio-too-short": Kind(422, "The audio is too short"),
    "silent-audio": Kind(422, "The audio is silent"),
    "unreadable-file": Kind(422, "The file cannot be read"),
    "changed-while-read": Kind(422, "The file changed while it was read"),
    "decoder-crashed": Kind(422, "Decoding the audio failed"),
    "internal": Kind(500, "Something went wrong in the service"),
    "embedder-mismatch": Kind(503, "The index was built by another embedder"),
    "embedder-unavailable": Kind(503, "The server that embeds cannot be used"),
    "index-unavailable": Kind(503, "No index can be served"),
    "listeners-unavailable": Kind(503, "Listeners cannot be remembered now"),
    "overloaded": Kind(503, "The service is busy"),
    "weights-unavailable": Kind(503, "The embedder of the index cannot run"),
}
_INTERNAL = ("internal", "the service's log says more, under the request_id")
# what the framework itself refuses, in words that lead on
_FRAMEWORK = {
    400: ("malformed-request", "the body cannot be parsed"),
    404: ("not-found", "nothing has this address; /docs lists what there is"),
    405: ("method-not-allowed", "the header Allow names the methods of this address"),
}
_RETRIED = frozenset(
    {"embedder-unavailable", "index-unavailable", "listeners-unavailable", "overloaded"}
)
_LOGGED = frozenset(
    {
        "internal",
        "decoder-crashed",
        "embedder-unavailable",
        "listeners-unavailable",
        "weights-unavailable",
    }
)

# what these errors say of themselves names paths, or quotes a process that the audio took over
_PUBLIC_DETAIL = {
    SpaceUnavailableError: (
        "index-unavailable",
        "the space that is asked for is damaged, others may answer; on the server run: "
        "python -m indexer verify",
    ),
    IndexUnavailableError: (
        "index-unavailable",
        "no valid index is published; on the server run: python -m indexer reindex MUSIC_DIR",
    ),
    GenerationError: (
        "index-unavailable",
        "the index is damaged; on the server run: python -m indexer verify",
    ),
    WeightsError: (
        "weights-unavailable",
        "clips cannot be embedded until the weights are mended; GET /similar still works",
    ),
    MissingPackageError: (
        "weights-unavailable",
        "clips cannot be embedded until a package is installed; GET /similar still works",
    ),
    PluginError: (
        "weights-unavailable",
        "clips cannot be embedded until the embedder's package is mended; GET /similar still works",
    ),
    RemoteEmbedderError: (
        "embedder-unavailable",
        "clips cannot be embedded until the embedder's server answers; GET /similar still works",
    ),
    StorageError: (
        "listeners-unavailable",
        "the database of listeners cannot be used, nothing was stored or deleted for certain; send "
        "it again; everything else still works",
    ),
    ChildFailedError: (
        "decoder-crashed",
        "decoding crashed, or took too much time or memory; try a shorter clip or another format",
    ),
}
_SLUG_BY_CLASS: dict[type[SoundalikeError], str] = {
    UnknownTrackError: "unknown-track",
    InvalidParameterError: "invalid-parameter",
    SpaceMismatchError: "embedder-mismatch",
    IndexOutdatedError: "index-unavailable",
}


class ProblemError(HTTPException):
    """A problem that the HTTP layer itself found.

    Parameters
    ----------
    slug
        One of `KINDS`; the problem's type is ``/problems/<slug>``.
    detail
        What is wrong here, and the next step; shown to the caller.
    headers
        Further headers of the answer.
    errors
        One entry for each offending value: where it is, its name, what is wrong.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ):
        super().__init__(KINDS[slug].status, detail, headers)
        self.slug, self.errors = slug, errors


def problem_of(error: Exception) -> ProblemError:
    """The problem that an error is answered with."""
    match error:
        case ProblemError():
            return error
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            slug, detail = _FRAMEWORK.get(error.status_code, _INTERNAL)
            return ProblemError(slug, detail, error.headers)
        case SoundalikeError():
            return _domain_problem(error)
    return ProblemError(*_INTERNAL)


def respond(request_id: str, error: Exception) -> Response:
    """Answer an error; what is the service's own fault is logged."""
    problem = problem_of(error)
    if problem.slug in _LOGGED:
        trace = error if problem.slug == "internal" else None
        _log.error("%s request_id=%s: %s", problem.slug, request_id, error, exc_info=trace)
    body = {
        "type": f"/problems/{problem.slug}",
        "title": KINDS[problem.slug].title,
        "status": problem.status_code,
        "detail": _cut(problem.detail),
        "request_id": request_id,
    }
    if problem.errors:
        body["errors"] = [{k: _cut(v) for k, v in e.items()} for e in problem.errors]
    headers = dict(problem.headers or {})
    if problem.slug in _RETRIED:
        headers["Retry-After"] = str(RETRY_SECONDS)
    # json.dumps escapes what is not ASCII: lone surrogates in what is quoted have no UTF-8
    return Response(json.dumps(body), problem.status_code, headers, MEDIA_TYPE)


def _domain_problem(error: SoundalikeError) -> ProblemError:
    if type(error) in _SLUG_BY_CLASS:
        return ProblemError(_SLUG_BY_CLASS[type(error)], str(error))
    for kind, (slug, detail) in _PUBLIC_DETAIL.items():
        if isinstance(error, kind):
            return ProblemError(slug, detail)
    if isinstance(error, AudioError):
        return ProblemError(error.reason, str(error))
    return ProblemError(*_INTERNAL)


def _invalid(error: RequestValidationError) -> ProblemError:
    errors = [
        {
            "in": str(found["loc"][0]),
            "name": ".".join(str(part) for part in found["loc"][1:]),
            "message": _NO_JSON if found["type"] == "json_invalid" else str(found["msg"]),
        }
        for found in error.errors()[:_MAX_ERRORS]
    ]
    first = errors[0]
    where = f"{first['in']} {first['name']}".rstrip()
    return ProblemError("invalid-parameter", f"{where}: {first['message']}", errors=errors)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_DETAIL else text[:_MAX_DETAIL] + "…"
