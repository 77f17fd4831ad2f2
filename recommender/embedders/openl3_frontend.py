"""What OpenL3 hears: spectrograms of one second in decibels below their own loudest bin.

The decibels are ``10 log10`` of magnitudes, not of powers; that is how the networks were trained.
Three incompatible front-ends were published over the years, and differ for mel spectrograms alone:

``kapre014``
    Kapre 0.1.4, which the weights were trained with: HTK mel of the power, then the root; zeros on
    both sides of the window.
``kapre03``
    Kapre 0.3.5 and later: Slaney mel of the magnitude; zeros after the window.
``librosa``
    Slaney mel of the magnitude; frames centred, zeros on both sides as since librosa 0.10.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.frontend import decibels, hann_window, mel_filterbank, power_spectrogram

SAMPLE_RATE = 48_000
WINDOW = 48_000
HOP = 242
N_FFT_LINEAR = 512
N_FFT_MEL = 2048
N_MELS = {"mel256": 256, "mel128": 128}
LEAST_MAGNITUDE = 1e-10
RANGE_DB = np.float32(80.0)
# the power of anything louder would not be finite in float32
LOUDEST = 1e15


@dataclass(frozen=True, slots=True)
class _MelForm:
    """Zeros before and after a window, the mel scale, and whether filters weigh power."""

    padding: tuple[int, int]
    scale: Literal["slaney", "htk"]
    of_power: bool


_FORMS = {
    "kapre014": _MelForm((982, 982), "htk", of_power=True),
    "kapre03": _MelForm((0, 1964), "slaney", of_power=False),
    "librosa": _MelForm((1024, 1024), "slaney", of_power=False),
}
FRONT_ENDS = tuple(_FORMS)


class LinearFrontEnd:
    """Magnitudes of 257 frequencies in 197 frames; alike in every published front-end."""

    def __init__(self) -> None:
        self._taper = hann_window(N_FFT_LINEAR)

    def __call__(self, windows: FloatArray) -> FloatArray:
        """Levels in dB, shape (n_windows, 257, 197), of windows of shape (n_windows, 48000)."""
        magnitudes = np.sqrt(power_spectrogram(_precise(windows), self._taper, HOP))
        return below_own_loudest(magnitudes.transpose(0, 2, 1))


class MelFrontEnd:
    """Mel spectrograms of 199 frames in the way of one of `FRONT_ENDS`."""

    def __init__(self, n_mels: int, front_end: str):
        self._form = _FORMS[front_end]
        self._taper = hann_window(N_FFT_MEL)
        self._bank = mel_filterbank(
            SAMPLE_RATE, N_FFT_MEL, n_mels, 0.0, SAMPLE_RATE / 2, self._form.scale
        )

    def __call__(self, windows: FloatArray) -> FloatArray:
        """Levels in dB, shape (n_windows, n_mels, 199), of windows of shape (n_windows, 48000)."""
        samples = np.pad(_precise(windows), ((0, 0), self._form.padding))
        power = power_spectrogram(samples, self._taper, HOP)
        mel = np.sqrt(power @ self._bank) if self._form.of_power else np.sqrt(power) @ self._bank
        return below_own_loudest(mel.transpose(0, 2, 1))


def create_front_end(representation: str, front_end: str) -> LinearFrontEnd | MelFrontEnd:
    """The front-end of ``linear``, ``mel128`` or ``mel256`` in the way of one of `FRONT_ENDS`."""
    if representation == "linear":
        return LinearFrontEnd()
    return MelFrontEnd(N_MELS[representation], front_end)


def _precise(windows: FloatArray) -> npt.NDArray[np.float64]:
    """Samples for a transform in float64: what is 80 dB down here is 1e-8 of the loudest bin.

    Music without its highest frequencies, as encoders leave it, reaches that far down, and float32
    would show the rounding of the processor at hand there.
    """
    return np.clip(windows.astype(np.float64), -LOUDEST, LOUDEST)


def below_own_loudest(magnitudes: FloatArray) -> FloatArray:
    """Levels of each spectrogram in dB relative to its own loudest bin, from -80 to 0.

    Parameters
    ----------
    magnitudes
        Shape (n_windows, n_frequencies, n_frames). A silent spectrogram is 0 throughout.
    """
    levels = decibels(magnitudes, LEAST_MAGNITUDE)
    levels -= levels.max(axis=(1, 2), keepdims=True)
    below: FloatArray = np.maximum(levels, -RANGE_DB)
    return below
