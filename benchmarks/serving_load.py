"""The service under load, beside an empty route and its index alone."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.clock import in_turns, latencies
from benchmarks.contestants import one_thread_a_query
from benchmarks.load import Load, Wrk
from benchmarks.output import Table, say
from benchmarks.processes import Service, running
from benchmarks.serving_disturbed import Disturbed
from benchmarks.serving_setup import QUICK_POLL, SIMILAR, Setup, load_times, paths_of
from recommender.generation import open_generation
from recommender.index.faiss import FaissIndex

EMPTY, INDEX, FAISS = "empty route", "index alone", "FAISS alone"
QUERIES = 2_000


def under_load(setup: Setup) -> list[Table]:
    """Rates and latencies, against the empty route; and p99 while other things happen."""
    wrks = {name: Wrk(paths, setup.scratch) for name, paths in paths_of(setup.n).items()}
    with running(setup.command(1), QUICK_POLL) as service:
        service.seconds_to("/readyz")
        body = setup.scratch / "body"
        body.write_bytes(service.get(paths_of(setup.n)[SIMILAR][0]))
        with running(["benchmarks.empty_route", str(body)], {}) as empty:
            empty.seconds_to("/empty")
            rates = _rates(setup, service, empty, wrks)
        return [rates, Disturbed(setup, service, wrks[SIMILAR]).table()]


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
    # rows that an update brought lie beside it
    base = getattr(index, "base", index)
    if not isinstance(base, FaissIndex):
        raise TypeError(f"index={type(base).__name__} must be a FaissIndex")
    rows = np.random.default_rng(0).integers(len(index), size=QUERIES)
    queries, none = index.vectors(rows), np.empty(0, np.int64)
    one_thread_a_query()

    def measured(search: Callable[[Any], object]) -> Load:
        spent = latencies(search, queries, setup.options.seconds)
        p50, p95, p99 = (1e3 * float(q) for q in np.quantile(spent, (0.5, 0.95, 0.99)))
        return Load(len(spent) / float(spent.sum()), p50, p95, p99, 1e3 * float(spent.max()), 0)

    parameters: Any = base._parameters

    def bare(query: Any) -> object:
        return base._searched.search(query[np.newaxis], 10, params=parameters)

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
        **load_times(loads),
    }
