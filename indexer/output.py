"""How results are printed: facts as JSON, or lines that stay one line each."""

import json
from typing import Any

from rich.console import Console

from recommender.records import Failed

SHOWN_FAILURES = 20


def failure_facts(failure: Failed) -> dict[str, str]:
    """What is printed of a failure."""
    return {
        "path": printable(failure.path),
        "reason": failure.reason,
        "message": printable(failure.message.encode()),
    }


def failure_lines(failures: list[dict[str, str]]) -> list[str]:
    """A line for each of the first failures, as :func:`failure_facts` has them."""
    lines = [f"failed: {f['path']}: {f['reason']}: {f['message']}" for f in failures]
    rest = len(lines) - SHOWN_FAILURES
    return lines[:SHOWN_FAILURES] + ([f"… and {rest} more; see --json"] if rest > 0 else [])


def counted(n_tracks: int) -> str:
    """A number of tracks, in words."""
    return f"{n_tracks} track" if n_tracks == 1 else f"{n_tracks} tracks"


def printable(path: bytes) -> str:
    """A path as one harmless line: control characters and broken UTF-8 are escaped."""
    return harmless(path.decode("utf-8", errors="backslashreplace"))


def harmless(text: str) -> str:
    """Text on one line, with what would move a terminal's cursor or colours escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def emit(out: Console, as_json: bool, facts: Any, lines: list[str]) -> None:
    """Print the result of a command: JSON, or lines of which each stays one line."""
    if as_json:
        out.print(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    for line in lines:
        out.print(harmless(line))
