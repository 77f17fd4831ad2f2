"""From the vectors of a track's frames to one vector, fed batch by batch.

Memory does not grow with the length of the track, but for the median: it keeps the vectors of all
frames, never their audio.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.errors import InvalidParameterError

DEFAULT_POOLING = "mean"
_MEDIAN_COLUMNS = 64

_Weights = npt.NDArray[np.float64]


class _Part(Protocol):
    """One statistic of every dimension."""

    def __init__(self, dimension: int):
        """Of no frame yet."""

    def add(self, vectors: FloatArray, weights: _Weights) -> None:
        """Take a batch of at least one frame."""
        ...

    def result(self) -> npt.NDArray[np.floating]:
        """Of all frames so far, shape (dimension,)."""
        ...


class _Mean:
    def __init__(self, dimension: int):
        self._sum = np.zeros(dimension)
        self._weight = 0.0

    def add(self, vectors: FloatArray, weights: _Weights) -> None:
        self._sum += (vectors * weights[:, np.newaxis]).sum(axis=0)
        self._weight += float(weights.sum())

    def result(self) -> npt.NDArray[np.floating]:
        return self._sum / self._weight


class _Deviation:
    """Chan, Golub and LeVeque, Updating formulae for computing sample variances, 1979.

    The difference of two sums would lose a small deviation beside a large mean.
    """

    def __init__(self, dimension: int):
        self._mean, self._squares = np.zeros(dimension), np.zeros(dimension)
        self._weight = 0.0

    def add(self, vectors: FloatArray, weights: _Weights) -> None:
        weight, each = float(weights.sum()), weights[:, np.newaxis]
        mean = (vectors * each).sum(axis=0) / weight
        total, apart = self._weight + weight, mean - self._mean
        self._squares += (np.square(vectors - mean) * each).sum(axis=0)
        self._squares += np.square(apart) * (self._weight * weight / total)
        self._mean += apart * (weight / total)
        self._weight = total

    def result(self) -> npt.NDArray[np.floating]:
        deviation: npt.NDArray[np.floating] = np.sqrt(self._squares / self._weight)
        return deviation


class _Maximum:
    def __init__(self, dimension: int):
        self._maximum = np.full(dimension, -np.inf, np.float32)

    def add(self, vectors: FloatArray, _weights: _Weights) -> None:
        self._maximum = np.maximum(self._maximum, vectors.max(axis=0))

    def result(self) -> npt.NDArray[np.floating]:
        return self._maximum


class _Median:
    def __init__(self, dimension: int):
        self._dimension = dimension
        self._vectors: list[FloatArray] = []
        self._weights: list[_Weights] = []

    def add(self, vectors: FloatArray, weights: _Weights) -> None:
        self._vectors.append(vectors.copy())
        self._weights.append(weights)

    def result(self) -> npt.NDArray[np.floating]:
        weights, median = np.concatenate(self._weights), np.empty(self._dimension)
        # some columns at a time: sorting needs several times the memory of what is sorted
        for first in range(0, self._dimension, _MEDIAN_COLUMNS):
            columns = slice(first, first + _MEDIAN_COLUMNS)
            values = np.concatenate([vectors[:, columns] for vectors in self._vectors])
            median[columns] = _weighted_median(values, weights)
        return median


def _weighted_median(values: FloatArray, weights: _Weights) -> npt.NDArray[np.float64]:
    """Where half of the weight lies below; the middle of two values when it lies between them."""
    order = np.argsort(values, axis=0, kind="stable")
    below = np.cumsum(weights[order], axis=0)
    half = below[-1] / 2
    ascending = np.take_along_axis(values, order, axis=0).astype(np.float64)
    places = np.stack([(below < half).sum(axis=0), (below <= half).sum(axis=0)])
    middle: npt.NDArray[np.float64] = np.take_along_axis(ascending, places, axis=0).mean(axis=0)
    return middle


_PARTS: Mapping[str, tuple[type[_Part], ...]] = {
    DEFAULT_POOLING: (_Mean,),
    "mean+std": (_Mean, _Deviation),
    "max": (_Maximum,),
    "mean+max": (_Mean, _Maximum),
    "median": (_Median,),
}
POOLINGS = tuple(_PARTS)
"""What there is to choose from, the default first; parts of one vector stand one after another."""


def require_pooling(pooling: str) -> str:
    """The pooling as it was given.

    Raises
    ------
    InvalidParameterError
        It is none of `POOLINGS`.
    """
    if pooling not in _PARTS:
        raise InvalidParameterError(f"pooling={pooling} is unknown; choose {_listed(POOLINGS)}")
    return pooling


def pooled_dimension(pooling: str, frame_dimension: int) -> int:
    """Length of the one vector that is made of vectors of length `frame_dimension`.

    Raises
    ------
    InvalidParameterError
        `pooling` is none of `POOLINGS`.
    """
    return len(_PARTS[require_pooling(pooling)]) * frame_dimension


class Pooler:
    """Takes frames batch by batch; means, deviations and medians are weighted, maxima are not.

    The deviation is that of the frames themselves (divided by their weight, not by one less). With
    weights that are all 1, the mean is the sum of the batches' sums divided by their number.

    Parameters
    ----------
    pooling
        One of `POOLINGS`.
    frame_dimension
        Length of a frame's vector.

    Raises
    ------
    InvalidParameterError
        `pooling` is none of `POOLINGS`.
    """

    def __init__(self, pooling: str, frame_dimension: int):
        self._parts = [part(frame_dimension) for part in _PARTS[require_pooling(pooling)]]

    def add(self, vectors: FloatArray, weights: _Weights) -> None:
        """Take some frames.

        Parameters
        ----------
        vectors
            float32, shape (n_frames, frame_dimension).
        weights
            Greater than 0, float64, shape (n_frames,).
        """
        if len(vectors):
            for part in self._parts:
                part.add(vectors, weights)

    def result(self) -> FloatArray:
        """One vector of all frames so far, of which there must be one: float32, shape (d,)."""
        together: FloatArray = np.concatenate([part.result() for part in self._parts]).astype(
            np.float32
        )
        return together


def pooled(vectors: FloatArray, weights: _Weights, pooling: str = DEFAULT_POOLING) -> FloatArray:
    """What a :class:`Pooler` makes of frames that are all there.

    Parameters
    ----------
    vectors, weights
        As of :meth:`Pooler.add`; at least one frame.
    pooling
        One of `POOLINGS`.
    """
    pooler = Pooler(pooling, vectors.shape[1])
    pooler.add(vectors, weights)
    return pooler.result()


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
