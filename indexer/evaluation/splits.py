"""What listeners had played and what came next: parted in time, or simulated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.evaluation.events import Events
from recommender.arrays import Rows
from recommender.errors import InvalidParameterError

LEAST_HISTORY = 5

# the simulation: worlds, plays, taste in groups, popularity within a group, plays off taste
WORLDS = 20
WORLD_LISTENERS = 30
PLAYS = (8, 40)
LOG_PLAYS = (2.6, 0.5)
LEAST_GROUP = 4
TASTE_PER_GROUP = 0.05
GROUP_ZIPF = 0.6
TRACK_ZIPF = 0.8
OFF_TASTE = 0.1
DRAWS_PER_PLAY = 20
# a taste of 0.05 a group is spread over all of a large catalog; from 25 groups on it is not raised
MOST_TASTE = 25 * TASTE_PER_GROUP
SIMULATED_HELD_OUT = 0.2

Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """What a listener had played, and what came next.

    Attributes
    ----------
    listener
        Name.
    history
        Rows of the distinct tracks played before, the latest last, shape (n_history,).
    held_out
        Rows of the distinct tracks first played afterwards, in order, shape (n_held_out,).
    world
        Whose idea of what is popular the listener shares; 0 for all real listeners.
    """

    listener: str
    history: Rows
    held_out: Rows
    world: int


@dataclass(frozen=True, slots=True, eq=False)
class Audience:
    """Listeners to ask, and what had been played in their worlds.

    Attributes
    ----------
    splits
        One for each listener who can be asked.
    pasts
        For each world, rows of the tracks played before, a row once for each listener in whose
        past it is: also of listeners who cannot be asked, for to count only those with a future
        would be to look into it.
    """

    splits: list[Split]
    pasts: list[Rows]


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Listeners with a past and a future, and how many are left out for want of either.

    Attributes
    ----------
    audience
        One world; its past is that of all listeners, also of those left out.
    moment
        The last second of the past, since 1970 UTC; nan when there are no events.
    n_short_history
        Listeners left out with fewer than `LEAST_HISTORY` distinct tracks in the past.
    n_nothing_new
        Listeners left out, of those with a past, who played nothing new afterwards.
    """

    audience: Audience
    moment: float
    n_short_history: int
    n_nothing_new: int


def split_by_time(events: Events, held_out: float = 0.2) -> TimeSplit:
    """Part the past from the future at one moment for everybody.

    A moment of each listener's own would let the history of one tell of what was popular in the
    future of another, which no service can know (Meng et al., "Exploring data splitting
    strategies for the evaluation of recommendation models", RecSys 2020; Ji et al., "A critical
    study on data leakage in recommender system offline evaluation", ACM TOIS 2023).

    Parameters
    ----------
    events
        Plays.
    held_out
        Share of plays after the moment, in (0, 1); fewer when many fall on the very moment.

    Raises
    ------
    InvalidParameterError
        `held_out` is out of its range.
    """
    if not 0 < held_out < 1:
        raise InvalidParameterError(f"held_out={held_out} must lie between 0 and 1")
    if not len(events.times):
        return TimeSplit(Audience([], [_past([])]), float("nan"), 0, 0)
    moment = float(np.quantile(events.times, 1 - held_out, method="inverted_cdf"))
    parts = [_split(events, number, moment) for number in _plays_by_listener(events)]
    long_enough = [part for part in parts if len(part.history) >= LEAST_HISTORY]
    splits = [part for part in long_enough if len(part.held_out)]
    audience = Audience(splits, [_past(parts)])
    n_short, n_nothing_new = len(parts) - len(long_enough), len(long_enough) - len(splits)
    return TimeSplit(audience, moment, n_short, n_nothing_new)


def _plays_by_listener(events: Events) -> list[Rows]:
    """Positions of each listener's plays, the earliest first."""
    order = np.lexsort((events.times, events.listeners))
    starts = np.flatnonzero(np.diff(events.listeners[order])) + 1
    return np.split(order, starts)


def _split(events: Events, plays: Rows, moment: float) -> Split:
    past = events.times[plays] <= moment
    before, after = events.rows[plays[past]], events.rows[plays[~past]]
    history = _distinct(before[::-1])[::-1]
    new = _distinct(after)
    name = events.names[int(events.listeners[plays[0]])]
    return Split(name, history, new[~np.isin(new, history)], world=0)


