"""What an evaluation leaves behind: figures, what they are of, and what could not be measured."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from indexer.evaluation.figures import Figure
from recommender.errors import InvalidParameterError

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured.

    Attributes
    ----------
    catalog
        Digest of the ids of all tracks: reports of one catalog can be compared.
    generation, space, tracks, dimension
        What was measured.
    seed
        Of every random choice.
    listened
        How many tracks were listened to again, for clips and variants.
    figures
        Every figure of every protocol.
    notes
        What could not be measured, and why.
    """

    catalog: str
    generation: str
    space: str
    tracks: int
    dimension: int
    seed: int
    listened: int
    figures: list[Figure]
    notes: list[str]

    def to_json(self) -> str:
        """The report as JSON; :func:`read_report` reads it."""
        facts = {"schema_version": SCHEMA_VERSION, **asdict(self)}
        return json.dumps(facts, indent=1, ensure_ascii=False)


def read_report(path: Path) -> Report:
    """Read a report.

    Raises
    ------
    InvalidParameterError
        The file is not there, or is no report of this version.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        version = facts.pop("schema_version")
        if version != SCHEMA_VERSION:
            raise ValueError(f"schema_version={version} is not {SCHEMA_VERSION}")
        facts["figures"] = [Figure(**fields) for fields in facts["figures"]]
        return Report(**facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidParameterError(
            f"report={path} cannot be read ({error}); "
            "make one with: python -m indexer evaluate --json"
        ) from error
