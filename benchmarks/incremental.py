"""What an update of a generation costs, against building the same state as a whole.

::

    python -m benchmarks.incremental DATA_DIR --folder FOLDER [--tracks 100_000]

A data folder is made in FOLDER (see `benchmarks.catalogs`), unless it is there from before. In a
copy of it 100 tracks are added, others removed, again and again: each time once as an update, and
once as a whole, in turns, the order of the two changing. At last 50 times 20 tracks come and 10 go,
one after another, and what is found is measured after each against exact search over the same
vectors, by queries that are in no index.

Times are of ``publish()``: from what the library holds to what is served, on the disk and checked.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.catalogs import Catalog, open_library, prepare, space
from benchmarks.clock import timed
from benchmarks.exact import nearest_of_all, recall
from benchmarks.mixture import QUERIES
from benchmarks.output import Report, Table, add_json, shown
from benchmarks.vectors import MODEL_DIMENSION, mixture_of
from recommender.arrays import FloatArray
from recommender.current import generations_dir
from recommender.generation import Generation, open_generation
from recommender.library import Library
from recommender.press import How
from recommender.publishing import publish
from recommender.records import Indexed
from recommender.update_limits import Limits

CHANGED = 100
SMALL, SMALL_TIMES = 20, 50
N_QUERIES = 200
K = 10
# no generation has so few rows that it is updated
NEVER = Limits(least_rows=2**62)


class Folder:
    """A data folder whose catalog is changed.

    Parameters
    ----------
    data_dir
        The folder, published.
    library
        Its library, open.
    catalog
        Where further tracks come from.
    n
        How many of them it holds.
    """

    def __init__(self, data_dir: Path, library: Library, catalog: Catalog, n: int):
        self.data_dir, self._library, self._catalog = data_dir, library, catalog
        self._first, self._next = 0, n

    def change(self, more: int, fewer: int) -> None:
        """Have new tracks in the library, and the oldest ones gone."""
        if more:
            self._library.store(self._take(self._next, more), space())
            self._next += more
        if fewer:
            gone = self._take(self._first, fewer)
            self._library.forget_files([track.path for track in gone])
            self._first += fewer

    def _take(self, first: int, n: int) -> list[Indexed]:
        return list(self._catalog.tracks(first, first + n))

    def publish(self, *, whole: bool) -> tuple[Generation, float]:
        """Publish, as an update if that will do and `whole` is False; and the seconds it took."""
        how = How(limits=NEVER) if whole else How()
        name, seconds = timed(lambda: publish(self.data_dir, self._library, space(), how))
        return open_generation(self.data_dir, name), seconds

    def n_bytes(self) -> int:
        """Size of all generations together; a file that several share counts once."""
        files = [path.stat() for path in generations_dir(self.data_dir).rglob("*")]
        return sum({(f.st_dev, f.st_ino): f.st_blocks * 512 for f in files}.values())


def costs(folder: Folder, turns: int) -> Table:
    """Adding and removing, as updates and as a whole."""
    rows = list[dict[str, Any]]()
    changes = {"added": (CHANGED, 0), "removed": (0, CHANGED), "added and removed": (CHANGED,) * 2}
    for what, (more, fewer) in changes.items():
        name = f"{CHANGED} tracks {what}"
        spent: dict[bool, list[float]] = {False: [], True: []}
        for turn in shown(range(turns), name):
            # the one that comes second finds the library in the cache of the system
            for whole in ((False, True), (True, False))[turn % 2]:
                folder.change(more, fewer)
                generation, seconds = folder.publish(whole=whole)
                if bool(generation.manifest.parent) == whole:
                    raise RuntimeError(
                        f"tracks={generation.manifest.n_tracks} are too few to update"
                    )
                spent[whole].append(seconds)
        shares = [100 * a / b for a, b in zip(spent[False], spent[True], strict=True)]
        rows.append(
            {
                "change": name,
                "update s": statistics.median(spent[False]),
                "as a whole s": statistics.median(spent[True]),
                "share": f"{statistics.median(shares):.1f} % "
                f"({min(shares):.1f} to {max(shares):.1f})",
            }
        )
    columns = {"change": "", "update s": ".2f", "as a whole s": ".2f", "share": ""}
    return Table("An update against the whole", columns, rows, f"Medians of {turns} turns.")


def one_after_another(folder: Folder, data_dir: Path, n: int) -> Table:
    """Small publications: what is found, how long each takes, how large the folder gets."""
    queries = mixture_of(data_dir, n, MODEL_DIMENSION).units(N_QUERIES, stream=QUERIES)
    folder.change(SMALL, 0)
    rows = [_state(folder, queries, 0, whole=True)]
    for number in shown(range(1, SMALL_TIMES + 1), f"{SMALL_TIMES} publications"):
        folder.change(SMALL, SMALL // 2)
        rows.append(_state(folder, queries, number, whole=False))
    least = min(row["recall@10"] for row in rows)
    most = max(row["generations MiB"] for row in rows)
    note = (
        f"{SMALL} tracks added and {SMALL // 2} removed each time; every fifth is shown. Of all: "
        f"recall at least {least:.4f}, generations at most {most:,.1f} MiB together."
    )
    columns = {
        "publication": "",
        "made": "",
        "tracks": ",",
        "rows": ",",
        "effort": "",
        "recall@10": ".4f",
        "seconds": ".2f",
        "generations MiB": ",.1f",
    }
    return Table("One small publication after another", columns, rows[::5], note)


def _state(folder: Folder, queries: FloatArray, number: int, *, whole: bool) -> dict[str, Any]:
    generation, seconds = folder.publish(whole=whole)
    manifest = generation.manifest
    return {
        "publication": number,
        "made": "update" if manifest.parent else "as a whole",
        "tracks": manifest.n_tracks,
        "rows": manifest.n_rows,
        "effort": manifest.index.measurement.effort,
        "recall@10": _recall(generation, queries),
        "seconds": seconds,
        "generations MiB": folder.n_bytes() / 2**20,
    }


def _recall(generation: Generation, queries: FloatArray) -> float:
    index, live, none = generation.index, generation.arrays.live, np.empty(0, np.int64)
    rows = np.arange(len(index)) if live is None else live.rows
    truth, _ = nearest_of_all(index.vectors(rows), queries, K)
    found = [index.nearest(query, K, none, live)[0] for query in queries]
    return float(np.mean([recall(one, rows[at]) for one, at in zip(found, truth, strict=True)]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path, help="with real vectors")
    parser.add_argument("--folder", type=Path, required=True, help="where the data folder is made")
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=4)
    add_json(parser)
    options = parser.parse_args()
    report = Report.of("benchmarks.incremental", options)
    prepared = options.folder / f"{options.tracks}"
    catalog = prepare(options.data_dir, prepared, options.tracks)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        # what was prepared stays as it is, for the next run
        data_dir = Path(shutil.copytree(prepared, Path(name) / "data"))
        with open_library(data_dir) as library:
            folder = Folder(data_dir, library, catalog, options.tracks)
            report.add(costs(folder, options.turns))
            report.add(one_after_another(folder, options.data_dir, options.tracks))


if __name__ == "__main__":
    main()
