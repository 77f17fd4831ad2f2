"""What the service is compared with: recommenders that know a little of a listener."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.evaluation.subject import Subject
from recommender import evaluation as metrics
from recommender.arrays import Rows
from recommender.engine import Recommender
from recommender.errors import InvalidParameterError
from recommender.generation import normalised
from recommender.questions import Options, Preference
from recommender.ranking import similarity

K = 20

# the two names that sound is ranked under: as the service answers, and in a space not served
SERVED = "served"
SINGLE_MEAN = "single mean"
NEAREST = "nearest to any"
POPULARITY = "popularity"
RANDOM = "random"
SAME_ARTIST = "same artist"
SAME_ARTIST_POPULAR = "same artist, then popular"

_HISTORY_BLOCK = 64

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A question: what is known of a listener, what may not be listed, what should be.

    The world is the listener's: what is popular differs from one to another.
    """

    random_state: tuple[int, int]
    world: int
    history: Rows
    known: Rows
    barred: Rows
    relevant: Rows

    def ties(self, n_tracks: int) -> Values:
        """Random numbers in [0, 1), the same for each recommender."""
        return np.random.default_rng(self.random_state).random(n_tracks)


@dataclass(frozen=True, slots=True, eq=False)
class TrackFacts:
    """What the recommenders know of the tracks, by row; groups are -1 when unknown.

    Popularity is given for each world: in how many listeners' pasts a track is.
    """

    subject: Subject
    groups: Rows
    popularity: Sequence[Rows]

    def by_groups_of(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which tracks belong to a group of some rows."""
        groups = self.groups[rows]
        return np.isin(self.groups, groups[groups >= 0])


Ranker = Callable[[Case], Rows]
_Scorer = Callable[[Case], Values]


def rankers_of(catalog: TrackFacts) -> dict[str, Ranker]:
    """Every recommender by name; each lists the best `K` rows for a case, fewer if there are."""
    n_tracks, popularity = len(catalog.groups), catalog.popularity
    scorers: dict[str, _Scorer] = {
        SINGLE_MEAN: lambda case: _near_mean(catalog, case.known),
        NEAREST: lambda case: _near_any(catalog, case.known),
        POPULARITY: lambda case: popularity[case.world] + case.ties(n_tracks),
        RANDOM: lambda case: case.ties(n_tracks),
        SAME_ARTIST: lambda case: _same_group(catalog, case.known) + case.ties(n_tracks),
        SAME_ARTIST_POPULAR: lambda case: _same_group_popular(catalog, case) + case.ties(n_tracks),
    }
    rankers = {name: _by_score(scorer) for name, scorer in scorers.items()}
    return {SERVED: _served(catalog.subject), **rankers}


def _served(subject: Subject) -> Ranker:
    """The answers of the service's own code."""
    recommender = Recommender(subject.generation)
    ids = [entry.track.id for entry in subject.tracks]
    row_of = {id_: row for row, id_ in enumerate(ids)}

    def rank(case: Case) -> Rows:
        liked = [Preference(ids[row]) for row in case.known]
        options = Options(limit=K, exclude_ids=tuple(ids[row] for row in case.barred))
        try:
            matches = recommender.recommend(liked, [], options).matches
        except InvalidParameterError:  # likes that cancel out: a caller would get nothing
            matches = ()
        return np.array([row_of[match.track.id] for match in matches], dtype=np.int64)

    return rank


def _by_score(scorer: _Scorer) -> Ranker:
    def rank(case: Case) -> Rows:
        scores = scorer(case)
        scores[case.barred] = -np.inf
        # what cannot be listed is not sorted: a catalog is long, a list is short
        bound = np.partition(scores, -K)[-K] if len(scores) > K else -np.inf
        rows = np.flatnonzero((scores >= bound) & (scores > -np.inf))
        return rows[metrics.ranking(scores[rows], depth=K)]

    return rank


def _near_mean(catalog: TrackFacts, rows: Rows) -> Values:
    vectors = catalog.subject.vectors
    mean = vectors[rows].mean(axis=0, dtype=np.float64)
    return similarity(vectors @ normalised(mean.astype(np.float32)[np.newaxis])[0])


def _near_any(catalog: TrackFacts, rows: Rows) -> Values:
    vectors = catalog.subject.vectors
    best = np.full(len(vectors), -np.inf, dtype=np.float32)
    for first in range(0, len(rows), _HISTORY_BLOCK):
        cosines = vectors @ vectors[rows[first : first + _HISTORY_BLOCK]].T
        np.maximum(best, cosines.max(axis=1), out=best)
    return similarity(best)


def _same_group(catalog: TrackFacts, rows: Rows) -> Values:
    """How many of some rows are of the group of each track; 0 where that is unknown."""
    groups = catalog.groups[rows]
    n_groups = int(catalog.groups.max(initial=-1)) + 1
    counts = np.bincount(groups[groups >= 0], minlength=n_groups + 1)
    # an unknown group, -1, is the last, which nothing belongs to
    return counts[catalog.groups].astype(np.float64)


def _same_group_popular(catalog: TrackFacts, case: Case) -> Values:
    """Tracks by group, and within equal groups by popularity, in whole numbers."""
    popularity = catalog.popularity[case.world]
    most = int(popularity.max(initial=0)) + 1
    return most * _same_group(catalog, case.known) + popularity


def padded(rows: Rows) -> Rows:
    """A list of `K` rows, -1 where it is shorter."""
    return np.pad(rows, (0, K - len(rows)), constant_values=-1)
