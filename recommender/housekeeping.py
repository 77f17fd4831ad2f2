"""Folders of generations: half-built ones are swept, old ones pruned."""

import shutil
from collections import defaultdict
from pathlib import Path

from recommender.current import generations_dir, list_generations
from recommender.served import made_by, serving

KEEP_GENERATIONS = 3
TEMPORARY = ".tmp-"


def sweep(data_dir: Path) -> None:
    """Remove what a run that was stopped left half built."""
    for leftover in generations_dir(data_dir).glob(TEMPORARY + "*"):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def prune(data_dir: Path) -> None:
    """Remove old generations; what is served and the newest of each embedder stay.

    Of every embedder the newest `KEEP_GENERATIONS` are kept.
    """
    by_embedder = defaultdict[str, list[str]](list)
    for name in list_generations(data_dir):
        by_embedder[made_by(data_dir, name)].append(name)
    kept = [line.generation for line in serving(data_dir)]
    for names in by_embedder.values():
        for name in set(names[:-KEEP_GENERATIONS]).difference(kept):
            remove(data_dir, name)


def remove(data_dir: Path, generation: str) -> None:
    """Remove a generation; the next run sweeps what a crash in between leaves."""
    folder = generations_dir(data_dir) / generation
    doomed = folder.with_name(TEMPORARY + folder.name)
    folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
