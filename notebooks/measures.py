"""What the notebook measures beyond the ``evaluate`` command: controls, large catalogs, hubs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count

import numpy as np
import numpy.typing as npt

from indexer.evaluation.failures import SHOWN_NEIGHBOURS, Failure, confusions, worst_seeds
from indexer.evaluation.figures import Figure
from indexer.evaluation.hubness import mutual_proximity
from indexer.evaluation.index_recall import (
    LATENCY_DEPTH,
    MAX_QUERIES,
    drawn,
    enlarged,
    graph_curve,
    kth_cosines,
    search_figures,
    searched,
)
from indexer.evaluation.retrieval import Scorer, Task, cosine_scorer, per_seed, random_scorer
from indexer.evaluation.subject import Subject
from recommender.arrays import FloatArray, Rows
from recommender.evaluation import k_occurrence, ranking
from recommender.index.faiss import FaissIndex

HUB_DEPTH, MOST_LABELS = 10, 12
SHUFFLES, MOST_SHUFFLED = 50, 100
CERTAIN = 5.7
"""Standard errors, estimated from `SHUFFLES`, that chance exceeds once in a million times."""
MOST_COMPARED = 3_000
"""Every pair is compared, so of a larger catalog a random choice is taken."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Check:
    """A control: what was found, and what must be found within chance.

    Attributes
    ----------
    name
        The question.
    found
        Mean average precision, mean over shuffles.
    expected
        Mean average precision of chance.
    error
        Standard error of `found`.
    """

    name: str
    found: float
    expected: float
    error: float

    @property
    def passed(self) -> bool:
        """Whether the two differ by less than chance does once in a million times."""
        return abs(self.found - self.expected) <= max(CERTAIN * self.error, 1e-9)


def shuffled_check(subject: Subject, task: Task, seed: int) -> Check:
    """Give vectors to the wrong tracks, many times: answers must be as good as chance."""
    some = replace(task, seeds=task.seeds[drawn(len(task.seeds), MOST_SHUFFLED, seed)])
    random = np.random.default_rng(seed)
    shuffles = [random.permutation(len(subject.vectors)) for _ in range(SHUFFLES)]
    scorers = [cosine_scorer(subject.vectors[shuffle]) for shuffle in shuffles]
    found = np.array([per_seed(scorer, some)["MAP"].mean() for scorer in scorers])
    error = float(found.std(ddof=1)) / SHUFFLES**0.5
    return Check(task.name, float(found.mean()), expected_precision(some), error)


def expected_precision(task: Task) -> float:
    """Mean average precision of answers in random order: exact, not sampled.

    Of N candidates R are right. The r-th rank is right with probability R / N, and so is each
    rank before it, given that, with probability (R - 1) / (N - 1).
    """
    allowed = task.allowed(task.seeds)
    candidates = allowed.sum(axis=1)
    right = (task.right(task.seeds) & allowed).sum(axis=1)
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, candidates.max() + 1))])
    before = (right - 1) / np.maximum(1, candidates - 1)
    first = harmonic[candidates]
    return float(np.mean((first + before * (candidates - first)) / candidates))


def twins_found(vectors: FloatArray) -> Values:
    """Whether the first answer to each track is its copy, when every track is there twice.

    Tracks that sound exactly like another one already are left out: either would be right.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n_tracks, dimension).
    """
    n_tracks = len(vectors)
    every = np.arange(n_tracks, dtype=np.int64)
    scores = cosine_scorer(np.concatenate([vectors, vectors]))(every)
    scores[every, every] = -np.inf
    copies = scores[every, every + n_tracks]
    others = scores.copy()
    others[every, every + n_tracks] = -np.inf
    unique = others.max(axis=1) < copies
    first = ranking(scores[unique], depth=1)[:, 0]
    found: Values = (first == every[unique] + n_tracks).astype(np.float64)
    return found


def search_of_many(subject: Subject, n: int, seed: int) -> list[Figure]:
    """Recall and latency in a catalog `n` tracks large: along a graph by effort, and exact.

    Parameters
    ----------
    subject
        The catalog whose shape the large one has; see
        :func:`indexer.evaluation.index_recall.enlarged`.
    n
        Number of vectors.
    """
    vectors = enlarged(subject.vectors, n, seed)
    queries = drawn(n, MAX_QUERIES, seed)
    truth = kth_cosines(vectors, queries, (LATENCY_DEPTH,))
    served = searched(FaissIndex.build(vectors), vectors, queries, truth)
    curve = graph_curve(vectors, seed)
    return [
        *search_figures("exact", served),
        *(f for effort in curve for f in search_figures(f"effort {effort}", curve[effort])),
    ]


