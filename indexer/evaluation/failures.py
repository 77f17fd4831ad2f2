"""Where the system is worst: the seeds with the poorest answers, and the confusions between labels.

A figure says how often; listening to these says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.evaluation.retrieval import Scorer, Task, per_seed
from indexer.evaluation.subject import Subject
from recommender import evaluation as metrics
from recommender.arrays import Rows

SHOWN_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed whose right answers come late.

    Attributes
    ----------
    row
        The seed.
    average_precision
        How bad it is; 1 would be perfect.
    neighbours
        What comes first instead, best first.
    """

    row: int
    average_precision: float
    neighbours: Rows


def worst_seeds(scorer: Scorer, task: Task, count: int) -> list[Failure]:
    """The `count` seeds of the lowest average precision, worst first; equal ones by row."""
    precision = per_seed(scorer, task)["MAP"]
    worst = np.lexsort((task.seeds, precision))[:count]
    return [
        Failure(int(task.seeds[at]), float(precision[at]), _first(scorer, task, task.seeds[at]))
        for at in worst
    ]


def confusions(
    scorer: Scorer, task: Task, names: Sequence[str], most: int
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Which labels the first answers to seeds of a label have.

    Parameters
    ----------
    scorer, task
        What is asked of whom.
    names
        The label of each track in words, "" when unknown.
    most
        How many labels, the commonest first.

    Returns
    -------
    tuple
        The labels, and shares, shape (n_labels, n_labels + 1): of the answers to the label of the
        row, those with the label of the column; the last column is all other tracks.
    """
    labels, counts = np.unique(np.array(names)[task.seeds], return_counts=True)
    shown = labels[np.lexsort((labels, -counts))][:most].tolist()
    column = {label: at for at, label in enumerate(shown)}
    shares = np.zeros((len(shown), len(shown) + 1))
    for seed in task.seeds:
        if names[seed] in column:
            for neighbour in _first(scorer, task, seed):
                shares[column[names[seed]], column.get(names[neighbour], len(shown))] += 1
    return shown, shares / np.maximum(1.0, shares.sum(axis=1, keepdims=True))


def described(subject: Subject, row: int) -> str:
    """A track in words, by file name when it has no title."""
    entry = subject.tracks[row]
    metadata = entry.track.metadata
    title = metadata.title or entry.path.rpartition(b"/")[2].decode("utf-8", "backslashreplace")
    return " · ".join(part for part in (title, metadata.artist, metadata.album) if part)


def _first(scorer: Scorer, task: Task, seed: np.int64) -> Rows:
    seeds = np.array([seed], dtype=np.int64)
    rows = np.flatnonzero(task.allowed(seeds)[0])
    return rows[metrics.ranking(scorer(seeds)[0][rows], depth=SHOWN_NEIGHBOURS)]