def _past(splits: Sequence[Split]) -> Rows:
    """Rows of the histories, a row once for each history that it is part of."""
    return np.concatenate([np.empty(0, np.int64), *(split.history for split in splits)])


def _distinct(rows: Rows) -> Rows:
    """Each row once, where it is first met."""
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)]


def simulated_listeners(
    groups: Sequence[str],
    seed: int,
    n_worlds: int = WORLDS,
    n_listeners: int = WORLD_LISTENERS,
) -> Audience:
    """Listeners who love a few groups of tracks, for catalogs whose real listeners are unknown.

    They are drawn from labels, never from audio. A taste over the groups of at least
    `LEAST_GROUP` tracks is Dirichlet, some groups and some tracks of a group being more popular
    than others by Zipf's law; a tenth of the plays is off taste; nothing is played twice. Such
    listeners rank variants of one system; they say nothing of real ones.

    Which groups and tracks are popular is drawn too, once for all listeners of a world, who are
    therefore no independent evidence: worlds are. There are several, so that figures can be
    given an interval which holds for other seeds also.

    Parameters
    ----------
    groups
        The group of each row, an artist or an album, "" when unknown: such a track is played off
        taste only.
    seed
        The same seed gives the same listeners.
    n_worlds
        How many worlds to draw, at least 1.
    n_listeners
        How many to draw for each; those who find fewer than the least number of plays are left
        out.

    Returns
    -------
    Audience
        Without listeners when no group is large enough: such a catalog has no tastes to simulate.
    """
    tastes = _large_groups(groups)
    if not tastes:
        return Audience([], [])
    worlds = [
        _simulated_world(tastes, len(groups), n_listeners, world, np.random.default_rng(child))
        for world, child in enumerate(np.random.SeedSequence(seed).spawn(n_worlds))
    ]
    return Audience([split for world in worlds for split in world], [_past(w) for w in worlds])


def _large_groups(groups: Sequence[str]) -> list[Rows]:
    """Rows of each known group of at least `LEAST_GROUP`, in the order of their labels."""
    by_label: dict[str, list[int]] = {}
    for row, label in enumerate(groups):
        by_label.setdefault(label, []).append(row)
    by_label.pop("", None)
    return [np.array(rows) for _, rows in sorted(by_label.items()) if len(rows) >= LEAST_GROUP]


def _simulated_world(
    groups: list[Rows], n_tracks: int, n_listeners: int, world: int, rng: np.random.Generator
) -> list[Split]:
    """Listeners who agree on which groups, and which tracks of a group, are popular."""
    tastes = [rng.permutation(groups[i]) for i in rng.permutation(len(groups))]
    concentration = min(TASTE_PER_GROUP * len(tastes), MOST_TASTE) * _zipf(len(tastes), GROUP_ZIPF)
    splits = []
    for number in range(n_listeners):
        taste = rng.dirichlet(concentration)
        played = _simulated_plays(tastes, taste, n_tracks, rng)
        n_history = len(played) - max(1, round(SIMULATED_HELD_OUT * len(played)))
        if len(played) >= PLAYS[0]:
            name = f"simulated {world}.{number}"
            splits.append(Split(name, played[:n_history], played[n_history:], world))
    return splits


def _simulated_plays(
    groups: list[Rows], taste: Times, n_tracks: int, rng: np.random.Generator
) -> Rows:
    """Distinct rows in the order that one listener plays them."""
    n_plays = int(np.clip(rng.lognormal(*LOG_PLAYS), *PLAYS))
    n_draws = n_plays * DRAWS_PER_PLAY
    draws = rng.integers(n_tracks, size=n_draws)
    on_taste = rng.random(n_draws) >= OFF_TASTE
    chosen = rng.choice(len(groups), size=n_draws, p=taste)
    for number in np.unique(chosen[on_taste]):
        here = on_taste & (chosen == number)
        popularity = _zipf(len(groups[number]), TRACK_ZIPF)
        draws[here] = rng.choice(groups[number], size=int(here.sum()), p=popularity)
    return _distinct(draws)[:n_plays]


def _zipf(n: int, exponent: float) -> Times:
    """Shares of the first to the n-th most popular."""
    weights = np.arange(1, n + 1, dtype=np.float64) ** -exponent
    shares: Times = weights / weights.sum()
    return shares
