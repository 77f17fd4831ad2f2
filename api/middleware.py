"""What holds for every request, whatever its route: who may ask, how much, and what is answered."""

import asyncio
import os
import re
import time
from collections.abc import Iterable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access_log import AccessLog
from api.problems import ProblemError, respond

IDLE_SECONDS = 10.0
BODY_SECONDS = 120.0
_REQUEST_ID = re.compile(rb"[A-Za-z0-9-]{1,64}")
_HOST = re.compile(rb"(?P<name>\[[0-9a-f:.]+\]|[^\[\]:]+)(?::\d{1,5})?", re.IGNORECASE)
# sent unless a route sends another of the same name; as bytes, for they go with every answer
_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; media-src 'self' blob:; img-src 'self' data:; "
        b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)


class Envelope:
    """Outermost: request ids, host names, headers, HEAD, the access log, and the last resort.

    A HEAD request is answered like GET with the body left out; routes that would read much for
    nothing find ``request.state.head_only``.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: str):
        self._app = app
        names = {name.strip().lower().encode() for name in allowed_hosts.split(",")}
        self._allowed_hosts = None if b"*" in names else names
        self._access = AccessLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            # the life of the service: the last lines are logged when it ends
            await self._app(scope, receive, send)
            self._access.flush()
            return
        exchange = _Exchange(scope, send)
        try:
            self._check(exchange.asked)
            await self._app(exchange.scope, receive, exchange.send)
        except ClientDisconnect:
            exchange.gone = True
        except Exception as error:
            if exchange.status:
                raise
            answer = respond(Request(exchange.scope), error)
            await answer(exchange.scope, receive, exchange.send)
        finally:
            self._access.add(*exchange.summary())

    def _check(self, asked: "_Headers") -> None:
        if self._allowed_hosts is not None:
            hosts = asked.hosts
            host = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
            if host is None or host["name"].lower() not in self._allowed_hosts:
                raise ProblemError(
                    "unknown-host", "the operator lists host names in SOUNDALIKE_ALLOWED_HOSTS"
                )
        for encoding in asked.encodings:
            if encoding.strip().lower() != b"identity":
                raise ProblemError("unsupported-media", "send the body without a Content-Encoding")


class _Headers:
    """The headers of a request that matter whatever its route, read in one go."""

    __slots__ = ("encodings", "hosts", "request_id")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]):
        self.hosts: list[bytes] = []
        self.encodings: list[bytes] = []
        self.request_id = b""
        for name, value in headers:
            if name == b"host":
                self.hosts.append(value)
            elif name == b"content-encoding":
                self.encodings.append(value)
            elif name == b"x-request-id" and not self.request_id:
                self.request_id = value


class _Exchange:
    """One request and its answer on the way out."""

    def __init__(self, scope: Scope, send: Send):
        self._send = send
        self._method, self._began = scope["method"], time.perf_counter()
        self.asked = _Headers(scope["headers"])
        given = self.asked.request_id
        known = _REQUEST_ID.fullmatch(given) is not None
        self._request_id = given.decode("ascii") if known else os.urandom(16).hex()
        head_only = self._method == "HEAD"
        # a copy: the server goes by its own scope's method when it frames the answer
        self.scope: Scope = {
            **scope,
            "state": {
                **scope.get("state", {}),
                "request_id": self._request_id,
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
            others = [header for header in _HEADERS if header[0] not in there]
            headers = [*given, *others, (b"x-request-id", self._request_id.encode())]
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
        return self._method, route, status, milliseconds, self._request_id


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
