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

# weights of a moment and of those beside it
_BESIDE = (0.5, 1.0, 0.5)


class Alignment(NamedTuple):
    """Where a clip fits best.

    Attributes
    ----------
    cosine
        Mean cosine of the windows that coincide there, or a part of a step earlier or later.
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
    enough = 2 * counts >= counts.max()
    weights = np.where(enough, np.convolve(enough, _BESIDE)[1:-1], 1.0)
    best, found = -np.inf, Alignment(-1.0, first)
    for cosines in clip.astype(np.float64) @ track.astype(np.float64).T:
        sums = np.bincount(moments, cosines.ravel())
        fits = np.where(enough, sums / np.maximum(counts, 1), 0.0)
        # other windows coincide a part of a step earlier and later, and are half like those of the
        # track: where music repeats itself they tell which time it is
        together = np.where(enough, np.convolve(fits, _BESIDE)[1:-1] / weights, -np.inf)
        at = int(together.argmax())
        if together[at] > best:
            near = slice(max(0, at - 1), at + 2)
            best = together[at]
            found = Alignment(float(fits[near][enough[near]].max()), first + at)
    return found