def less_hubby(vectors: FloatArray) -> Scorer:
    """Scores by mutual proximity, which a hub does not win everywhere.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n_tracks, dimension).
    """
    exact = vectors.astype(np.float64)
    return mutual_proximity(exact @ exact.T).__getitem__


def hub_counts_of(vectors: FloatArray, seed: int) -> dict[str, Rows]:
    """How often each track is among the first `HUB_DEPTH` of another, by way of comparing."""
    ways = {
        "served": cosine_scorer(vectors),
        "mutual proximity": less_hubby(vectors),
        "random": random_scorer(len(vectors), seed),
    }
    return {name: hub_counts(scorer, len(vectors)) for name, scorer in ways.items()}


def hub_counts(scorer: Scorer, n_tracks: int) -> Rows:
    """How often each track is among the first `HUB_DEPTH` of another, shape (n_tracks,)."""
    others = ~np.eye(n_tracks, dtype=bool)
    neighbours = ranking(scorer(np.arange(n_tracks, dtype=np.int64)), others, depth=HUB_DEPTH)
    return k_occurrence(neighbours, n_tracks)


def chosen(subject: Subject, seed: int) -> Rows:
    """Rows of all tracks, or of a random choice of `MOST_COMPARED`, in ascending order."""
    return drawn(len(subject.tracks), MOST_COMPARED, seed)


def main_task(tasks: Sequence[Task]) -> Task | None:
    """The question whose confusions are shown: the first without a filter; None without any."""
    return next((task for task in tasks if not task.filters), None)


def confused(scorer: Scorer, task: Task | None, subject: Subject) -> tuple[list[str], Values]:
    """Labels and shares of :func:`indexer.evaluation.failures.confusions`; none without a task."""
    if task is None:
        return [], np.zeros((0, 1))
    return confusions(scorer, task, names_of(subject, _label_of(task)), MOST_LABELS)


def ceilings(labels: Sequence[str], task: Task | None, subject: Subject) -> list[float]:
    """The share of its own answers that each label can have at most: few tracks fill few places."""
    sizes = Counter(names_of(subject, _label_of(task)) if task else ())
    places = min(SHOWN_NEIGHBOURS, len(subject.tracks) - 1)
    return [min(1.0, (sizes[label] - 1) / places) for label in labels]


def failing_task(scorer: Scorer, tasks: Sequence[Task]) -> Task | None:
    """Of the questions that are not all answered perfectly, the one of most seeds."""
    wrong = [task for task in tasks if per_seed(scorer, task)["MAP"].min() < 1.0]
    return max(wrong, key=lambda task: len(task.seeds), default=None)


def worst(scorer: Scorer, task: Task | None, count: int) -> list[Failure]:
    """The worst answers, of those that are not perfect; none without a task."""
    found = worst_seeds(scorer, task, count) if task else []
    return [failure for failure in found if failure.average_precision < 1.0]


def _label_of(task: Task) -> str:
    return task.name.partition(",")[0].removeprefix("same ")


def names_of(subject: Subject, label: str) -> list[str]:
    """A label of each track in words, "" when unknown: the same words for the same label only.

    A label is called as most of its tracks write it; albums of one title also name their artist.
    """
    keys = subject.labels(label)
    metadata = [entry.track.metadata for entry in subject.tracks]
    written = _commonest(keys, [getattr(one, label) for one in metadata])
    artists = _commonest(keys, [one.album_artist or one.artist for one in metadata])
    names = _told_apart(written, artists)
    return [names[key] if key else "" for key in keys]


def _commonest(keys: Sequence[str], words: Sequence[str]) -> dict[str, str]:
    """The commonest words of each key."""
    counts: dict[str, Counter[str]] = {}
    for key, word in zip(keys, words, strict=True):
        counts.setdefault(key, Counter())[word] += 1
    return {key: found.most_common(1)[0][0] for key, found in counts.items()}


def _told_apart(names: Mapping[str, str], artists: Mapping[str, str]) -> dict[str, str]:
    """A name of its own for each key: with the artist where others have it, with a number last."""
    shared, taken, found = Counter(names.values()), set[str](), dict[str, str]()
    for key, name in names.items():
        full = f"{name} ({artists[key]})" if shared[name] > 1 and artists[key] else name
        numbered = (f"{full} ({number})" for number in count(2))
        found[key] = next(one for one in chain([full], numbered) if one not in taken)
        taken.add(found[key])
    return found


def rows_of(found: Sequence[Failure]) -> set[int]:
    """Rows of seeds and neighbours."""
    return {int(row) for failure in found for row in (failure.row, *failure.neighbours)}
