"""The ``evaluate`` command: measure, print, and compare with an earlier report."""

import argparse
from pathlib import Path

from rich.console import Console

from indexer.arguments import whole_number
from indexer.evaluation.baseline import regressions
from indexer.evaluation.choices import DEFAULT_FANS
from indexer.evaluation.protocols import DEFAULT_LISTENED, Request, evaluate
from indexer.evaluation.report import read_report
from indexer.evaluation.tables import report_lines
from indexer.output import harmless

EXIT_WORSE = 1


def evaluate_catalog(options: argparse.Namespace, out: Console, err: Console) -> int:
    """Measure what is served; exit code 1 when it is worse than ``--baseline`` says it was."""
    # first, and compared before anything is heard: half an hour is long for a misspelt path
    baseline = read_report(options.baseline) if options.baseline else None
    request = Request(
        data_dir=options.data_dir,
        space=options.space,
        seed=options.seed,
        listened=options.tracks,
        events=options.events,
        workers=options.workers,
        fans=options.fans,
    )
    report = evaluate(request, err, baseline)
    if options.json:
        out.print(report.to_json())
    for line in [] if options.json else report_lines(report):
        out.print(harmless(line))
    if baseline is None:
        return 0
    worse = regressions(report, baseline)
    for line in worse:
        err.print(harmless(f"worse: {line}"), markup=False, highlight=False, soft_wrap=True)
    if not worse:
        err.print("no figure is worse than the baseline allows", highlight=False)
    return EXIT_WORSE if worse else 0


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the flags that only this command has."""
    command.add_argument("--space", metavar="ID", help="space of the library (default: the served)")
    command.add_argument(
        "--seed",
        type=whole_number(0),
        default=0,
        metavar="N",
        help="of every random choice (default: %(default)s)",
    )
    command.add_argument(
        "--tracks",
        type=whole_number(0),
        default=DEFAULT_LISTENED,
        metavar="N",
        help="tracks that are listened to again, for clips and variants; "
        "0 for none (default: %(default)s)",
    )
    command.add_argument(
        "--fans",
        type=whole_number(0),
        default=DEFAULT_FANS,
        metavar="N",
        help="simulated listeners of several styles that the defaults of recommendations are "
        "compared for; 0 for none (default: %(default)s)",
    )
    command.add_argument(
        "--events",
        type=Path,
        metavar="FILE",
        help="CSV of listening events: listener, track_id, time (default: simulated listeners)",
    )
    command.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="earlier report to compare with; exit code 1 when figures have become worse",
    )
