"""Text that a notebook shows: Markdown in which no name of a track can become markup."""

import html
import re
from collections.abc import Iterable
from io import StringIO

from rich.console import Console

from indexer.evaluation.figures import Figure

# with ":", "." and "@", of which viewers would make links
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:@])")
# they are invisible, but many scripts and emoji are not written right without them
_JOINERS = "\u200c\u200d"
_LABEL = re.compile(r"same (\w+)")
ENOUGH_GROUPS = 5
"""Fewer labels or worlds have an interval, but nothing is concluded from it."""


class Words(str):
    """Markdown that a notebook shows as text."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return str(self)


class Log:
    """Takes what is said while tracks are listened to, and repeats how many were left out."""

    def __init__(self) -> None:
        self._file = StringIO()
        # in a notebook rich would show every line of progress, and write nothing to the file
        self.console = Console(file=self._file, force_jupyter=False, force_terminal=False)

    def left_out(self) -> Words:
        """How many tracks could not be measured; the command names them, with their paths."""
        said = self._file.getvalue().splitlines()
        return Words("\n".join(f"* {escaped(line)}" for line in said if line.endswith("left out")))


def joined(*paragraphs: str) -> Words:
    """Paragraphs, empty ones left out."""
    return Words("\n\n".join(filter(None, paragraphs)))


def escaped(name: str) -> str:
    """A name of any origin that Markdown and HTML show as it is."""
    return _MARKDOWN.sub(r"\\\1", html.escape(printable(name), quote=False))


def printable(name: str) -> str:
    """A name in one line, without characters that command a terminal or turn text round."""
    kept = "".join(c for c in name if c.isprintable() or c.isspace() or c in _JOINERS)
    return " ".join(kept.split())


def percent(share: float, decimals: int = 0) -> str:
    """``"79 %"``."""
    return f"{100 * share:.{decimals}f} %"


def chance(p_value: float) -> str:
    """``"p = 0.004"``, and no 0.000, which no chance is."""
    return f"p = {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"


def with_interval(figure: Figure) -> str:
    """``"0.36 (0.21 to 0.51)"``."""
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def listed(notes: Iterable[str]) -> Words:
    """Notes of any origin, one a line."""
    return Words("\n".join(f"* {escaped(note)}" for note in notes))


def are_few(figure: Figure) -> bool:
    """Whether a figure's interval is over so few labels or worlds that it tells nothing."""
    return figure.groups is not None and figure.groups < ENOUGH_GROUPS


def counted(figure: Figure) -> str:
    """What a figure's interval is over: ``"3 artists"``; "" when it is over queries."""
    if figure.groups is None:
        return ""
    kind = _LABEL.match(figure.condition)
    name = kind[1] if kind else "world"
    return f"{figure.groups} {name}" + ("s" if figure.groups > 1 else "")


def pick(figures: Iterable[Figure], subject: str, metric: str) -> dict[str, Figure]:
    """Figures of one subject and metric, by condition."""
    return {f.condition: f for f in figures if (f.subject, f.metric) == (subject, metric)}
