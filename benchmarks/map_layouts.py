"""What maps keep of who sounds like whom: principal components, neighbours, and UMAP.

::

    python -m benchmarks.map_layouts DATA_DIR [--sizes 20_000,100_000]

Of the real vectors of musicnn in the library of DATA_DIR, and of synthetic ones made of them, see
`benchmarks.vectors`. "Trustworthiness" (J. Venna and S. Kaski, ICANN 2001) is 1 when the 10 nearest
in the plane are among the 10 nearest in sound, and less the farther away others are; "recall" is
the share of the 10 nearest in sound that are among the 10 nearest in the plane. Seconds are of the
processor, from vectors and lists of neighbours to places. UMAP is measured where umap-learn is
installed; it is given the same lists.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.exact import nearest_of_all
from benchmarks.output import Report, Table, add_json, whole_numbers
from benchmarks.vectors import mixture_of, real_vectors
from recommender.arrays import FloatArray, Rows
from recommender.generation import normalised
from recommender.index.faiss import FaissIndex
from recommender.index.recipes import IndexOptions, plan
from recommender.maps import Near, Places, fitted, laid_out, principal
from recommender.neighbours import neighbours_of

DIMENSION = 400
NEAREST = 10
PROBES = 500
# how far ranks are told apart
_DEEP = 5_000
UMAP_NEIGHBOURS = 15
COLUMNS = {
    "vectors": "",
    "tracks": ",",
    "map": "",
    "trustworthiness": ".3f",
    "recall": ".3f",
    "seconds": ".1f",
}

Layout = Callable[[FloatArray, Near], Places]


def by_umap(units: FloatArray, near: Near) -> Places:
    """What umap-learn makes of it with its defaults."""
    import umap

    rows = np.concatenate([np.arange(len(units))[:, np.newaxis], near.rows], axis=1)
    distances = 2.0 * (1.0 - near.similarities / 1e6)
    distances = np.concatenate([np.zeros((len(units), 1)), distances], axis=1)
    known = (part[:, :UMAP_NEIGHBOURS] for part in (rows, distances.astype(np.float32)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = umap.UMAP(
            n_neighbors=UMAP_NEIGHBOURS, random_state=0, precomputed_knn=tuple(known)
        ).fit_transform(units)
    places: Places = fitted(np.asarray(made, np.float32))
    return places


LAYOUTS: dict[str, Layout] = {
    "principal components": lambda units, _: fitted(principal(units)),
    "neighbours": laid_out,
    "UMAP": by_umap,
}


def judged(units: FloatArray, places: Places, probes: Rows) -> dict[str, float]:
    """Trustworthiness and recall of a map, of some of its tracks."""
    n_tracks, deep = len(units), min(_DEEP, len(units))
    true, _ = nearest_of_all(units, units[probes], deep)
    recalled = penalty = 0.0
    for row, order in zip(probes.tolist(), true, strict=True):
        apart = np.square(places - places[row]).sum(axis=1)
        apart[row] = np.inf
        shown = np.argpartition(apart, NEAREST)[:NEAREST]
        rank_of = np.full(n_tracks, deep)
        others = order[order != row]
        rank_of[others] = np.arange(1, len(others) + 1)
        ranks = rank_of[shown]
        recalled += np.count_nonzero(ranks <= NEAREST) / NEAREST
        penalty += np.maximum(ranks - NEAREST, 0).sum()
    most = len(probes) * NEAREST * (2 * n_tracks - 3 * NEAREST - 1)
    return {"trustworthiness": 1.0 - 2.0 * penalty / most, "recall": recalled / len(probes)}


def lines_of(name: str, units: FloatArray) -> list[dict[str, Any]]:
    """A line for each way to make a map of some vectors."""
    index = FaissIndex.build(units, plan(len(units), units.shape[1], IndexOptions("hnsw"), 0))
    lists = neighbours_of(index)
    near = Near(lists[:, 0], lists[:, 1])
    rng = np.random.default_rng(1)
    probes = np.sort(rng.permutation(len(units))[:PROBES])
    lines = []
    for way, layout in LAYOUTS.items():
        if way == "UMAP" and find_spec("umap") is None:
            continue
        began = time.process_time()
        places = layout(units, near)
        seconds = time.process_time() - began
        about = {"vectors": name, "tracks": len(units), "map": way, "seconds": seconds}
        lines.append(about | judged(units, places, probes))
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--sizes", type=whole_numbers, default=[20_000, 100_000])
    add_json(parser)
    options = parser.parse_args()
    report = Report.of("benchmarks.map_layouts", options)
    real = real_vectors(options.data_dir)
    lines = lines_of("real", normalised(real - real.mean(axis=0)))
    for size in options.sizes:
        units = np.empty((size, DIMENSION), np.float32)
        mixture_of(options.data_dir, size, DIMENSION).fill(units)
        lines += lines_of("synthetic", units)
    report.add(Table("Maps", COLUMNS, lines))


if __name__ == "__main__":
    main()
