"""Values of flags, checked while the command line is read."""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable

from recommender.errors import InvalidParameterError
from recommender.pooling import require_pooling
from recommender.projection import require_projection

_BYTES = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(?:([KMGT])(?:iB)?)?", re.ASCII)
_UNITS = " KMGT"


def whole_number(least: int) -> Callable[[str], int]:
    """A parser for whole numbers of at least `least`."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise ArgumentTypeError(f"{text} is not a whole number of at least {least}")
        return int(text)

    return parse


def windows(text: str) -> int | None:
    """How many windows of a track; None for all."""
    if text == "all":
        return None
    try:
        return whole_number(1)(text)
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"{error}, nor all") from error


def pooling(text: str) -> str:
    """How the windows of a track become one vector."""
    return _required(require_pooling, text)


def projection(text: str) -> str:
    """What is done to pooled vectors before they are compared."""
    return _required(require_projection, text)


def memory(text: str) -> int:
    """Bytes: a number, or one with a suffix such as 512MiB or 2G, which count 1024 a step."""
    found = _BYTES.fullmatch(text)
    n_bytes = int(float(found[1]) * 1024 ** _UNITS.index(found[2] or " ")) if found else 0
    if n_bytes < 1:
        raise ArgumentTypeError(f"{text} is no amount of memory; say it like 512MiB, 1.5GiB or 2G")
    return n_bytes


def share(text: str) -> float:
    """A share of a whole, above 0 and up to 1."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number <= 1.0:
        raise ArgumentTypeError(f"{text} is not a number above 0 and up to 1")
    return number


def _required(require: Callable[[str], str], text: str) -> str:
    try:
        return require(text)
    except InvalidParameterError as error:
        raise ArgumentTypeError(str(error)) from error
