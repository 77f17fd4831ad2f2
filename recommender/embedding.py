"""The contract of every embedder, and the windows that it hears of some audio."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.errors import AudioTooShortError, InvalidParameterError

DEFAULT_WINDOWS = 12
MIN_SECONDS = 1.0
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
    tail
        What becomes of audio behind the last whole window: ``"dropped"``, or ``"covered"`` by one
        more window that ends where the audio ends and weighs what it adds.
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
    tail: Literal["dropped", "covered"] = "dropped"

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
        float32, shape (dimension of the space,): windows pooled, neither centred nor normalised.
    tags
        float32, shape (n_tags,): mean probability of each tag.
    level_dbfs
        RMS level over the used windows in dB relative to full scale.
    n_windows
        How many windows were heard.
    """

    vector: FloatArray
    tags: FloatArray
    level_dbfs: float
    n_windows: int


class Window(NamedTuple):
    """Where a window begins, and what it weighs in a mean.

    Attributes
    ----------
    start
        First sample, context included; below 0 where the context lies before the audio.
    weight
        1; for one that covers a tail, the audio it adds in parts of what others add.
    """

    start: int
    weight: float


class Windows(NamedTuple):
    """Some windows as they are read.

    Attributes
    ----------
    samples
        float32, shape (n_windows, window_samples).
    weights
        float64, shape (n_windows,), see :class:`Window`.
    starts
        First sample of each, int64, shape (n_windows,), see :class:`Window`.
    """

    samples: FloatArray
    weights: npt.NDArray[np.float64]
    starts: npt.NDArray[np.int64]


def windows_in(n_samples: int, spec: EmbedderSpec, n_windows: int | None) -> list[Window]:
    """Windows that are spread evenly over audio of `n_samples`.

    They lie on the embedder's own grid of `hop_samples`, so that ``n_windows=None`` (all) gives
    exactly the original system's and a smaller number a subset. A covered tail is one more.

    Raises
    ------
    InvalidParameterError
        `n_windows` is below 1.
    """
    if n_windows is not None and n_windows < 1:
        raise InvalidParameterError(f"n_windows={n_windows} must be at least 1, or all")
    last_start = n_samples - spec.least_samples
    whole = max(1, 1 + last_start // spec.hop_samples)
    behind = last_start - (whole - 1) * spec.hop_samples
    has_tail = spec.tail == "covered" and behind > 0
    # windows that overlap add a hop each
    tail_weight = min(1.0, behind / min(spec.hop_samples, spec.least_samples))
    return [
        Window(place * spec.hop_samples - spec.context_samples, 1.0)
        if place < whole
        else Window(last_start - spec.context_samples, tail_weight)
        for place in spread(whole + has_tail, n_windows)
    ]


def window_starts(n_samples: int, spec: EmbedderSpec, n_windows: int | None) -> list[int]:
    """First sample of each of :func:`windows_in`."""
    return [window.start for window in windows_in(n_samples, spec, n_windows)]


def spread(available: int, n_windows: int | None) -> list[int]:
    """Which of `available` windows are taken: the middles of `n_windows` equal parts, or all."""
    count = available if n_windows is None else min(n_windows, available)
    return [(2 * i + 1) * available // (2 * count) for i in range(count)]


def read_in_batches(
    source: AudioSource, spec: EmbedderSpec, n_windows: int | None
) -> Iterator[Windows]:
    """Windows, the silent ones included, `BATCH_WINDOWS` at a time.

    Raises
    ------
    AudioTooShortError
        Shorter than `MIN_SECONDS`.
    """
    n_samples = samples_of(source, spec)
    if n_samples < spec.least_samples:
        start = np.array([-spec.context_samples])
        yield Windows(_repeated(source, spec, n_samples), np.ones(1), start)
        return
    windows = windows_in(n_samples, spec, n_windows)
    for first in range(0, len(windows), BATCH_WINDOWS):
        starts, weights = zip(*windows[first : first + BATCH_WINDOWS], strict=True)
        samples = source.read_windows(starts, spec.window_samples, spec.sample_rate)
        yield Windows(samples, np.array(weights), np.array(starts))


def samples_of(source: AudioSource, spec: EmbedderSpec) -> int:
    """How many samples of some audio an embedder is offered.

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
    return n_samples


def _repeated(source: AudioSource, spec: EmbedderSpec, n_samples: int) -> FloatArray:
    """One window of audio that is shorter than a window: repeated, not padded with silence."""
    once = source.read_windows([0], n_samples, spec.sample_rate)[0]
    window = np.zeros((1, spec.window_samples), np.float32)
    window[0, spec.context_samples :] = np.resize(once, spec.window_samples - spec.context_samples)
    return window
