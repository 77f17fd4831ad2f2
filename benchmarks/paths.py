"""Paths against simpler ways of walking: ``python -m benchmarks.paths DATA_DIR``."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from benchmarks.output import Report, Table, add_json, shown, whole_numbers
from recommender.arrays import FloatArray, Rows
from recommender.current import current_generation
from recommender.generation import Generation, open_generation
from recommender.neighbours import LISTED
from recommender.paths import PathOptions, walk
from recommender.ranking import MILLIONTHS
from recommender.retrieval import Room
from recommender.walks import GreatCircle, hop_similarities

Walker = Callable[[int, int, int], list[int] | None]
PER_SLOT = 48
_NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True)
class Walkers:
    """Ways to walk through one generation; None where a way leads nowhere."""

    generation: Generation

    def ours(self, start: int, end: int, steps: int) -> list[int] | None:
        """As the service does."""
        room = Room(self.generation.arrays.live, np.array([start, end]))
        rows = walk(self.generation, start, end, room, PathOptions(steps))
        return [int(row) for row in rows]

    def greedy(self, start: int, end: int, steps: int) -> list[int] | None:
        """The nearest unused track to each of evenly spaced points of the great circle."""
        used = [start, end]
        for point in self._circle(start, end).points(steps - 2):
            rows, _ = self.generation.index.nearest(point, 1, np.array(used))
            used.append(int(rows[0]))
        return [start, *used[2:], end]

    def slots(self, start: int, end: int, steps: int) -> list[int] | None:
        """Viterbi: each track may stand where it is closest to a point; least squared angles."""
        slots = self._slots(start, end, steps)
        if not all(slots):
            return None
        layers = [[start], *slots, [end]]
        vectors = [self.generation.index.vectors(np.array(layer)) for layer in layers]
        cost, came_from = np.zeros(1), list[Rows]()
        for before, after in pairwise(vectors):
            through = cost[:, np.newaxis] + np.arccos(np.clip(before @ after.T, -1, 1)) ** 2
            came_from.append(through.argmin(axis=0))
            cost = through.min(axis=0)
        places = [0]
        for places_before in reversed(came_from):
            places.append(int(places_before[places[-1]]))
        return [layer[place] for layer, place in zip(layers, reversed(places), strict=True)]

    def graph(self) -> Walker:
        """Shortest paths over the lists of neighbours, by squared angles; of any length."""
        edges = _edges(self.generation)

        def shortest(start: int, end: int, _: int) -> list[int] | None:
            before = dijkstra(edges, indices=start, return_predecessors=True)[1]
            found = [end]
            while found[-1] != start:
                if before[found[-1]] < 0:
                    return None
                found.append(int(before[found[-1]]))
            return found[::-1]

        return shortest

    def _slots(self, start: int, end: int, steps: int) -> list[list[int]]:
        best, ends = dict[int, tuple[float, int]](), np.array([start, end])
        for slot, point in enumerate(self._circle(start, end).points(steps - 2)):
            rows, cosines = self.generation.index.nearest(point, PER_SLOT, ends)
            for row, cosine in zip(rows.tolist(), cosines.tolist(), strict=True):
                best[row] = max(best.get(row, (-1.0, 0)), (cosine, slot))
        slots: list[list[int]] = [[] for _ in range(steps - 2)]
        for row, (_, slot) in best.items():
            slots[slot].append(row)
        return slots

    def _circle(self, start: int, end: int) -> GreatCircle:
        return GreatCircle(*self.generation.index.vectors(np.array([start, end])))


def _edges(generation: Generation) -> csr_matrix:
    found = [generation.arrays.neighbours.of(row) for row in range(generation.manifest.n_rows)]
    rows = [np.repeat(row, LISTED) for row, one in enumerate(found) if one is not None]
    lists = [one for one in found if one is not None]
    of = np.concatenate(rows)
    near, similarities = (np.concatenate([one[part] for one in lists]) for part in (0, 1))
    listed = near >= 0
    angles = np.arccos(np.clip(2 * similarities[listed] / MILLIONTHS - 1, -1, 1))
    shape = (len(found), len(found))
    one_way = csr_matrix((angles**2 + 1e-9, (of[listed], near[listed])), shape)
    return one_way.maximum(one_way.T)


def figures(vectors: FloatArray) -> list[float]:
    """Mean and worst similarity of a hop, spread of angles, farthest from an even walk."""
    hops = hop_similarities(vectors)
    angles = np.arccos(np.clip(2 * hops - 1, -1, 1))
    circle = GreatCircle(vectors[0], vectors[-1])
    even = np.linspace(0, 1, len(vectors))
    late = np.abs(circle.progress(vectors) / circle.angle - even).max()
    return [hops.mean(), hops.min(), angles.std() / angles.mean(), late, len(vectors)]


def compared(generation: Generation, steps: int, n_pairs: int) -> Table:
    """Each way of walking between the same random pairs of tracks."""
    walkers = Walkers(generation)
    ways: dict[str, Walker] = {
        "ours": walkers.ours,
        "greedy": walkers.greedy,
        "slots": walkers.slots,
        "graph": walkers.graph(),
    }
    live, rng = generation.arrays.order.astype(np.int64), np.random.default_rng(0)
    pairs = [rng.choice(live, 2, replace=False).tolist() for _ in range(n_pairs)]
    names = ("mean", "worst", "unevenness", "farthest", "tracks")
    columns = dict.fromkeys(names, ".3f") | {"found": ".0%", "ms": ".1f"}
    rows = list[dict[str, object]]()
    for name, way in ways.items():
        measured, seconds = list[list[float]](), list[float]()
        for start, end in shown(pairs, f"{name}, {steps} steps"):
            began = time.perf_counter()
            found = way(start, end, steps)
            seconds.append(time.perf_counter() - began)
            if found is not None:
                measured.append(figures(generation.index.vectors(np.array(found))))
        means = np.mean(measured, axis=0).tolist() if measured else [None] * len(names)
        row: dict[str, object] = dict(zip(names, means, strict=True))
        row |= {"way": name, "found": len(measured) / n_pairs, "ms": 1000 * np.median(seconds)}
        rows.append(row)
    title = f"{steps} steps among {generation.manifest.n_tracks:,} tracks"
    return Table(title, {"way": "", **columns}, rows, f"{n_pairs} random pairs.")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--steps", type=whole_numbers, default=[10, 25])
    parser.add_argument("--pairs", type=int, default=60)
    add_json(parser)
    options = parser.parse_args()
    name = current_generation(options.data_dir)
    generation = open_generation(options.data_dir, name)
    report = Report.of("benchmarks.paths", options)
    for steps in options.steps:
        report.add(compared(generation, steps, options.pairs))


if __name__ == "__main__":
    main()
