"""Instruments of the synthetic catalog: one note in, one mono waveform out, numpy only.

Every instrument is a function ``(hz, seconds, velocity, …) -> waveform``: float32, shape (n,), at
:data:`RATE`, peak near `velocity` and the release included, so it is longer than `seconds`. The
options that follow are bound with :func:`functools.partial`. Random parts are seeded by the pitch,
so equal calls give equal samples.

Sources: Karplus & Strong, "Digital Synthesis of Plucked-String and Drum Timbres", Computer Music
Journal 7(2), 1983; Chowning, "The Synthesis of Complex Audio Spectra by Means of Frequency
Modulation", JAES 21(7), 1973; vowel formants after Peterson & Barney, JASA 24(2), 1952.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Voice = Callable[[float, float, float], FloatArray]

RATE = 44_100
_TABLE = 16_384
_TURN = 2.0 * np.pi
VOWELS = {
    "ah": (730.0, 1090.0, 2440.0),
    "oh": (570.0, 840.0, 2410.0),
    "oo": (300.0, 870.0, 2240.0),
    "ee": (270.0, 2290.0, 3010.0),
}


def pluck(
    hz: float, seconds: float, velocity: float, decay: float = 0.996, tone: float = 0.5
) -> FloatArray:
    """Plucked string after Karplus and Strong, computed one period at a time.

    Parameters
    ----------
    decay
        What is left of the string after one period, below 1.
    tone
        How bright the pluck is, in (0, 1].
    """
    period = max(2, int(RATE / hz - 0.5))
    string = np.random.default_rng(int(hz * 64)).uniform(-1.0, 1.0, period)
    softness = max(1, int((1.0 - tone * (0.5 + velocity / 2)) * period / 6))
    kernel = np.ones(softness) / softness
    string = np.convolve(np.tile(string, 2), kernel, "same")[period // 2 : period // 2 + period]
    string -= string.mean()
    periods = np.empty((int((seconds + 0.6) * hz) + 3, period), dtype=np.float32)
    for row in periods:
        row[:] = string
        string = decay * 0.5 * (string + np.roll(string, 1))
    # A period of `period` samples plus the half sample of the average is not quite 1 / hz.
    at = np.arange(int((seconds + 0.5) * RATE)) * hz * (period + 0.5) / RATE
    flat = periods.ravel()
    sound = np.interp(at, np.arange(flat.size), flat)
    return _finish(sound * _gate(sound.size, seconds, 0.001, 0.4), velocity)


def electric_piano(hz: float, seconds: float, velocity: float, bite: float = 1.5) -> FloatArray:
    """FM electric piano: a struck bar that darkens, with a short metallic tine."""
    t = _times(seconds + 0.4)
    phase = _TURN * hz * t
    body = np.sin(phase + bite * velocity * np.exp(-t / 0.45) * np.sin(phase))
    tine = np.sin(phase + 0.8 * np.exp(-t / 0.06) * np.sin(14.0 * phase)) * np.exp(-t / 0.25)
    tremolo = 1.0 + 0.12 * np.sin(_TURN * 4.8 * t)
    shape = np.exp(-t / (1.1 + 90.0 / hz)) * _gate(t.size, seconds, 0.002, 0.35)
    return _finish((body + 0.3 * tine) * tremolo * shape, velocity)


def bell(
    hz: float, seconds: float, velocity: float, ring: float = 2.0, wood: float = 0.0
) -> FloatArray:
    """Struck bar or bell: inharmonic partials, the high ones gone first.

    Parameters
    ----------
    ring
        Seconds until the lowest partial has fallen by 1/e.
    wood
        0 for the partials of a bell, 1 for those of a tuned wooden bar.
    """
    metal = np.array([0.5, 1.0, 1.19, 1.56, 2.0, 2.66, 3.01, 4.1])
    bar = np.array([1.0, 1.0, 3.99, 3.99, 9.2, 9.2, 10.0, 16.0])
    ratios = metal + wood * (bar - metal)
    levels = np.array([0.5, 1.0, 0.5, 0.3, 0.45, 0.25, 0.2, 0.15]) * velocity ** (ratios / 4)
    t = _times(min(seconds + ring, 4.0 * ring))
    partials = ratios[ratios * hz < RATE * 0.45]
    sound = np.zeros(t.size)
    for ratio, level in zip(partials, levels, strict=False):
        sound += level * np.sin(_TURN * hz * ratio * t) * np.exp(-t * np.sqrt(ratio) / ring)
    return _finish(sound * _gate(t.size, seconds + ring, 0.001, 0.1), velocity)


def pad(
    hz: float, seconds: float, velocity: float, cutoff: float = 1800.0, attack: float = 0.5
) -> FloatArray:
    """Three detuned saws through a low-pass that opens slowly and closes again."""
    t = _times(seconds + 1.2)
    dark, bright = _saw(hz, cutoff / 3), _saw(hz, cutoff)
    opening = np.sin(np.pi * np.clip(t / (seconds + 1.2), 0.0, 1.0))
    sound = np.zeros(t.size)
    for detune, start in ((0.9965, 0.0), (1.0, 0.37), (1.004, 0.71)):
        at = _positions(t * hz * detune + start)
        sound += dark[at] + opening * (bright[at] - dark[at])
    return _finish(sound * _gate(t.size, seconds, attack, 1.1), velocity)


def organ(
    hz: float,
    seconds: float,
    velocity: float,
    drawbars: Sequence[float] = (1.0, 0.7, 0.5, 0.4, 0.0, 0.2, 0.0, 0.25),
) -> FloatArray:
    """Drawbar organ with the slow turn of a rotating speaker."""
    t = _times(seconds + 0.12)
    cycle = _cycle(np.array(drawbars), hz)
    turn = np.sin(_TURN * 5.6 * t)
    sound = cycle[_positions(t * hz + 0.0006 * hz / 5.6 * turn)] * (1.0 + 0.1 * turn)
    return _finish(sound * _gate(t.size, seconds, 0.012, 0.1), velocity)


def bass(hz: float, seconds: float, velocity: float, bite: float = 900.0) -> FloatArray:
    """Saw bass: the filter snaps shut after the attack, a sine carries the bottom."""
    t = _times(seconds + 0.08)
    at = _positions(t * hz)
    dark, bright = _saw(hz, bite / 4), _saw(hz, bite * (0.5 + velocity))
    snap = np.exp(-t / 0.14)
    sound = dark[at] + snap * (bright[at] - dark[at]) + 0.7 * np.sin(_TURN * hz * t)
    return _finish(sound * _gate(t.size, seconds, 0.004, 0.07), velocity)


def pulse(
    hz: float, seconds: float, velocity: float, duty: float = 0.25, vibrato: float = 0.0
) -> FloatArray:
    """Pulse wave of the old sound chips, band-limited; vibrato in semitones, late."""
    t = _times(seconds + 0.03)
    number = np.arange(1, _harmonics(hz) + 1)
    cycle = _cycle(np.sin(np.pi * number * duty) / number, hz)
    late = np.clip((t - 0.15) / 0.2, 0.0, 1.0)
    wobble = vibrato * late * np.sin(_TURN * 6.0 * t) * hz * 0.0578 / (_TURN * 6.0)
    shape = _gate(t.size, seconds, 0.002, 0.025) * (0.6 + 0.4 * np.exp(-t / 0.1))
    return _finish(cycle[_positions(t * hz + wobble)] * shape, velocity)


def triangle(hz: float, seconds: float, velocity: float) -> FloatArray:
    """Triangle wave, the bass of the old sound chips."""
    t = _times(seconds + 0.02)
    number = np.arange(1, _harmonics(hz) + 1)
    cycle = _cycle(np.sin(np.pi * number / 2) / number**2, hz)
    return _finish(cycle[_positions(t * hz)] * _gate(t.size, seconds, 0.002, 0.02), velocity)


def choir(hz: float, seconds: float, velocity: float, vowel: str = "ah") -> FloatArray:
    """Five singers on one vowel: harmonics under three formants, each with its own vibrato."""
    t = _times(seconds + 0.5)
    number = np.arange(1, _harmonics(hz) + 1)
    formants = np.full(number.size, 0.03)
    for centre, level in zip(VOWELS[vowel], (1.0, 0.6, 0.3), strict=True):
        formants += level / (1.0 + ((number * hz - centre) / 110.0) ** 2)
    cycle = _cycle(formants / number**0.7, hz)
    rng = np.random.default_rng(int(hz * 64))
    sound = np.zeros(t.size)
    for _ in range(5):
        speed, start = rng.uniform(4.6, 5.8), rng.uniform()
        wobble = 0.006 * hz / (_TURN * speed) * np.sin(_TURN * (speed * t + start))
        sound += cycle[_positions(t * hz * (1 + rng.normal(0, 0.003)) + wobble + start)]
    return _finish(sound * _gate(t.size, seconds, 0.22, 0.45), velocity)


def flute(hz: float, seconds: float, velocity: float, breath: float = 0.12) -> FloatArray:
    """Flute-like lead: few harmonics, breath noise, vibrato that comes late."""
    t = _times(seconds + 0.15)
    cycle = _cycle(np.array([1.0, 0.35 * velocity, 0.18 * velocity, 0.05]), hz)
    late = np.clip((t - 0.2) / 0.3, 0.0, 1.0)
    wobble = 0.004 * hz / (_TURN * 5.2) * late * np.sin(_TURN * 5.2 * t)
    air = noise_band(hz, 1.0, t.size, int(hz * 64)) * breath * (0.5 + np.exp(-t / 0.05))
    sound = cycle[_positions(t * hz + wobble)] + air
    return _finish(sound * _gate(t.size, seconds, 0.05, 0.12), velocity)


def overdrive(hz: float, seconds: float, velocity: float, drive: float = 6.0) -> FloatArray:
    """Root, fifth and octave pushed into one amplifier, as a guitar plays a power chord."""
    t = _times(seconds + 0.06)
    sound = np.zeros(t.size)
    for ratio, detune in ((1.0, 0.9985), (1.0, 1.0015), (1.4983, 1.0), (2.0, 1.001)):
        sound += _saw(hz * ratio, 3000.0)[_positions(t * hz * ratio * detune + ratio)]
    loud = np.tanh(drive * (0.6 + velocity) * sound / 4.0 * np.exp(-t / 2.5))
    cabinet = np.ones(24) / 24
    warm = np.convolve(loud, cabinet, "same") * 0.8 + np.convolve(loud, cabinet[:6] * 4, "same")
    return _finish(warm * _gate(t.size, seconds, 0.003, 0.05), velocity)


def wind(hz: float, seconds: float, velocity: float, width: float = 0.8) -> FloatArray:
    """Noise around `hz` that swells and dies down: surf, wind, tape."""
    n = int((seconds + 0.5) * RATE)
    swell = np.sin(np.pi * np.arange(n) / n) ** 2
    return _finish(noise_band(hz, width, n, int(hz * 64)) * swell, velocity)


def noise_band(centre: float, octaves: float, n: int, seed: int) -> FloatArray:
    """White noise under a bell curve over log frequency; float32, shape (n,), RMS near 0.3."""
    size = -(-n // 4096) * 4096
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(size))
    hz = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 1.0)
    shaped = np.fft.irfft(spectrum * np.exp(-((np.log2(hz / centre) / octaves) ** 2)), size)[:n]
    return np.asarray(0.3 * shaped / (shaped.std() + 1e-9), dtype=np.float32)


def _times(seconds: float) -> npt.NDArray[np.float64]:
    return np.arange(int(seconds * RATE)) / RATE


def _positions(cycles: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Turn phases in cycles into places in a cycle's table."""
    return (cycles * _TABLE).astype(np.int64) & (_TABLE - 1)


