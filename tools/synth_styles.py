"""Eight ways to compose for the synthetic catalog; each call draws a new song of its style.

Every composer is a function ``(rng, seconds) -> Song``.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from tools import synth_drums as drums
from tools import synth_voices as voices
from tools.synth_mix import Note, Part, Song
from tools.synth_theory import Harmony, draw_harmony, melody, rhythm, spread

Rng = np.random.Generator
Chooser = Callable[[int, int], Sequence[int]]
Choice = TypeVar("Choice")


def chiptune(rng: Rng, seconds: float) -> Song:
    """Compose for pulse waves: fast arpeggios, a lead, triangle bass, noise drums."""
    tempo, bars = _time(rng, 138, 172, seconds)
    harmony = draw_harmony(
        rng, ("minor", "major", "dorian"), ((0, 5, 2, 6), (0, 3, 4, 4), (0, 6, 5, 4), (5, 3, 0, 4))
    )
    runs = spread("x" * 16, bars, rng, _arpeggio(harmony, 67, rng), hold=0.7)
    tune = melody(harmony, ("x.xx.x.x", "x..x..x.", "xxx.x.x.", "x.x.xx.."), bars, rng, octave=1)
    low = spread("X.x.X.x.X.x.X.x.", bars, rng, _octaves(harmony, 12), hold=0.8)
    duty = float(rng.choice([0.125, 0.25, 0.5]))
    parts = (
        Part(partial(voices.pulse, duty=duty), runs, 0.28, -0.35, 0.1),
        Part(partial(voices.pulse, duty=0.5, vibrato=0.4), tune, 0.5, 0.2, 0.12, 0.25, 0.1),
        Part(voices.triangle, low, 0.8, 0.0, 0.02),
        *drums.parts(
            drums.chip_kit(), bars, rng, _one_of(rng, drums.CHIP_BEATS), gain=0.5, reverb=0.05
        ),
    )
    return Song(tempo, parts, room=0.4, loudness=-16.5)


def drift(rng: Rng, seconds: float) -> Song:
    """Compose a slow field: pads, wind, far bells, no pulse."""
    tempo, bars = _time(rng, 50, 64, seconds)
    harmony = draw_harmony(
        rng, ("lydian", "dorian", "major"), ((0, 0, 3, 3), (0, 4, 5, 3), (0, 1, 0, 3)), size=4
    )
    held = spread("x.......", bars, rng, lambda bar, _: harmony.chord(bar, 60), hold=1.0)
    roots = spread("x.......", bars, rng, lambda bar, _: (harmony.bass(bar) + 12,), hold=1.0)
    far = melody(harmony, ("..x.....", "....x..x", ".x......"), bars, rng, octave=1, form="ab-c")
    gusts = tuple(Note(4.0 * b, 6.0, int(rng.integers(70, 96)), 0.7) for b in range(0, bars, 2))
    cutoff = float(rng.uniform(900, 2600))
    parts = (
        Part(partial(voices.pad, cutoff=cutoff, attack=1.2), held, 0.4, -0.2, 0.5),
        Part(partial(voices.pad, cutoff=500.0, attack=0.9), roots, 0.6, 0.1, 0.3),
        Part(partial(voices.bell, ring=2.6), far, 0.3, 0.5, 0.8, 0.5),
        Part(partial(voices.wind, width=float(rng.uniform(0.4, 1.0))), gusts, 0.2, -0.5, 0.4),
    )
    return Song(tempo, parts, room=4.0, loudness=-21.0)


def club(rng: Rng, seconds: float) -> Song:
    """Compose for dancing: four to the floor, offbeat bass, chord stabs, a riff."""
    tempo, bars = _time(rng, 120, 130, seconds)
    harmony = draw_harmony(
        rng, ("minor", "dorian", "phrygian"), ((0, 0, 5, 6), (0, 0, 3, 3), (0, 2, 5, 4)), size=4
    )
    stabs = _one_of(rng, ("..x..x....x..x..", "x..x..x.........", "..x...x...x..x.x"))
    low = _one_of(rng, ("..x...x...x...x.", "..xx..xx..xx..xx", "x..x..x.x..x..x."))
    riff = melody(harmony, ("x..x..x.x..x..x.", "xx.xx.x.xx.xx.x."), bars, rng, form="aaab")
    parts = (
        Part(
            partial(voices.pad, cutoff=3500.0, attack=0.01),
            spread(stabs, bars, rng, lambda bar, _: harmony.chord(bar, 64), hold=0.4),
            0.3, -0.3, 0.3, 0.3,
        ),
        Part(
            partial(voices.bass, bite=float(rng.uniform(700, 2200))),
            spread(low, bars, rng, _octaves(harmony, 12), hold=0.7),
            0.7, 0.0, 0.02,
        ),
        Part(partial(voices.pulse, duty=0.4), riff, 0.25, 0.4, 0.3, 0.5, 0.12),
        *drums.parts(drums.machine_kit(), bars, rng, _one_of(rng, drums.CLUB_BEATS), gain=0.75),
    )  # fmt: skip
    return Song(tempo, parts, room=0.9, loudness=-15.5)


def late_room(rng: Rng, seconds: float) -> Song:
    """Compose for a trio after midnight: ninths on an electric piano, bass, brushes, swing."""
    tempo, bars = _time(rng, 68, 88, seconds)
    harmony = draw_harmony(
        rng, ("dorian", "major", "mixolydian"), ((1, 4, 0, 5), (0, 3, 1, 4), (3, 2, 1, 0)), size=5
    )
    comp = _one_of(rng, ("x..x..x.", "x.....x.", "x..x...."))
    walk = spread("XxXx", bars, rng, _walking(harmony), hold=0.9)
    tune = melody(harmony, ("..x.xx.x", "x..xx...", ".x.x..xx"), bars, rng, form="ab-c", octave=0)
    parts = (
        Part(
            partial(voices.electric_piano, bite=float(rng.uniform(1.0, 2.4))),
            spread(comp, bars, rng, lambda bar, _: harmony.chord(bar, 60), hold=0.9),
            0.34, -0.25, 0.25,
        ),
        Part(partial(voices.pluck, decay=0.992, tone=0.2), walk, 0.8, 0.05, 0.08),
        Part(partial(voices.electric_piano, bite=2.2), tune, 0.45, 0.35, 0.3, 0.2, 0.12),
        *drums.parts(drums.brush_kit(), bars, rng, _one_of(rng, drums.BRUSH_BEATS), gain=0.35),
    )  # fmt: skip
    return Song(tempo, parts, swing=0.64, room=1.1, loudness=-19.5)


def plucked(rng: Rng, seconds: float) -> Song:
    """Compose a folk tune in three: fingerpicked strings under a flute."""
    tempo, bars = _time(rng, 96, 132, seconds, beats=3.0)
    harmony = draw_harmony(
        rng, ("major", "dorian", "mixolydian"), ((0, 4, 5, 3), (0, 3, 0, 4), (0, 6, 3, 0))
    )
    picked = spread("xxxxxx", bars, rng, _arpeggio(harmony, 60, rng), beats=3.0, hold=2.0)
    low = spread("X..", bars, rng, lambda bar, _: (harmony.bass(bar) + 12,), beats=3.0)
    shapes = ("x.xxx.", "x...x.", "x.x.x.", "x.xx.x")
    tune = melody(harmony, shapes, bars, rng, beats=3.0, form="abacabad", octave=1)
    tone = float(rng.uniform(0.4, 0.9))
    parts = (
        Part(partial(voices.pluck, tone=tone), picked, 0.6, -0.3, 0.2),
        Part(partial(voices.pluck, tone=0.3), low, 0.7, 0.1, 0.12),
        Part(partial(voices.pluck, decay=0.994, tone=1.0), tune, 0.4, 0.45, 0.2, enters=0.3),
        Part(partial(voices.flute, breath=0.15), tune, 0.45, 0.15, 0.35, enters=0.08, pauses=True),
    )
    return Song(tempo, parts, swing=0.53, room=1.3, loudness=-20.0)


def chapel(rng: Rng, seconds: float) -> Song:
    """Compose a chorale: choir over organ in a large room."""
    tempo, bars = _time(rng, 60, 76, seconds)
    harmony = draw_harmony(
        rng, ("major", "minor", "dorian"), ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 2, 3, 0, 3, 4))
    )
    sung = spread("x.x.", bars, rng, lambda bar, _: harmony.chord(bar, 62), hold=1.0)
    pipes = spread("x...", bars, rng, lambda bar, _: harmony.chord(bar, 57), hold=1.0)
    pedal = spread("x...", bars, rng, lambda bar, _: (harmony.bass(bar),), hold=1.0)
    tune = melody(harmony, ("x.x.", "xxx.", "x..x", "x.xx"), bars, rng, octave=1, form="abac")
    vowel = _one_of(rng, ("ah", "oh", "oo", "ee"))
    parts = (
        Part(partial(voices.choir, vowel=vowel), sung, 0.4, -0.2, 0.6, enters=0.06),
        Part(partial(voices.choir, vowel="ah"), tune, 0.4, 0.25, 0.6, enters=0.12),
        Part(voices.organ, pipes, 0.3, 0.1, 0.5),
        Part(partial(voices.organ, drawbars=(1.0, 0.4, 0.1, 0.2)), pedal, 0.5, 0.0, 0.4),
    )
    return Song(tempo, parts, room=3.2, loudness=-19.5)


def garage(rng: Rng, seconds: float) -> Song:
    """Compose for a loud band: power chords, bass, drums, a lead that enters late."""
    tempo, bars = _time(rng, 118, 168, seconds)
    harmony = draw_harmony(
        rng, ("minor", "mixolydian", "dorian"), ((0, 6, 5, 6), (0, 3, 6, 0), (0, 0, 2, 3))
    )
    strum = _one_of(rng, ("XxxxXxxx", "X..xX.x.", "X.xxX.xx", "xxXxxXxx"))
    low = spread("XxxxXxxx", bars, rng, lambda bar, _: (harmony.bass(bar) + 12,), hold=0.85)
    tune = melody(harmony, ("x.xx..x.", "x...x.xx", "xx.x.x.."), bars, rng, octave=0, form="abac")
    chords = spread(strum, bars, rng, lambda bar, _: (harmony.bass(bar) + 12,), hold=0.8)
    drive = float(rng.uniform(3.0, 9.0))
    guitar = partial(voices.overdrive, drive=drive)
    parts = (
        Part(guitar, chords, 0.4, -0.6, 0.1),
        Part(partial(voices.overdrive, drive=drive * 0.7), chords, 0.4, 0.6, 0.1),
        Part(partial(voices.bass, bite=1400.0), low, 0.5, 0.0, 0.03),
        Part(partial(voices.pulse, duty=0.3, vibrato=0.5), tune, 0.3, 0.1, 0.3, 0.3, 0.25),
        *drums.parts(
            drums.acoustic_kit(), bars, rng, _one_of(rng, drums.ROCK_BEATS), gain=0.75, reverb=0.15
        ),
    )
    return Song(tempo, parts, room=0.8, loudness=-15.0)


def bronze(rng: Rng, seconds: float) -> Song:
    """Compose interlocking patterns for bells, wooden bars and low drums."""
    tempo, bars = _time(rng, 84, 116, seconds)
    harmony = draw_harmony(rng, ("phrygian", "lydian", "minor"), ((0,), (0, 0, 3, 3), (0, 4)))
    ring = float(rng.uniform(0.5, 1.6))
    figure = rng.integers(0, 5, size=12)
    wood = spread("x" * 12, bars, rng, lambda _, n: (harmony.pitch(int(figure[n])),), hold=1.0)
    metal = spread("x.xx.xx.", bars, rng, _arpeggio(harmony, 76, rng), hold=1.0)
    gongs = spread("X.......", bars, rng, lambda bar, _: (harmony.bass(bar) + 12,), hold=1.0)
    toms = _one_of(rng, ("X..x..x.X..x.x..", "X.x..x.X..x.x...", "x...x.x.x...xxx."))
    parts = (
        Part(partial(voices.bell, ring=0.35, wood=1.0), wood, 0.4, -0.45, 0.2),
        Part(partial(voices.bell, ring=ring), metal, 0.35, 0.4, 0.3, enters=0.08),
        Part(partial(voices.bell, ring=3.5), gongs, 0.7, 0.0, 0.4),
        Part(drums.tom, rhythm(toms, bars, rng, pitch=45), 0.5, 0.15, 0.25, pauses=True),
    )
    return Song(tempo, parts, room=2.0, loudness=-19.0)


def _time(
    rng: Rng, slowest: float, fastest: float, seconds: float, beats: float = 4.0
) -> tuple[float, int]:
    """Draw a tempo, and count the bars that fill the time."""
    tempo = round(float(rng.uniform(slowest, fastest)), 1)
    return tempo, math.ceil(seconds * tempo / 60.0 / beats)


def _one_of(rng: Rng, choices: Sequence[Choice]) -> Choice:
    return choices[int(rng.integers(len(choices)))]


def _arpeggio(harmony: Harmony, centre: int, rng: Rng) -> Chooser:
    """Run through the chord and its octave in an order drawn once."""
    order = [int(place) for place in rng.permutation(harmony.size + 1)]

    def choose(bar: int, number: int) -> tuple[int]:
        chord = harmony.chord(bar, centre)
        place = order[number % len(order)]
        return (chord[place] if place < len(chord) else chord[0] + 12,)

    return choose


def _octaves(harmony: Harmony, lift: int) -> Chooser:
    """Alternate between the chord's root and its octave."""
    return lambda bar, number: (harmony.bass(bar) + lift * (number % 2),)


def _walking(harmony: Harmony) -> Chooser:
    """Walk from the root by third and fifth to a semitone below the next root."""

    def choose(bar: int, number: int) -> tuple[int]:
        root = harmony.bass(bar) + 12
        chord = [harmony.pitch(step) for step in harmony.steps(bar)]
        above = (0, (chord[1] - chord[0]) % 12, (chord[2] - chord[0]) % 12)
        return (root + above[number] if number < 3 else harmony.bass(bar + 1) + 11,)

    return choose
