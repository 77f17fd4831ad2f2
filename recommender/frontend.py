"""The pieces of a spectral front-end that embedders share: frames, power spectra, mel banks.

Everything here is numpy and float32, works on batches of windows, and holds no state. The mel bank
is the one of the Auditory Toolbox (Slaney 1998), which music systems were mostly trained on: linear
below 1 kHz and logarithmic above, each triangle scaled to unit area.
"""

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray

BREAK_HZ = 1000.0
HZ_PER_MEL = 200.0 / 3.0
MELS_PER_OCTAVE_STEP = 27.0 / math.log(6.4)
AUDIOSET_RATE = 16_000
AUDIOSET_FRAME = 400
AUDIOSET_HOP = 160
AUDIOSET_FFT = 512
# the power of anything louder would not be finite in float32
AUDIOSET_LOUDEST = 1e15
# Kaldi counts samples in 16 bits, so less is allowed
KALDI_SCALE = 32768.0
KALDI_LOUDEST = 1e10
KALDI_LEAST = 2.0**-23


def hann_window(length: int) -> FloatArray:
    """Periodic Hann window, float32, shape (length,)."""
    phase = 2.0 * np.pi * np.arange(length) / length
    return np.asarray(0.5 - 0.5 * np.cos(phase), dtype=np.float32)


