"""From audio to one vector: the contract of every embedder, windows, levels and pooling.

The indexer and the clip route call the same :func:`embed`, so a clip and a track are always
measured the same way.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.errors import AudioTooShortError, InvalidParameterError, SilentAudioError

DEFAULT_WINDOWS = 12
MIN_SECONDS = 1.0
SILENCE_DBFS = -70.0
BATCH_WINDOWS = 24


@dataclass(frozen=True, slots=True)
class EmbedderSpec:
    """Everything about an embedder that can be known without its weights.

    Attributes
    ----------
    name, version
        The embedder and the version of its arithmetic here; a new version is a new space.
    sample_rate
        Hz of the waveform it takes, mono.
    window_samples
        Samples of one window as :meth:`Embedder.embed` takes it, context included.
    hop_samples
        Distance between two neighbouring windows when all windows are used.
    context_samples
        Samples that a window holds before its nominal start (the left half of a centred frame).
    least_samples
        Shortest audio that fills one window; shorter audio is repeated up to it.
    frame_dimension
        Length of the vector of one window.
    tag_names
        Names of the tag probabilities, () when it predicts none.
    front_end
        Words for the front-end's identity, for example ``"mel96-slaney-16k-zero-pad"``.
    layer
        Which layer the vectors are read from.
    weights_sha256
        Digest that the weights must have, "" for an embedder without weights.
    """

    name: str
    version: str
    sample_rate: int
    window_samples: int
    hop_samples: int
    context_samples: int
    least_samples: int
    frame_dimension: int
    tag_names: tuple[str, ...]
    front_end: str
    layer: str
    weights_sha256: str

    def require_windows(self, windows: FloatArray) -> None:
        """Raise InvalidParameterError unless the windows have the length of this embedder's."""
        length = windows.shape[1]
        if length != self.window_samples:
            raise InvalidParameterError(
                f"window_samples={length} must be {self.window_samples} for {self.name}"
            )


@dataclass(frozen=True, slots=True)
class Frames:
    """An embedder's output.

    Attributes
    ----------
    vectors
        float32, shape (n_windows, frame_dimension).
    tags
        float32 probabilities, shape (n_windows, n_tags); (n_windows, 0) without tags.
    """

    vectors: FloatArray
    tags: FloatArray

    @classmethod
    def untagged(cls, vectors: FloatArray) -> Self:
        """Of an embedder that predicts no tags."""
        return cls(vectors, np.empty((len(vectors), 0), np.float32))


class Embedder(Protocol):
    """What every embedder offers; `tests/contracts.py` holds each of them to it."""

    @property
    def spec(self) -> EmbedderSpec:
        """What it is; readable without loading weights."""
        ...

    def embed(self, windows: FloatArray) -> Frames:
        """Embed windows of shape (n_windows, spec.window_samples); loads weights at first use.

        Raises
        ------
        WeightsError
            The weights are missing or not the pinned ones.
        """
        ...


class AudioSource(Protocol):
    """Audio that windows can be read from: a file that is seeked in, or a waveform in memory."""

    def n_samples(self, sample_rate: int) -> int:
        """Length in samples once resampled to `sample_rate`."""
        ...

    def read_windows(
        self, starts: Sequence[int], window_samples: int, sample_rate: int
    ) -> FloatArray:
        """Mono windows (len(starts), window_samples) at `sample_rate`, zeros outside the audio."""
        ...


@dataclass(frozen=True, slots=True)
class Embedding:
    """What is kept of one piece of audio.

    Attributes
    ----------
    vector
        float32, shape (frame_dimension,): the mean over windows, neither centred nor normalised.
    tags
        float32, shape (n_tags,): mean probability of each tag.
    level_dbfs
        RMS level over the used windows in dB relative to full scale.
    n_windows
        How many windows the mean is over.
    """

    vector: FloatArray
    tags: FloatArray
    level_dbfs: float
    n_windows: int


