"""Endless synthetic tracks around a few real ones; :mod:`benchmarks.vectors` says how and why."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.output import shown
from recommender.arrays import FloatArray

BLOCK = 16_384
CATALOG, QUERIES = 0, 1
ARTIST_STEP, TRACK_STEP, NOISE = 0.3, 0.3, 0.2
FREEDOM, LONGEST = 3, 5.0
SMALL_ARTISTS = 20
_TRACKS, _ARTISTS, _LAYER = 1, 2, 3

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Some tracks.

    Attributes
    ----------
    artists
        Number of each one's artist, shape (n,).
    bases
        Number of the real track that its artist lies near, shape (n,).
    pooled
        Vectors as an embedder gives them, float32, shape (n, dimension).
    """

    artists: Ints
    bases: Ints
    pooled: FloatArray


class Mixture:
    """Endless tracks around real ones; the same for the same seed and number of artists.

    Parameters
    ----------
    real
        Pooled vectors, float32, shape (n_real, dimension).
    n_artists
        Of the catalog.
    seed
        Of everything that is drawn.
    width
        Length of the vectors that come out: `dimension`, or more.
    """

    def __init__(self, real: FloatArray, n_artists: int, seed: int = 0, width: int = 0):
        self._mean = real.mean(axis=0)
        self._real = real - self._mean
        self._noise = NOISE * self._real.std(axis=0)
        self._seed = seed
        self._layer = _Layer(self._real, width, seed) if width > real.shape[1] else None
        rng = np.random.default_rng([seed, _ARTISTS])
        self._near, self._towards, self._from = rng.integers(len(real), size=(3, n_artists))
        self._steps = ARTIST_STEP * _heavy(rng, n_artists)
        sizes = 1.0 / (SMALL_ARTISTS + np.arange(n_artists))
        self._up_to = np.cumsum(sizes) / sizes.sum()

    def draw(self, n: int, number: int = 0, stream: int = CATALOG) -> Drawn:
        """The first `n` tracks of block `number`, at most `BLOCK`."""
        rng = np.random.default_rng([self._seed, _TRACKS, stream, number])
        artists = np.searchsorted(self._up_to, rng.random(BLOCK)[:n], side="right")
        towards, away = rng.integers(len(self._real), size=(2, BLOCK))[:, :n]
        steps = TRACK_STEP * _heavy(rng, BLOCK)[:n]
        pooled = self._real[self._near[artists]]
        pooled += self._steps[artists] * self._difference(self._towards, self._from, artists)
        pooled += steps * (self._real[towards] - self._real[away])
        pooled += self._noise * rng.standard_normal(pooled.shape, dtype=np.float32)
        if self._layer:
            return Drawn(artists, self._near[artists], self._layer.apply(pooled))
        return Drawn(artists, self._near[artists], pooled + self._mean)

    def _difference(self, towards: Ints, away: Ints, artists: Ints) -> FloatArray:
        step: FloatArray = self._real[towards[artists]] - self._real[away[artists]]
        return step

    def units(self, n: int, number: int = 0, stream: int = CATALOG) -> FloatArray:
        """As :meth:`draw`, but only vectors, centred and of length one: shape (n, dimension)."""
        centre = self._layer.centre if self._layer else self._mean
        return unit(self.draw(n, number, stream).pooled - centre)

    def fill(self, into: FloatArray) -> None:
        """Write the first tracks of the catalog into an array, which may be a file."""
        starts = range(0, len(into), BLOCK)
        for number, start in enumerate(shown(starts, f"{len(into):,} vectors", len(starts))):
            rows = into[start : start + BLOCK]
            rows[:] = self.units(len(rows), number)


class _Layer:
    """A wide layer with random weights, and a rectifier."""

    def __init__(self, centred: FloatArray, width: int, seed: int):
        rng = np.random.default_rng([seed, _LAYER])
        scale = np.sqrt(np.mean(np.square(centred)) * centred.shape[1])
        shape = (centred.shape[1], width)
        self._weights = (rng.standard_normal(shape, dtype=np.float32) / scale).astype(np.float32)
        self._biases = 0.5 * rng.standard_normal(width, dtype=np.float32)
        self.centre = self.apply(centred).mean(axis=0)

    def apply(self, centred: FloatArray) -> FloatArray:
        wide: FloatArray = np.maximum(centred @ self._weights + self._biases, 0.0)
        return wide


def _heavy(rng: np.random.Generator, n: int) -> FloatArray:
    drawn = np.minimum(np.abs(rng.standard_t(FREEDOM, size=(n, 1))), LONGEST)
    return drawn.astype(np.float32)


def unit(vectors: FloatArray) -> FloatArray:
    """Rows of length one."""
    scaled: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled
