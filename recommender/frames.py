"""Every window's vector for itself, before any pooling: what choices of pooling are compared on.

One pass over a track answers how it would fare with fewer windows or another way to pool, because
the windows of :func:`recommender.hearing.embed` are a subset of all windows.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.embedding import AudioSource, Embedder, Frames, read_in_batches
from recommender.levels import is_audible


class AllFrames(NamedTuple):
    """The vectors of one track by window.

    Attributes
    ----------
    frames
        Of every window, the silent ones included, in the order of time.
    audible
        Which windows :func:`recommender.hearing.embed` pools, bool, shape (n_windows,).
    weights
        What it weighs them with, float64, shape (n_windows,).
    """

    frames: Frames
    audible: npt.NDArray[np.bool_]
    weights: npt.NDArray[np.float64]


def embed_frames(source: AudioSource, embedder: Embedder, n_windows: int | None) -> AllFrames:
    """Embed windows of some audio and keep each of them.

    Parameters
    ----------
    source, embedder, n_windows
        As in :func:`recommender.hearing.embed`.

    Raises
    ------
    AudioTooShortError
        Shorter than `MIN_SECONDS`.
    """
    frames, audible = list[Frames](), list[npt.NDArray[np.bool_]]()
    weights = list[npt.NDArray[np.float64]]()
    for windows in read_in_batches(source, embedder.spec, n_windows):
        frames.append(embedder.embed(windows.samples))
        audible.append(is_audible(windows.samples))
        weights.append(windows.weights)
    together = Frames(
        vectors=np.concatenate([one.vectors for one in frames]),
        tags=np.concatenate([one.tags for one in frames]),
    )
    return AllFrames(together, np.concatenate(audible), np.concatenate(weights))
