"""What holds for every request, whatever its route: who may ask, how much, and what is answered."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import ProblemError, respond

IDLE_SECONDS = 10.0
BODY_SECONDS = 120.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\[\]:]+)(?::\d{1,5})?", re.IGNORECASE)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; media-src 'self' blob:; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_log = logging.getLogger("api.access")


class Envelope:
    """Outermost: request ids, host names, headers, HEAD, the access log, and the last resort.

    A HEAD request is answered like GET with the body left out; routes that would read much for
    nothing find ``request.state.head_only``.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: str):
        self._app = app
        self._allowed_hosts = {name.strip().lower() for name in allowed_hosts.split(",")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        request = Request(exchange.scope)
        try:
            self._check(request.headers)
            await self._app(exchange.scope, receive, exchange.send)
        except ClientDisconnect:
            exchange.gone = True
        except Exception as error:
            if exchange.status:
                raise
            await respond(request, error)(exchange.scope, receive, exchange.send)
        finally:
            exchange.log()

    def _check(self, headers: Headers) -> None:
        if "*" not in self._allowed_hosts:
            hosts = headers.getlist("host")
            host = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
            if host is None or host["name"].lower() not in self._allowed_hosts:
                raise ProblemError(
                    "unknown-host", "the operator lists host names in SOUNDALIKE_ALLOWED_HOSTS"
                )
        encodings = headers.getlist("content-encoding")
        if any(encoding.strip().lower() != "identity" for encoding in encodings):
            raise ProblemError("unsupported-media", "send the body without a Content-Encoding")


class _Exchange:
    """One request and its answer on the way out."""

    def __init__(self, scope: Scope, send: Send):
        self._send = send
        self._method, self._began = scope["method"], time.monotonic()
        self._request_id = _request_id(Headers(scope=scope))
        head_only = self._method == "HEAD"
        state = scope.get("state", {}) | {"request_id": self._request_id, "head_only": head_only}
        # a copy: the server goes by its own scope's method when it frames the answer
        self.scope: Scope = {
            **scope,
            "state": state,
            "method": "GET" if head_only else self._method,
        }
        self.status = 0
        self.gone = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._request_id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        elif self._method == "HEAD":
            message = {**message, "body": b""}
        await self._send(message)

    def log(self) -> None:
        # the route's template: paths and queries hold what people look for
        route = getattr(self.scope.get("route"), "path", "-")
        milliseconds = 1000 * (time.monotonic() - self._began)
        status = "disconnected" if self.gone else self.status
        _log.info(
            "%s %s %s %.1fms id=%s", self._method, route, status, milliseconds, self._request_id
        )


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


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
        declared = Headers(scope=scope).get("content-length", "")
        # compared by length first: int() refuses thousands of digits
        if declared.isdecimal() and (len(declared) > 18 or int(declared) > body.max_bytes):
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
