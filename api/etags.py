"""Validators of answers: what a caller holds already is not made anew (RFC 9110)."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from hashlib import blake2b

from starlette.requests import Request

from api.replies import JSON_HEADERS, RawHeaders, Reply, found, not_modified

VERSION = "0.1.0"
_TAG = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def etag_of(path: str, generations: Iterable[str], asked: bytes) -> str:
    """The validator of what this version answers from some generations to a question.

    It is a weak one: answers of two machines may differ in the last digit of a similarity.
    """
    parts = (VERSION, path, *generations)
    digest = blake2b("\n".join(parts).encode() + b"\n" + asked, digest_size=12)
    return f'W/"{digest.hexdigest()}"'


def held_by(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """What a caller says to hold, from the headers of a request."""
    return [value for name, value in headers if name == b"if-none-match"]


def holds(held: Sequence[bytes], etag: str) -> bool:
    """Whether `etag` is among what is held; ``*`` is left to who knows what there is."""
    return etag.removeprefix("W/").encode() in _TAG.findall(b", ".join(held))


def holds_anything(held: Sequence[bytes]) -> bool:
    """Whether a caller wants no answer if there is one."""
    return [value.strip() for value in held] == [b"*"]


async def revalidated(
    request: Request,
    etag: str,
    answer: Callable[[], Awaitable[bytes]],
    headers: RawHeaders = JSON_HEADERS,
) -> Reply:
    """What `answer` gives, or 304 without asking it when the caller holds that already.

    Parameters
    ----------
    request
        What the caller sent.
    etag
        Validator of the answer.
    answer
        Gives its body.
    headers
        Of its form, JSON by default.
    """
    held = held_by(request.scope["headers"])
    if held and holds(held, etag):
        return not_modified(etag, headers)
    body = await answer()
    # only now: a precondition counts for what would have been answered, not for an error
    if held and holds_anything(held):
        return not_modified(etag, headers)
    return found(body, etag, headers)
