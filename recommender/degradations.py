"""What clips go through on their way here: codecs, noise, rooms, telephones, other speeds.

Every degradation turns a mono waveform into the bytes of a clip file, so that a damaged clip takes
the same way as one that somebody uploads. Nothing is written to a disk, and the same waveform gives
the same clip, but for the last bit of a sample. After the idea of Mauch and Ewert, "The Audio
Degradation Toolbox and its application to robustness evaluation", ISMIR 2013.
"""

import io
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Literal

import av
import numpy as np
import soundfile
import soxr

from recommender.arrays import FloatArray
from recommender.errors import InvalidParameterError

VERSION = "1"
"""Of the arithmetic here; a new version makes other clips of the same waveform."""
CLEAN = "clean"
CODEC_BITS_PER_SECOND = 64_000
SHELF_DB = 6.0
REVERB_SECONDS = 1.0
"""T60: the time in which the reverberation falls by 60 dB."""
CLIPPED_SHARE = 0.1
PHONE_RATE = 8_000
PHONE_BAND_HZ = (300, 3_400)
QUIETER_DB = -12.0

_SEMITONE = 2 ** (1 / 12)
_SEED = 2013
# of FFmpeg: container, encoder, its options for a constant bit rate, and a sample rate it takes
_Codec = tuple[str, Literal["libmp3lame", "libopus"], dict[str, str], int]
_MP3: _Codec = ("mp3", "libmp3lame", {}, 44_100)
_OPUS: _Codec = ("ogg", "libopus", {"vbr": "off"}, 48_000)

Degradation = Callable[[FloatArray, int], bytes]


def degrade(name: str, waveform: FloatArray, sample_rate: int) -> bytes:
    """The clip file that a waveform becomes.

    Parameters
    ----------
    name
        One of `DEGRADATIONS`.
    waveform
        Mono, float32, shape (n_samples,), full scale 1.
    sample_rate
        Hz.

    Returns
    -------
    bytes
        A WAV file of floats, so that nothing but the named damage is done; of the codecs, a file
        of the codec.

    Raises
    ------
    InvalidParameterError
        There is no degradation of that name.
    """
    if name not in DEGRADATIONS:
        raise InvalidParameterError(
            f"degradation={name} is not known; known are {', '.join(DEGRADATIONS)}"
        )
    return DEGRADATIONS[name](waveform, sample_rate)


def _wav(waveform: FloatArray, sample_rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, waveform, sample_rate, format="WAV", subtype="FLOAT")
    return file.getvalue()


def _encoded(waveform: FloatArray, sample_rate: int, codec: _Codec) -> bytes:
    """Mono at a constant 64 kbit/s: about what 128 kbit/s are in stereo."""
    container, encoder, options, codec_rate = codec
    file = io.BytesIO()
    # without bitexact, Ogg streams get random numbers
    with av.open(file, "w", format=container, options={"fflags": "+bitexact"}) as output:
        stream = output.add_stream(encoder, rate=codec_rate, layout="mono", options=options)
        stream.bit_rate = CODEC_BITS_PER_SECOND
        stream.codec_context.open()
        frame = _frame(soxr.resample(waveform, sample_rate, codec_rate), codec_rate)
        cut = av.AudioResampler(stream.format.name, "mono", codec_rate, stream.frame_size)
        for block in (*cut.resample(frame), *cut.resample(None)):
            output.mux(stream.encode(block))
        output.mux(stream.encode(None))
    return file.getvalue()


def _frame(waveform: FloatArray, sample_rate: int) -> av.AudioFrame:
    samples = np.ascontiguousarray(waveform[np.newaxis])
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
    return frame


