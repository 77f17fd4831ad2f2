"""What is done to one piece of audio; runs inside a child process of `recommender.sandbox`.

The functions return bytes, because the parent must not unpickle what a child says that may have
been taken over by the audio that it decoded.
"""

import io
import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

from recommender.audio import CATALOG_LIMITS, CLIP_LIMITS, open_audio
from recommender.embedders import create_embedder
from recommender.embedding import Embedder, EmbedderSpec, Embedding
from recommender.errors import (
    ChildFailedError,
    FileChangedError,
    SpaceMismatchError,
    UnreadableFileError,
)
from recommender.frames import embed_frames
from recommender.hearing import embed, embed_at_levels, embed_with_segments
from recommender.records import FileState
from recommender.space import Listening, Space
from recommender.tags import read_metadata
from recommender.track import Metadata, Track


# a clip may be asked for in several spaces in turn; more at once would not fit a child's memory
@lru_cache(maxsize=3)
def embedder_of(spec: EmbedderSpec) -> Embedder:
    """The embedder that a specification is of, which loads its weights once for many calls.

    Raises
    ------
    SpaceMismatchError
        It has become another: weights were installed since, or the code was.
    """
    embedder = create_embedder(spec.name)
    if embedder.spec != spec:
        raise SpaceMismatchError(
            f"embedder={spec.name} now has other weights or another front-end than the index; "
            "run reindex"
        )
    return embedder


def identify_file(path: bytes, state: FileState) -> bytes:
    """Decode just enough of a file to know which recording it is; see :func:`track_from`.

    Raises
    ------
    AudioError
        The file cannot be read or decoded, or was written to meanwhile.
    """
    with unchanged(path, state) as file:
        metadata = read_metadata(file, os.fsdecode(os.path.basename(path)))
        file.seek(0)
        with open_audio(file, CATALOG_LIMITS) as audio:
            facts = {
                "id": audio.content_id(),
                "duration_seconds": audio.duration_seconds,
                "metadata": asdict(metadata),
            }
    return json.dumps(facts).encode()


def embed_file(
    path: bytes, state: FileState, listening: Listening, with_segments: bool = False
) -> bytes:
    """Embed a file; see :func:`embeddings_from`.

    If segments are wanted, see :func:`recommender.analysis_in_time.segments_from` too.

    Raises
    ------
    AudioError
        The file cannot be read or decoded, or was written to meanwhile.
    """
    with unchanged(path, state) as file, open_audio(file, CATALOG_LIMITS) as audio:
        model, asked = embedder_of(listening.embedder), (listening.n_windows, listening.pooling)
        if not with_segments:
            return packed([embed(audio, model, *asked)])
        embedding, segments = embed_with_segments(audio, model, *asked)
        return packed([embedding], places=segments.places, windows=segments.vectors)


def frames_of_file(path: bytes, state: FileState, embedder: str, n_windows: int | None) -> bytes:
    """Embed a file and keep every window; see :class:`recommender.frames.AllFrames`.

    Returns
    -------
    bytes
        Safetensors: ``vectors``, ``tags`` and ``audible`` by window, and ``cpu_seconds`` that
        decoding and embedding took and ``audio_seconds`` of the recording, of shape (1,).

    Raises
    ------
    AudioError
        The file cannot be read or decoded, or was written to meanwhile.
    """
    with unchanged(path, state) as file, open_audio(file, CATALOG_LIMITS) as audio:
        model = embedder_of(create_embedder(embedder).spec)
        # weights are read at the first embedding, which is not to count for one of the tracks
        model.embed(np.empty((0, model.spec.window_samples), np.float32))
        started = time.process_time()
        frames, audible, _ = embed_frames(audio, model, n_windows)
        return save(
            {
                "vectors": frames.vectors,
                "tags": frames.tags,
                "audible": audible,
                "cpu_seconds": np.array([time.process_time() - started]),
                "audio_seconds": np.array([audio.duration_seconds]),
            }
        )


def embed_clip(path: bytes, listening: Listening, levels: list[float]) -> bytes:
    """Embed an uploaded clip as it is and at several levels; see :func:`embeddings_from`.

    Raises
    ------
    AudioError
        The clip cannot be decoded, or is beyond the limits for clips.
    """
    with open(path, "rb") as file:
        return packed(clip_embeddings(file, listening, levels))


def clip_embeddings(file: BinaryIO, listening: Listening, levels: list[float]) -> list[Embedding]:
    """What :func:`embed_clip` finds in a clip that is open.

    Raises
    ------
    AudioError
        As of :func:`embed_clip`.
    """
    with open_audio(file, CLIP_LIMITS) as audio:
        model, n_windows = embedder_of(listening.embedder), listening.n_windows
        return embed_at_levels(audio, model, n_windows, levels, listening.pooling)


def track_from(answer: bytes) -> Track:
    """The track that :func:`identify_file` found."""
    facts = json.loads(answer)
    return Track(facts["id"], facts["duration_seconds"], Metadata(**facts["metadata"]))


def embeddings_from(answer: bytes, space: Space) -> list[Embedding]:
    """The embeddings that :func:`embed_file` or :func:`embed_clip` made.

    Raises
    ------
    ChildFailedError
        The child's answer does not have the shape of the space, or is not of numbers.
    """
    arrays = load(answer)
    vectors, tags, levels = arrays["vectors"], arrays["tags"], arrays["level_dbfs"]
    shape = (space.dimension, len(space.embedder.tag_names))
    finite = all(np.isfinite(array).all() for array in (vectors, tags, levels))
    if (vectors.shape[1], tags.shape[1]) != shape or not finite:
        raise ChildFailedError(f"the child answered with vectors unfit for space={space.id}")
    return [
        Embedding(vector, tag, float(level), int(n))
        for vector, tag, level, n in zip(vectors, tags, levels, arrays["n_windows"], strict=True)
    ]


def packed(embeddings: Sequence[Embedding], **more: npt.NDArray[Any]) -> bytes:
    """Embeddings as :func:`embeddings_from` takes them, and further arrays by name."""
    return save(
        more
        | {
            "vectors": np.stack([e.vector for e in embeddings]),
            "tags": np.stack([e.tags for e in embeddings]),
            "level_dbfs": np.array([e.level_dbfs for e in embeddings]),
            "n_windows": np.array([e.n_windows for e in embeddings]),
        }
    )


@contextmanager
def unchanged(path: bytes, state: FileState) -> Iterator[BinaryIO]:
    """Open a regular file, and make sure that it is in `state` before and after it was read."""
    try:
        # non-blocking: a FIFO that took the file's place must not hang the child
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableFileError(f"the system refuses to open it: {error.strerror}") from error
    with io.FileIO(descriptor, closefd=True) as raw, io.BufferedReader(raw) as file:
        _check_state(descriptor, state)
        yield file
        _check_state(descriptor, state)


def _check_state(descriptor: int, state: FileState) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableFileError("it is not a regular file")
    if FileState.of(found) != state:
        raise FileChangedError("it was written to while it was read; the next run tries again")
