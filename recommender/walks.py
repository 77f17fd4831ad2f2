"""Smooth walks between two vectors, over candidates: pure functions over unit vectors.

Tracks are ordered by how far along the great circle from the first vector to the last they lie, and
a walk never goes back: no track can come twice, and the best walk of a given number of steps is
found exactly, by dynamic programming.
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows
from recommender.ranking import Similarities, similarity

# high enough that the worst hop decides, see docs/recommendation.md
POWER = 8
# no direction leads from a vector to itself or to its opposite
_LEAST_SINE = 1e-6
_ANGLE_DECIMALS = 9

Angles = npt.NDArray[np.float64]
_Vectors = npt.NDArray[np.floating]


class GreatCircle:
    """The shortest way over the sphere from one unit vector to another.

    Between opposite or equal vectors there is no such way, and one is chosen.

    Parameters
    ----------
    start, end
        Unit vectors, shape (dimension,); of float16 they are so only nearly.
    """

    def __init__(self, start: _Vectors, end: _Vectors):
        self.start, self.end = _unit(start), _unit(end)
        self.angle = float(_angles(self.start @ self.end))

    @cached_property
    def _across(self) -> npt.NDArray[np.float64]:
        """The unit vector at a right angle to the start, on the side of the end."""
        for towards in (self.end, np.eye(len(self.start))[np.abs(self.start).argmin()]):
            rest = towards - (towards @ self.start) * self.start
            length = float(np.linalg.norm(rest))
            if length > _LEAST_SINE:
                break
        across: npt.NDArray[np.float64] = rest / max(length, _LEAST_SINE)
        return across

    def points(self, n_points: int) -> FloatArray:
        """Unit vectors at even distances between the ends, shape (n_points, dimension)."""
        at = self.angle * np.arange(1, n_points + 1)[:, np.newaxis] / (n_points + 1)
        points = np.cos(at) * self.start + np.sin(at) * self._across
        return points.astype(np.float32)

    def progress(self, vectors: _Vectors) -> Angles:
        """How far along some vectors lie, in radians: 0 like the start, `angle` like the end.

        Those before the start have less than 0, those behind the end more than `angle`. It is
        rounded, so that equal vectors have equal progress.
        """
        exact = vectors.astype(np.float64)
        at = np.arctan2(exact @ self._across, exact @ self.start)
        middle = self.angle / 2.0
        # cut open opposite to the middle of the way
        turned = np.mod(at - middle + np.pi, 2.0 * np.pi) - np.pi + middle
        progress: Angles = turned.round(_ANGLE_DECIMALS)
        return progress


def smoothest(circle: GreatCircle, vectors: _Vectors, n_between: int) -> Rows:
    """Which candidates to visit between the ends, in order.

    The sum over hops of angle^POWER, and over tracks of their distance in progress from an even
    walk^POWER, is as small as any walk makes it that does not go back.

    Parameters
    ----------
    circle
        From the first track to the last.
    vectors
        Of candidates, shape (n, dimension); of equal ones the earlier is taken first.
    n_between
        How many to visit, 0 to n.

    Returns
    -------
    Rows
        Places of candidates, shape (n_between,).
    """
    if not n_between:
        return np.empty(0, np.int64)
    progress = circle.progress(vectors)
    order = np.argsort(progress, kind="stable")
    exact, progress = vectors[order].astype(np.float64), progress[order]
    hops = _hops(exact)
    even = circle.angle * np.arange(1, n_between + 1) / (n_between + 1)
    # cost[j] is that of the best walk whose latest track is j
    cost = _costs(exact @ circle.start) + np.abs(progress - even[0]) ** POWER
    came_from = list[Rows]()
    for place in even[1:]:
        through = hops + cost
        before = through.argmin(axis=1)
        cost = through[np.arange(len(cost)), before] + np.abs(progress - place) ** POWER
        came_from.append(before)
    last = int((cost + _costs(exact @ circle.end)).argmin())
    return order[_traced(last, came_from)]


def hop_similarities(vectors: _Vectors) -> Similarities:
    """Similarity of each vector but the first to the one before it, shape (n - 1,)."""
    exact = vectors.astype(np.float64)
    return similarity((exact[:-1] * exact[1:]).sum(axis=1))


def _unit(vector: _Vectors) -> npt.NDArray[np.float64]:
    exact = vector.astype(np.float64)
    unit: npt.NDArray[np.float64] = exact / np.linalg.norm(exact)
    return unit


def _hops(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What it costs to come to each candidate (by row) from each (by column) before it."""
    hops = _costs(vectors @ vectors.T)
    hops[np.triu_indices(len(hops))] = np.inf
    return hops


def _costs(cosines: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # similarities are rounded: equal vectors cost exactly the same
    return _angles(2.0 * similarity(cosines) - 1.0) ** POWER


def _angles(cosines: npt.NDArray[np.float64]) -> Angles:
    angles: Angles = np.arccos(np.clip(cosines, -1.0, 1.0))
    return angles


def _traced(last: int, came_from: list[Rows]) -> list[int]:
    walk = [last]
    for before in reversed(came_from):
        walk.append(int(before[walk[-1]]))
    return walk[::-1]