def _filtered(waveform: FloatArray, sample_rate: int, *filters: tuple[str, str]) -> FloatArray:
    """The waveform after a chain of FFmpeg's filters, each a name and its arguments."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=sample_rate, format="fltp", layout="mono", time_base=Fraction(1, sample_rate)
    )
    chain = [graph.add(*named) for named in (*filters, ("aformat", "sample_fmts=fltp"))]
    graph.link_nodes(source, *chain, graph.add("abuffersink")).configure()
    graph.push(_frame(waveform, sample_rate))
    graph.push(None)
    blocks = []
    while True:
        try:
            blocks.append(graph.pull().to_ndarray()[0])
        except (av.EOFError, av.BlockingIOError):
            return np.concatenate(blocks)


def _noisy(waveform: FloatArray, sample_rate: int, snr_db: float) -> bytes:
    """Pink noise from 20 Hz up: as much power in every octave, much as in rooms and streets."""
    n_samples = len(waveform)
    white = np.fft.rfft(np.random.default_rng(_SEED).standard_normal(n_samples))
    hz = np.fft.rfftfreq(n_samples, 1 / sample_rate)
    noise = np.fft.irfft(np.where(hz < 20, 0, white / np.sqrt(np.maximum(hz, 20))), n_samples)
    power = np.mean(np.square(waveform, dtype=np.float64))
    gain = np.sqrt(power / np.mean(noise**2) / 10 ** (snr_db / 10))
    return _wav((waveform + gain * noise).astype(np.float32), sample_rate)


def _transposed(waveform: FloatArray, sample_rate: int, ratio: float) -> bytes:
    """Played faster by `ratio`, and brought back to its tempo at the new pitch."""
    faster = soxr.resample(waveform, ratio * sample_rate, sample_rate)
    return _wav(_filtered(faster, sample_rate, ("atempo", f"{1 / ratio:.9f}")), sample_rate)


def _at_tempo(waveform: FloatArray, sample_rate: int, ratio: float) -> bytes:
    return _wav(_filtered(waveform, sample_rate, ("atempo", f"{ratio:.9f}")), sample_rate)


def _tilted(waveform: FloatArray, sample_rate: int) -> bytes:
    """Shelves: bass below 100 Hz up, treble above 3 kHz down, each by `SHELF_DB`."""
    bass, treble = f"gain={SHELF_DB}:frequency=100", f"gain={-SHELF_DB}:frequency=3000"
    return _wav(_filtered(waveform, sample_rate, ("bass", bass), ("treble", treble)), sample_rate)


def _in_a_room(waveform: FloatArray, sample_rate: int) -> bytes:
    """Convolved with white noise that decays exponentially, as strong as the direct sound."""
    n_tail = round(REVERB_SECONDS * sample_rate)
    decay = 10.0 ** (-3.0 * np.arange(n_tail) / n_tail)
    response = decay * np.random.default_rng(_SEED).standard_normal(n_tail)
    response /= np.linalg.norm(response)
    response[0] += 1.0
    # to a power of two, which is quick; what rings on after the end of the clip is cut
    n_fft = 1 << (len(waveform) + n_tail).bit_length()
    spectrum = np.fft.rfft(waveform, n_fft) * np.fft.rfft(response, n_fft)
    return _wav(np.fft.irfft(spectrum, n_fft)[: len(waveform)].astype(np.float32), sample_rate)


def _overdriven(waveform: FloatArray, sample_rate: int) -> bytes:
    """Amplified until `CLIPPED_SHARE` of the samples are beyond full scale, and cut off there."""
    ceiling = float(np.quantile(np.abs(waveform), 1.0 - CLIPPED_SHARE))
    driven = waveform / np.float32(ceiling) if ceiling > 0 else waveform
    return _wav(np.clip(driven, -1.0, 1.0), sample_rate)


def _by_phone(waveform: FloatArray, sample_rate: int) -> bytes:
    """Falls by 24 dB an octave on either side of `PHONE_BAND_HZ`."""
    low, high = PHONE_BAND_HZ
    sections = (("highpass", f"frequency={low}"), ("lowpass", f"frequency={high}"))
    # resampled first: filters whose corner is beyond half the rate of the file are unstable
    narrow = soxr.resample(waveform, sample_rate, PHONE_RATE)
    return _wav(_filtered(narrow, PHONE_RATE, *sections, *sections), PHONE_RATE)


def _amplified(waveform: FloatArray, sample_rate: int, gain_db: float) -> bytes:
    return _wav(waveform * np.float32(10 ** (gain_db / 20)), sample_rate)


DEGRADATIONS: Mapping[str, Degradation] = MappingProxyType(
    {
        CLEAN: _wav,
        "mp3 64 kbit/s": partial(_encoded, codec=_MP3),
        "opus 64 kbit/s": partial(_encoded, codec=_OPUS),
        "noise 20 dB": partial(_noisy, snr_db=20.0),
        "noise 10 dB": partial(_noisy, snr_db=10.0),
        "+1 semitone": partial(_transposed, ratio=_SEMITONE),
        "-1 semitone": partial(_transposed, ratio=1 / _SEMITONE),
        "tempo +5 %": partial(_at_tempo, ratio=1.05),
        "tempo -5 %": partial(_at_tempo, ratio=0.95),
        "eq": _tilted,
        "reverb": _in_a_room,
        "clipping": _overdriven,
        "phone band": _by_phone,
        "-12 dB": partial(_amplified, gain_db=QUIETER_DB),
    }
)
"""Every degradation by the name that figures carry."""
