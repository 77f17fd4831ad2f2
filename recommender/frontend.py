"""The pieces of a spectral front-end that embedders share: frames, power spectra, mel banks.

Everything here is numpy and float32, works on batches of windows, and holds no state. The mel bank
is the one of the Auditory Toolbox (Slaney 1998), which music systems were mostly trained on: linear
below 1 kHz and logarithmic above, each triangle scaled to unit area.
"""

import math

import numpy as np

from recommender.arrays import FloatArray

BREAK_HZ = 1000.0
HZ_PER_MEL = 200.0 / 3.0
MELS_PER_OCTAVE_STEP = 27.0 / math.log(6.4)


def hann_window(length: int) -> FloatArray:
    """Periodic Hann window, float32, shape (length,)."""
    phase = 2.0 * np.pi * np.arange(length) / length
    return np.asarray(0.5 - 0.5 * np.cos(phase), dtype=np.float32)


def power_spectrogram(windows: FloatArray, taper: FloatArray, hop: int) -> FloatArray:
    """Squared magnitudes of the short-time Fourier transform, without any padding.

    Parameters
    ----------
    windows
        Samples, shape (n_windows, n_samples).
    taper
        What each frame is multiplied with, shape (n_fft,).
    hop
        Samples between the starts of two frames.

    Returns
    -------
    numpy.ndarray
        float32, shape (n_windows, n_frames, n_fft // 2 + 1) with
        ``n_frames = 1 + (n_samples - n_fft) // hop``.
    """
    frames = np.lib.stride_tricks.sliding_window_view(windows, len(taper), axis=1)[:, ::hop]
    spectrum = np.fft.rfft(frames * taper, axis=2)
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return power.astype(np.float32, copy=False)


def mel_filterbank(
    sample_rate: int, n_fft: int, n_mels: int, low_hz: float, high_hz: float
) -> FloatArray:
    """Triangular mel filters of unit area on the Slaney scale.

    Returns
    -------
    numpy.ndarray
        float32, shape (n_fft // 2 + 1, n_mels): multiply a power spectrum with it.
    """
    low, high = hz_to_mel(low_hz), hz_to_mel(high_hz)
    corners = np.array([mel_to_hz(mel) for mel in np.linspace(low, high, n_mels + 2)])
    bins = np.arange(n_fft // 2 + 1)[:, None] * (sample_rate / n_fft)
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * (2.0 / (right - left)), dtype=np.float32)


def hz_to_mel(hz: float) -> float:
    """Mel of a frequency on the Slaney scale."""
    if hz < BREAK_HZ:
        return hz / HZ_PER_MEL
    return BREAK_HZ / HZ_PER_MEL + math.log(hz / BREAK_HZ) * MELS_PER_OCTAVE_STEP


def mel_to_hz(mel: float) -> float:
    """Frequency in Hz of a mel on the Slaney scale."""
    break_mel = BREAK_HZ / HZ_PER_MEL
    if mel < break_mel:
        return mel * HZ_PER_MEL
    return BREAK_HZ * math.exp((mel - break_mel) / MELS_PER_OCTAVE_STEP)


def log_compress(power: FloatArray, gain: float) -> FloatArray:
    """``log10(1 + gain * power)``, the compression that keeps silence at exactly 0."""
    compressed: FloatArray = np.log10(1.0 + np.float32(gain) * power)
    return compressed


def dct_matrix(n_inputs: int, n_outputs: int) -> FloatArray:
    """The orthonormal discrete cosine transform (type II).

    Returns
    -------
    numpy.ndarray
        float32, shape (n_inputs, n_outputs): multiply a spectrum with it for its first
        coefficients.
    """
    centres = (np.arange(n_inputs) + 0.5) / n_inputs
    cosines = np.cos(np.pi * centres[:, None] * np.arange(n_outputs))
    cosines[:, 0] /= math.sqrt(2.0)
    return np.asarray(math.sqrt(2.0 / n_inputs) * cosines, dtype=np.float32)


def decibels(power: FloatArray, least: float) -> FloatArray:
    """``10 log10`` of power, nothing below that of `least`, which keeps silence finite."""
    levels: FloatArray = np.float32(10.0) * np.log10(np.maximum(power, np.float32(least)))
    return levels
