"""A service at rest: what it serves, how soon, how soon something else, and in how much memory."""

import json
import statistics
from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks.clock import seconds_of
from benchmarks.exact import nearest_of_all, recall
from benchmarks.load import Wrk
from benchmarks.output import Table
from benchmarks.processes import Memory, Peak, Service, running
from benchmarks.serving_setup import QUICK_POLL, SIMILAR, Setup, paths_of
from recommender.current import generations_dir
from recommender.generation import Generation, open_generation
from recommender.manifest import Manifest

K = 10
QUERIES = 300
CLIENTS = 8
_MIB = 2**20


def at_rest(setup: Setup) -> list[Table]:
    """Start-up and reload, with the recall of what is served; and memory."""
    starts, memory = list[dict[str, Any]](), list[dict[str, Any]]()
    for workers in setup.options.workers:
        with running(setup.command(workers), QUICK_POLL) as service:
            ready = service.seconds_to("/readyz")
            memory += _memory_rows(service.memory(), workers, "ready")
            asked = _ask_many(setup, service)
            memory += _memory_rows(service.memory(), workers, f"after {asked:,} requests")
            with Peak(service) as peak:
                reloads = _reloads(setup, service)
            memory += _memory_rows(peak.memory, workers, "the most during reloads")
            reload = statistics.median(reloads)
            starts.append({"workers": workers, "ready s": ready, "reload s": reload})
            # not before the last is weighed: what is open here as well counts as shared
            if workers == setup.options.workers[-1]:
                found = _answered_recall(setup, service)
    return [_starts_table(setup, starts, found), _memory_table(setup, memory)]


def _reloads(setup: Setup, service: Service) -> list[float]:
    alternating, path = setup.alternating(), paths_of(setup.n)[SIMILAR][0]

    def step() -> None:
        alternating.step(service, path, pause=0.002)

    # the first may be of what is served already
    step()
    return [seconds_of(step) for _ in range(setup.options.turns)]


def _ask_many(setup: Setup, service: Service) -> int:
    """Ask about random ones of all tracks; how many times."""
    wrk, asked = Wrk(paths_of(setup.n)[SIMILAR], setup.scratch), 0
    while asked < setup.options.requests:
        asked += wrk.run(service.address, CLIENTS, setup.options.seconds).requests
    return asked


def _answered_recall(setup: Setup, service: Service) -> float:
    """Share of the ten nearest, by exact search over its vectors, that the service answers with."""
    paths = paths_of(setup.n)[SIMILAR][:QUERIES]
    answers = [json.loads(service.get(path)) for path in paths]
    generation = open_generation(setup.data_dir, answers[0]["generation"])
    ids = [path.partition("track_id=")[2] for path in paths]
    shares = [
        recall(generation.rows_of([match["track"]["id"] for match in answer["matches"]])[0], rows)
        for answer, rows in zip(answers, _nearest(generation, ids), strict=True)
    ]
    return float(np.mean(shares))


def _nearest(generation: Generation, ids: list[str]) -> Iterable[np.ndarray[Any, Any]]:
    """Rows of the ten nearest of each of some tracks, which are not among their own."""
    seeds, _ = generation.rows_of(ids)
    live = generation.arrays.order.astype(np.int64)
    vectors = generation.index.vectors(live)
    found, _ = nearest_of_all(vectors, generation.index.vectors(seeds), K + 1)
    for seed, rows in zip(seeds, live[found], strict=True):
        yield rows[rows != seed][:K]


def _starts_table(setup: Setup, rows: list[dict[str, Any]], found: float) -> Table:
    name = setup.choices[0][0].generation
    manifest = Manifest.read(generations_dir(setup.data_dir) / name)
    index = manifest.index
    size = sum(file["size"] for file in manifest.files.values()) / _MIB
    columns = {"workers": "", "ready s": ".2f", "reload s": ".2f"}
    note = (
        f"{index.recipe.kind} at effort {index.measurement.effort}, {size:,.0f} MiB of files. "
        f"Recall@10 of {QUERIES} answers over HTTP, against exact search: {found:.4f}."
    )
    return Table(f"Start and reload, {setup.n:,} tracks", columns, rows, note)


def _memory_rows(memory: list[Memory], workers: int, when: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "workers": workers,
            "when": when,
            "process": one.role,
            "resident MiB": one.resident,
            "its share MiB": one.proportional,
            "its own MiB": one.own,
            "anonymous MiB": one.anonymous,
        }
        for one in memory
    ]
    if len(memory) > 1:
        # what is resident in several would count several times
        row: dict[str, Any] = {"workers": workers, "when": when, "process": "together"}
        sizes = [name for name in rows[0] if name not in (*row, "resident MiB")]
        rows.append(row | {name: sum(one[name] for one in rows) for name in sizes})
    return rows


def _memory_table(setup: Setup, rows: list[dict[str, Any]]) -> Table:
    columns = {
        "workers": "",
        "when": "",
        "process": "",
        "resident MiB": ",.0f",
        "its share MiB": ",.0f",
        "its own MiB": ",.0f",
        "anonymous MiB": ",.0f",
    }
    note = (
        "Its share counts pages that n processes have mapped as one n-th, its own only those that "
        "nobody else has; anonymous pages are of no file."
    )
    return Table(f"Memory, {setup.n:,} tracks", columns, rows, note)
