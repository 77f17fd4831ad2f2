"""Latencies of a service while it reloads, takes clips, or an index is published beside it."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from benchmarks.clock import in_turns
from benchmarks.disturbances import Steps, Uploads, clip_of, repeated
from benchmarks.load import Load, Wrk
from benchmarks.output import Table, cores, say
from benchmarks.processes import Service
from benchmarks.publications import CHANGED, Publisher, publishing
from benchmarks.serving_setup import SIMILAR, Setup, load_times, paths_of

CLIENTS = 8
CLIP_SECONDS = 10.0
QUIET, RELOADS, UPLOADS, PUBLICATIONS = "nothing", "reloads", "uploads", "publications"

Meanwhile = Callable[[], AbstractContextManager[None]]


class Disturbed:
    """One address of a service under load, by what happens meanwhile.

    Parameters
    ----------
    setup
        Options, and the generations that take turns.
    service
        Running.
    wrk
        The load.
    """

    def __init__(self, setup: Setup, service: Service, wrk: Wrk):
        self._setup, self._service, self._wrk = setup, service, wrk
        self._path = paths_of(setup.n)[SIMILAR][0]

    def table(self) -> Table:
        """Each in turns with quiet; publications at last, as they remove old generations."""
        alternating, reloads = self._setup.alternating(), Steps()
        # the first may be of what is served already
        alternating.step(self._service, self._path)
        uploads = Uploads(self._service.address, clip_of(CLIP_SECONDS))
        options = self._setup.options

        def reloading() -> AbstractContextManager[None]:
            def step() -> None:
                alternating.step(self._service, self._path)

            return repeated(step, options.reload_every, reloads)

        def uploading() -> AbstractContextManager[None]:
            return repeated(uploads.step, 1 / options.uploads, Steps())

        loads = self._loads({QUIET: nullcontext, RELOADS: reloading, UPLOADS: uploading}, uploads)
        done = {RELOADS: _reloads_done(reloads), UPLOADS: _uploads_done(uploads)}
        rows = _rows(loads, done) + self._published(uploads)
        return _table(self._setup, rows)

    def _published(self, uploads: Uploads) -> list[dict[str, Any]]:
        setup, taken = self._setup, Steps()
        options = setup.options
        with publishing(options.data_dir, setup.data_dir, setup.n) as publisher:

            def publications() -> AbstractContextManager[None]:
                def step() -> None:
                    publisher.step(self._service, self._path)

                return repeated(step, options.reload_every, taken)

            loads = self._loads({QUIET: nullcontext, PUBLICATIONS: publications}, uploads)
        return _rows(loads, {PUBLICATIONS: _publications_done(publisher, taken)})

    def _loads(self, ways: Mapping[str, Meanwhile], uploads: Uploads) -> dict[str, list[Load]]:
        seconds = self._setup.options.disturbed_seconds

        def measured(meanwhile: Meanwhile) -> Load:
            with meanwhile():
                load = self._wrk.run(self._service.address, CLIENTS, seconds)
            # or they disturb the next turn
            uploads.wait()
            return load

        say(f"disturbed: {', '.join(ways)}")
        turns = {name: lambda m=way: measured(m) for name, way in ways.items()}
        return in_turns(turns, self._setup.options.turns)


def _rows(loads: Mapping[str, Sequence[Load]], done: Mapping[str, str]) -> list[dict[str, Any]]:
    calm = [load.p99 for load in loads[QUIET]]
    return [
        {
            "meanwhile": name,
            "requests/s": statistics.median(load.rate for load in of),
            **load_times(of),
            "longest ms": max(load.most for load in of),
            "p99, times that of the quiet turn": statistics.median(
                load.p99 / before for load, before in zip(of, calm, strict=True)
            ),
            "done": done.get(name, ""),
        }
        for name, of in loads.items()
    ]


def _table(setup: Setup, rows: list[dict[str, Any]]) -> Table:
    columns = {
        "meanwhile": "",
        "requests/s": ",.0f",
        "p50 ms": ".2f",
        "p95 ms": ".2f",
        "p99 ms": ".2f",
        "longest ms": ".1f",
        "p99, times that of the quiet turn": ".2f",
        "errors": "",
        "done": "",
    }
    options = setup.options
    note = (
        f"{SIMILAR} by {CLIENTS} clients, one worker; medians of {options.turns} turns of "
        f"{options.disturbed_seconds:g} s. A reload begins every {options.reload_every:g} s, or "
        "when the one before it is served; it counts when an answer came from it within the turn. "
        f"Publications are of {CHANGED} tracks that come or go, by another process: with wrk and "
        f"the service there are three for {cores()} cores."
    )
    return Table(f"Disturbed, {setup.n:,} tracks", columns, rows, note)


def _reloads_done(steps: Steps) -> str:
    return f"{len(steps.within)} reloads; {_seconds([*steps.within, *steps.late])}"


def _publications_done(publisher: Publisher, taken: Steps) -> str:
    n = len(publisher.seconds)
    return (
        f"{len(taken.within)} published and served; {n} in all, {publisher.n_updates} of them "
        f"updates; {_seconds(publisher.seconds)}"
    )


def _uploads_done(uploads: Uploads) -> str:
    said = ", ".join(f"{count} x {status}" for status, count in sorted(uploads.statuses.items()))
    return f"{said}; {_seconds(uploads.seconds)}"


def _seconds(each: Sequence[float]) -> str:
    return f"{statistics.median(each):.2f} s each, {max(each):.2f} the longest" if each else "none"