def power_spectrogram(
    windows: npt.NDArray[np.floating[Any]], taper: FloatArray, hop: int
) -> FloatArray:
    """Squared magnitudes of the short-time Fourier transform, without any padding.

    Parameters
    ----------
    windows
        Samples, shape (n_windows, n_samples); of float64, the transform is as precise.
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
    sample_rate: int,
    n_fft: int,
    n_mels: int,
    low_hz: float,
    high_hz: float,
    scale: Literal["slaney", "htk"] = "slaney",
) -> FloatArray:
    """Triangular mel filters of unit area, with their corners evenly spread on a mel scale.

    A filter that is narrower than the bins of the transform may be empty.

    Returns
    -------
    numpy.ndarray
        float32, shape (n_fft // 2 + 1, n_mels): multiply a power spectrum with it.
    """
    to_mel, to_hz = (htk_mel, htk_mel_to_hz) if scale == "htk" else (hz_to_mel, mel_to_hz)
    mels = np.linspace(to_mel(low_hz), to_mel(high_hz), n_mels + 2)
    corners = np.array([to_hz(mel) for mel in mels])
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


def mel_space_filterbank(
    sample_rate: int, n_fft: int, n_mels: int, low_hz: float, high_hz: float
) -> FloatArray:
    """Filters of unit height on the HTK scale, triangles in mel: their sides are curved in hertz.

    The scale is ``1127 ln(1 + f / 700)``. No filter takes the constant part, bin 0.

    Returns
    -------
    numpy.ndarray
        float32, shape (n_fft // 2 + 1, n_mels): multiply a magnitude spectrum with it.
    """
    corners = np.linspace(htk_mel(low_hz), htk_mel(high_hz), n_mels + 2)
    hz = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    bins = np.array([htk_mel(each) for each in hz])[:, None]
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    triangles[0] = 0.0
    return np.asarray(triangles, dtype=np.float32)


def htk_mel(hz: float) -> float:
    """Mel of a frequency on the HTK scale."""
    return 1127.0 * math.log1p(hz / 700.0)


def htk_mel_to_hz(mel: float) -> float:
    """Frequency in Hz of a mel on the HTK scale."""
    return 700.0 * math.expm1(mel / 1127.0)


def audioset_log_mel(windows: FloatArray, offset: float) -> FloatArray:
    """The front-end of Google's AudioSet networks: ``log(mel + offset)`` of magnitudes.

    Frames of 25 ms every 10 ms, complete ones only, each filled up with zeros to 512 samples behind
    its end; 64 filters from 125 to 7500 Hz.

    Parameters
    ----------
    windows
        Samples at 16 kHz, shape (n_windows, n_samples), at least 400 samples.
    offset
        What is added before the logarithm; it keeps silence finite.

    Returns
    -------
    numpy.ndarray
        float32, shape (n_windows, 1 + (n_samples - 400) // 160, 64).

    References
    ----------
    .. [1] S. Hershey et al. (2017): CNN architectures for large-scale audio classification. ICASSP.
    """
    # zeros behind the taper, and as many behind the samples: each frame ends where it should
    tail = AUDIOSET_FFT - AUDIOSET_FRAME
    taper = np.pad(hann_window(AUDIOSET_FRAME), (0, tail))
    samples = np.pad(np.clip(windows, -AUDIOSET_LOUDEST, AUDIOSET_LOUDEST), ((0, 0), (0, tail)))
    magnitude = np.sqrt(power_spectrogram(samples, taper, AUDIOSET_HOP))
    bank = mel_space_filterbank(AUDIOSET_RATE, AUDIOSET_FFT, 64, 125.0, 7500.0)
    log_mel: FloatArray = np.log(magnitude @ bank + np.float32(offset))
    return log_mel


def kaldi_log_mel(windows: FloatArray, n_mels: int) -> FloatArray:
    """Kaldi's filter bank at 16 kHz, as recognisers of speech are given it: ``log(mel)`` of power.

    Frames of 25 ms every 10 ms, complete ones only. Of each frame the mean is taken off, then 0.97
    of the sample before; a Hamming window follows, and zeros up to 512 samples. Filters reach from
    20 to 8000 Hz. Kaldi would add noise first, which is left out.

    Parameters
    ----------
    windows
        Samples in [-1, 1] at 16 kHz, shape (n_windows, n_samples), at least 400 samples.
    n_mels
        How many filters.

    Returns
    -------
    numpy.ndarray
        float32, shape (n_windows, 1 + (n_samples - 400) // 160, n_mels).
    """
    samples = np.clip(windows, -KALDI_LOUDEST, KALDI_LOUDEST) * np.float32(KALDI_SCALE)
    frames = np.lib.stride_tricks.sliding_window_view(samples, AUDIOSET_FRAME, axis=1)
    frames = frames[:, ::AUDIOSET_HOP]
    frames = frames - frames.mean(axis=2, keepdims=True)
    before = np.concatenate([frames[:, :, :1], frames[:, :, :-1]], axis=2)
    tail = AUDIOSET_FFT - AUDIOSET_FRAME
    emphasised = np.pad(frames - np.float32(0.97) * before, ((0, 0), (0, 0), (0, tail)))
    taper = np.pad(np.hamming(AUDIOSET_FRAME).astype(np.float32), (0, tail))
    # the frames differ from their neighbours where they overlap: each is a window of its own
    power = power_spectrogram(emphasised.reshape(-1, AUDIOSET_FFT), taper, AUDIOSET_FFT)
    bank = mel_space_filterbank(AUDIOSET_RATE, AUDIOSET_FFT, n_mels, 20.0, AUDIOSET_RATE / 2)
    log_mel: FloatArray = np.log(np.maximum(power @ bank, np.float32(KALDI_LEAST)))
    return log_mel.reshape(*frames.shape[:2], n_mels)


def stacked_frames(frames: FloatArray, width: int, step: int) -> FloatArray:
    """At every `step`-th frame the `width` (odd) around it as one; beyond the ends, the last one.

    Parameters
    ----------
    frames
        Shape (n_windows, n_frames, n_numbers).

    Returns
    -------
    numpy.ndarray
        Shape (n_windows, ceil(n_frames / step), width * n_numbers).
    """
    n_windows, _, n_numbers = frames.shape
    half = width // 2
    padded = np.pad(frames, ((0, 0), (half, half), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)[:, ::step]
    return views.swapaxes(2, 3).reshape(n_windows, -1, width * n_numbers)
