"""What was measured of an index: how much it finds, how fast, in how much memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Point:
    """One effort.

    Attributes
    ----------
    effort
        How hard searches tried; 0 when there is nothing to choose.
    recall_at_10, recall_at_100
        Share of the 10 and the 100 nearest that were found.
    milliseconds
        Median time of a search for 10, on one core.
    """

    effort: int
    recall_at_10: float
    recall_at_100: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """An index against exact search over its own catalog.

    Attributes
    ----------
    queries
        Number of catalog vectors that were asked for, each left out of its own answer.
    effort, recall_at_10, recall_at_100, milliseconds
        As served; see :class:`Point`.
    bytes_per_vector
        Of the file of the index and the rows beside it, which depends on the length of a vector;
        vectors that lie in a file of their own, lists of neighbours and tags are not counted.
    curve
        Other efforts, ascending.
    listed_recall_at_10
        Share of the 10 nearest that is in the lists of neighbours; None without such lists.
    """

    queries: int
    effort: int
    recall_at_10: float
    recall_at_100: float
    milliseconds: float
    bytes_per_vector: float
    curve: tuple[Point, ...]
    listed_recall_at_10: float | None = None

    @property
    def least_recall_at_10(self) -> float:
        """Of whichever way an answer is found."""
        listed = self.listed_recall_at_10
        return self.recall_at_10 if listed is None else min(self.recall_at_10, listed)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The measurement in the JSON of a manifest."""
        return cls(**{**content, "curve": tuple(Point(**point) for point in content["curve"])})


UNMEASURED = Measurement(0, 0, 1.0, 1.0, 0.0, 0.0, ())
