"""The ``reindex`` command: what it was asked for, and what it says at the end."""

import argparse
import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.console import Console

from indexer.arguments import memory, pooling, projection, share, windows
from indexer.index_facts import index_lines
from indexer.output import counted, emit, failure_facts, failure_lines, printable
from indexer.reindex import forecast, reindex
from indexer.request import Forecast, Report, Request
from recommender.embedders import create_embedder
from recommender.embedding import DEFAULT_WINDOWS
from recommender.errors import InvalidParameterError
from recommender.index.recipes import AUTO, KINDS, IndexOptions
from recommender.pooling import DEFAULT_POOLING, POOLINGS
from recommender.projection import DEFAULT_PROJECTION, PROJECTIONS
from recommender.served import last_known
from recommender.settings import Settings
from recommender.weights_store import as_if_installed

EXIT_WITHHELD = 1


def add_arguments(command: argparse.ArgumentParser, settings: Settings) -> None:
    """Add the flags that only this command has."""
    command.add_argument("music_dirs", nargs="+", metavar="MUSIC_DIR", help="folder of music")
    command.add_argument("--embedder", default=settings.embedder, help="default: %(default)s")
    command.add_argument("--dry-run", action="store_true", help="print the plan, change nothing")
    command.add_argument("--full", action="store_true", help="listen to every file again")
    for flag, help_text in (
        ("--allow-empty", "accept that a folder which held music holds none now"),
        ("--allow-low-recall", "publish although searches find less than the target"),
    ):
        command.add_argument(flag, action="store_true", help=help_text)
    _add_settings(command)


def _add_settings(command: argparse.ArgumentParser) -> None:
    """Add the flags that stay as they were given last, see :func:`_settings`."""

    def add(flag: str, parse: Callable[[str], Any], value: str, text: str, default: object) -> None:
        help_text = f"{text} (default: as it is served, or {default})"
        command.add_argument(
            flag, type=parse, default=argparse.SUPPRESS, metavar=value, help=help_text
        )

    add("--windows", windows, "N|all", "windows spread over a track", DEFAULT_WINDOWS)
    text = f"how windows become one vector: {', '.join(POOLINGS)}"
    add("--pooling", pooling, "NAME", text, DEFAULT_POOLING)
    text = f"what is done to vectors: {', '.join(PROJECTIONS)}"
    add("--projection", projection, "NAME", text, DEFAULT_PROJECTION)
    text = f"how vectors are searched: {AUTO}, {', '.join(KINDS)}, or a factory string of FAISS"
    add("--index", str, "KIND", text, AUTO)
    text = "memory that a worker of the service may take, such as 512MiB"
    add("--memory-budget", memory, "BYTES", text, "1GiB")
    text = "share of the ten nearest tracks that searches are to find"
    add("--target-recall", share, "SHARE", text, IndexOptions().target_recall)
    command.add_argument(
        "--segments",
        action=argparse.BooleanOptionalAction,
        default=argparse.SUPPRESS,
        help="keep every window, so that clips are found in time (default: as it is served)",
    )


def reindex_folders(options: argparse.Namespace, out: Console, err: Console) -> int:
    """Bring the index up to date, or print the plan with ``--dry-run``."""
    if not all(options.music_dirs):
        raise InvalidParameterError("MUSIC_DIR= is empty; name a folder of music")
    request = Request(
        roots=tuple(os.path.realpath(os.fsencode(path)) for path in options.music_dirs),
        data_dir=options.data_dir,
        embedder=options.embedder,
        workers=options.workers,
        **_settings(options),
        full=options.full,
        allow_empty=options.allow_empty,
        allow_low_recall=options.allow_low_recall,
    )
    if options.dry_run:
        emit(out, options.json, *_forecast_answer(forecast(request)))
        return 0
    report = reindex(request, err)
    emit(out, options.json, *_report_answer(report))
    return EXIT_WITHHELD if report.withheld else 0


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """What makes space and index: what is asked for, else what is served, else ours.

    Whoever adds an album must not have to remember how the index was made.
    """
    # what is missing is for the run to complain of, all of it at once
    with as_if_installed():
        name = create_embedder(options.embedder).spec.name
    manifest = last_known(options.data_dir, name)
    before = manifest.space if manifest else {}
    n_windows = before.get("n_windows", DEFAULT_WINDOWS)
    index = asdict(manifest.index.options if manifest else IndexOptions())
    return {
        "index": IndexOptions(**{name: getattr(options, name, index[name]) for name in index}),
        "n_windows": getattr(options, "windows", None if n_windows == "all" else n_windows),
        "pooling": getattr(options, "pooling", before.get("pooling", DEFAULT_POOLING)),
        "projection": getattr(options, "projection", before.get("projection", DEFAULT_PROJECTION)),
    }


def _forecast_answer(plan: Forecast) -> tuple[dict[str, Any], list[str]]:
    counts = {
        "new": len(plan.plan.new),
        "probably_moved": plan.probably_moved,
        "changed": len(plan.plan.changed),
        "unembedded": len(plan.plan.unembedded),
        "gone": len(plan.plan.gone),
        "unchanged": plan.plan.unchanged,
        "failed_before": plan.plan.failed_before,
    }
    paths = [
        (mark, path) for mark in ("new", "changed", "gone") for path in getattr(plan.plan, mark)
    ]
    lines = [f"{mark:8} {printable(path)}" for mark, path in paths]
    total = ", ".join(f"{n} {name}" for name, n in counts.items())
    return counts | {"space": plan.space}, [*lines, f"{total}; for space {plan.space}"]


def _report_answer(report: Report) -> tuple[dict[str, Any], list[str]]:
    opened = report.added + report.updated + report.moved + report.duplicates + report.failed
    rate = 60.0 * opened / report.elapsed_seconds if report.elapsed_seconds else 0.0
    facts = asdict(report) | {
        "files_per_minute": round(rate, 1),
        "failures": [failure_facts(failure) for failure in report.failures],
        "unreadable_folders": [printable(path) for path in report.unreadable_folders],
    }
    state = "published" if report.published else "nothing to publish, still serving"
    served = f"{state} {report.generation} with {counted(report.tracks)} in space {report.space}"
    if report.withheld:
        served = (
            f"space {report.space} is not published: {counted(report.withheld)} of what is served "
            "would leave; mend what failed and run again, or pass --allow-empty"
        )
    lines = [
        *failure_lines(facts["failures"]),
        *(f"folder cannot be listed: {path}" for path in facts["unreadable_folders"]),
        *_remarks(report),
        *(index_lines(report.index) if report.published else ()),
        f"{report.added} added, {report.updated} updated, {report.moved} moved, "
        f"{report.duplicates} duplicates, {report.removed} removed, {report.failed} failed, "
        f"{report.unchanged} unchanged, {report.failed_before} failed before",
        f"{served}; {report.elapsed_seconds:.1f} s, {rate:.0f} files/min",
    ]
    return facts, lines


def _remarks(report: Report) -> list[str]:
    remarks = []
    if report.links_left_alone:
        remarks.append(f"{report.links_left_alone} symbolic links were left alone")
    if report.credits_without_file:
        remarks.append(f"{report.credits_without_file} rows of ATTRIBUTION.csv name no audio file")
    remarks += [
        f"the space of {embedder} lacks {counted(n)}; to add them, run reindex over their folders "
        f"with --embedder {embedder}"
        for embedder, n in report.lacking.items()
    ]
    return remarks
