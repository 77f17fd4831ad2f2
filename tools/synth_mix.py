"""From notes to a stereo waveform: timing, placing, echo, reverb and level."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tools.synth_voices import RATE, FloatArray, Voice

_CEILING = 0.8  # lossy coding moves peaks by up to 1 dB, so this keeps them below -1 dBFS


@dataclass(frozen=True, slots=True)
class Note:
    """One note: start and length in beats, MIDI pitch, velocity in (0, 1]."""

    start: float
    beats: float
    pitch: int
    velocity: float


@dataclass(frozen=True, slots=True)
class Part:
    """Notes for one instrument, and where it stands in the room.

    Attributes
    ----------
    pan
        -1 left to 1 right.
    reverb, echo
        How much of the part is sent there, 0 to 1.
    enters
        Share of the piece after which the part comes in.
    pauses
        Whether the part is silent in the break before the last third.
    """

    voice: Voice
    notes: tuple[Note, ...]
    gain: float = 1.0
    pan: float = 0.0
    reverb: float = 0.2
    echo: float = 0.0
    enters: float = 0.0
    pauses: bool = False


@dataclass(frozen=True, slots=True)
class Song:
    """All parts of a piece, its beats per minute, feel and room.

    Attributes
    ----------
    swing
        Where the second half of a beat starts: 0.5 straight, 2/3 triplets.
    room
        Reverberation time in seconds.
    loudness
        RMS of the finished piece in dBFS.
    """

    tempo: float
    parts: tuple[Part, ...]
    swing: float = 0.5
    room: float = 1.2
    loudness: float = -18.0


def mix(song: Song, seconds: float, rng: np.random.Generator) -> FloatArray:
    """Render a song.

    Parameters
    ----------
    song
        What to play; notes after `seconds` are left out.
    seconds
        Length of the result.
    rng
        Source of the small timing errors and of the room.

    Returns
    -------
    float32 waveform, shape (seconds * RATE, 2), peak at most -1.9 dBFS.
    """
    dry, wet, repeats = (np.zeros((int(seconds * RATE), 2), dtype=np.float32) for _ in range(3))
    for part in song.parts:
        track = _play(part, song, dry.shape[0], rng)
        dry += track
        wet += part.reverb * track
        if part.echo:
            repeats += part.echo * track
    repeats = _echo(repeats, 0.75 * 60.0 / song.tempo)
    wet += 0.3 * repeats
    return _master(dry + repeats + _reverb(wet, song.room, rng), song.loudness)


def decibels(waveform: FloatArray) -> float:
    """RMS of a waveform in dBFS."""
    return float(10.0 * np.log10(np.mean(np.square(waveform, dtype=np.float64)) + 1e-12))


def _play(part: Part, song: Song, n: int, rng: np.random.Generator) -> FloatArray:
    """Place every note of a part; equal notes are rendered once."""
    mono = np.zeros(n, dtype=np.float32)
    known: dict[tuple[int, float, float], FloatArray] = {}
    beat = 60.0 / song.tempo
    for note in _arranged(part, n / RATE / beat):
        key = (note.pitch, round(note.beats * beat, 2), max(round(note.velocity * 8) / 8, 0.125))
        if key not in known:
            known[key] = part.voice(440.0 * 2 ** ((note.pitch - 69) / 12), key[1], key[2])
        late = rng.normal(0.0, 0.004)
        start = max(0, int((_swung(note.start, song.swing) * beat + late) * RATE))
        sound = known[key][: max(0, n - start)]
        mono[start : start + sound.size] += sound * (note.velocity / key[2])
    angle = (part.pan + 1.0) * np.pi / 4
    sides = np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)
    return np.asarray(part.gain * mono[:, None] * sides, dtype=np.float32)


def _arranged(part: Part, beats: float) -> Iterable[Note]:
    """Yield the notes of a part that the form of the piece lets through."""
    for note in part.notes:
        place = note.start / beats
        broken = part.pauses and 0.56 <= place < 0.68
        if part.enters <= place < 1.0 and not broken:
            yield note


def _swung(beat: float, swing: float) -> float:
    whole, within = divmod(beat, 1.0)
    if within < 0.5:
        return whole + within * 2.0 * swing
    return whole + swing + (within - 0.5) * 2.0 * (1.0 - swing)


def _echo(sound: FloatArray, delay: float) -> FloatArray:
    """Repeat a sound from side to side, each time softer."""
    out = np.zeros_like(sound)
    for repeat in range(1, 5):
        shift = int(repeat * delay * RATE)
        if 0 < shift < sound.shape[0]:
            source = sound[:-shift, ::-1] if repeat % 2 else sound[:-shift]
            out[shift:] += 0.45**repeat * source
    return out


def _reverb(sound: FloatArray, room: float, rng: np.random.Generator) -> FloatArray:
    """Convolve with decaying noise, darker than white, different on each side."""
    t = np.arange(int(room * RATE)) / RATE
    tail = rng.standard_normal((t.size, 2)) * np.exp(-6.9 * t / room)[:, None]
    tail = np.concatenate([np.zeros((int(0.012 * RATE), 2)), tail])
    tail = (tail / np.linalg.norm(tail, axis=0)).astype(np.float32)
    size = -(-(sound.shape[0] + tail.shape[0]) // 32_768) * 32_768
    darker = (1.0 / (1.0 + np.fft.rfftfreq(size, 1 / RATE) / 2500.0)).astype(np.float32)
    spectrum = np.fft.rfft(tail, size, axis=0) * darker[:, None]
    out = np.fft.irfft(np.fft.rfft(sound, size, axis=0) * spectrum, size, axis=0)
    return (2.0 * out[: sound.shape[0]]).astype(np.float32)


def _master(sound: FloatArray, loudness: float) -> FloatArray:
    """Fade, bring to the wanted RMS, and round off what goes over the ceiling."""
    n = sound.shape[0]
    fade = min(int(2.5 * RATE), n // 6)
    sound = sound - sound.mean(axis=0)
    sound[n - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)[:, None] ** 2
    sound *= 10 ** ((loudness - decibels(sound)) / 20)
    return np.asarray(_CEILING * np.tanh(sound / _CEILING), dtype=np.float32)
