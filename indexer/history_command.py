"""The ``import-history`` command: what a listener played elsewhere becomes events here."""

import argparse
import csv
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TextIO

from rich.console import Console

from indexer.history_report import Name, Report
from indexer.output import emit
from indexer.progress import told_along
from recommender.current import current_generation
from recommender.events import Event, check_listener_id
from recommender.generation import open_catalog
from recommender.history import History
from recommender.history_entries import Broken, HistoryEntry, Item, LeftOut
from recommender.listeners import Listeners
from recommender.recordings import Ambiguous, Recordings, event_of
from recommender.served import embedder_of, find_space, served_manifests
from recommender.settings import Settings

AT_ONCE = 1_000


def import_history(options: argparse.Namespace, out: Console, err: Console) -> int:
    """Read a history, match it with the catalog, store what was found, and report."""
    check_listener_id(options.listener)
    with ExitStack() as stack:
        history = stack.enter_context(History.open(options.file, datetime.now(UTC)))
        recordings = Recordings(*open_catalog(options.data_dir, _generation(options)))
        missing = stack.enter_context(_opened(options.missing)) if options.missing else None
        report = Report(history.formats, history.ignored)
        events = _matched(told_along(history, err, "entries read"), recordings, report)
        if options.dry_run:
            for _ in events:
                pass
        else:
            settings = replace(options.settings, data_dir=options.data_dir)
            listeners = stack.enter_context(Listeners.of(settings))
            _store(listeners, options.listener, events, report)
        if missing:
            _write_missing(missing, report)
    emit(out, options.json, report.facts(options.dry_run), report.lines(options.dry_run))
    return 0


def add_arguments(command: argparse.ArgumentParser, settings: Settings) -> None:
    """Add the flags that only this command has.

    Parameters
    ----------
    command
        Of which all other flags are there.
    settings
        Which tell where listeners are kept.
    """
    command.set_defaults(settings=settings)
    command.add_argument("file", type=Path, metavar="FILE", help="what another service exported")
    command.add_argument("--listener", required=True, metavar="ID", help="whose history it is")
    command.add_argument(
        "--space", metavar="SPACE", help="whose catalog it is matched with (default: the default's)"
    )
    command.add_argument("--dry-run", action="store_true", help="match and report, store nothing")
    command.add_argument(
        "--missing",
        type=Path,
        metavar="FILE",
        help="write what the catalog lacks, most played first",
    )


def _generation(options: argparse.Namespace) -> str:
    """The generation whose catalog is matched with."""
    if options.space is None:
        return current_generation(options.data_dir)
    manifests = served_manifests(options.data_dir)
    spaces = [(manifest.space_id, embedder_of(manifest)) for manifest in manifests]
    return manifests[find_space(spaces, options.space)].generation


def _matched(items: Iterable[Item], recordings: Recordings, report: Report) -> Iterator[Event]:
    """The events of a history whose tracks are in the catalog; everything is counted."""
    for item in items:
        if isinstance(item, Broken):
            report.add_broken(item)
        elif isinstance(item, LeftOut):
            report.left_out[item.why] += 1
        elif event := _found(item, recordings, report):
            report.kinds[event.kind.value] += 1
            yield event


def _found(entry: HistoryEntry, recordings: Recordings, report: Report) -> Event | None:
    match = recordings.find(entry)
    if match is None:
        report.missing.add(Name.of(entry))
        return None
    if isinstance(match, Ambiguous):
        report.add_ambiguous(entry, match.tracks)
        return None
    report.by_id += match.by_id
    report.by_name += not match.by_id
    return event_of(entry, match.track)


def _store(listeners: Listeners, listener: str, events: Iterator[Event], report: Report) -> None:
    # each batch is durable by itself: a run that was killed is simply run again
    while batch := list(islice(events, AT_ONCE)):
        added = listeners.add(listener, batch)
        report.stored += added.accepted
        report.known += added.duplicates
        report.expired += added.expired


def _opened(path: Path) -> TextIO:
    """A file to write to: opened first, for a misspelt folder is found out before all else."""
    return path.open("w", encoding="utf-8", newline="")


def _write_missing(file: TextIO, report: Report) -> None:
    writer = csv.writer(file)
    writer.writerow(["plays", *Name._fields])
    writer.writerows([plays, *name] for name, plays in report.missing.most_played())
