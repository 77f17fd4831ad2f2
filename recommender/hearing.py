"""From audio to one vector: windows are read and embedded, silence is left out, the rest is pooled.

The indexer and the clip route call the same :func:`embed`, so a clip and a track are always
measured the same way.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from recommender.embedding import (
    AudioSource,
    Embedder,
    EmbedderSpec,
    Embedding,
    Windows,
    read_in_batches,
)
from recommender.errors import SilentAudioError
from recommender.levels import SILENCE_DBFS, decibels, is_audible, power
from recommender.pooling import DEFAULT_POOLING, Pooler


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
    as_it_is = _pooled(batches, embedder, pooling)
    gains_db = [level - as_it_is.level_dbfs for level in levels_dbfs]
    return [as_it_is, *(_pooled(batches, embedder, pooling, 10 ** (db / 20)) for db in gains_db)]


def _pooled(
    batches: Iterable[Windows], embedder: Embedder, pooling: str, gain: float = 1.0
) -> Embedding:
    vector = Pooler(pooling, embedder.spec.frame_dimension)
    tags = Pooler("mean", len(embedder.spec.tag_names))
    total_power, total_weight, count = 0.0, 0.0, 0
    for batch, weights in batches:
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
    for samples, weights in read_in_batches(source, spec, n_windows):
        audible = is_audible(samples)
        if audible.any():
            silent = False
            yield Windows(samples[audible], weights[audible])
    if silent:
        raise SilentAudioError(
            f"the level stays below {SILENCE_DBFS:g} dBFS; a silent recording has no look-alikes"
        )
