"""Ways from the windows of a track to one vector, from many vectors to a space, and their cost."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from indexer.evaluation.measurements import Arrays
from recommender.arrays import FloatArray
from recommender.embedding import spread
from recommender.generation import normalised
from recommender.pooling import DEFAULT_POOLING, pooled

COMPONENTS = 64
TRACKS_PER_COMPONENT = 4

Pooling = Callable[[FloatArray], FloatArray]
"""From the vectors of a track's windows, shape (n_windows, dimension), to one vector."""


def pool(
    passes: Sequence[Arrays], layer: str, n_windows: int | None, pooling: Pooling
) -> FloatArray:
    """One vector a track, shape (n_tracks, dimension), as `recommender.hearing.embed` pools.

    Parameters
    ----------
    passes
        The arrays of each track.
    layer
        ``"vectors"`` or ``"tags"``.
    n_windows
        How many of the windows there are; None for all.
    pooling
        What makes one vector of those that are audible, or of all where none is.
    """
    rows = []
    for arrays in passes:
        places = spread(len(arrays["audible"]), n_windows)
        audible, windows = arrays["audible"][places], arrays[layer][places]
        rows.append(pooling(windows[audible] if audible.any() else windows))
    return np.stack(rows)


def cost_of(
    passes: Sequence[Arrays], n_windows: int | None, share: float = 1.0
) -> npt.NDArray[np.float64]:
    """CPU seconds per minute of each track's audio, had only `n_windows` been embedded.

    A window costs what the track's windows cost on average; `share` is for one of two models, of
    which the front-end that both share is a few per cent.
    """
    costs = []
    for arrays in passes:
        heard = len(arrays["audible"])
        per_window = float(arrays["cpu_seconds"][0]) / heard
        minutes = float(arrays["audio_seconds"][0]) / 60
        costs.append(share * per_window * len(spread(heard, n_windows)) / minutes)
    return np.array(costs)


def _pooling(name: str) -> Pooling:
    """One of those that a space can have; all windows weigh the same."""
    return lambda windows: pooled(windows, np.ones(len(windows)), name)


mean = _pooling(DEFAULT_POOLING)
"""What is served: the mean over windows."""


def standardised(pooled: FloatArray) -> FloatArray:
    """Unit vectors after every dimension has mean 0 and deviation 1 over the tracks."""
    deviation = pooled.std(axis=0)
    return normalised((pooled - pooled.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0))


def whitened(pooled: FloatArray) -> FloatArray:
    """Unit vectors of the first `COMPONENTS` principal components, each of deviation 1.

    Fewer for few tracks, at most one for `TRACKS_PER_COMPONENT`: the rest would be their noise.
    """
    centred = (pooled - pooled.mean(axis=0)).astype(np.float64)
    left, strengths, _ = np.linalg.svd(centred, full_matrices=False)
    most = min(COMPONENTS, max(1, len(pooled) // TRACKS_PER_COMPONENT))
    # dimensions that never change are no components
    count = int((strengths[:most] > strengths[0] * 1e-6).sum())
    return normalised(left[:, :count].astype(np.float32))


POOLINGS: Mapping[str, Pooling] = {
    "mean and deviation": _pooling("mean+std"),
    "maximum": _pooling("max"),
    "median": _pooling("median"),
}
PROJECTIONS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "none": normalised,
    "standardised": standardised,
    "whitened": whitened,
}
