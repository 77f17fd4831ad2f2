"""The main job: scan, plan, listen, publish.

A run that is stopped at any moment loses no more than the files in flight: what was stored stays,
and the next run plans anew from there.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from indexer.credits import read_credits
from indexer.index_facts import index_facts
from indexer.lock import indexer_lock
from indexer.plan import KnownFiles, Plan, make_plan, probably_moved
from indexer.preflight import (
    check_folders,
    check_listed,
    check_not_emptied,
    check_other_folders,
)
from indexer.progress import make_reporter, publishing_told
from indexer.request import Forecast, Report, Request
from indexer.scan import Scan, scan
from indexer.workers import FILE_LIMITS, Analyst, Outcome, analyse_all
from recommender.current import generations_dir
from recommender.embedders import create_embedder, require_packages, require_sound_weights
from recommender.embedders.environment import embedder_environment
from recommender.housekeeping import sweep
from recommender.index.native import check_factory
from recommender.index.recipes import AUTO, KINDS
from recommender.library import Library
from recommender.manifest import Manifest
from recommender.press import How
from recommender.publishing import held, leaving, publish, refresh
from recommender.records import Failed
from recommender.sandbox import ChildPool
from recommender.served import by_embedder, embedder_of, served_manifests
from recommender.space import Space, dimension_of, id_of, stored

LIBRARY_FILE = "library.db"


@dataclass(frozen=True, slots=True)
class _Run:
    """One run: what was asked for, what is known and found, and what becomes of it."""

    request: Request
    library: Library
    space: Space
    known: KnownFiles
    heard: set[str]
    replaced: set[str]
    found: Scan
    credited: dict[bytes, dict[bytes, dict[str, str]]]
    plan: Plan
    report: Report


def reindex(request: Request, console: Console) -> Report:
    """Bring the library and the published generation up to date with the music folders.

    Raises
    ------
    LockedError
        Another indexer is at work on the data folder.
    InvalidParameterError
        A music folder is not there or holds no music, tracks of other folders would be lost, or
        there is no such index.
    RecallError
        Searches would find too little; the old generation stays.
    GenerationError, StorageError, OSError
        Nothing could be published; the old generation stays.
    """
    started = time.monotonic()
    with _opened(request, request.data_dir / LIBRARY_FILE) as run:
        sweep(request.data_dir)
        _listen(run, console)
        _forget_gone(run)
        _credit(run)
        with publishing_told(console):
            _publish(run)
    run.report.elapsed_seconds = time.monotonic() - started
    return run.report


def forecast(request: Request) -> Forecast:
    """Plan without changing anything.

    Raises
    ------
    LockedError, InvalidParameterError
        As :func:`reindex`.
    """
    path = request.data_dir / LIBRARY_FILE
    # without a library all is new; one in memory leaves no trace
    with _opened(request, path if path.exists() else None) as run:
        moved = probably_moved(run.plan, run.found, run.known)
        return Forecast(run.plan, moved, run.space.id)


@contextmanager
def _opened(request: Request, path: Path | None) -> Iterator[_Run]:
    """Look at the music folders, lock and open the library, plan, and refuse what would lose."""
    require_packages(request.embedder)
    require_sound_weights(request.embedder)
    spec = create_embedder(request.embedder).spec
    space = Space(spec, request.n_windows, request.pooling, request.projection)
    if request.index.index not in (AUTO, *KINDS):
        check_factory(request.index.index, dimension_of(space.describe()))
    check_folders(request.roots)
    found = scan(request.roots)
    check_listed(request.roots, found)
    credited = {root: read_credits(root) for root in request.roots}
    lock = indexer_lock(request.data_dir) if path else nullcontext()
    with lock, Library.open(path or Path(":memory:")) as library:
        known, embedded = library.files(), library.embedded(space.stored.id)
        replaced = held(request.data_dir, space.embedder.name)
        if not request.allow_empty:
            check_not_emptied(request.roots, found, known)
            check_other_folders(request.roots, known, replaced - embedded)
        failures = library.failures(space.stored.id)
        heard = embedded
        if request.index.segments:
            heard = embedded & library.segmented(space.stored.id)
        plan = make_plan(found, request.roots, known, failures, heard, full=request.full)
        report = Report(
            space=space.id,
            unchanged=plan.unchanged,
            failed_before=plan.failed_before,
            unreadable_folders=found.unreadable,
            links_left_alone=len(found.links),
            credits_without_file=sum(
                path not in found.files for rows in credited.values() for path in rows
            ),
        )
        yield _Run(request, library, space, known, heard, replaced, found, credited, plan, report)


def _listen(run: _Run, console: Console) -> None:
    """Open every file that needs it, and store what becomes of each."""
    paths = run.plan.work
    if not paths:
        return
    run.library.add_space(run.space.stored)
    heard = set() if run.request.full else set(run.heard)
    homes = _homes_that_stay(run.plan, run.known)
    children = min(run.request.workers, len(paths))
    with (
        ChildPool(children, FILE_LIMITS, embedder_environment(run.space.embedder.name)) as pool,
        make_reporter(len(paths), console) as reporter,
    ):
        analyst = Analyst(pool, run.space, heard, run.request.index.segments)
        for outcomes in analyse_all(paths, run.found.files, analyst, children):
            run.library.store(outcomes, run.space.stored)
            for outcome in outcomes:
                _count(outcome, run.known, homes, run.report)
                if not isinstance(outcome, Failed):
                    heard.add(outcome.track.id)
            reporter.advance(outcomes)


def _homes_that_stay(plan: Plan, known: KnownFiles) -> dict[str, bool]:
    """For every known track, whether one of its files is still there."""
    gone, homes = set(plan.gone), dict[str, bool]()
    for path, (_, track_id) in known.items():
        homes[track_id] = homes.get(track_id, False) or path not in gone
    return homes


def _count(outcome: Outcome, known: KnownFiles, homes: dict[str, bool], report: Report) -> None:
    if isinstance(outcome, Failed):
        report.failed += 1
        report.failures.append(outcome)
        return
    report.audio_seconds += outcome.track.duration_seconds if outcome.embedding else 0.0
    if outcome.path in known:
        report.updated += 1
    elif outcome.track.id not in homes:
        report.added += 1
    elif homes[outcome.track.id]:
        report.duplicates += 1
    else:
        report.moved += 1
    homes[outcome.track.id] = True


def _forget_gone(run: _Run) -> None:
    run.library.forget_files(run.plan.gone)
    run.report.removed = sum(path in run.known for path in run.plan.gone) - run.report.moved


def _credit(run: _Run) -> None:
    for root, rows in run.credited.items():
        run.library.set_credits(root, rows)


def _publish(run: _Run) -> None:
    data_dir, report, library = run.request.data_dir, run.report, run.library
    before = by_embedder(data_dir)
    in_files = {track_id for _, track_id in library.files().values()}
    embedded = in_files & library.embedded(run.space.stored.id)
    report.withheld = 0 if run.request.allow_empty else _withheld(run, embedded)
    if report.withheld:
        report.generation = before.get(run.space.embedder.name, "")
        refresh(data_dir, library)
    else:
        how = How(run.request.index, run.request.allow_low_recall)
        report.generation = publish(data_dir, library, run.space, how)
        report.published = report.generation not in before.values()
        report.index = index_facts(Manifest.read(generations_dir(data_dir) / report.generation))
    report.tracks = len(embedded)
    for manifest in served_manifests(data_dir):
        lacking = len(in_files - library.embedded(id_of(stored(manifest.space))))
        if lacking:
            report.lacking[embedder_of(manifest)] = lacking


def _withheld(run: _Run, embedded: set[str]) -> int:
    """Tracks of what is served that would leave it, for no other reason than that they failed."""
    lost = leaving(run.library, run.replaced, run.space.describe())
    # a disk that cannot be read makes every file look damaged
    return len(lost) or (0 if embedded else len(run.replaced))
