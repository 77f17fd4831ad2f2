"""Every kind of index beside the libraries and databases that people would pick, at equal recall.

::

    python -m benchmarks.index_kinds DATA_DIR [--sizes 10_000,100_000,1_000_000] [--target 0.98]

Vectors are those of `benchmarks.vectors`; queries come from the same mixture and are in no index.
Each contestant's effort is the smallest that finds `--target` of the ten nearest for one part of
the queries; what is printed is measured on the other part. Single queries run on one thread, one
after another, the contestants in turns; batches and builds take all cores. A filter by chance
allows rows anywhere; one by region those that lie towards one track, as those of a genre do.

Needs the extra `rivals`. ``--huge`` is for ten million: only kinds that compress, nobody beside.
Beyond `MOST_ROTATED` dimensions `ivf-opq` is built only when ``--kinds`` names it.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clock import in_turns, milliseconds, timed
from benchmarks.contestant_libraries import libraries
from benchmarks.contestant_services import Milvus, SqliteVec
from benchmarks.contestants import Allowed, Contestant, Ours, Stock, one_thread_a_query
from benchmarks.exact import nearest_of_all
from benchmarks.mixture import BLOCK, QUERIES
from benchmarks.output import Report, Table, add_json, say, shown, whole_numbers
from benchmarks.trials import N_TUNING, Trial, tuned_effort
from benchmarks.vectors import in_file, mixture_of
from recommender.arrays import FloatArray, Rows
from recommender.index.recipes import KINDS

K = 10
N_QUERIES = 3_000
SHARES = (0.5, 0.1, 0.01)
COMPRESSED = ("hnsw-sq8", "ivf-pq", "ivf-opq", "ivf-rabitq")
# FAISS learns a rotation from singular values: 2048 dimensions take it 10 minutes
ROTATED, MOST_ROTATED = "ivf-opq", 1024
TURNS = 5
# of the held-out queries' recall: chance alone moves it by about this much
TOLERANCE = 0.004


class Arena:
    """Vectors, queries and what exact search finds, of one size."""

    def __init__(self, options: argparse.Namespace, size: int, folder: Path):
        mixture = mixture_of(options.data_dir, size, options.dimension)
        self.vectors = in_file(folder / "vectors.npy", mixture, size, options.dimension)
        self.queries = mixture.units(N_QUERIES, stream=QUERIES)
        self.truth, _ = nearest_of_all(self.vectors, self.queries, K)
        fields = {
            "chance": np.random.default_rng(1).random(size, np.float32),
            "region": _ranks(self.vectors, mixture.units(1, number=1, stream=QUERIES)[0]),
        }
        self.stock = Stock(self.vectors, fields)

    def filters(self) -> Iterator[tuple[Allowed, Rows]]:
        """Each filter that is measured, and what exact search finds then for the last queries."""
        for field, values in self.stock.fields.items():
            for share in SHARES:
                allowed = Allowed(field, share, values < share)
                truth, _ = nearest_of_all(
                    self.vectors, self.queries[N_TUNING:], K, allowed=allowed.mask
                )
                yield allowed, truth


def _ranks(vectors: FloatArray, towards: FloatArray) -> FloatArray:
    """Rank of each vector, 0 the closest to a direction, as numbers in [0, 1)."""
    starts = range(0, len(vectors), BLOCK)
    cosines = np.concatenate([vectors[start : start + BLOCK] @ towards for start in starts])
    ranks = np.empty(len(vectors), np.float32)
    ranks[np.argsort(-cosines)] = np.arange(len(vectors), dtype=np.float32) / len(vectors)
    return ranks


def chosen(options: argparse.Namespace) -> list[Contestant]:
    """Who takes part."""
    kinds = options.kinds or [
        kind
        for kind in (COMPRESSED if options.huge else KINDS)
        if kind != ROTATED or options.dimension <= MOST_ROTATED
    ]
    ours: list[Contestant] = [Ours(kind) for kind in kinds]
    if options.huge or options.alone:
        return ours
    others = [*libraries(), Milvus(), SqliteVec()]
    return ours + [it for it in others if it.name not in options.without]


def build_all(contestants: Sequence[Contestant], arena: Arena) -> list[tuple[Contestant, float]]:
    """Build one after another; seconds of each."""
    built = []
    for contestant in shown(contestants, "building"):
        say(f"building {contestant.name}")
        _, seconds = timed(lambda it=contestant: it.build(arena.stock))  # type: ignore[misc]
        built.append((contestant, seconds))
    # again: a build may have asked for more
    one_thread_a_query()
    return built


def measure(options: argparse.Namespace, size: int, report: Report) -> None:
    """One size: build, tune, measure in turns, print."""
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        arena = Arena(options, size, Path(folder))
        one_thread_a_query()
        built = build_all(chosen(options), arena)
        trials = dict[str, Trial]()
        for contestant, _ in built:
            effort = tuned_effort(contestant, arena.queries, arena.truth, options.target)
            trials[contestant.name] = Trial(
                contestant, effort, arena.queries, arena.truth, options.seconds
            )
        turn = {name: trial.turn for name, trial in trials.items()}
        in_turns(turn, TURNS)
        rows = [_row(trials[c.name], seconds, size, options.target) for c, seconds in built]
        report.add(_kinds_table(options, size, rows))
        report.add(_filters_table(options, arena, trials))
        for contestant, _ in built:
            contestant.close()


def _row(trial: Trial, seconds: float, size: int, target: float) -> dict[str, Any]:
    contestant, spent = trial.contestant, trial.seconds
    found = trial.recall
    return {
        "index": contestant.name,
        "build s": seconds,
        "bytes a vector, in memory": _resident(contestant, size),
        "on disk": contestant.n_bytes() / size,
        "effort": trial.effort if contestant.efforts else None,
        "recall@10": found,
        "p50 ms": milliseconds(spent, 0.5),
        "p99 ms": milliseconds(spent, 0.99),
        "queries": len(spent),
        "batch queries/s": float(np.median(trial.batch_rates)),
        "target": "" if found >= target - TOLERANCE else "missed",
    }


def _resident(contestant: Contestant, size: int) -> float:
    if isinstance(contestant, Ours):
        return contestant.resident()
    return contestant.n_bytes() / size


def _kinds_table(options: argparse.Namespace, size: int, rows: list[dict[str, Any]]) -> Table:
    columns = {
        "index": "",
        "build s": ".1f",
        "bytes a vector, in memory": ".0f",
        "on disk": ".0f",
        "effort": "",
        "recall@10": ".4f",
        "p50 ms": ".3f",
        "p99 ms": ".3f",
        "queries": "",
        "batch queries/s": ",.0f",
        "target": "",
    }
    note = f"Effort tuned to recall@10 of {options.target}; {TURNS} turns."
    return Table(f"{size:,} x {options.dimension}", columns, rows, note)


def _filters_table(options: argparse.Namespace, arena: Arena, trials: dict[str, Trial]) -> Table:
    rows = list[dict[str, Any]]()
    for allowed, truth in shown(list(arena.filters()), "filters"):
        filtered = {
            name: Trial(
                trial.contestant,
                trial.effort,
                arena.queries,
                np.concatenate([arena.truth[:N_TUNING], truth]),
                options.seconds,
                allowed,
            )
            for name, trial in trials.items()
            if trial.contestant.filters
        }
        in_turns({name: trial.turn for name, trial in filtered.items()}, 2)
        rows += [
            {
                "filter": allowed.field,
                "share": allowed.below,
                "index": name,
                "results": trial.n_found,
                "recall@10": trial.recall,
                "p50 ms": milliseconds(trial.seconds, 0.5),
                "p99 ms": milliseconds(trial.seconds, 0.99),
            }
            for name, trial in filtered.items()
        ]
    columns = {
        "filter": "",
        "share": "",
        "index": "",
        "results": ".2f",
        "recall@10": ".4f",
        "p50 ms": ".3f",
        "p99 ms": ".3f",
    }
    note = "Ten asked for, with the effort of above."
    return Table(
        f"Filtered search, {len(arena.vectors):,} x {options.dimension}", columns, rows, note
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--sizes", type=whole_numbers, default=[10_000, 100_000])
    parser.add_argument("--dimension", type=int, default=200)
    parser.add_argument("--target", type=float, default=0.98)
    parser.add_argument("--seconds", type=float, default=1.5, help="of one turn")
    parser.add_argument("--kinds", nargs="+", help="which of ours; all by default")
    parser.add_argument("--alone", action="store_true", help="ours only")
    parser.add_argument("--without", nargs="+", default=[], help="names of others to leave out")
    parser.add_argument("--huge", action="store_true", help="kinds that compress only")
    parser.add_argument("--scratch", type=Path, help="folder with room for the vectors")
    add_json(parser)
    options = parser.parse_args()
    report = Report.of("benchmarks.index_kinds", options)
    for size in options.sizes:
        measure(options, size, report)


if __name__ == "__main__":
    main()
