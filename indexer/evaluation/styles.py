"""Simulated listeners of several styles, with what they played, when, and what they play next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows

NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""When listeners are asked, whatever the day: the same seed gives the same figures."""
LEAST_STYLE = 8
"""Tracks of a label that is a style: fewer leave too little to be found."""
STYLES = (2, 4)
"""Fewest and most styles of a listener."""
TRACKS = (12, 40)
"""Fewest and most tracks that a listener knows and is to find, what is off taste aside."""
LEAST_TRACKS = 3
OFF_TASTE = 0.1
HELD_OUT = 0.25
WEIGHT_SPREAD = 2.0
"""Dirichlet's: how alike the styles of a listener are in weight."""
PLAYED_AGAIN = 0.5
PERIOD_DAYS = 365.0
CHANGE_DAYS = (30.0, 240.0)
"""How long ago a drifting listener's taste changed."""

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """A simulated listener.

    Attributes
    ----------
    number
        Counted from 1.
    styles
        Codes of the styles that are liked now.
    played
        Rows of the plays, a row once for each play.
    days
        How long ago each play was.
    held_out
        Rows of the current styles that were never played, and are what comes next.
    """

    number: int
    styles: Labels
    played: Rows
    days: npt.NDArray[np.float64]
    held_out: Rows

    def moments(self) -> list[datetime]:
        """When each play was."""
        return [NOW - timedelta(days=float(days)) for days in self.days]


def style_codes(albums: Sequence[str], genres: Sequence[str]) -> Labels:
    """The style of each track, -1 without one.

    A style is a genre where at least two genres are known of `LEAST_STYLE` tracks or more each and
    together they cover half of the catalog; else an album of `LEAST_STYLE` tracks or more.
    """
    by_genre = _codes(genres)
    covers = np.mean(by_genre >= 0) >= 0.5 if len(by_genre) else False
    return by_genre if covers and len(np.unique(by_genre[by_genre >= 0])) > 1 else _codes(albums)


def _codes(labels: Sequence[str]) -> Labels:
    names, numbers = np.unique(np.array(labels, dtype=np.str_), return_inverse=True)
    large = np.bincount(numbers, minlength=len(names)) >= LEAST_STYLE
    codes: Labels = np.where(large[numbers] & (names[numbers] != ""), numbers, -1)
    return codes.astype(np.int64)


def fans(codes: Labels, count: int, seed: int, drifting: bool = False) -> list[Fan]:
    """Listeners whose styles and tracks are drawn at random, from labels and never from audio.

    Each has two to four styles of Dirichlet weights, some tracks of each; a quarter of them are
    held out, the others were played once or oftener within a year. A tenth as many tracks are off
    taste. Of a drifting listener half of the styles were left behind: they were played until some
    day only, the other styles from then on, and only of these is anything held out.

    Parameters
    ----------
    codes
        Style of each row, -1 for none.
    count
        How many.
    seed
        The same seed gives the same listeners; the first of more are those of fewer.
    drifting
        Whether tastes change.

    Returns
    -------
    list of Fan
        None when there are fewer than two styles.
    """
    known = np.unique(codes[codes >= 0])
    if len(known) < STYLES[0]:
        return []
    children = np.random.SeedSequence(seed).spawn(count)
    return [
        _fan(number, codes, known, drifting, np.random.default_rng(child))
        for number, child in enumerate(children, start=1)
    ]


def _fan(
    number: int, codes: Labels, known: Labels, drifting: bool, rng: np.random.Generator
) -> Fan:
    most = min(STYLES[1], len(known))
    liked = rng.choice(known, rng.integers(STYLES[0], most + 1), replace=False)
    wanted = rng.dirichlet(np.full(len(liked), WEIGHT_SPREAD)) * rng.integers(
        *TRACKS, endpoint=True
    )
    left = len(liked) // 2 if drifting else 0
    change = float(rng.uniform(*CHANGE_DAYS)) if drifting else 0.0
    spans, held_out = list[tuple[Rows, float, float]](), list[Rows]()
    for place, (style, share) in enumerate(zip(liked, wanted, strict=True)):
        rows = rng.permutation(np.flatnonzero(codes == style))[: max(LEAST_TRACKS, round(share))]
        n_held_out = max(1, round(HELD_OUT * len(rows)))
        newest, oldest = (change, PERIOD_DAYS) if place < left else (0.0, change or PERIOD_DAYS)
        spans.append((rows[n_held_out:], newest, oldest))
        if place >= left:
            held_out.append(rows[:n_held_out])
    wrong = rng.integers(len(codes), size=max(1, round(OFF_TASTE * wanted.sum())))
    next_ = np.concatenate(held_out)
    spans.append((np.setdiff1d(wrong, next_), 0.0, PERIOD_DAYS))
    played, days = zip(*(_plays(*span, rng) for span in spans), strict=True)
    return Fan(number, liked[left:], np.concatenate(played), np.concatenate(days), next_)


def _plays(
    rows: Rows, newest: float, oldest: float, rng: np.random.Generator
) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Each row once or oftener, and how long ago."""
    played = np.repeat(rows, rng.geometric(1.0 - PLAYED_AGAIN, size=len(rows)))
    return played, rng.uniform(newest, oldest, size=len(played))
