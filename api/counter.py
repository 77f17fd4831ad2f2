"""The application's outermost part, where what is asked most often is answered at once."""

import time
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from api.access_log import AccessLog
from api.gate import COMMON_HEADERS, Asked, Gate
from api.lean import LeanRoute
from api.problems import respond
from api.replies import Reply, reply_of


class Application(FastAPI):
    """Answers lean routes itself, before its layers, and hands all other requests to them.

    A lean route is answered so when it is asked with GET or HEAD, without a body, by a path that
    has no parts to read; the layers would answer the same, byte for byte.

    Parameters
    ----------
    gate, access
        Those of the layers.
    """

    def __init__(self, gate: Gate, access: AccessLog, **documented: Any):
        super().__init__(**documented)
        self._gate, self._access = gate, access
        self._lean: dict[str, LeanRoute] = {}

    def include_lean(self, router: APIRouter) -> None:
        """Take in the lean routes of a noun."""
        # as they are: including a router has each request find its route twice
        self.router.routes.extend(router.routes)
        for route in router.routes:
            if isinstance(route, LeanRoute) and "{" not in route.path:
                self._lean[route.path] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            route = self._lean.get(scope["path"])
            if route is not None:
                asked = Asked(scope["headers"])
                # the layers know what to do about bodies
                if not asked.announces_body:
                    await self._answer(route, asked, scope, send)
                    return
        await super().__call__(scope, receive, send)

    async def _answer(self, route: LeanRoute, asked: Asked, scope: Scope, send: Send) -> None:
        began, method = time.perf_counter(), scope["method"]
        request_id = self._gate.request_id(asked)
        reply = None
        try:
            reply = await self._reply(route, asked, scope, request_id)
            named = (b"x-request-id", request_id.encode())
            await reply.send(send, *COMMON_HEADERS, named, head_only=method == "HEAD")
        finally:
            milliseconds = 1000 * (time.perf_counter() - began)
            status = reply.status if reply else 0
            self._access.add(method, route.path, status, milliseconds, request_id)

    async def _reply(self, route: LeanRoute, asked: Asked, scope: Scope, request_id: str) -> Reply:
        scope["app"] = self
        try:
            self._gate.check(asked)
            return await route.reply(Request(scope))
        except Exception as error:
            return reply_of(respond(request_id, error))
