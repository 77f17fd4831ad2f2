"""Values of flags, checked while the command line is read."""

from argparse import ArgumentTypeError
from collections.abc import Callable

from recommender.errors import InvalidParameterError
from recommender.pooling import require_pooling
from recommender.projection import require_projection


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


def _required(require: Callable[[str], str], text: str) -> str:
    try:
        return require(text)
    except InvalidParameterError as error:
        raise ArgumentTypeError(str(error)) from error
