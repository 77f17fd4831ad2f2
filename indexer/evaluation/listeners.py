"""Would listeners get what they play next? The whole catalog is ranked, against simple rivals.

Each listener's history is liked, and what was held out should be listed. Every track outside the
history is a candidate, for a few sampled negatives can turn the order of systems round
(W. Krichene and S. Rendle, "On sampled metrics for item recommendation", KDD 2020). Offline data
lacks most of what a listener would like, so figures are low and compare systems only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from indexer.evaluation.splits import Audience, Split
from indexer.evaluation.subject import Subject
from recommender import evaluation as metrics
from recommender.arrays import Rows
from recommender.significance import paired_permutation_test

SECTION = "listeners"
ALL = "all"
OTHER_ARTISTS = "without the artists of the history"
HISTORY_LENGTHS = (1, 5, 10)
MAX_LISTENERS = 2_000

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
    worlds
        The world of each of those listeners, shape (n_listeners,), by condition.
    """

    figures: list[Figure]
    per_listener: dict[Key, Values]
    worlds: dict[str, Rows]


def groups_of(subject: Subject) -> list[str]:
    """The artist of each track; where that is unknown its album, and "" without either."""
    labels = zip(subject.labels("artist"), subject.labels("album"), strict=True)
    # folded text holds no line break, so an album is never taken for an artist
    return [artist or (album and f"\n{album}") for artist, album in labels]


def evaluate_listeners(subject: Subject, audience: Audience, seed: int) -> Listening:
    """Compare the service with simple recommenders.

    Recommenders: ``served`` (the service's own code; ``single mean``, the same by its vectors,
    where the space is not served), ``nearest to any`` track of the history, ``popularity`` (in
    how many pasts of the listener's world a track is, also of listeners who are not asked, and
    never in whose future), ``random``, ``same artist`` (tracks of the artist in the
    history) and ``same artist, then popular``. Where an artist is unknown the album stands in.
    Equal scores are ordered at random, those by sound by row, as the service does.

    Conditions: ``all``; ``without the artists of the history``, where their tracks may not be
    listed and only held-out tracks of other, known artists count; ``history of n``, where a
    recommender learns of the latest n tracks only. All tracks of the history are barred even
    then, so that only the question differs. Listeners with nothing left to find, or a history
    shorter than n, are left out; n of the figures says so.

    Metrics of the first 20: ``recall``, ``nDCG``, ``hit rate``, ``MRR``, ``novelty`` (bits),
    ``diversity`` (mean of 1 - cosine over pairs), ``artist share`` (of the list, by artists of
    the history), and ``coverage``, the share of the catalog that anyone of a world is
    recommended, the mean over worlds.

    Intervals are over worlds where there are several: listeners of one agree on what is popular,
    so that as independent evidence they would promise more than another seed keeps. Another
    seed's figure is as uncertain itself, so that about 83 % of them, not 95 %, lie within. Of a
    single world they are over listeners, and coverage then has none, both ends are its value: it
    belongs to the whole set of lists, and a resample with repeats always covers less.

    Parameters
    ----------
    subject
        The tracks.
    audience
        Listeners, with rows of `subject`. Of more than `MAX_LISTENERS` a random choice is asked;
        popularity counts the pasts of all.
    seed
        Of what is random; the same seed gives the same figures.

    Returns
    -------
    Listening
        Without figures when there are no listeners.
    """
    groups = coded(groups_of(subject))
    popularity = [np.bincount(past, minlength=len(groups)) for past in audience.pasts]
    catalog = TrackFacts(subject, groups, popularity)
    rankers = rankers_of(catalog)
    listening = Listening([], {}, {})
    for condition, (cases, names) in _conditions(catalog, audience.splits, seed).items():
        if cases:
            listening.worlds[condition] = np.array([case.world for case in cases])
        for name in names if cases else ():
            lists = np.stack([padded(rankers[name](case)) for case in cases])
            _add(listening, catalog, (name, condition), cases, lists)
    return listening


