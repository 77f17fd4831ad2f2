"""The windows of ``max`` and ``max-local``, so that what was embedded there and here is alike.

A window has ten of VGGish's rows, which are averaged: it is asked for in one request.
"""

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders import vggish
from recommender.embedding import EmbedderSpec

ROWS = 10
HOP_SAMPLES = ROWS * vggish.HOP_SAMPLES
WINDOW_SAMPLES = HOP_SAMPLES + vggish.WINDOW_SAMPLES - vggish.HOP_SAMPLES
FULL_SCALE = 32_768


def windows_spec(name: str, weights_sha256: str) -> EmbedderSpec:
    """What `name` is: all but the weights is the same for both."""
    return EmbedderSpec(
        name=name,
        version="1",
        sample_rate=vggish.SAMPLE_RATE,
        window_samples=WINDOW_SAMPLES,
        hop_samples=HOP_SAMPLES,
        context_samples=0,
        least_samples=WINDOW_SAMPLES,
        frame_dimension=vggish.WIDTH,
        tag_names=(),
        front_end="pcm16-log-mel64-htk-16k-0.01",
        layer="fc2+relu+pca8",
        weights_sha256=weights_sha256,
        tail="covered",
    )


def as_pcm16(windows: FloatArray) -> FloatArray:
    """Samples in [-1, 1] as the whole numbers that a 16-bit file holds; NaN stays NaN.

    Parameters
    ----------
    windows
        Of any shape; louder samples are clipped, as in any 16-bit file.
    """
    levels = np.rint(np.clip(windows, -1, 1) * np.float32(FULL_SCALE))
    clipped: FloatArray = np.minimum(levels, np.float32(FULL_SCALE - 1))
    return clipped


def pooled(rows: FloatArray) -> FloatArray:
    """Mean of each window's rows: float32, shape (n, 128), for rows of shape (n * `ROWS`, 128)."""
    windows = rows.reshape(-1, ROWS, vggish.WIDTH)
    means: FloatArray = windows.mean(axis=1, dtype=np.float64).astype(np.float32)
    return means
