"""What holds for every request, whatever its route: who may ask, how much, and what is answered."""

import asyncio
import time
from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access_log import AccessLog
from api.gate import COMMON_HEADERS, Asked, Gate
from api.problems import ProblemError, respond

IDLE_SECONDS = 10.0
BODY_SECONDS = 120.0


class Envelope:
    """Request ids, host names, headers, HEAD, the access log, and the last resort.

    A HEAD request is answered like GET with the body left out; routes that would read much for
    nothing find ``request.state.head_only``.
    """

    def __init__(self, app: ASGIApp, gate: Gate, access: AccessLog):
        self._app, self._gate, self._access = app, gate, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            # the life of the service: the last lines are logged when it ends
            await self._app(scope, receive, send)
            self._access.flush()
            return
        asked = Asked(scope["headers"])
        exchange = _Exchange(scope, send, self._gate.request_id(asked))
        try:
            self._gate.check(asked)
            await self._app(exchange.scope, receive, exchange.send)
        except ClientDisconnect:
            exchange.gone = True
        except Exception as error:
            if exchange.status:
                raise
            answer = respond(exchange.request_id, error)
            await answer(exchange.scope, receive, exchange.send)
        finally:
            self._access.add(*exchange.summary())


class _Exchange:
    """One request and its answer on the way out."""

    def __init__(self, scope: Scope, send: Send, request_id: str):
        self._send, self.request_id = send, request_id
        self._method, self._began = scope["method"], time.perf_counter()
        head_only = self._method == "HEAD"
        # a copy: the server goes by its own scope's method when it frames the answer
        self.scope: Scope = {
            **scope,
            "state": {
                **scope.get("state", {}),
                "request_id": self.request_id,
                "head_only": head_only,
            },
            "method": "GET" if head_only else self._method,
        }
        self.status = 0
        self.gone = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = message.get("headers", ())
            there = {name for name, _ in given}
            others = [header for header in COMMON_HEADERS if header[0] not in there]
            headers = [*given, *others, (b"x-request-id", self.request_id.encode())]
            message = {**message, "headers": headers}
        elif self._method == "HEAD":
            message = {**message, "body": b""}
        await self._send(message)

    def summary(self) -> tuple[str, str, int | str, float, str]:
        """What the access log takes."""
        # the route's template: paths and queries hold what people look for
        route = getattr(self.scope.get("route"), "path", "-")
        status = "disconnected" if self.gone else self.status
        milliseconds = 1000 * (time.perf_counter() - self._began)
        return self._method, route, status, milliseconds, self.request_id


class BodyGuard:
    """Bounds the size of bodies and the time that they may take, while they come in.

    Parameters
    ----------
    max_bytes
        Most bytes of a body.
    max_bytes_by_path
        Other limits for some paths.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_bytes_by_path: Mapping[str, int]):
        self._app = app
        self._max_bytes, self._max_bytes_by_path = max_bytes, max_bytes_by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, with its body under guard."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _GuardedBody(receive, self._max_bytes_by_path.get(scope["path"], self._max_bytes))
        for name, value in scope["headers"]:
            # compared by length first: int() refuses thousands of digits
            declares = name == b"content-length" and value.isdigit()
            if declares and (len(value) > 18 or int(value) > body.max_bytes):
                raise body.too_large()
        await self._app(scope, body.receive, send)


class _GuardedBody:
    def __init__(self, receive: Receive, max_bytes: int):
        self._receive, self.max_bytes = receive, max_bytes
        self._n_bytes = 0
        self._complete = False
        self._deadline = time.monotonic() + BODY_SECONDS

    def too_large(self) -> ProblemError:
        return ProblemError("payload-too-large", f"max_bytes={self.max_bytes} of a body here")

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        seconds = min(IDLE_SECONDS, self._deadline - time.monotonic())
        try:
            async with asyncio.timeout(seconds):
                message = await self._receive()
        except TimeoutError:
            raise ProblemError("request-timeout", "send the body faster", _CLOSE) from None
        self._n_bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._n_bytes > self.max_bytes:
            raise self.too_large()
        return message


_CLOSE = {"Connection": "close"}
