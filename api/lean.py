"""Routes that are asked so often that solving dependencies would take longer than answering."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, get_args

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from api.queries import lists_of, query_values, question_of
from api.questions import NoParameters, Question
from api.replies import Reply
from api.wording import allowed

Endpoint = Callable[..., Coroutine[Any, Any, Reply]]
NO_QUESTION: type[Question] = NoParameters


class LeanRoute(APIRoute):
    """Documented like every route of FastAPI, from its signature, but called without its detours.

    The endpoint is a coroutine function. It takes a `Request` without a body, a `Question` as its
    query, without which there must be none, and any parts of the path by name; and it makes the
    `Reply` itself: ``response_model`` describes that, and nothing checks it. Dependencies are not
    called.
    """

    def __init__(self, path: str, endpoint: Endpoint, **documented: Any):
        super().__init__(path, endpoint, **documented)
        self._arguments = _Arguments(endpoint)

    async def reply(self, request: Request) -> Reply:
        """Answer one request; errors are the caller's to answer."""
        reply: Reply = await self.endpoint(**self._arguments.of(request))
        return reply

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that came through the layers of the application."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        reply = await self.reply(Request(scope, receive))
        await reply.send(send)


class _Arguments:
    """What an endpoint takes, found out once."""

    def __init__(self, endpoint: Endpoint):
        self._path: dict[str, TypeAdapter[Any]] = {}
        self._query, self._question = "", NO_QUESTION
        for name, parameter in inspect.signature(endpoint, eval_str=True).parameters.items():
            kind, *_ = get_args(parameter.annotation) or (parameter.annotation,)
            if kind is Request:
                self._request = name
            elif inspect.isclass(kind) and issubclass(kind, Question):
                self._query, self._question = name, kind
            else:
                self._path[name] = TypeAdapter(parameter.annotation)
        self._repeatable = lists_of(self._question)

    def of(self, request: Request) -> dict[str, Any]:
        """The arguments, by name; raises what `question_of` and `query_values` raise."""
        values = query_values(request.scope["query_string"], self._repeatable)
        arguments: dict[str, Any] = {
            name: _part(kind, name, request.scope["path_params"][name])
            for name, kind in self._path.items()
        }
        question = question_of(self._question, values)
        if self._query:
            arguments[self._query] = question
        arguments[self._request] = request
        return arguments


def _part(kind: TypeAdapter[Any], name: str, text: str) -> Any:
    try:
        return kind.validate_python(text)
    except ValidationError:
        message = f"it must be {allowed(kind.json_schema())}"
        found = {"type": "worded", "loc": ("path", name), "msg": message}
        raise RequestValidationError([found]) from None
