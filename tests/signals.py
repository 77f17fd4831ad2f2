"""Test signals that are the same on every machine: float32, mono, 16 kHz.

The golden vectors in ``tests/data/musicnn_golden.npz`` were computed from exactly these numbers,
so none of them may change by a bit.
"""

from itertools import accumulate, repeat

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
TRIADS_HZ = (
    (220.0, 261.63, 329.63),
    (174.61, 220.0, 261.63),
    (130.81, 164.81, 196.0),
    (196.0, 246.94, 293.66),
)


def noise(n_samples: int, seed: int) -> npt.NDArray[np.float64]:
    """Uniform noise in [-1, 1) from Knuth's 64-bit congruential generator, its top 24 bits."""
    states = accumulate(
        repeat(None, n_samples),
        lambda state, _: (state * 6364136223846793005 + 1442695040888963407) % 2**64,
        initial=seed,
    )
    next(states)
    top = np.fromiter((state >> 40 for state in states), np.float64, n_samples)
    return top / 2**23 - 1.0


def chords(seconds: float = 12.0) -> FloatArray:
    """Decaying saw triads, a new one every 1.5 s, under a noise click every half second."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    signal = np.zeros_like(time)
    for index in range(int(seconds / 1.5)):
        during = (time >= 1.5 * index) & (time < 1.5 * (index + 1))
        since = time[during] - 1.5 * index
        for hz in TRIADS_HZ[index % 4]:
            signal[during] += (2 * ((hz * since) % 1.0) - 1) * np.exp(-1.2 * since) * 0.12
    click = noise(800, 7) * np.exp(-np.arange(800) / 120.0) * 0.4
    for index in range(int(seconds * 2)):
        start = int(index * 0.5 * SAMPLE_RATE)
        room = signal[start : start + 800]
        room += click[: len(room)]
    return signal.astype(np.float32)


def sweep(seconds: float = 9.0) -> FloatArray:
    """A sine that climbs exponentially from 55 Hz to 7 kHz, with a tremolo of 4 Hz."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    rate = np.log(7000.0 / 55.0) / seconds
    sine = np.sin(2 * np.pi * 55.0 * (np.exp(rate * time) - 1) / rate)
    tremolo = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * time)
    return np.asarray(0.5 * sine * tremolo, dtype=np.float32)


def hiss(seconds: float = 6.5) -> FloatArray:
    """Noise near -20 dB that swells slowly."""
    n_samples = int(seconds * SAMPLE_RATE)
    time = np.arange(n_samples) / SAMPLE_RATE
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 0.3 * time)
    return np.asarray(0.1 * noise(n_samples, 2026) * swell, dtype=np.float32)


SIGNALS = {"chords": chords, "sweep": sweep, "hiss": hiss}
