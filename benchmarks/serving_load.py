"""The service under load, beside an empty route and its index alone; and while things happen."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.clock import in_turns, latencies
from benchmarks.disturbances import Uploads, clip_of, repeated
from benchmarks.load import Load, Wrk
from benchmarks.output import Table, say
from benchmarks.processes import Service, running
from benchmarks.serving_setup import SEEDS, SIMILAR, Setup, paths_of
from recommender.generation import open_generation
from recommender.index.faiss import FaissIndex

DISTURBED_CLIENTS = 8
EMPTY, INDEX, FAISS = "empty route", "index alone", "FAISS alone"
CLIP_SECONDS = 10.0


def under_load(setup: Setup) -> list[Table]:
    """Rates and latencies, against the empty route; and p99 while other things happen."""
    wrks = {name: Wrk(paths, setup.scratch) for name, paths in paths_of(setup.n).items()}
    with running(setup.command(1), {}) as service:
        service.seconds_to("/readyz")
        body = setup.scratch / "body"
        body.write_bytes(service.get(paths_of(setup.n)[SIMILAR][0]))
        with running(["benchmarks.empty_route", str(body)], {}) as empty:
            empty.seconds_to("/empty")
            rates = _rates(setup, service, empty, wrks)
        return [rates, _disturbed(setup, service, wrks[SIMILAR])]


def _rates(setup: Setup, service: Service, empty: Service, wrks: dict[str, Wrk]) -> Table:
    options, rows = setup.options, list[dict[str, Any]]()
    alone = _alone(setup)
    for clients in options.clients:
        ways: dict[str, Callable[[], Load]] = {
            EMPTY: lambda c=clients: Wrk(["/empty"], setup.scratch).run(  # type: ignore[misc]
                empty.address, c, options.seconds
            )
        }
        for name, wrk in wrks.items():
            ways[name] = lambda w=wrk, c=clients: w.run(  # type: ignore[misc]
                service.address, c, options.seconds
            )
        say(f"{clients} clients: {', '.join(ways)}")
        results = in_turns({**ways, **(alone if clients == 1 else {})}, options.turns)
        rows += [_load_row(name, clients, loads, results[EMPTY]) for name, loads in results.items()]
    columns = {
        "what": "",
        "clients": "",
        "requests/s": ",.0f",
        "share of the empty route": "",
        "p50 ms": ".2f",
        "p95 ms": ".2f",
        "p99 ms": ".2f",
        "errors": "",
    }
    note = f"Medians of {options.turns} turns of {options.seconds:g} s, one worker."
    return Table(f"Under load, {setup.n:,} tracks", columns, rows, note)


def _alone(setup: Setup) -> dict[str, Callable[[], Load]]:
    """Ten neighbours from the index in this process, and from FAISS without anything around."""
    index = open_generation(setup.data_dir, setup.choices[0][0].generation).index
    if not isinstance(index, FaissIndex):
        raise TypeError(f"index={type(index).__name__} must be a FaissIndex")
    rows = np.random.default_rng(0).integers(len(index), size=SEEDS)
    queries, none = index.vectors(rows), np.empty(0, np.int64)

    def measured(search: Callable[[Any], object]) -> Load:
        spent = latencies(search, queries, setup.options.seconds)
        p50, p95, p99 = (1e3 * float(q) for q in np.quantile(spent, (0.5, 0.95, 0.99)))
        return Load(len(spent) / float(spent.sum()), p50, p95, p99, float(spent.max()), 0)

    parameters: Any = index._parameters

    def bare(query: Any) -> object:
        return index._searched.search(query[np.newaxis], 10, params=parameters)

    return {
        INDEX: lambda: measured(lambda query: index.nearest(query, 10, none)),
        FAISS: lambda: measured(bare),
    }


def _load_row(
    name: str, clients: int, loads: Sequence[Load], empty: Sequence[Load]
) -> dict[str, Any]:
    shares = [100 * a.rate / b.rate for a, b in zip(loads, empty, strict=True)]
    share = f"{statistics.median(shares):.0f} % ({min(shares):.0f} to {max(shares):.0f})"
    return {
        "what": name,
        "clients": None if name in (INDEX, FAISS) else clients,
        "requests/s": statistics.median(load.rate for load in loads),
        "share of the empty route": None if name == EMPTY else share,
        **_times(loads),
    }


def _times(loads: Sequence[Load]) -> dict[str, Any]:
    return {
        "p50 ms": statistics.median(load.p50 for load in loads),
        "p95 ms": statistics.median(load.p95 for load in loads),
        "p99 ms": statistics.median(load.p99 for load in loads),
        "errors": sum(load.errors for load in loads),
    }


def _disturbed(setup: Setup, service: Service, wrk: Wrk) -> Table:
    options = setup.options
    alternating, uploads = setup.alternating(), Uploads(service.address, clip_of(CLIP_SECONDS))

    def quiet() -> Load:
        return wrk.run(service.address, DISTURBED_CLIENTS, options.seconds)

    def reloads() -> Load:
        with repeated(alternating.step, options.reload_every):
            return quiet()

    def with_uploads() -> Load:
        with repeated(uploads.step, 1 / options.uploads):
            return quiet()

    results = in_turns({"quiet": quiet, "reloads": reloads, "uploads": with_uploads}, options.turns)
    uploads.wait()
    calm = [load.p99 for load in results["quiet"]]
    rows = [
        {
            "meanwhile": name,
            "requests/s": statistics.median(load.rate for load in loads),
            **_times(loads),
            "p99 of the quiet one, times": statistics.median(
                load.p99 / before for load, before in zip(loads, calm, strict=True)
            ),
            "done": done,
        }
        for (name, loads), done in zip(
            results.items(),
            ("", f"{alternating.count} reloads", _uploads_done(uploads)),
            strict=True,
        )
    ]
    columns = {
        "meanwhile": "",
        "requests/s": ",.0f",
        "p50 ms": ".2f",
        "p95 ms": ".2f",
        "p99 ms": ".2f",
        "p99 of the quiet one, times": ".2f",
        "errors": "",
        "done": "",
    }
    note = (
        f"{SIMILAR} by {DISTURBED_CLIENTS} clients, one worker; medians of {options.turns} turns."
    )
    return Table(f"Disturbed, {setup.n:,} tracks", columns, rows, note)


def _uploads_done(uploads: Uploads) -> str:
    said = ", ".join(f"{count} x {status}" for status, count in sorted(uploads.statuses.items()))
    median = statistics.median(uploads.seconds) if uploads.seconds else 0.0
    return f"{said}; {median:.2f} s each"
