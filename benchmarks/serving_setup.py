"""What `benchmarks.serving` measures: a data folder of one size, and what is asked of it."""

import argparse
import random
import statistics
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.catalogs import (
    FIRST_YEAR,
    GENRES,
    LAST_YEAR,
    open_library,
    prepare,
    space,
    track_id,
)
from benchmarks.disturbances import Alternating
from benchmarks.load import Load
from recommender.current import Served, served
from recommender.publishing import publish

# far more than caches hold of one size
SEEDS = 100_000
QUICK_POLL = {"SOUNDALIKE_POLL_SECONDS": "0.1"}
SIMILAR = "GET /similar"


@cache
def paths_of(n: int, seed: int = 0) -> dict[str, list[str]]:
    """Addresses to ask for, random ones, by what they are called."""
    rng = random.Random(seed)
    plain = [f"/similar?track_id={track_id(rng.randrange(n))}" for _ in range(SEEDS)]
    years = range(FIRST_YEAR, LAST_YEAR - 10, 10)

    def frequent() -> str:
        begin = rng.choice(years)
        return f"&genre={rng.choice(GENRES)}&year_from={begin}&year_to={begin + 19}"

    return {
        SIMILAR: plain,
        f"{SIMILAR}, filters that recur": [path + frequent() for path in plain],
        # no two the same, so that none is remembered
        f"{SIMILAR}, filters never seen": [
            path + f"{frequent()}&duration_max={rng.uniform(200, 400):.4f}" for path in plain
        ],
    }


def load_times(loads: Sequence[Load]) -> dict[str, Any]:
    """Latencies of some turns, their medians, and the errors of all."""
    return {
        "p50 ms": statistics.median(load.p50 for load in loads),
        "p95 ms": statistics.median(load.p95 for load in loads),
        "p99 ms": statistics.median(load.p99 for load in loads),
        "errors": sum(load.errors for load in loads),
    }


class Setup:
    """A data folder of one size with two generations of it, and what measures it."""

    def __init__(self, options: argparse.Namespace, n: int, scratch: Path):
        self.options, self.n, self.scratch = options, n, scratch
        self.data_dir: Path = options.folder / f"{n}"
        catalog = prepare(options.data_dir, self.data_dir, n)
        first = served(self.data_dir)
        with open_library(self.data_dir) as library:
            # the same tracks, but with one more, or without it when it is there from before
            extra = list(catalog.tracks(n, n + 1))
            if library.count_publishable(space().id) > n:
                library.forget_files([track.path for track in extra])
            else:
                library.store(extra, space())
            publish(self.data_dir, library, space())
        self.choices: tuple[tuple[Served, ...], ...] = (first, served(self.data_dir))

    def command(self, workers: int) -> list[str]:
        """How the service is started."""
        several = ["--workers", str(workers)] if workers > 1 else []
        return ["api", "--data-dir", str(self.data_dir), "--port", "0", *several]

    def alternating(self) -> Alternating:
        """Changes between the two generations."""
        return Alternating(self.data_dir, self.choices)
