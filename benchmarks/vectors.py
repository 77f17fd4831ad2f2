"""Vectors as realistic as can be had without millions of recordings, and how realistic they are.

::

    python -m benchmarks.vectors DATA_DIR [--sizes 10_000,100_000] [--dimensions 200,2048]

Real vectors of musicnn, from the library of DATA_DIR, are the centres of a mixture. An artist lies
a step away from one of them, a track another step from its artist. A step is the difference of two
real vectors, so that it has their covariance, times a factor with heavy tails (the absolute value
of Student's t); then comes a little noise in every direction. Artists have sizes by Zipf's law.

200 numbers are those of the model of the Million Song Dataset, 400 those of both. Longer vectors
are what a layer with random weights and a rectifier makes of the 400: as wide as those of larger
networks, of about the same few degrees of freedom, but no measurement of any of them.

What is printed compares real vectors with as many synthetic ones: effective dimension (the
participation ratio of the variances along the principal axes), local intrinsic dimension (maximum
likelihood, E. Levina and P. Bickel, NIPS 2004, median over tracks, 20 neighbours), and cosines of
neighbours and of random pairs. The constants of the steps were chosen to match these, by hand.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.exact import nearest_of_all
from benchmarks.mixture import Mixture, unit
from benchmarks.output import Report, Table, add_json, whole_numbers
from recommender.arrays import FloatArray
from recommender.library import Library

MODEL_DIMENSION = 200
TRACKS_PER_ARTIST = 10
NEIGHBOURS = 20


def mixture_of(data_dir: Path, n: int, dimension: int, seed: int = 0) -> Mixture:
    """The mixture for a catalog of `n` tracks."""
    real = real_vectors(data_dir)
    if dimension <= MODEL_DIMENSION:
        real = np.ascontiguousarray(real[:, :dimension])
    return Mixture(real, max(1, n // TRACKS_PER_ARTIST), seed, width=dimension)


def real_vectors(data_dir: Path) -> FloatArray:
    """Pooled vectors of musicnn, both models, from the library of a data folder: (n_real, 400)."""
    with tempfile.TemporaryDirectory() as name:
        # a copy: opening a library may bring it up to date
        path = shutil.copy(data_dir / "library.db", name)
        with Library.open(Path(path)) as library:
            for space_id in library.spaces():
                tracks = [t.vector for t in library.publishable(space_id)]
                if space_id.startswith("musicnn-") and len(tracks[0]) == 2 * MODEL_DIMENSION:
                    return np.array(tracks, np.float32)
    raise SystemExit(f"data_dir={data_dir} holds no vectors of musicnn; run reindex")


def in_file(path: Path, mixture: Mixture, n: int, dimension: int) -> FloatArray:
    """The first `n` unit vectors, mapped from a new file of the given path."""
    array: Any = np.lib.format.open_memmap(path, "w+", np.float32, (n, dimension))
    mixture.fill(array)
    array.flush()
    # some libraries take nothing but the plain type, and only if they might write to it
    return np.asarray(np.load(path, mmap_mode="c"))


def character(name: str, vectors: FloatArray, n_probes: int = 1000) -> dict[str, Any]:
    """One line of the comparison: of unit vectors, shape (n, dimension)."""
    rng = np.random.default_rng(0)
    probes = rng.permutation(len(vectors))[:n_probes]
    _, cosines = nearest_of_all(vectors, vectors[np.sort(probes)], NEIGHBOURS + 1)
    cosines = cosines[:, 1:]
    distances = np.sqrt(np.maximum(2.0 - 2.0 * cosines, 1e-9))
    local = -1.0 / np.mean(np.log(distances[:, :-1] / distances[:, -1:]), axis=1)
    sample = vectors[np.sort(rng.permutation(len(vectors))[:20_000])]
    share = np.linalg.svd(sample - sample.mean(axis=0), compute_uv=False) ** 2
    share /= share.sum()
    pairs = np.einsum("ij,ij->i", *(sample[rng.integers(len(sample), size=20_000)] for _ in "12"))
    return {
        "vectors": name,
        "tracks": len(vectors),
        "effective dimension": 1.0 / np.square(share).sum(),
        "axes for 99 %": int(np.searchsorted(np.cumsum(share), 0.99)) + 1,
        "local dimension": float(np.median(local)),
        "nearest": _spread(cosines[:, 0]),
        "10th nearest": _spread(cosines[:, 9]),
        "random pair": _spread(pairs),
    }


def _spread(cosines: FloatArray) -> str:
    low, middle, high = np.quantile(cosines, (0.05, 0.5, 0.95))
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


COLUMNS = {
    "vectors": "",
    "tracks": ",",
    "effective dimension": ".1f",
    "axes for 99 %": "",
    "local dimension": ".1f",
    "nearest": "",
    "10th nearest": "",
    "random pair": "",
}


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--sizes", type=whole_numbers, default=[10_000, 100_000])
    parser.add_argument("--dimensions", type=whole_numbers, default=[200, 2048])
    add_json(parser)
    options = parser.parse_args()
    report = Report.of("benchmarks.vectors", options)
    real = real_vectors(options.data_dir)
    for dimension in options.dimensions:
        rows = []
        if dimension <= real.shape[1]:
            shorter = real[:, :dimension]
            rows.append(character("real", unit(shorter - shorter.mean(axis=0))))
        for size in options.sizes:
            vectors = np.empty((size, dimension), np.float32)
            mixture_of(options.data_dir, size, dimension).fill(vectors)
            rng = np.random.default_rng(0)
            few = vectors[rng.permutation(size)[: len(real)]]
            rows += [character("synthetic, as few", few), character("synthetic", vectors)]
        note = "Cosines: median (5 % to 95 %)."
        report.add(Table(f"Vectors of {dimension} numbers", COLUMNS, rows, note))


if __name__ == "__main__":
    main()
