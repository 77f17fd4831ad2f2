"""What a run has to do: the difference between the folders and the library (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexer.scan import Scan
from recommender.records import Failed, FileState

KnownFiles = Mapping[bytes, tuple[FileState, str]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Paths by what will be done with them, each list in path order.

    Attributes
    ----------
    new
        Files that the library does not know.
    changed
        Files that were written to since they were read; files that failed and have changed.
    unembedded
        Unchanged files whose track has no vector in the wanted space, or all of them with ``full``.
    gone
        Known files that are not there any more.
    unchanged
        Files that need nothing.
    failed_before
        Unchanged files that failed in an earlier run and are not tried again.
    """

    new: list[bytes]
    changed: list[bytes]
    unembedded: list[bytes]
    gone: list[bytes]
    unchanged: int
    failed_before: int

    @property
    def work(self) -> list[bytes]:
        """Every path that must be opened."""
        return sorted([*self.new, *self.changed, *self.unembedded])


def make_plan(
    scan: Scan,
    roots: Sequence[bytes],
    known: KnownFiles,
    failures: Sequence[Failed],
    embedded: set[str],
    *,
    full: bool = False,
) -> Plan:
    """Compare what was found with what is known.

    Parameters
    ----------
    scan
        What lies below `roots`.
    roots
        Only files below them can be gone.
    known
        The library's files.
    failures
        The library's failures that count for the wanted space.
    embedded
        Ids of the tracks that have a vector in the wanted space.
    full
        Open every file again, failed ones included.
    """
    plan = Plan([], [], [], _gone(scan, roots, known, failures), 0, 0)
    failed = {failure.path: failure.state for failure in failures}
    unchanged = failed_before = 0
    for path in sorted(scan.files):
        state = scan.files[path]
        if path in known:
            known_state, track_id = known[path]
            if known_state != state:
                plan.changed.append(path)
            elif full or track_id not in embedded:
                plan.unembedded.append(path)
            else:
                unchanged += 1
        elif path not in failed:
            plan.new.append(path)
        elif full or failed[path] != state:
            plan.changed.append(path)
        else:
            failed_before += 1
    return Plan(plan.new, plan.changed, plan.unembedded, plan.gone, unchanged, failed_before)


def probably_moved(plan: Plan, scan: Scan, known: KnownFiles) -> int:
    """How many new files look like gone ones under another name, by size and time alone.

    Only a forecast for ``--dry-run``; the run itself goes by the audio.
    """
    gone = {known[path][0] for path in plan.gone if path in known}
    return sum(scan.files[path] in gone for path in plan.new)


def _gone(
    scan: Scan, roots: Sequence[bytes], known: KnownFiles, failures: Sequence[Failed]
) -> list[bytes]:
    paths = {*known, *(failure.path for failure in failures)}
    return sorted(
        path
        for path in paths
        if path not in scan.files
        and path not in scan.irregular
        and is_below(path, roots)
        and not is_below(path, scan.unreadable)
    )


def is_below(path: bytes, folders: Sequence[bytes]) -> bool:
    """Whether `path` lies in one of `folders` or deeper."""
    return any(path.startswith(folder.rstrip(b"/") + b"/") for folder in folders)
