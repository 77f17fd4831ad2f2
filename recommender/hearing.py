"""From audio to one vector: windows are read and embedded, silence is left out, the rest is pooled.

The indexer and the clip route call the same :func:`embed`, so a clip and a track are always
measured the same way.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.embedding import (
    BATCH_WINDOWS,
    AudioSource,
    Embedder,
    EmbedderSpec,
    Embedding,
    Frames,
    Windows,
    read_in_batches,
    samples_of,
    window_starts,
)
from recommender.errors import SilentAudioError
from recommender.levels import SILENCE_DBFS, decibels, is_audible, power
from recommender.pooling import DEFAULT_POOLING, Pooler
from recommender.segments import ClipWindows, Segments, clip_grid, grid, step_samples


def embed(
    source: AudioSource, embedder: Embedder, n_windows: int | None, pooling: str = DEFAULT_POOLING
) -> Embedding:
    """Embed audio: read windows, leave silent ones out, pool the rest.

    Memory does not grow with the length of the audio: windows are read `BATCH_WINDOWS` at a time.

    Parameters
    ----------
    source
        The audio.
    embedder
        The system that turns windows into vectors.
    n_windows
        How many windows to spread over the audio; None for all.
    pooling
        One of :data:`recommender.pooling.POOLINGS`; tags and level are means in any case.

    Raises
    ------
    AudioTooShortError
        Shorter than `MIN_SECONDS`.
    SilentAudioError
        No window is louder than `SILENCE_DBFS`.
    InvalidParameterError
        `n_windows` or `pooling` is not valid.
    """
    return _pooled(_audible_batches(source, embedder.spec, n_windows), embedder, pooling)


def embed_at_levels(
    source: AudioSource,
    embedder: Embedder,
    n_windows: int | None,
    levels_dbfs: Sequence[float],
    pooling: str = DEFAULT_POOLING,
) -> list[Embedding]:
    """Embed audio as it is, and once more for each of some levels, amplified to that level.

    For clips: unlike :func:`embed` it keeps all `n_windows` windows in memory.

    Level moves the vector, and the level of a clip may say nothing: it is that of a recorder or of
    a volume knob. The catalog keeps its levels, which say something about the mastering.

    Parameters
    ----------
    source, embedder, n_windows, pooling
        As in :func:`embed`.
    levels_dbfs
        RMS levels in dB relative to full scale.

    Raises
    ------
    AudioTooShortError, SilentAudioError, InvalidParameterError
        As in :func:`embed`.
    """
    # the same windows at every level: what is silence in the clip must not become music
    batches = list(_audible_batches(source, embedder.spec, n_windows))
    return _at_levels(batches, embedder, levels_dbfs, pooling)


def embed_with_segments(
    source: AudioSource, embedder: Embedder, n_windows: int | None, pooling: str = DEFAULT_POOLING
) -> tuple[Embedding, Segments]:
    """Embed audio as :func:`embed` does, to the same bits, and listen to all windows of a grid.

    A window that is of both is heard once.

    Parameters
    ----------
    source, embedder, n_windows, pooling
        As in :func:`embed`.

    Raises
    ------
    AudioTooShortError, SilentAudioError, InvalidParameterError
        As in :func:`embed`.
    """
    spec, noted = embedder.spec, _Noted(embedder)
    # the pooled vector's windows first and by themselves: in another batch they might be rounded
    # otherwise, and a space must not depend on what else is kept
    embedding = _pooled(noted.batches(source, n_windows), noted, pooling)
    heard, step = noted.by_start(), step_samples(spec)
    firsts = grid(source.n_samples(spec.sample_rate), spec)
    missing = [first for first in firsts if first not in noted.read]
    for at in range(0, len(missing), BATCH_WINDOWS):
        starts = missing[at : at + BATCH_WINDOWS]
        samples = source.read_windows(starts, spec.window_samples, spec.sample_rate)
        audible = is_audible(samples)
        if audible.any():
            vectors = embedder.embed(samples[audible]).vectors
            heard |= dict(zip(np.array(starts)[audible].tolist(), vectors, strict=True))
    kept = [first for first in firsts if first in heard]
    places = np.array([(first + spec.context_samples) // step for first in kept], np.int32)
    vectors = np.array([heard[first] for first in kept], np.float32)
    return embedding, Segments(places, vectors.reshape(-1, spec.frame_dimension))


def embed_in_time(
    source: AudioSource,
    embedder: Embedder,
    levels_dbfs: Sequence[float],
    pooling: str = DEFAULT_POOLING,
) -> tuple[list[Embedding], ClipWindows]:
    """Embed a clip as :func:`embed_at_levels` does, but the windows of :func:`clip_grid`.

    What is pooled is more than tracks are pooled of; each window comes back as well.

    Parameters
    ----------
    source, embedder, levels_dbfs, pooling
        As in :func:`embed_at_levels`.

    Raises
    ------
    AudioTooShortError, SilentAudioError, InvalidParameterError
        As in :func:`embed_at_levels`.
    """
    spec, noted = embedder.spec, _Noted(embedder)
    n_samples = samples_of(source, spec)
    places, starts = zip(*clip_grid(n_samples, spec), strict=True)
    if n_samples < spec.least_samples:
        [windows] = read_in_batches(source, spec, 1)
    else:
        samples = source.read_windows(starts, spec.window_samples, spec.sample_rate)
        windows = Windows(samples, np.ones(len(starts)), np.array(starts))
    audible = is_audible(windows.samples)
    if not audible.any():
        raise _silent()
    heard = _chosen(windows, audible)
    embeddings = _at_levels([heard], noted, levels_dbfs, pooling)
    kept, seconds = np.array(places, np.int32)[audible], n_samples / spec.sample_rate
    return embeddings, ClipWindows(kept, np.stack(noted.vectors), seconds)


class _Noted:
    """An embedder that notes which windows were read, and what became of those that were heard.

    Attributes
    ----------
    read
        First samples of the windows that were read.
    vectors
        Of each batch that was heard.
    """

    def __init__(self, embedder: Embedder):
        self._embedder, self.spec = embedder, embedder.spec
        self.read = set[int]()
        self.vectors, self._starts = list[FloatArray](), list[npt.NDArray[np.int64]]()

    def batches(self, source: AudioSource, n_windows: int | None) -> Iterator[Windows]:
        """As of :func:`_audible_batches`."""
        n_samples = source.n_samples(self.spec.sample_rate)
        self.read = set(window_starts(n_samples, self.spec, n_windows))
        for windows in _audible_batches(source, self.spec, n_windows):
            self._starts.append(windows.starts)
            yield windows

    def embed(self, windows: FloatArray) -> Frames:
        """See :class:`recommender.embedding.Embedder`."""
        frames = self._embedder.embed(windows)
        self.vectors.append(frames.vectors)
        return frames

    def by_start(self) -> dict[int, FloatArray]:
        """Vectors by first sample of their window."""
        starts = np.concatenate(self._starts).tolist()
        return dict(zip(starts, np.concatenate(self.vectors), strict=True))


def _at_levels(
    batches: Sequence[Windows], embedder: Embedder, levels_dbfs: Sequence[float], pooling: str
) -> list[Embedding]:
    as_it_is = _pooled(batches, embedder, pooling)
    gains_db = [level - as_it_is.level_dbfs for level in levels_dbfs]
    return [as_it_is, *(_pooled(batches, embedder, pooling, 10 ** (db / 20)) for db in gains_db)]


def _pooled(
    batches: Iterable[Windows], embedder: Embedder, pooling: str, gain: float = 1.0
) -> Embedding:
    vector = Pooler(pooling, embedder.spec.frame_dimension)
    tags = Pooler("mean", len(embedder.spec.tag_names))
    total_power, total_weight, count = 0.0, 0.0, 0
    for batch, weights, _ in batches:
        windows = batch * np.float32(gain)
        frames = embedder.embed(windows)
        vector.add(frames.vectors, weights)
        tags.add(frames.tags, weights)
        total_power += float((power(windows) * weights).sum())
        total_weight += float(weights.sum())
        count += len(windows)
    return Embedding(
        vector=vector.result(),
        tags=tags.result(),
        level_dbfs=float(decibels(np.float64(total_power / total_weight))),
        n_windows=count,
    )


def _audible_batches(
    source: AudioSource, spec: EmbedderSpec, n_windows: int | None
) -> Iterator[Windows]:
    """Windows in batches, the silent ones left out; at least one window in all."""
    silent = True
    for windows in read_in_batches(source, spec, n_windows):
        audible = is_audible(windows.samples)
        if audible.any():
            silent = False
            yield _chosen(windows, audible)
    if silent:
        raise _silent()


def _chosen(windows: Windows, mask: npt.NDArray[np.bool_]) -> Windows:
    return Windows(windows.samples[mask], windows.weights[mask], windows.starts[mask])


def _silent() -> SilentAudioError:
    return SilentAudioError(
        f"the level stays below {SILENCE_DBFS:g} dBFS; a silent recording has no look-alikes"
    )
