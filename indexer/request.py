"""What a run of the indexer is asked for, and what it reports."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.plan import Plan
from recommender.index.recipes import IndexOptions
from recommender.pooling import DEFAULT_POOLING
from recommender.projection import DEFAULT_PROJECTION
from recommender.records import Failed


@dataclass(frozen=True, slots=True)
class Request:
    """What a run was asked for.

    Attributes
    ----------
    roots
        Absolute paths of the music folders.
    data_dir
        Where library and generations are kept.
    embedder, n_windows, pooling, projection
        What makes the space; `n_windows` None for all windows.
    workers
        Child processes.
    index
        What the index is planned from.
    full
        Listen to every file again.
    allow_empty
        Accept that a folder which held music holds none now.
    allow_low_recall
        Publish although searches find less than `index` wants.
    """

    roots: tuple[bytes, ...]
    data_dir: Path
    embedder: str
    n_windows: int | None
    workers: int
    pooling: str = DEFAULT_POOLING
    projection: str = DEFAULT_PROJECTION
    index: IndexOptions = field(default_factory=IndexOptions)
    full: bool = False
    allow_empty: bool = False
    allow_low_recall: bool = False


@dataclass(slots=True)
class Report:
    """Counts of a run, in files but for `tracks`, and what was published.

    `withheld` counts the tracks that would leave the space if it were published, which it was not;
    `lacking`, by embedder, those that the spaces which are served do not have. `index` says how the
    served vectors are searched, see :func:`indexer.index_facts.index_facts`.
    """

    added: int = 0
    updated: int = 0
    moved: int = 0
    duplicates: int = 0
    removed: int = 0
    failed: int = 0
    unchanged: int = 0
    failed_before: int = 0
    tracks: int = 0
    audio_seconds: float = 0.0
    elapsed_seconds: float = 0.0
    space: str = ""
    generation: str = ""
    published: bool = False
    withheld: int = 0
    index: dict[str, Any] = field(default_factory=dict)
    lacking: dict[str, int] = field(default_factory=dict)
    failures: list[Failed] = field(default_factory=list)
    unreadable_folders: list[bytes] = field(default_factory=list)
    links_left_alone: int = 0
    credits_without_file: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do, for ``--dry-run``."""

    plan: Plan
    probably_moved: int
    space: str
