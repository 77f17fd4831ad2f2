"""max-local: what IBM's MAX Audio Embedding Generator computes, computed here.

It is :class:`recommender.embedders.vggish.Vggish` with the last ReLU that VGGish had before 2020
and the projection to 8 bits, heard through a 16-bit file, in the windows of the embedder ``max``.
The two agree, and are two spaces all the same: what a server computes cannot be known from here.

References
----------
.. [1] IBM, MAX Audio Embedding Generator: https://github.com/IBM/MAX-Audio-Embedding-Generator
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recommender.arrays import FloatArray
from recommender.embedders import vggish
from recommender.embedders.max_windows import (
    FULL_SCALE,
    ROWS,
    as_pcm16,
    pooled,
    windows_spec,
)
from recommender.embedders.options import Choices, complete
from recommender.embedding import EmbedderSpec, Frames
from recommender.weights_store import Source

NAME = "max-local"
REQUIRES = vggish.REQUIRES
COST = 3.1
FITNESS = (
    "no figure is published for this form of VGGish, with a last ReLU and in 8 bits; "
    f"plain VGGish {vggish.FITNESS}"
)
CHOICES: Choices = {}
WEIGHTS: tuple[Source, ...] = vggish.WEIGHTS
FORM = {"final_relu": "yes", "postprocess": "pca"}


class MaxLocal:
    """Embeds windows of 9.615 s into the mean of ten rows of 128 numbers from -2 to 2; no tags.

    Parameters
    ----------
    options
        It takes none.

    Raises
    ------
    InvalidParameterError
        Options that there are not.
    """

    def __init__(self, options: Mapping[str, str] | None = None):
        complete(NAME, CHOICES, options or {})
        self._vggish = vggish.Vggish(FORM)

    @cached_property
    def spec(self) -> EmbedderSpec:
        """What it is; reads the records of the installed weights, not the weights.

        Raises
        ------
        WeightsError
            The weights are not installed; the message says how they are.
        """
        return windows_spec(NAME, self._vggish.spec.weights_sha256)

    def embed(self, windows: FloatArray) -> Frames:
        """Embed windows of shape (n_windows, 153840), samples in [-1, 1] at 16 kHz.

        A window that holds NaN gives NaN and leaves the others alone.

        Raises
        ------
        InvalidParameterError
            The windows have another length.
        WeightsError
            The weights are missing or not those that were installed.
        """
        self.spec.require_windows(windows)
        parts = _parts(as_pcm16(windows) / np.float32(FULL_SCALE))
        # a window at a time: the network needs some 30 MB for each of its ten rows. At least once,
        # as weights are loaded by embedding nothing
        rows = [
            self._vggish.embed(parts[first : first + ROWS]).vectors
            for first in range(0, max(1, len(parts)), ROWS)
        ]
        return Frames.untagged(pooled(np.concatenate(rows)))


def _parts(windows: FloatArray) -> FloatArray:
    """VGGish's windows within each window, shape (n_windows * `ROWS`, 15600)."""
    views = sliding_window_view(windows, vggish.WINDOW_SAMPLES, axis=1)
    return views[:, :: vggish.HOP_SAMPLES].reshape(-1, vggish.WINDOW_SAMPLES)
