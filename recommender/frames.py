"""Every window's vector for itself, before any pooling: what choices of pooling are compared on.

One pass over a track answers how it would fare with fewer windows or another way to pool, because
the windows of :func:`recommender.embedding.embed` are a subset of all windows.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.embedding import AudioSource, Embedder, Frames, is_audible, read_in_batches


class AllFrames(NamedTuple):
    """The vectors of one track by window.

    Attributes
    ----------
    frames
        Of every window, the silent ones included, in the order of time.
    audible
        Which windows :func:`recommender.embedding.embed` pools, bool, shape (n_windows,).
    """

    frames: Frames
    audible: npt.NDArray[np.bool_]


def embed_frames(source: AudioSource, embedder: Embedder, n_windows: int | None) -> AllFrames:
    """Embed windows of some audio and keep each of them.

    Parameters
    ----------
    source, embedder, n_windows
        As in :func:`recommender.embedding.embed`.

    Raises
    ------
    AudioTooShortError
        Shorter than `MIN_SECONDS`.
    """
    frames, audible = list[Frames](), list[npt.NDArray[np.bool_]]()
    for windows in read_in_batches(source, embedder.spec, n_windows):
        frames.append(embedder.embed(windows))
        audible.append(is_audible(windows))
    together = Frames(
        vectors=np.concatenate([one.vectors for one in frames]),
        tags=np.concatenate([one.tags for one in frames]),
    )
    return AllFrames(together, np.concatenate(audible))
