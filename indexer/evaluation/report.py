"""What an evaluation leaves behind: figures, what they are of, and what could not be measured."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from indexer.evaluation.figures import Figure
from recommender.errors import InvalidParameterError

MAX_BYTES = 64 * 2**20
SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a report is of; figures of different origins cannot be compared.

    Attributes
    ----------
    catalog
        Digest of the ids of all tracks.
    seed
        Of every random choice.
    listened
        How many tracks were listened to again, for clips and variants.
    listeners
        `SIMULATED`, or the digest of a file of real events.
    fans
        How many simulated listeners recommendations were compared for; none in older reports.
    """

    catalog: str
    seed: int
    listened: int
    listeners: str
    fans: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured.

    Attributes
    ----------
    origin
        What it is of.
    generation, space, tracks, dimension
        What was measured.
    figures
        Every figure of every protocol.
    notes
        What could not be measured, and why.
    schema_version
        Of the report's form.
    """

    origin: Origin
    generation: str
    space: str
    tracks: int
    dimension: int
    figures: list[Figure]
    notes: list[str]
    schema_version: Literal[1] = 1

    def to_json(self) -> str:
        """The report as JSON; :func:`read_report` reads it."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False)


def read_report(path: Path) -> Report:
    """Read a report.

    Raises
    ------
    InvalidParameterError
        The file is not there, or is no report of this version.
    """
    try:
        report = TypeAdapter(Report).validate_json(_content(path), strict=True)
        _require_sound(report.figures)
    except (OSError, ValueError) as error:
        raise InvalidParameterError(
            f"report={path} cannot be read ({_words(error)}); "
            "make one with: python -m indexer evaluate --json"
        ) from error
    return report


def _content(path: Path) -> bytes:
    if not path.is_file():  # nor a FIFO, which would be waited for
        raise ValueError("no such file")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    return path.read_bytes()


def _require_sound(figures: list[Figure]) -> None:
    for figure in figures:
        if figure.n < 1 or not math.isfinite(figure.value + figure.low + figure.high):
            raise ValueError(f"{figure.key} has n={figure.n} or is not finite")
    if len({figure.key for figure in figures}) != len(figures):
        raise ValueError("two figures have one name")


def _words(error: Exception) -> str:
    """The first fault in one line: pydantic would say all of them, one below the other."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
