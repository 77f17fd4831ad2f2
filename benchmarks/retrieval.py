"""Whether neighbours make sense by label: same album, same artist, against chance.

::

    python -m benchmarks.retrieval [--data-dir data]

Every track that shares its label with another one is a seed once. Hit rate@10 is the share of
seeds with a track of the same label among the first ten; R@10 is the share of those tracks (ten at
most) that are found there. Chance is exact, not sampled. With ``other albums`` tracks of the seed's
own album are left out: it is the harder and the more honest figure, for an album shares its
mastering. Labels are tags; they say nothing of what listeners hear.
"""

import argparse
from collections.abc import Sequence
from math import comb
from pathlib import Path

import numpy as np

from indexer.reindex import LIBRARY_FILE
from recommender.catalog import folded
from recommender.generation import Generation, current_generation, normalised, open_generation
from recommender.library import Library
from recommender.publishing import fit_centre

K = 10


def scores(vectors: np.ndarray, wanted: np.ndarray, allowed: np.ndarray) -> list[float]:
    """Hit rate@10, R@10, mean average precision, and the hit rate and R@10 of chance.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n, dimension).
    wanted, allowed
        Booleans, shape (n, n): what is right for a seed, and what it may be answered with.
    """
    cosines = np.where(allowed, vectors @ vectors.T, -np.inf)
    rows = []
    for seed in np.flatnonzero((wanted & allowed).any(axis=1)):
        order = np.argsort(-cosines[seed], kind="stable")[: allowed[seed].sum()]
        right = wanted[seed, order]
        total, candidates = int(right.sum()), len(order)
        found = right[:K].sum()
        precision = np.cumsum(right)[right] / (np.flatnonzero(right) + 1)
        missed = comb(candidates - total, K) / comb(candidates, K)
        by_chance = K * total / candidates / min(K, total)
        rows.append([found > 0, found / min(K, total), precision.mean(), 1 - missed, by_chance])
    return [len(rows), *np.mean(rows, axis=0)]


def same(labels: Sequence[str]) -> np.ndarray:
    """Which pairs share a label; an empty label is shared with nobody."""
    keys = np.array([folded(label) for label in labels])
    pairs: np.ndarray = (keys[:, None] == keys) & (keys != "")[:, None]
    return pairs


def tasks(generation: Generation) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What is right and what is allowed, by name."""
    rows = range(len(generation.ids))
    tracks = generation.catalog.tracks(list(rows))
    album = same([tracks[row].metadata.album for row in rows])
    artist = same([tracks[row].metadata.artist for row in rows])
    others = ~np.eye(len(generation.ids), dtype=bool)
    return {
        "same album": (album, others),
        "same artist": (artist, others),
        "same artist, other albums": (artist, others & ~album),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    data_dir = parser.parse_args().data_dir
    generation = open_generation(data_dir, current_generation(data_dir))
    with Library.open(data_dir / LIBRARY_FILE) as library:
        tracks = library.publishable(generation.manifest.space_id)
        pooled = np.stack([entry.vector for entry in tracks])
    half = pooled.shape[1] // 2
    ways = {
        "served (MSD+MTT, centred)": normalised(pooled - fit_centre(pooled)),
        "MSD+MTT, not centred": normalised(pooled),
        "MSD alone, centred": normalised(pooled[:, :half] - fit_centre(pooled[:, :half])),
        "MTT alone, centred": normalised(pooled[:, half:] - fit_centre(pooled[:, half:])),
        "random vectors": normalised(
            np.random.default_rng(0).normal(size=pooled.shape).astype(np.float32)
        ),
    }
    print(f"{len(pooled)} tracks, {generation.manifest.space_id}")
    print(f"{'task':<26} {'vectors':<26} seeds  hit@10  R@10   MAP   chance: hit@10  R@10")
    for task, (wanted, allowed) in tasks(generation).items():
        for way, vectors in ways.items():
            seeds, hit, recall, precision, hit0, recall0 = scores(vectors, wanted, allowed)
            print(
                f"{task:<26} {way:<26} {seeds:5.0f}  {hit:.3f}  {recall:.3f}  {precision:.3f}"
                f"          {hit0:.3f}  {recall0:.3f}"
            )


if __name__ == "__main__":
    main()
