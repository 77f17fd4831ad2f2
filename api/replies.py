"""Answers as they are sent, without the objects that the framework would make of them."""

from typing import NamedTuple

from starlette.responses import Response
from starlette.types import Send

RawHeaders = tuple[tuple[bytes, bytes], ...]
JSON_HEADERS: RawHeaders = ((b"content-type", b"application/json"),)


class Reply(NamedTuple):
    """One answer, complete.

    Attributes
    ----------
    status
        Of HTTP.
    headers
        Names in lower case, and values.
    body
        All of it.
    """

    status: int
    headers: RawHeaders
    body: bytes

    async def send(self, send: Send, *others: tuple[bytes, bytes], head_only: bool = False) -> None:
        """Send it with further headers; to HEAD without the body."""
        headers = (*self.headers, *others)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head_only else self.body})


def found(body: bytes, etag: str, headers: RawHeaders) -> Reply:
    """What has been found, with the headers of its form."""
    length = b"%d" % len(body)
    return Reply(200, ((b"etag", etag.encode()), (b"content-length", length), *headers), body)


def not_modified(etag: str, headers: RawHeaders) -> Reply:
    """The caller holds it already; of the headers of its form those that caches go by are sent."""
    kept = (header for header in headers if header[0] == b"vary")
    return Reply(304, ((b"etag", etag.encode()), *kept), b"")


def response_of(body: bytes, headers: RawHeaders) -> Response:
    """What has been found, for routes of the framework."""
    return Response(body, headers={name.decode(): value.decode() for name, value in headers})


def reply_of(response: Response) -> Reply:
    """A response of the framework that is complete."""
    return Reply(response.status_code, tuple(response.raw_headers), bytes(response.body))
