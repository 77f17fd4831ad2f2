"""Where in a track the windows of a clip fit best (pure).

Windows of a track lie a step apart, those of a clip `PHASES` to a step. When the clip begins at a
certain moment of the track, one in `PHASES` of its windows coincides with a window of the track;
the mean of their cosines says how well the clip fits there. All moments are compared at once:
pairs of windows whose places differ by as much are of the same moment.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.segments import PHASES

Places = npt.NDArray[np.int32]


class Alignment(NamedTuple):
    """Where a clip fits best.

    Attributes
    ----------
    cosine
        Mean cosine of the windows that coincide.
    begins
        Where the clip begins in the track, in parts of 1 / `PHASES` of a step; below 0 when it
        begins before.
    """

    cosine: float
    begins: int


def align(
    clip_places: Places, clip: FloatArray, track_places: Places, track: FloatArray
) -> Alignment | None:
    """Find where a clip fits best in a track; the earliest of equally good moments.

    A clip may reach beyond either end of the track, but half of the windows that could coincide
    have to.

    Parameters
    ----------
    clip_places
        In parts of 1 / `PHASES` of a step, shape (n,).
    clip
        Unit vectors at several levels, shape (n_levels, n, dimension); the best level counts.
    track_places
        In steps, shape (m,).
    track
        Unit vectors, shape (m, dimension).

    Returns
    -------
    Alignment or None
        None when either has no windows.
    """
    if not len(clip_places) or not len(track_places):
        return None
    begins = PHASES * track_places[np.newaxis, :] - clip_places[:, np.newaxis]
    first = int(begins.min())
    moments = (begins - first).ravel()
    counts = np.bincount(moments)
    cosines = clip.astype(np.float64) @ track.astype(np.float64).T
    fits = np.full(len(counts), -np.inf)
    enough = 2 * counts >= counts.max()
    for level in cosines:
        sums = np.bincount(moments, level.ravel())
        fits[enough] = np.maximum(fits[enough], sums[enough] / counts[enough])
    best = int(fits.argmax())
    return Alignment(float(fits[best]), first + best)
