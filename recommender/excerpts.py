"""Excerpts of recordings: as clips to be recognised, damaged or not, and to be listened to.

The functions that take a path run inside a child process, see `recommender.analysis`.
"""

import io
from contextlib import suppress
from itertools import chain

import numpy as np

from recommender.analysis import clip_embeddings, packed, unchanged
from recommender.arrays import FloatArray
from recommender.audio import CATALOG_LIMITS, AudioFile, open_audio
from recommender.degradations import degrade
from recommender.embedding import Embedding
from recommender.errors import SilentAudioError
from recommender.records import FileState
from recommender.space import Listening

LISTENING_SECONDS = 10.0
LISTENING_CODEC = "opus 64 kbit/s"


def embed_excerpts(
    path: bytes,
    state: FileState,
    listening: Listening,
    levels: list[float],
    position: float,
    conditions: list[tuple[float, str]],
) -> bytes:
    """Cut clips from a file, damage them, and embed each as :func:`embed_clip` does.

    Parameters
    ----------
    path, state
        The file.
    listening, levels
        As of :func:`embed_clip`.
    position
        Where the clips lie, 0 (at the beginning) to 1 (at the end). At the same position longer
        clips contain shorter ones.
    conditions
        Length in seconds and degradation of each clip; see :mod:`recommender.degradations`.

    Returns
    -------
    bytes
        Safetensors: what :func:`embeddings_from` takes, of all clips one after another, and
        ``condition``: for each embedding, which of the conditions it is of. Conditions that are
        longer than the recording, or whose clip is silent, have no embeddings.

    Raises
    ------
    AudioError
        The file cannot be read or decoded, was written to meanwhile, or gives no clip at all.
    """
    with unchanged(path, state) as file, open_audio(file, CATALOG_LIMITS) as audio:
        excerpts = {seconds: _excerpt(audio, position, seconds) for seconds, _ in conditions}
        sample_rate = audio.sample_rate
    heard = [list[Embedding]() for _ in conditions]
    for embeddings, (seconds, degradation) in zip(heard, conditions, strict=True):
        if (excerpt := excerpts[seconds]) is not None:
            clip = io.BytesIO(degrade(degradation, excerpt, sample_rate))
            with suppress(SilentAudioError):
                embeddings += clip_embeddings(clip, listening, levels)
    if not any(heard):
        raise SilentAudioError("every clip of it is silent, or longer than the recording")
    condition = np.repeat(np.arange(len(heard)), [len(embeddings) for embeddings in heard])
    return packed(list(chain.from_iterable(heard)), condition=condition)


def listening_excerpt(path: bytes, state: FileState) -> bytes:
    """The middle `LISTENING_SECONDS` of a recording, or all of a shorter one, as an Ogg file.

    Raises
    ------
    AudioError
        The file cannot be read or decoded, or was written to meanwhile.
    """
    with unchanged(path, state) as file, open_audio(file, CATALOG_LIMITS) as audio:
        n_samples = min(audio.n_frames, round(LISTENING_SECONDS * audio.sample_rate))
        return degrade(LISTENING_CODEC, _samples(audio, 0.5, n_samples), audio.sample_rate)


def _excerpt(audio: AudioFile, position: float, seconds: float) -> FloatArray | None:
    """Mono samples at the rate of the recording, None when it is shorter."""
    n_samples = round(seconds * audio.sample_rate)
    return None if n_samples > audio.n_frames else _samples(audio, position, n_samples)


def _samples(audio: AudioFile, position: float, n_samples: int) -> FloatArray:
    start = round(position * (audio.n_frames - n_samples))
    return audio.read_windows([start], n_samples, audio.sample_rate).reshape(n_samples)