def window_starts(n_samples: int, spec: EmbedderSpec, n_windows: int | None) -> list[int]:
    """First sample of each window, spread evenly over audio of `n_samples`.

    Windows lie on the embedder's own grid of `hop_samples`, so that ``n_windows=None`` (all) gives
    exactly the windows of the original system and a smaller number a subset of them.

    Raises
    ------
    InvalidParameterError
        `n_windows` is below 1.
    """
    if n_windows is not None and n_windows < 1:
        raise InvalidParameterError(f"n_windows={n_windows} must be at least 1, or all")
    available = max(1, 1 + (n_samples - spec.least_samples) // spec.hop_samples)
    places = spread(available, n_windows)
    return [place * spec.hop_samples - spec.context_samples for place in places]


def spread(available: int, n_windows: int | None) -> list[int]:
    """Which of `available` windows are taken: the middles of `n_windows` equal parts, or all."""
    count = available if n_windows is None else min(n_windows, available)
    return [(2 * i + 1) * available // (2 * count) for i in range(count)]


def embed(source: AudioSource, embedder: Embedder, n_windows: int | None) -> Embedding:
    """Embed audio: read windows, leave silent ones out, average the rest.

    Memory does not grow with the length of the audio: windows are read `BATCH_WINDOWS` at a time.

    Parameters
    ----------
    source
        The audio.
    embedder
        The system that turns windows into vectors.
    n_windows
        How many windows to spread over the audio; None for all.

    Raises
    ------
    AudioTooShortError
        Shorter than `MIN_SECONDS`.
    SilentAudioError
        No window is louder than `SILENCE_DBFS`.
    """
    return _pooled(_audible_batches(source, embedder.spec, n_windows), embedder)


def _pooled(batches: Iterable[FloatArray], embedder: Embedder, gain: float = 1.0) -> Embedding:
    spec = embedder.spec
    vector = np.zeros(spec.frame_dimension)
    tags = np.zeros(len(spec.tag_names))
    power, count = 0.0, 0
    for batch in batches:
        windows = batch * np.float32(gain)
        frames = embedder.embed(windows)
        vector += frames.vectors.sum(axis=0, dtype=np.float64)
        tags += frames.tags.sum(axis=0, dtype=np.float64)
        power += float(_power(windows).sum())
        count += len(windows)
    return Embedding(
        vector=(vector / count).astype(np.float32),
        tags=(tags / count).astype(np.float32),
        level_dbfs=float(_decibels(np.float64(power / count))),
        n_windows=count,
    )


def embed_at_levels(
    source: AudioSource, embedder: Embedder, n_windows: int | None, levels_dbfs: Sequence[float]
) -> list[Embedding]:
    """Embed audio as it is, and once more for each of some levels, amplified to that level.

    For clips: unlike :func:`embed` it keeps all `n_windows` windows in memory.

    Level moves the vector, and the level of a clip may say nothing: it is that of a recorder or of
    a volume knob. The catalog keeps its levels, which say something about the mastering.

    Parameters
    ----------
    source, embedder, n_windows
        As in :func:`embed`.
    levels_dbfs
        RMS levels in dB relative to full scale.

    Raises
    ------
    AudioTooShortError, SilentAudioError
        As in :func:`embed`.
    """
    # the same windows at every level: what is silence in the clip must not become music
    batches = list(_audible_batches(source, embedder.spec, n_windows))
    as_it_is = _pooled(batches, embedder)
    gains_db = [level - as_it_is.level_dbfs for level in levels_dbfs]
    return [as_it_is, *(_pooled(batches, embedder, 10 ** (gain / 20)) for gain in gains_db)]


def _audible_batches(
    source: AudioSource, spec: EmbedderSpec, n_windows: int | None
) -> Iterator[FloatArray]:
    """Windows in batches, the silent ones left out; at least one window in all."""
    silent = True
    for windows in read_in_batches(source, spec, n_windows):
        audible = is_audible(windows)
        if audible.any():
            silent = False
            yield windows[audible]
    if silent:
        raise SilentAudioError(
            f"the level stays below {SILENCE_DBFS:g} dBFS; a silent recording has no look-alikes"
        )


def is_audible(windows: FloatArray) -> npt.NDArray[np.bool_]:
    """Which windows are louder than `SILENCE_DBFS`, shape (n_windows,)."""
    audible: npt.NDArray[np.bool_] = _decibels(_power(windows)) > SILENCE_DBFS
    return audible


def _power(windows: FloatArray) -> npt.NDArray[np.float64]:
    # float64: the squares of large samples, legal in float files, overflow float32
    power: npt.NDArray[np.float64] = np.mean(np.square(windows, dtype=np.float64), axis=1)
    return power


def _decibels(power: npt.NDArray[np.float64] | np.float64) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(power), dtype=np.float64)


def read_in_batches(
    source: AudioSource, spec: EmbedderSpec, n_windows: int | None
) -> Iterator[FloatArray]:
    """Windows, the silent ones included, `BATCH_WINDOWS` at a time.

    Raises
    ------
    AudioTooShortError
        Shorter than `MIN_SECONDS`.
    """
    n_samples = source.n_samples(spec.sample_rate)
    seconds = n_samples / spec.sample_rate
    if seconds < MIN_SECONDS:
        raise AudioTooShortError(
            f"duration_seconds={seconds:.2f} is below {MIN_SECONDS:g}; a longer recording is needed"
        )
    if n_samples < spec.least_samples:
        yield _repeated(source, spec, n_samples)
        return
    starts = window_starts(n_samples, spec, n_windows)
    for first in range(0, len(starts), BATCH_WINDOWS):
        batch = starts[first : first + BATCH_WINDOWS]
        yield source.read_windows(batch, spec.window_samples, spec.sample_rate)


def _repeated(source: AudioSource, spec: EmbedderSpec, n_samples: int) -> FloatArray:
    """One window of audio that is shorter than a window: repeated, not padded with silence."""
    once = source.read_windows([0], n_samples, spec.sample_rate)[0]
    window = np.zeros((1, spec.window_samples), np.float32)
    window[0, spec.context_samples :] = np.resize(once, spec.window_samples - spec.context_samples)
    return window
