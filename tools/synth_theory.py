"""Keys, chords, melodies and rhythms for the synthetic catalog; notes only, no sound."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tools.synth_mix import Note

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}
_STRENGTH = {"X": 1.0, "x": 0.75, "o": 0.4}


@dataclass(frozen=True, slots=True)
class Harmony:
    """A key and its chords, one a bar, repeated as long as the piece lasts.

    Attributes
    ----------
    root
        MIDI pitch of the tonic in the middle register.
    scale
        Semitones above the root, ascending.
    degrees
        Root of each chord as a step of the scale, 0 for the tonic.
    size
        Notes in a chord: 3 triads, 4 sevenths, 5 ninths.
    """

    root: int
    scale: tuple[int, ...]
    degrees: tuple[int, ...]
    size: int = 3

    def pitch(self, step: int) -> int:
        """Return the MIDI pitch of a step of the scale; steps go on through the octaves."""
        octave, within = divmod(step, len(self.scale))
        return self.root + 12 * octave + self.scale[within]

    def bass(self, bar: int) -> int:
        """Return the chord's root in the octaves from E1 up."""
        return 28 + (self.pitch(self.degrees[bar % len(self.degrees)]) - 28) % 12

    def steps(self, bar: int) -> tuple[int, ...]:
        """Return the chord as steps of the scale, in thirds from its root."""
        degree = self.degrees[bar % len(self.degrees)]
        return tuple(degree + 2 * third for third in range(self.size))

    def chord(self, bar: int, centre: int = 62) -> tuple[int, ...]:
        """Return the chord with every note in the octave around `centre`, so voices move little."""
        low = centre - 6
        return tuple(sorted({low + (self.pitch(step) - low) % 12 for step in self.steps(bar)}))


def draw_harmony(
    rng: np.random.Generator,
    scales: Sequence[str],
    progressions: Sequence[tuple[int, ...]],
    size: int = 3,
) -> Harmony:
    """Draw a key and one of the progressions that a style knows."""
    return Harmony(
        root=int(rng.integers(57, 69)),
        scale=SCALES[scales[int(rng.integers(len(scales)))]],
        degrees=progressions[int(rng.integers(len(progressions)))],
        size=size,
    )


def rhythm(
    text: str, bars: int, rng: np.random.Generator, *, beats: float = 4.0, pitch: int = 48
) -> tuple[Note, ...]:
    """Repeat one bar of hits: ``X`` accent, ``x`` normal, ``o`` ghost, ``.`` rest.

    Parameters
    ----------
    text
        One bar; its characters share the bar evenly.
    beats
        Beats of a bar.
    pitch
        MIDI pitch of every hit.
    """
    step = beats / len(text)
    hits = [(i * step, _STRENGTH[mark]) for i, mark in enumerate(text) if mark != "."]
    return tuple(
        Note(bar * beats + at, step, pitch, _human(strength, rng))
        for bar in range(bars)
        for at, strength in hits
    )


def spread(
    text: str,
    bars: int,
    rng: np.random.Generator,
    choose: Callable[[int, int], Sequence[int]],
    *,
    beats: float = 4.0,
    hold: float = 0.9,
) -> tuple[Note, ...]:
    """Give every hit of a one-bar rhythm its pitches.

    Parameters
    ----------
    choose
        ``(bar, number of the hit in its bar) -> MIDI pitches``.
    hold
        Length of a note as a share of the time until the next hit.
    """
    step = beats / len(text)
    places = [i for i, mark in enumerate(text) if mark != "."]
    ends = [*places[1:], places[0] + len(text)]
    notes = []
    for bar in range(bars):
        for number, (place, end) in enumerate(zip(places, ends, strict=True)):
            length = (end - place) * step * hold
            for pitch in choose(bar, number):
                velocity = _human(_STRENGTH[text[place]], rng)
                notes.append(Note(bar * beats + place * step, length, pitch, velocity))
    return tuple(notes)


def melody(
    harmony: Harmony,
    rhythms: Sequence[str],
    bars: int,
    rng: np.random.Generator,
    *,
    beats: float = 4.0,
    octave: int = 0,
    form: str = "abac",
) -> tuple[Note, ...]:
    """Compose a tune: a few one-bar motifs in a fixed order, bent to the chord of each bar.

    Parameters
    ----------
    rhythms
        One-bar rhythms that motifs are drawn from.
    form
        Order of the motifs, one letter a bar; bars without a motif are rests (``-``).
    """
    motifs = {name: _motif(rhythms, rng) for name in sorted(set(form) - {"-"})}
    notes: list[Note] = []
    last = 7 * octave + 4
    for bar in range(bars):
        name = form[bar % len(form)]
        if name == "-":
            continue
        text, moves = motifs[name]
        steps = _bend(moves, harmony.steps(bar), last)
        line = _line([harmony.pitch(step) for step in steps])
        tune = spread(text, 1, rng, line, beats=beats)
        notes += [Note(bar * beats + t.start, t.beats, t.pitch, t.velocity) for t in tune]
        last = (steps[-1] + 7 * octave + 4) // 2
    return tuple(notes)


def _line(pitches: Sequence[int]) -> Callable[[int, int], Sequence[int]]:
    """Choose the pitches one after the other."""
    return lambda _, number: (pitches[number],)


def _motif(rhythms: Sequence[str], rng: np.random.Generator) -> tuple[str, list[int]]:
    """Draw a rhythm and the moves between its notes, mostly by step."""
    text = rhythms[int(rng.integers(len(rhythms)))]
    count = sum(mark != "." for mark in text)
    moves = rng.choice([-2, -1, -1, 0, 1, 1, 2, 4], size=count)
    return text, [int(move) for move in moves]


def _bend(moves: Sequence[int], chord: Sequence[int], last: int) -> list[int]:
    """Follow the moves from the chord tone nearest to `last`; end on a chord tone."""
    step = _nearest(chord, last)
    steps = [step]
    for move in moves[1:]:
        step = min(max(step + move, last - 6), last + 7)
        steps.append(step)
    steps[-1] = _nearest(chord, steps[-1])
    return steps


def _nearest(chord: Sequence[int], step: int) -> int:
    """Return the chord tone, in any octave, nearest to a step."""
    tones = [tone + 7 * octave for tone in chord for octave in range(-3, 4)]
    return min(tones, key=lambda tone: (abs(tone - step), tone))


def _human(strength: float, rng: np.random.Generator) -> float:
    return float(np.clip(strength * rng.normal(0.88, 0.07), 0.1, 1.0))
