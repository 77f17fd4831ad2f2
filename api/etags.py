"""Validators of answers: what a caller holds already is not made anew (RFC 9110)."""

import re
from collections.abc import Awaitable, Callable, Iterable
from hashlib import blake2b

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

VERSION = "0.1.0"
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def etag_of(path: str, generations: Iterable[str], asked: bytes) -> str:
    """The validator of what this version answers from some generations to a question.

    It is a weak one: answers of two machines may differ in the last digit of a similarity.
    """
    parts = (VERSION, path, *generations)
    digest = blake2b("\n".join(parts).encode() + b"\n" + asked, digest_size=12)
    return f'W/"{digest.hexdigest()}"'


def holds(headers: Headers, etag: str) -> bool:
    """Whether a caller holds what `etag` stands for; ``*`` is left to who knows what there is."""
    if "if-none-match" not in headers:
        return False
    named = _TAG.findall(_if_none_match(headers))
    return etag.removeprefix("W/") in named


def holds_anything(headers: Headers) -> bool:
    """Whether a caller wants no answer if there is one."""
    return _if_none_match(headers).strip() == "*"


async def revalidated(
    request: Request, etag: str, answer: Callable[[], Awaitable[bytes]]
) -> Response:
    """The JSON that `answer` gives, or 304 without asking it when the caller holds that already."""
    if holds(request.headers, etag):
        return Response(status_code=304, headers={"ETag": etag})
    body = await answer()
    # only now: a precondition counts for what would have been answered, not for an error
    if holds_anything(request.headers):
        return Response(status_code=304, headers={"ETag": etag})
    return json_response(body, etag)


def json_response(body: bytes, etag: str | None = None) -> Response:
    """An answer that is JSON already."""
    return Response(body, headers={"ETag": etag} if etag else None, media_type="application/json")


def _if_none_match(headers: Headers) -> str:
    return ", ".join(headers.getlist("if-none-match"))