def _harmonics(hz: float) -> int:
    return max(1, min(120, int(RATE * 0.42 / hz)))


def _cycle(levels: npt.NDArray[np.float64], hz: float) -> FloatArray:
    """One cycle of a sum of sines, without those above the Nyquist frequency."""
    spectrum = np.zeros(_TABLE // 2 + 1, dtype=np.complex128)
    kept = levels[: _harmonics(hz)]
    spectrum[1 : kept.size + 1] = -0.5j * _TABLE * kept
    return np.asarray(np.fft.irfft(spectrum), dtype=np.float32)


def _saw(hz: float, cutoff: float) -> FloatArray:
    """One cycle of a saw behind a low-pass of 12 dB per octave."""
    number = np.arange(1, _harmonics(hz) + 1)
    return _cycle(1.0 / number / (1.0 + (number * hz / cutoff) ** 2), hz)


def _gate(n: int, seconds: float, attack: float, release: float) -> npt.NDArray[np.float64]:
    """Linear attack, flat, and an exponential release that ends at zero."""
    t = np.arange(n) / RATE
    fall = np.exp(-np.maximum(t - seconds, 0.0) * 5.0 / release)
    close = np.clip((n / RATE - t) / min(0.02, release), 0.0, 1.0)
    return np.minimum(t / attack, 1.0) * fall * close


def _finish(sound: npt.NDArray[np.float64], velocity: float) -> FloatArray:
    """Bring the peak to the velocity."""
    peak = float(np.abs(sound).max(initial=1e-9))
    return (sound * (velocity / peak)).astype(np.float32)
