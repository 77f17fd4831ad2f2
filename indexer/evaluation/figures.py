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
        The protocol: index, retrieval, clips, listeners, variants.
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
    """

    section: str
    subject: str
    condition: str
    metric: str
    value: float
    low: float
    high: float
    n: int

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
    low, high = bootstrap_interval(per_query, clusters=None if clusters is None else list(clusters))
    mean = float(per_query.mean())
    return Figure(section, subject, condition, metric, mean, low, high, len(per_query))
