"""Do neighbours share a label? Leave-one-out retrieval, with and without the easy answers.

Every track that shares its label with an allowed one is a seed once. The same artist, and above
all the same album, dominate lists of neighbours, because they share a sound that is not the music:
a studio, a mastering. Figures without the filters are inflated (A. Flexer and D. Schnitzer,
"Effects of album and artist filters in audio similarity computed for very large music databases",
Computer Music Journal 34(3), 2010), so both are always given. Labels are tags; they say nothing of
what listeners hear.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from indexer.evaluation.figures import Figure, figure
from indexer.evaluation.subject import LABELS, Subject
from recommender import evaluation as metrics
from recommender.arrays import FloatArray, Rows
from recommender.ranking import similarity

K = 10
MAX_SEEDS = 2_000
_BLOCK = 128
_UNKNOWN = -1
_FILTERS: dict[str, tuple[str, ...]] = {
    "": (),
    ", without the album": ("album",),
    ", without the artist": ("artist",),
}

Scores = npt.NDArray[np.float64]
Scorer = Callable[[Rows], Scores]
"""Scores of all tracks for some seeds, shape (n_seeds, n_tracks): the higher, the more alike."""

PerSeed = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Task:
    """What is right for a seed, and what it may be answered with.

    Attributes
    ----------
    name
        ``"same artist, without the album"``.
    label
        The label of each track as a number, -1 when unknown, shape (n_tracks,).
    filters
        Further labels: a track that shares one of them with the seed may not be an answer.
    seeds
        Rows that are asked, in ascending order.
    """

    name: str
    label: Rows
    filters: tuple[Rows, ...]
    seeds: Rows

    @property
    def clusters(self) -> Rows:
        """The label of each seed, for intervals."""
        return self.label[self.seeds]

    def right(self, seeds: Rows) -> npt.NDArray[np.bool_]:
        """Which tracks share the label of each seed, shape (len(seeds), n_tracks)."""
        return _sharing(self.label, seeds)

    def allowed(self, seeds: Rows) -> npt.NDArray[np.bool_]:
        """Which tracks may answer each seed, shape (len(seeds), n_tracks)."""
        allowed = np.ones((len(seeds), len(self.label)), dtype=bool)
        allowed[np.arange(len(seeds)), seeds] = False
        for labels in self.filters:
            allowed &= ~_sharing(labels, seeds)
        return allowed


def cosine_scorer(vectors: FloatArray) -> Scorer:
    """Similarity as the service computes it, rounding included.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n_tracks, dimension).
    """
    exact = vectors.astype(np.float64)
    return lambda seeds: similarity(exact[seeds] @ exact.T)


def random_scorer(n_tracks: int, seed: int) -> Scorer:
    """Scores that know nothing: the floor of every figure."""
    random = np.random.default_rng(seed)
    return lambda seeds: random.random((len(seeds), n_tracks))


def tasks_of(subject: Subject, seed: int = 0) -> list[Task]:
    """Every label with every filter that leaves something to find."""
    codes = {name: coded(subject.labels(name)) for name in LABELS}
    # an album that is tagged in two ways is two right answers, but no other album
    barred = codes | {"album": coded(subject.album_titles())}
    tasks = [
        _task(f"same {name}{words}", codes[name], [barred[f] for f in filters], seed)
        for name in LABELS
        for words, filters in _FILTERS.items()
        if name not in filters
    ]
    return [task for task in tasks if len(task.seeds)]


def coded(labels: Sequence[str]) -> Rows:
    """Labels as numbers, -1 for the unknown ones, which nobody shares."""
    _, codes = np.unique(np.array(labels, dtype=np.str_), return_inverse=True)
    known = np.array([bool(label) for label in labels], dtype=bool)
    return np.where(known, codes, _UNKNOWN).astype(np.int64)


def per_seed(scorer: Scorer, task: Task) -> PerSeed:
    """Every metric for every seed of a task, arrays of shape (n_seeds,)."""
    parts = [_scored(scorer, task, seeds) for seeds in _blocks(task.seeds)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def retrieval_figures(subject: str, scorer: Scorer, tasks: Sequence[Task]) -> list[Figure]:
    """All metrics of all tasks, with intervals over labels: tracks of one are no independent seeds.

    Parameters
    ----------
    subject
        The name of what is measured.
    scorer
        What is measured.
    tasks
        What is asked.
    """
    return [
        figure("retrieval", subject, task.name, metric, values, clusters=task.clusters)
        for task in tasks
        for metric, values in per_seed(scorer, task).items()
    ]


def _scored(scorer: Scorer, task: Task, seeds: Rows) -> PerSeed:
    right, allowed = task.right(seeds), task.allowed(seeds)
    hits = metrics.ranked_hits(scorer(seeds), right, allowed)
    total = (right & allowed).sum(axis=1)
    return {
        f"hit rate@{K}": metrics.hit_rate(hits, K),
        f"capped recall@{K}": metrics.capped_recall(hits, total, K),
        f"precision@{K}": metrics.precision(hits, K),
        "MAP": metrics.average_precision(hits, total),
        "MRR": metrics.reciprocal_rank(hits),
        f"nDCG@{K}": metrics.ndcg(hits, total, K),
    }


def _task(name: str, label: Rows, filters: Sequence[Rows], seed: int) -> Task:
    labelled = Task(name, label, tuple(filters), np.flatnonzero(label != _UNKNOWN))
    return replace(labelled, seeds=_answerable(labelled, seed))


def _answerable(task: Task, seed: int) -> Rows:
    """Seeds for which there is something to find, a random `MAX_SEEDS` of them at most."""
    order = np.random.default_rng(seed).permutation(task.seeds)
    found, count = [np.empty(0, np.int64)], 0
    for seeds in _blocks(order):
        answerable = (task.right(seeds) & task.allowed(seeds)).any(axis=1)
        found.append(seeds[answerable])
        count += len(found[-1])
        if count >= MAX_SEEDS:
            break
    return np.sort(np.concatenate(found)[:MAX_SEEDS])


def _sharing(labels: Rows, seeds: Rows) -> npt.NDArray[np.bool_]:
    own = labels[seeds][:, np.newaxis]
    shared: npt.NDArray[np.bool_] = (own == labels) & (own != _UNKNOWN)
    return shared


def _blocks(seeds: Rows) -> Iterator[Rows]:
    """Seeds a few at a time: a score for every pair of a large catalog would not fit."""
    for first in range(0, len(seeds), _BLOCK):
        yield seeds[first : first + _BLOCK]
