"""Progress of a run: a bar with rate and time left on a terminal, plain lines elsewhere."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from indexer.output import harmless
from recommender.closing import Closing
from recommender.records import Failed

LINE_SECONDS = 10.0

_T = TypeVar("_T")
_TOLD_EVERY = 1_000


class Reporter(Closing):
    """Told of outcomes while a run goes on."""

    def advance(self, outcomes: Sequence[object]) -> None:
        """Count outcomes that have been stored; a :class:`Failed` one counts as failed."""
        raise NotImplementedError


class BarReporter(Reporter):
    """A progress bar for people."""

    def __init__(self, total: int, console: Console):
        self._console = console
        self._failed = 0
        self._progress = Progress(
            TextColumn("listening"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]}"),
            console=console,
        )
        self._task = self._progress.add_task("", total=total, rate="", failed="")
        self._progress.start()

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._progress.stop()

    def advance(self, outcomes: Sequence[object]) -> None:
        """Count outcomes that have been stored."""
        self._failed += sum(isinstance(outcome, Failed) for outcome in outcomes)
        speed = self._progress.tasks[0].speed
        self._progress.update(
            self._task,
            advance=len(outcomes),
            rate=f"{60 * speed:.0f} files/min" if speed else "",
            failed=f"{self._failed} failed" if self._failed else "",
        )


class LineReporter(Reporter):
    """A line every few seconds for logs."""

    def __init__(self, total: int, console: Console):
        self._console = console
        self._total = total
        self._done = self._failed = 0
        self._started = self._last = time.monotonic()

    def close(self) -> None:
        """Print how far it came."""
        self._print(time.monotonic())

    def advance(self, outcomes: Sequence[object]) -> None:
        """Count outcomes that have been stored."""
        self._done += len(outcomes)
        self._failed += sum(isinstance(outcome, Failed) for outcome in outcomes)
        now = time.monotonic()
        if now - self._last >= LINE_SECONDS:
            self._last = now
            self._print(now)

    def _print(self, now: float) -> None:
        rate = self._done / max(now - self._started, 1e-9)
        left = f", {(self._total - self._done) / rate:.0f} s left" if rate else ""
        self._console.print(
            f"listened to {self._done}/{self._total} files, {60 * rate:.0f} files/min{left}, "
            f"{self._failed} failed",
            highlight=False,
            soft_wrap=True,
        )


def make_reporter(total: int, console: Console) -> Reporter:
    """The reporter that suits the console."""
    return BarReporter(total, console) if console.is_terminal else LineReporter(total, console)


class _Steps(logging.Handler):
    """Shows each record: what is being done now beside a clock on a terminal, else all as lines."""

    def __init__(self, console: Console):
        super().__init__(logging.INFO)
        self._console = console
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        shown = console.is_terminal
        self.progress = Progress(*columns, console=console, transient=True, disable=not shown)
        self._task = self.progress.add_task("publishing", total=None)

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record; warnings stay."""
        text = harmless(record.getMessage())
        if record.levelno < logging.WARNING and self._console.is_terminal:
            self.progress.reset(self._task, description=escape(text))
        else:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def publishing_told(console: Console) -> Iterator[None]:
    """Show what the domain logs, as it publishes: minutes, for a million tracks."""
    log, steps = logging.getLogger("recommender"), _Steps(console)
    before = log.level
    log.addHandler(steps)
    log.setLevel(logging.INFO)
    try:
        with steps.progress:
            yield
    finally:
        log.setLevel(before)
        log.removeHandler(steps)


def told_along(items: Iterable[_T], console: Console, what: str) -> Iterator[_T]:
    """The same items, of unknown number; that they come is shown."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    shown, last = console.is_terminal, time.monotonic()
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        task = progress.add_task(f"0 {what}", total=None)
        for number, item in enumerate(items, 1):
            yield item
            if number % _TOLD_EVERY:
                continue
            progress.update(task, description=f"{number} {what}")
            now = time.monotonic()
            if not shown and now - last >= LINE_SECONDS:
                last = now
                console.print(f"{number} {what}", highlight=False)
