"""mfcc, the classic baseline: what the spectrum looks like on average, and how much it varies.

The vector of a window of 3 seconds holds the means of 20 mel-frequency cepstral coefficients over
its frames, followed by their standard deviations. Nothing is learned, so whatever claims to hear
music must retrieve better. The coefficients are those of librosa 0.11 by default, save that quiet
parts are kept: librosa raises everything to 80 dB below the loudest frame of what it is given.

References
----------
.. [1] B. Logan (2000): Mel frequency cepstral coefficients for music modeling. ISMIR.
.. [2] E. Pampalk (2006): Computational models of music similarity and their application in music
       information retrieval. Doctoral thesis, Vienna University of Technology.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.options import Choices, complete
from recommender.embedding import EmbedderSpec, Frames
from recommender.frontend import (
    dct_matrix,
    decibels,
    hann_window,
    mel_filterbank,
    power_spectrogram,
)

NAME = "mfcc"
COST = 0.2
FITNESS = (
    "timbre alone, the baseline to beat: about half the hits of musicnn by cosine for warm users "
    "(Tamm and Aljanaki, RecSys 2024, arXiv:2409.08987)"
)
CHOICES: Choices = {}
SAMPLE_RATE = 22_050
N_FFT = 2048
HOP = 512
N_FRAMES = 129
N_MELS = 128
N_COEFFICIENTS = 20
LEAST_POWER = 1e-10
# the power of anything louder would not be finite in float32
LOUDEST = 1e15


class Mfcc:
    """Embeds windows of 3 seconds into 40 numbers; it predicts no tags.

    Parameters
    ----------
    options
        There are none yet.

    Raises
    ------
    InvalidParameterError
        Options that there are not.
    """

    spec = EmbedderSpec(
        name=NAME,
        version="1",
        sample_rate=SAMPLE_RATE,
        window_samples=N_FFT + (N_FRAMES - 1) * HOP,
        hop_samples=N_FRAMES * HOP,
        context_samples=N_FFT // 2,
        least_samples=(N_FRAMES - 1) * HOP,
        frame_dimension=2 * N_COEFFICIENTS,
        tag_names=(),
        front_end="mfcc20-mel128-slaney-22k-zero-pad",
        layer="mean+std",
        weights_sha256="",
    )

    def __init__(self, options: Mapping[str, str] | None = None):
        complete(NAME, CHOICES, options or {})

    def embed(self, windows: FloatArray) -> Frames:
        """Embed windows of shape (n_windows, 67584), samples in [-1, 1] at 22.05 kHz.

        A window that holds NaN gives NaN and leaves the others alone.

        Raises
        ------
        InvalidParameterError
            The windows have another length.
        """
        self.spec.require_windows(windows)
        coefficients = self._coefficients(windows)
        moments = [coefficients.mean(axis=1), coefficients.std(axis=1)]
        return Frames.untagged(np.concatenate(moments, axis=1))

    @cached_property
    def _maps(self) -> tuple[FloatArray, FloatArray]:
        bank = mel_filterbank(SAMPLE_RATE, N_FFT, N_MELS, 0.0, SAMPLE_RATE / 2)
        return bank, dct_matrix(N_MELS, N_COEFFICIENTS)

    def _coefficients(self, windows: FloatArray) -> FloatArray:
        """Cepstral coefficients by frame, shape (n_windows, 129, 20)."""
        bank, transform = self._maps
        samples = np.clip(windows, -LOUDEST, LOUDEST)
        power = power_spectrogram(samples, hann_window(N_FFT), HOP)
        coefficients: FloatArray = decibels(power @ bank, LEAST_POWER) @ transform
        return coefficients
