"""Would listeners get what they play next? The whole catalog is ranked, against simple rivals.

Each listener's history is liked, and what was held out should be listed. Every track outside the
history is a candidate, for a few sampled negatives can turn the order of systems round
(W. Krichene and S. Rendle, "On sampled metrics for item recommendation", KDD 2020). Offline data
lacks most of what a listener would like, so figures are low and compare systems only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.evaluation.figures import Figure, figure
from indexer.evaluation.rankers import (
    NEAREST,
    POPULARITY,
    RANDOM,
    SAME_ARTIST,
    SAME_ARTIST_POPULAR,
    SERVED,
    SINGLE_MEAN,
    Case,
    K,
    TrackFacts,
    padded,
    rankers_of,
)
from indexer.evaluation.retrieval import coded
from indexer.evaluation.splits import Split
from indexer.evaluation.subject import Subject
from recommender import evaluation as metrics
from recommender.arrays import Rows
from recommender.significance import paired_permutation_test

SECTION = "listeners"
ALL = "all"
OTHER_ARTISTS = "without the artists of the history"
HISTORY_LENGTHS = (1, 5, 10)

Values = npt.NDArray[np.float64]
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Listening:
    """How well listeners were served.

    Attributes
    ----------
    figures
        Every recommender under every condition that leaves a listener to ask.
    per_listener
        Values of shape (n_listeners,) by recommender, condition and metric, in the same order of
        listeners for all recommenders of a condition.
    """

    figures: list[Figure]
    per_listener: dict[Key, Values]


def groups_of(subject: Subject) -> list[str]:
    """The artist of each track; where that is unknown its album, and "" without either."""
    labels = zip(subject.labels("artist"), subject.labels("album"), strict=True)
    # folded text holds no line break, so an album is never taken for an artist
    return [artist or (album and f"\n{album}") for artist, album in labels]


def evaluate_listeners(subject: Subject, splits: Sequence[Split], seed: int) -> Listening:
    """Compare the service with simple recommenders.

    Recommenders: ``served`` (the service's own code; ``single mean``, the same by its vectors,
    where the space is not served), ``nearest to any`` track of the history, ``popularity`` (of
    how many histories a track is part), ``random``, ``same artist`` (tracks of the artist in the
    history) and ``same artist, then popular``. Where an artist is unknown the album stands in.
    Equal scores are ordered at random, those by sound by row, as the service does.

    Conditions: ``all``; ``without the artists of the history``, where their tracks may not be
    listed and only held-out tracks of other, known artists count; ``history of n``, where a
    recommender learns of the latest n tracks only. All tracks of the history are barred even
    then, so that only the question differs. Listeners with nothing left to find, or a history
    shorter than n, are left out; n of the figures says so.

    Metrics of the first 20: ``recall``, ``nDCG``, ``hit rate``, ``MRR``, ``novelty`` (bits),
    ``diversity`` (mean of 1 - cosine over pairs), ``artist share`` (of the list, by artists of
    the history), and ``coverage``, the share of the catalog that anyone is recommended.
    Intervals are over listeners. Coverage has none, both ends are its value: it belongs to the
    whole set of lists, and a resample of listeners with repeats always covers less.

    Parameters
    ----------
    subject
        The tracks.
    splits
        Listeners, with rows of `subject`.
    seed
        Of what is random; the same seed gives the same figures.

    Returns
    -------
    Listening
        Without figures when there are no listeners.
    """
    groups = coded(groups_of(subject))
    histories = np.concatenate([np.empty(0, np.int64), *(split.history for split in splits)])
    catalog = TrackFacts(subject, groups, np.bincount(histories, minlength=len(groups)))
    rankers = rankers_of(catalog)
    listening = Listening([], {})
    for condition, (cases, names) in _conditions(catalog, splits, seed).items():
        for name in names if cases else ():
            lists = np.stack([padded(rankers[name](case)) for case in cases])
            _add(listening, catalog, (name, condition), cases, lists)
    return listening


def paired_difference(
    listening: Listening, one: str, other: str, condition: str, metric: str
) -> tuple[float, float]:
    """Mean over listeners of one recommender's value less another's, and its p value.

    The p value is that of :func:`recommender.significance.paired_permutation_test`.

    Raises
    ------
    KeyError
        One of the two was not measured.
    """
    values = listening.per_listener
    first, second = values[one, condition, metric], values[other, condition, metric]
    return float((first - second).mean()), paired_permutation_test(first, second)


def _conditions(
    catalog: TrackFacts, splits: Sequence[Split], seed: int
) -> dict[str, tuple[list[Case], tuple[str, ...]]]:
    """Cases and recommenders by condition: those left out know what a condition takes away."""
    by_sound = SERVED if catalog.subject.is_served else SINGLE_MEAN
    # not 0: numpy draws the same from (seed, 0) as from the seed that drew the listeners
    plain = [
        Case((seed, number + 1), split.history, split.history, split.history, split.held_out)
        for number, split in enumerate(splits)
    ]
    others = [_without_artists(catalog, case) for case in plain]
    floors = (POPULARITY, RANDOM)
    conditions: dict[str, tuple[list[Case], tuple[str, ...]]] = {
        ALL: (plain, (by_sound, NEAREST, *floors, SAME_ARTIST, SAME_ARTIST_POPULAR)),
        OTHER_ARTISTS: ([c for c in others if len(c.relevant)], (by_sound, NEAREST, *floors)),
    }
    for n in HISTORY_LENGTHS:
        told = [_told(case, n) for case in plain if len(case.history) >= n]
        conditions[f"history of {n}"] = (told, (by_sound, *floors, SAME_ARTIST))
    return conditions


def _without_artists(catalog: TrackFacts, case: Case) -> Case:
    heard = catalog.by_groups_of(case.history)
    other = ~heard[case.relevant] & (catalog.groups[case.relevant] >= 0)
    barred = np.union1d(case.barred, np.flatnonzero(heard))
    return Case(case.random_state, case.history, case.known, barred, case.relevant[other])


def _told(case: Case, n: int) -> Case:
    return Case(case.random_state, case.history, case.history[-n:], case.barred, case.relevant)


def _add(
    listening: Listening,
    catalog: TrackFacts,
    name: tuple[str, str],
    cases: Sequence[Case],
    lists: Rows,
) -> None:
    """Add what lists of shape (n_listeners, K) are worth."""
    for metric, values in _measured(catalog, cases, lists).items():
        listening.per_listener[*name, metric] = values
        listening.figures.append(figure(SECTION, *name, metric, values))
    share = metrics.coverage(lists, len(catalog.groups))
    coverage = Figure(SECTION, *name, f"coverage@{K}", share, share, share, len(lists))
    listening.figures.append(coverage)


def _measured(catalog: TrackFacts, cases: Sequence[Case], lists: Rows) -> dict[str, Values]:
    pairs = list(zip(cases, lists, strict=True))
    hits = np.stack([np.isin(rows, case.relevant) for case, rows in pairs])
    total = np.array([len(case.relevant) for case in cases], dtype=np.int64)
    listed = [rows[rows >= 0] for rows in lists]
    vectors = catalog.subject.vectors
    familiar = [
        catalog.by_groups_of(case.history)[rows] for case, rows in zip(cases, listed, strict=True)
    ]
    return {
        f"recall@{K}": metrics.recall(hits, total, K),
        f"nDCG@{K}": metrics.ndcg(hits, total, K),
        f"hit rate@{K}": metrics.hit_rate(hits, K),
        f"MRR@{K}": metrics.reciprocal_rank(hits),
        f"novelty@{K}": metrics.novelty(lists, catalog.popularity),
        f"diversity@{K}": np.array([metrics.intra_list_diversity(vectors[r]) for r in listed]),
        f"artist share@{K}": np.array([float(f.mean()) if len(f) else 0.0 for f in familiar]),
    }