def paired_difference(
    listening: Listening, one: str, other: str, condition: str, metric: str
) -> tuple[float, float]:
    """Mean over listeners of one recommender's value less another's, and its p value.

    The p value is that of :func:`recommender.significance.paired_permutation_test`; where there
    are several worlds, the differences of all listeners of a world change their sign together,
    for they are one piece of evidence.

    Raises
    ------
    KeyError
        One of the two was not measured.
    """
    values = listening.per_listener
    first, second = values[one, condition, metric], values[other, condition, metric]
    difference, worlds = float((first - second).mean()), listening.worlds[condition]
    if not _are_several(worlds):
        return difference, paired_permutation_test(first, second)
    sums = np.bincount(worlds, weights=first), np.bincount(worlds, weights=second)
    return difference, paired_permutation_test(*sums)


def _are_several(worlds: Rows) -> bool:
    return len(np.unique(worlds)) > 1


def _asked(splits: Sequence[Split], seed: int) -> Rows:
    """Positions of a random `MAX_LISTENERS` of the listeners at most, in their order."""
    return np.sort(np.random.default_rng(seed).permutation(len(splits))[:MAX_LISTENERS])


def _conditions(
    catalog: TrackFacts, splits: Sequence[Split], seed: int
) -> dict[str, tuple[list[Case], tuple[str, ...]]]:
    """Cases and recommenders by condition: those left out know what a condition takes away."""
    by_sound = SERVED if catalog.subject.is_served else SINGLE_MEAN
    asked = [splits[number] for number in _asked(splits, seed)]
    # not 0: numpy draws the same from (seed, 0) as from the seed that chose the listeners
    plain = [_case((seed, number), split) for number, split in enumerate(asked, start=1)]
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


def _case(random_state: tuple[int, int], split: Split) -> Case:
    history = split.history
    return Case(random_state, split.world, history, history, history, split.held_out)


def _without_artists(catalog: TrackFacts, case: Case) -> Case:
    heard = catalog.by_groups_of(case.history)
    other = ~heard[case.relevant] & (catalog.groups[case.relevant] >= 0)
    barred = np.union1d(case.barred, np.flatnonzero(heard))
    return replace(case, barred=barred, relevant=case.relevant[other])


def _told(case: Case, n: int) -> Case:
    return replace(case, known=case.history[-n:])


def _add(
    listening: Listening,
    catalog: TrackFacts,
    name: tuple[str, str],
    cases: Sequence[Case],
    lists: Rows,
) -> None:
    """Add what lists of shape (n_listeners, K) are worth."""
    worlds = listening.worlds[name[1]]
    clusters = worlds if _are_several(worlds) else None
    for metric, values in _measured(catalog, cases, lists).items():
        listening.per_listener[*name, metric] = values
        listening.figures.append(figure(SECTION, *name, metric, values, clusters))
    shares = [
        metrics.coverage(lists[worlds == world], len(catalog.groups)) for world in np.unique(worlds)
    ]
    coverage = figure(SECTION, *name, f"coverage@{K}", shares)
    listening.figures.append(replace(coverage, n=len(lists)))


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
        f"novelty@{K}": _novelty(catalog, cases, lists),
        f"diversity@{K}": np.array([metrics.intra_list_diversity(vectors[r]) for r in listed]),
        f"artist share@{K}": np.array([float(f.mean()) if len(f) else 0.0 for f in familiar]),
    }


def _novelty(catalog: TrackFacts, cases: Sequence[Case], lists: Rows) -> Values:
    """Each list by what is popular in its listener's world."""
    worlds = np.array([case.world for case in cases])
    values = np.empty(len(lists))
    for world in np.unique(worlds):
        here = worlds == world
        values[here] = metrics.novelty(lists[here], catalog.popularity[world])
    return values
