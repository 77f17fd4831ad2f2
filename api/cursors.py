"""Cursors: where a page of the catalog ended, for the one generation and words that it is of."""

import base64
from hashlib import blake2b

import orjson

from api.problems import ProblemError

_DAMAGED = "it is not one that this service gave; begin again without cursor"
_OTHER = "it is of another index, other words or another listener; begin again without cursor"


def cursor_of(generation: str, words: str, after: str) -> str:
    """The cursor of what comes after a place in the answer to some words."""
    place = orjson.dumps([_belonging(generation, words), after])
    return base64.urlsafe_b64encode(place).rstrip(b"=").decode()


def place_of(cursor: str, generation: str, words: str) -> str:
    """The place that a cursor stands for.

    Raises
    ------
    ProblemError
        It is damaged, or of another generation or other words.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        belonging, after = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError) as error:
        raise ProblemError("invalid-cursor", f"query cursor: {_DAMAGED}") from error
    if not isinstance(after, str):
        raise ProblemError("invalid-cursor", f"query cursor: {_DAMAGED}")
    if belonging != _belonging(generation, words):
        raise ProblemError("invalid-cursor", f"query cursor: {_OTHER}")
    return after


def _belonging(generation: str, words: str) -> str:
    return blake2b(f"{generation}\n{words}".encode(), digest_size=8).hexdigest()
