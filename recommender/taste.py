"""What a listener likes, from what was heard, liked, skipped and disliked (pure).

A listener is several interests, not one mean: the tracks that count for something are clustered,
and a track fits an interest when it is near to some of its tracks, not to their middle. What is
disliked takes the weight from the evidence near it, so that the interest fades and not only the
track; ``docs/recommendation.md`` says how the numbers here were chosen.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.clustering import ward
from recommender.events import Event, Kind

MOST_TRACKS = 300
"""Tracks that count: those with the largest weights."""
HALF_LIFE_DAYS = 90.0
"""After so many days a listen counts half, unless another number is asked for."""
SHARPNESS = 8.0
"""How much more near tracks count than far ones: 0 is the mean, infinity the nearest alone."""
AVERSION = 0.25
"""How far a dislike pushes down what is like it, in cosines."""

LIKE = 2.0
SKIP = -0.5
DISLIKE = -2.0
SECONDS_PER_DAY = 86_400.0

Weights = npt.NDArray[np.float64]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a listener thinks of a track.

    Attributes
    ----------
    track_id
        The track.
    weight
        Above 0 what speaks for its like, below 0 what speaks against, 0 for neither.
    disliked
        It is not to be heard again.
    """

    track_id: str
    weight: float
    disliked: bool = False


@dataclass(frozen=True, slots=True)
class Division:
    """How a taste is divided into interests; see :func:`recommender.clustering.ward`.

    Attributes
    ----------
    explained
        Share of the variance of a listener's tracks that has to lie between interests, 0 to 1.
    most
        Most interests, 1 or more; it outranks `explained`.
    """

    explained: float = 0.3
    most: int = 8


DIVISION = Division()


@dataclass(frozen=True, slots=True, eq=False)
class Interest:
    """One of the things that a listener likes.

    Attributes
    ----------
    members
        Positions of its tracks among those that speak for something, shape (n,), the one that
        stands for all of them first.
    shares
        Of the interest, of each of them, shape (n,); they sum to 1.
    share
        Of the listener's taste, above 0, at most 1.
    """

    members: npt.NDArray[np.int64]
    shares: Weights
    share: float


def opinions(
    events: Iterable[Event],
    now: datetime,
    half_life_days: float,
    duration_of: Mapping[str, float],
) -> list[Opinion]:
    """What events say of each track, strongest first.

    A listen counts as much as was heard of the track, and half as much after `half_life_days`;
    several count less than their sum, for the tenth tells little that the ninth did not. A skip
    speaks against the track, and fades alike. What was said last counts of likes and dislikes, and
    does not fade.

    Parameters
    ----------
    events
        In any order; events of one track may be any number.
    now
        From which on events are old.
    half_life_days
        Above 0.
    duration_of
        Seconds of tracks; of others, a listen counts as a whole one.
    """
    by_track = defaultdict[str, list[Event]](list)
    for event in events:
        by_track[event.track_id].append(event)
    found = [
        _opinion(track_id, some, now, half_life_days, duration_of.get(track_id, 0.0))
        for track_id, some in by_track.items()
    ]
    return sorted(found, key=lambda one: (-abs(one.weight), one.track_id))


def _opinion(
    track_id: str, events: Sequence[Event], now: datetime, half_life_days: float, seconds: float
) -> Opinion:
    heard = skipped = 0.0
    spoken = [event for event in events if event.kind in (Kind.LIKE, Kind.DISLIKE)]
    # at the same moment the dislike counts: better too careful
    said = max(spoken, key=lambda event: (event.at, event.kind == Kind.DISLIKE), default=None)
    for event in events:
        days = max(0.0, (now - event.at).total_seconds() / SECONDS_PER_DAY)
        freshness = 0.5 ** (days / half_life_days)
        if event.kind == Kind.SKIP:
            skipped += freshness
        elif event.kind == Kind.LISTEN:
            heard += freshness * _fraction(event, seconds)
    if said is not None and said.kind == Kind.DISLIKE:
        return Opinion(track_id, DISLIKE, disliked=True)
    liked = LIKE if said is not None else 0.0
    return Opinion(track_id, liked + math.log2(1.0 + heard) + SKIP * skipped)


def _fraction(event: Event, seconds: float) -> float:
    if event.seconds_played is None or seconds <= 0:
        return 1.0
    return min(1.0, event.seconds_played / seconds)


