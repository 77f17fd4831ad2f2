"""The form of every result: one figure with its interval, and where it belongs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows
from recommender.significance import bootstrap_interval

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes
    ----------
    section
        The protocol: index, retrieval, listeners, recommendations, clips, variants.
    subject
        What was measured: ``"served"``, or what it is compared with, ``"random"``.
    condition
        The circumstances, ``"same artist, without the album"`` or ``"10 s, MP3 64 kbit/s"``.
    metric
        ``"recall@10"``; the field's name.
    value, low, high
        The mean over queries and its 95 % interval by bootstrap.
    n
        Number of queries.
    groups
        Number of labels or worlds that the interval is over; None when it is over queries.
    """

    section: str
    subject: str
    condition: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    groups: int | None = None

    @property
    def key(self) -> Key:
        """What tells a figure from every other of a report."""
        return self.section, self.subject, self.condition, self.metric


def figure(
    section: str,
    subject: str,
    condition: str,
    metric: str,
    values: npt.ArrayLike,
    clusters: Sequence[object] | Rows | None = None,
) -> Figure:
    """Mean and interval of one metric over queries.

    Parameters
    ----------
    section, subject, condition, metric
        As in :class:`Figure`.
    values
        One value a query, shape (n,), n at least 1.
    clusters
        The group of each query when queries of a group are no independent evidence, for example
        the album of each seed: whole groups are drawn then.
    """
    per_query = np.asarray(values, dtype=np.float64)
    members = None if clusters is None else list(clusters)
    groups = None if members is None else len(set(members))
    low, high = _widened(per_query, *bootstrap_interval(per_query, clusters=members), groups)
    mean = float(per_query.mean())
    return Figure(section, subject, condition, metric, mean, low, high, len(per_query), groups)


def _widened(
    values: npt.NDArray[np.float64], low: float, high: float, groups: int | None
) -> tuple[float, float]:
    """The interval, or the exact one of Clopper and Pearson where all is right, or all wrong.

    Resamples of equal values are equal, which would pass for certainty: after 8 hits of 8 the rate
    may well be .63.
    """
    room = 1.0 - 0.025 ** (1.0 / (groups or len(values)))
    if (values == 1.0).all():
        return 1.0 - room, 1.0
    return (0.0, room) if (values == 0.0).all() else (low, high)
