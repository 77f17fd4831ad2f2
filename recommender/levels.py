"""How loud windows are, and which of them are silence."""

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray

SILENCE_DBFS = -70.0


def is_audible(windows: FloatArray) -> npt.NDArray[np.bool_]:
    """Which windows are louder than `SILENCE_DBFS`, shape (n_windows,)."""
    audible: npt.NDArray[np.bool_] = decibels(power(windows)) > SILENCE_DBFS
    return audible


def power(windows: FloatArray) -> npt.NDArray[np.float64]:
    """Mean square of each window, shape (n_windows,)."""
    # float64: the squares of large samples, legal in float files, overflow float32
    squares: npt.NDArray[np.float64] = np.mean(np.square(windows, dtype=np.float64), axis=1)
    return squares


def decibels(power: npt.NDArray[np.float64] | np.float64) -> npt.NDArray[np.float64]:
    """Levels in dB relative to full scale of mean squares; -inf for 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(power), dtype=np.float64)