def revoked(weights: Weights, liked: FloatArray, disliked: FloatArray, against: Weights) -> Weights:
    """Weights of liked tracks after what is disliked has taken from those that are like it.

    Parameters
    ----------
    weights
        Above 0, shape (n,).
    liked, disliked
        Unit vectors, shapes (n, dimension) and (m, dimension).
    against
        How much each of the disliked ones speaks against, above 0, shape (m,); `DISLIKE` is 1.

    Returns
    -------
    array
        Above 0 all the same: a listener who dislikes everything has a taste still.
    """
    if not len(disliked):
        return weights
    near = _likeness(liked, disliked, against)
    left: Weights = weights * np.maximum(np.prod(1.0 - np.minimum(near, 1.0), axis=1), 1e-6)
    return left


def interests_of(
    vectors: FloatArray, weights: Weights, division: Division = DIVISION
) -> list[Interest]:
    """The interests behind some tracks, the largest first.

    Parameters
    ----------
    vectors
        Unit vectors of the tracks, shape (n, dimension).
    weights
        Of each, above 0, shape (n,).
    division
        How many there are.
    """
    if not len(vectors):
        return []
    total = weights.sum()
    found = []
    for members in ward(vectors, weights / total, division.explained, division.most):
        share = float(weights[members].sum() / total)
        shares = weights[members] / weights[members].sum()
        centre = shares @ vectors[members].astype(np.float64)
        # the track that is nearest to the middle stands for all
        order = np.argsort(-(vectors[members] @ centre), kind="stable")
        found.append(Interest(members[order], shares[order], share))
    return found


def fit(vectors: FloatArray, interest: Interest, candidates: FloatArray) -> Scores:
    """How well candidates fit an interest, as cosines are, shape (n_candidates,).

    A soft maximum over the tracks of the interest, log(sum(share * exp(s * cosine))) / s with s =
    `SHARPNESS`: between their mean and the nearest of them.

    Parameters
    ----------
    vectors
        Those that `interest` was found in.
    interest
        One of them.
    candidates
        Unit vectors, shape (n_candidates, dimension).
    """
    cosines = candidates.astype(np.float64) @ vectors[interest.members].T.astype(np.float64)
    soft: Scores = np.log(np.exp(SHARPNESS * cosines) @ interest.shares) / SHARPNESS
    return soft


def aversion(disliked: FloatArray, against: Weights, candidates: FloatArray) -> Scores:
    """What candidates lose for being like what is disliked, in cosines, 0 or more.

    Parameters
    ----------
    disliked, against
        As of :func:`revoked`.
    candidates
        Unit vectors, shape (n, dimension).
    """
    if not len(disliked):
        return np.zeros(len(candidates))
    lost: Scores = AVERSION * _likeness(candidates, disliked, against).max(axis=1)
    return lost


def _likeness(vectors: FloatArray, disliked: FloatArray, against: Weights) -> Scores:
    """Cosines to what is disliked, 0 at least and less where it is disliked less."""
    cosines = vectors.astype(np.float64) @ disliked.T.astype(np.float64)
    likeness: Scores = np.maximum(0.0, cosines) * np.minimum(1.0, against / -DISLIKE)
    return likeness


def merged(
    lists: Sequence[Sequence[int]], shares: Sequence[float], limit: int
) -> list[tuple[int, int]]:
    """Rows of several ranked lists in proportion to their shares, each row once.

    The next place goes to the list that is furthest behind its share; equal ones in their order.

    Parameters
    ----------
    lists
        Rows, best first.
    shares
        Of each list, above 0.
    limit
        Most rows.

    Returns
    -------
    list of (int, int)
        Row, and position of the list that it comes from.
    """
    found = dict[int, int]()
    places, given = [0] * len(lists), [0] * len(lists)
    open_lists = set(range(len(lists)))
    while open_lists and len(found) < limit:
        total = sum(shares[one] for one in open_lists)
        taken = sum(given[one] for one in open_lists) + 1
        best = max(open_lists, key=lambda one: (shares[one] / total * taken - given[one], -one))
        rows = lists[best]
        while places[best] < len(rows) and rows[places[best]] in found:
            places[best] += 1
        if places[best] == len(rows):
            open_lists.remove(best)
            continue
        found[rows[places[best]]] = best
        given[best] += 1
    return list(found.items())
