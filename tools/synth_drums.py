"""Drums of the synthetic catalog; called like the voices, but pitch and length are fixed."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from tools.synth_mix import Part
from tools.synth_theory import rhythm
from tools.synth_voices import RATE, FloatArray, Voice, noise_band

_TURN = 2.0 * np.pi
Beat = dict[str, str]
CHIP_BEATS: tuple[Beat, ...] = (
    {"kick": "X.......X.......", "snare": "....X.......X...", "hat": "x.o.x.o.x.o.x.o."},
    {"kick": "X.....x.X.......", "snare": "....X.......X..o", "hat": "xoxoxoxoxoxoxoxo"},
)
CLUB_BEATS: tuple[Beat, ...] = (
    {"kick": "X...X...X...X...", "clap": "....x.......x...", "open": "..x...x...x...x."},
    {"kick": "X...X...X...X..o", "clap": "....x.......x...", "hat": "oxoxoxoxoxoxoxox"},
)
BRUSH_BEATS: tuple[Beat, ...] = (
    {"kick": "X.....o.", "snare": "..x...x.", "hat": "xoxoxoxo"},
    {"kick": "X..o.x..", "snare": "..x...xo", "hat": "x.xox.xo"},
)
ROCK_BEATS: tuple[Beat, ...] = (
    {"kick": "X...x.x.", "snare": "..X...X.", "hat": "xxxxxxxx"},
    {"kick": "X.xx..x.", "snare": "..X...X.", "ride": "x.x.x.x."},
    {"kick": "X..xX..x", "snare": "..X...X.", "hat": "x.x.x.x.", "crash": "o......."},
)


def kick(_hz: float, _seconds: float, velocity: float, low: float, punch: float) -> FloatArray:
    """Sine that falls to `low` Hz; `punch` is how far above it starts, in octaves."""
    t = np.arange(int(0.4 * RATE)) / RATE
    phase = _TURN * np.cumsum(low * 2 ** (punch * np.exp(-t / 0.035))) / RATE
    click = 0.25 * noise_band(3000.0, 1.0, t.size, 1) * np.exp(-t / 0.004)
    return _hit(np.sin(phase) * np.exp(-t / 0.13) + click, velocity)


def snare(_hz: float, _seconds: float, velocity: float, tone: float, length: float) -> FloatArray:
    """Two drum modes under a burst of noise."""
    t = np.arange(int(4 * length * RATE)) / RATE
    skin = np.sin(_TURN * tone * t) + 0.5 * np.sin(_TURN * tone * 1.59 * t)
    wires = noise_band(4200.0, 1.4, t.size, 2) * np.exp(-t / length)
    return _hit(0.5 * skin * np.exp(-t / 0.05) + 1.6 * wires, velocity)


def cymbal(
    _hz: float, _seconds: float, velocity: float, centre: float, length: float
) -> FloatArray:
    """High noise: hi-hats when short, rides and shakers when longer or lower."""
    t = np.arange(int(5 * length * RATE)) / RATE
    metal = sum(np.sign(np.sin(_TURN * hz * t)) for hz in (3170.0, 4410.0, 5390.0, 6730.0))
    hiss = noise_band(centre, 0.6, t.size, 3) * (1.0 + 0.15 * metal)
    return _hit(hiss * np.exp(-t / length) * np.minimum(t / 0.001, 1.0), velocity)


def clap(_hz: float, _seconds: float, velocity: float) -> FloatArray:
    """Four hands a few milliseconds apart."""
    t = np.arange(int(0.3 * RATE)) / RATE
    hands = sum(np.exp(-np.maximum(t - d, 0) / 0.008) * (t >= d) for d in (0.0, 0.011, 0.023))
    tail = np.exp(-np.maximum(t - 0.03, 0) / 0.07) * (t >= 0.03)
    return _hit(noise_band(1500.0, 0.9, t.size, 4) * (hands + tail), velocity)


def tom(hz: float, _seconds: float, velocity: float) -> FloatArray:
    """Pitched drum; the only one that listens to `hz`."""
    t = np.arange(int(0.6 * RATE)) / RATE
    phase = _TURN * np.cumsum(hz * (1.0 + 0.6 * np.exp(-t / 0.03))) / RATE
    return _hit(np.sin(phase) * np.exp(-t / 0.18), velocity)


def chip_noise(
    _hz: float, _seconds: float, velocity: float, hold: int, length: float
) -> FloatArray:
    """Noise of a sound chip: one random level held for `hold` samples at a time."""
    n = int(5 * length * RATE)
    levels = np.random.default_rng(hold).choice([-1.0, 1.0], n // hold + 1)
    return _hit(np.repeat(levels, hold)[:n] * np.exp(-np.arange(n) / RATE / length), velocity)


def acoustic_kit() -> dict[str, Voice]:
    """Drum kit of a band."""
    return {
        "kick": partial(kick, low=52.0, punch=1.6),
        "snare": partial(snare, tone=190.0, length=0.11),
        "hat": partial(cymbal, centre=8500.0, length=0.04),
        "ride": partial(cymbal, centre=6500.0, length=0.25),
        "crash": partial(cymbal, centre=5500.0, length=0.6),
    }


def machine_kit() -> dict[str, Voice]:
    """Drum machine for dancing."""
    return {
        "kick": partial(kick, low=46.0, punch=2.6),
        "clap": clap,
        "hat": partial(cymbal, centre=10500.0, length=0.025),
        "open": partial(cymbal, centre=9500.0, length=0.12),
    }


def brush_kit() -> dict[str, Voice]:
    """Soft kit of a late evening."""
    return {
        "kick": partial(kick, low=58.0, punch=1.0),
        "snare": partial(snare, tone=220.0, length=0.06),
        "hat": partial(cymbal, centre=5200.0, length=0.06),
    }


def chip_kit() -> dict[str, Voice]:
    """Drums of a game console."""
    return {
        "kick": partial(kick, low=60.0, punch=2.0),
        "snare": partial(chip_noise, hold=5, length=0.06),
        "hat": partial(chip_noise, hold=1, length=0.018),
    }


def parts(
    kit: Mapping[str, Voice],
    bars: int,
    rng: np.random.Generator,
    beat: Beat,
    gain: float,
    reverb: float = 0.08,
) -> list[Part]:
    """Play one bar of drums over and over, every drum at its own place and level."""
    levels = {"kick": 1.0, "snare": 0.7, "clap": 0.55, "crash": 0.4}
    sides = {"hat": 0.3, "open": 0.25, "ride": -0.35, "crash": -0.4}
    return [
        Part(
            kit[name],
            rhythm(text, bars, rng),
            gain * levels.get(name, 0.3),
            sides.get(name, 0.0),
            0.0 if name == "kick" else reverb,
            pauses=name != "hat",
        )
        for name, text in beat.items()
    ]


def _hit(sound: FloatArray, velocity: float) -> FloatArray:
    scaled = sound * (velocity / float(np.abs(sound).max()))
    return np.asarray(scaled, dtype=np.float32)
