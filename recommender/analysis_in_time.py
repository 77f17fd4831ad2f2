"""What is done to a clip that is looked for in time, and how windows come back from a child.

As in `recommender.analysis`, a child runs what takes a path, and answers in bytes.
"""

from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load

from recommender.analysis import embedder_of, packed
from recommender.audio import CLIP_LIMITS, open_audio
from recommender.errors import ChildFailedError
from recommender.hearing import embed_in_time
from recommender.segments import ClipWindows, Segments
from recommender.space import Listening, Space


def embed_clip_in_time(path: bytes, listening: Listening, levels: list[float]) -> bytes:
    """Embed an uploaded clip, and window by window; see :func:`clip_windows_from` too.

    Raises
    ------
    AudioError
        As of :func:`recommender.analysis.embed_clip`.
    """
    with open(path, "rb") as file:
        return clip_in_time(file, listening, levels)


def clip_in_time(file: BinaryIO, listening: Listening, levels: list[float]) -> bytes:
    """What :func:`embed_clip_in_time` answers of a clip that is open.

    Every other level is left out: there are more windows to be heard at each, and they find as
    much.

    Raises
    ------
    AudioError
        As of :func:`recommender.analysis.embed_clip`.
    """
    with open_audio(file, CLIP_LIMITS) as audio:
        model = embedder_of(listening.embedder)
        embeddings, windows = embed_in_time(audio, model, levels[::2], listening.pooling)
    seconds = np.array([windows.seconds])
    return packed(embeddings, places=windows.places, windows=windows.vectors, seconds=seconds)


def segments_from(answer: bytes, space: Space) -> Segments | None:
    """The segments that :func:`recommender.analysis.embed_file` made; None unless asked for.

    Raises
    ------
    ChildFailedError
        As of :func:`recommender.analysis.embeddings_from`.
    """
    arrays = load(answer)
    if "windows" not in arrays:
        return None
    places, vectors = arrays["places"], arrays["windows"]
    _check_windows(places, vectors, (len(places), space.embedder.frame_dimension), space)
    return Segments(places, vectors)


def clip_windows_from(answer: bytes, space: Space) -> ClipWindows:
    """The windows that :func:`embed_clip_in_time` made.

    Raises
    ------
    ChildFailedError
        As of :func:`recommender.analysis.embeddings_from`.
    """
    arrays = load(answer)
    places, vectors, seconds = arrays["places"], arrays["windows"], float(arrays["seconds"][0])
    shape = (len(arrays["vectors"]), len(places), space.embedder.frame_dimension)
    _check_windows(places, vectors, shape, space)
    if not 0.0 < seconds < float("inf"):
        raise ChildFailedError(f"the child answered with seconds={seconds} of a clip")
    return ClipWindows(places, vectors, seconds)


def _check_windows(
    places: npt.NDArray[Any], vectors: npt.NDArray[Any], shape: tuple[int, ...], space: Space
) -> None:
    ascending = places.dtype == np.int32 and places.ndim == 1 and bool((np.diff(places) > 0).all())
    right = vectors.dtype == np.float32 and vectors.shape == shape
    if not ascending or (places < 0).any() or not right or not np.isfinite(vectors).all():
        raise ChildFailedError(f"the child answered with windows unfit for space={space.id}")
