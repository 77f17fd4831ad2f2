"""Calls of the OpenSubsonic API: its extension for similarity, and what clients ask beside it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.dependencies import running
from api.problems import problem_of
from api.subsonic import NAMESPACE, Code, Format, SubsonicError, answered, failed
from api.subsonic_answers import (
    Content,
    extensions,
    similar_songs,
    similar_songs_2,
    sonic_path,
    sonic_similar_tracks,
)
from api.subsonic_call import Call
from recommender.engine import Recommender
from recommender.errors import SoundalikeError

Endpoint = Callable[[Request], Awaitable[Response]]
# required of every call but one: who asks, which version of the API they speak, what they are
CALLER = ("u", "v", "c")
_OPTIONAL = ("p", "t", "s", "f")
_MEANINGS = {
    "u": "Any name.",
    "v": "Version of the API that is spoken, such as 1.16.1.",
    "c": "Name of the client.",
    "p": "Any password; or t and s.",
    "t": "Any token.",
    "s": "Any salt.",
    "f": "xml, without it as well, or json.",
    "id": "The track to start from.",
    "count": "Most tracks.",
    "startSongId": "The first track.",
    "endSongId": "The last track.",
}

router = APIRouter(prefix="/rest", tags=["OpenSubsonic"])


async def respond(request: Request, content: Callable[[Call], Awaitable[Content]]) -> Response:
    """Answer with what `content` gives, in the form that is asked for; so with its errors."""
    form = Format.XML
    try:
        call = await Call.received(request)
        form = call.form
        call.check_format()
        return answered(await content(call), form)
    except SubsonicError as error:
        return failed(error, form)
    except SoundalikeError as error:
        problem = problem_of(error)
        if problem.slug == "internal":
            raise
        code = Code.NOT_FOUND if problem.slug == "unknown-track" else Code.GENERIC
        return failed(SubsonicError(code, problem.detail), form)


async def get_extensions(request: Request) -> Response:
    """What this service has beyond the Subsonic API; asked without a name and password."""

    async def content(_: Call) -> Content:
        return extensions()

    return await respond(request, content)


async def ping(request: Request) -> Response:
    """Whether the service answers."""

    async def content(call: Call) -> Content:
        call.check_caller()
        return {}

    return await respond(request, content)


async def not_offered(request: Request) -> Response:
    """Answer every other call: the service is asked for similarity, and does not play music."""

    async def content(_: Call) -> Content:
        name = request.path_params["call"].removesuffix(".view")[:40]
        raise SubsonicError(Code.GENERIC, f"{name} is not offered; /docs lists the calls that are")

    response = await respond(request, content)
    response.status_code = 404
    return response


def _searching(find: Callable[[Recommender, Call], Content]) -> Endpoint:
    """An endpoint that answers with what `find` gives, found in a thread."""

    async def endpoint(request: Request) -> Response:
        service = running(request)

        async def content(call: Call) -> Content:
            call.check_caller()
            recommender = service.live.spaces.default
            return await service.searches.run(lambda: find(recommender, call))

        return await respond(request, content)

    return endpoint


def _offer(
    name: str,
    endpoint: Endpoint,
    summary: str,
    required: Sequence[str],
    optional: Sequence[str] = _OPTIONAL,
) -> None:
    """Serve a call by its name and as ``name.view``, to GET and to forms; one is documented."""
    parameters = [
        {
            "name": parameter,
            "in": "query",
            "required": must,
            "description": _MEANINGS[parameter],
            "schema": {"type": "string"},
        }
        for names, must in ((required, True), (optional, False))
        for parameter in names
    ]
    router.add_api_route(
        f"/{name}",
        endpoint,
        operation_id=name,
        summary=summary,
        description="See the OpenSubsonic API. Also as a form (POST), and with .view at the end.",
        response_class=Response,
        responses={200: {"description": "A subsonic-response.", "content": _CONTENT}},
        openapi_extra={"parameters": parameters},
    )
    for path, method in ((name, "POST"), (f"{name}.view", "GET"), (f"{name}.view", "POST")):
        router.add_api_route(f"/{path}", endpoint, methods=[method], include_in_schema=False)


_CONTENT: dict[str, dict[str, Any]] = {
    "application/xml": {
        "schema": {
            "type": "object",
            "xml": {"name": "subsonic-response", "namespace": NAMESPACE},
        }
    },
    "application/json": {"schema": {"type": "object"}},
}
_offer("getOpenSubsonicExtensions", get_extensions, "What is offered beyond Subsonic", (), ("f",))
_offer("ping", ping, "Whether the service answers", CALLER)
_offer(
    "getSonicSimilarTracks",
    _searching(sonic_similar_tracks),
    "Tracks that sound like one, and how much",
    (*CALLER, "id"),
    (*_OPTIONAL, "count"),
)
_offer(
    "findSonicPath",
    _searching(sonic_path),
    "A smooth walk from one song to another",
    (*CALLER, "startSongId", "endSongId"),
    (*_OPTIONAL, "count"),
)
for _name, _find in (("getSimilarSongs", similar_songs), ("getSimilarSongs2", similar_songs_2)):
    _offer(
        _name,
        _searching(_find),
        "Songs that sound like one",
        (*CALLER, "id"),
        (*_OPTIONAL, "count"),
    )
router.add_api_route("/{call:path}", not_offered, methods=["GET", "POST"], include_in_schema=False)
