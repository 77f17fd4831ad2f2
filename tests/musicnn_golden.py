"""What the authors' TensorFlow networks made of `tests.signals`, and how to compare with it.

Made with TensorFlow from the published checkpoints, one patch at a time, by the published code with
two lines corrected: features after the first patch repeated the first one, and the mel spectrogram,
rounded to float16, is float32 again before the logarithm, where it overflowed. Keys are
``SIGNAL.MODEL.LAYER``, shape (patches, width); pool5 of vgg has two rows a patch.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedding import Embedder, Frames, window_starts
from tests.signals import SIGNALS

GOLDEN = Path(__file__).parent / "data" / "musicnn_golden.npz"


@cache
def golden() -> Mapping[str, FloatArray]:
    with np.load(GOLDEN) as data:
        return dict(data)


def embed_signal(embedder: Embedder, signal: str) -> Frames:
    """All windows of a signal, as the original system cuts them."""
    spec, audio = embedder.spec, SIGNALS[signal]()
    padded = np.pad(audio, (spec.context_samples, spec.window_samples))
    firsts = [start + spec.context_samples for start in window_starts(len(audio), spec, None)]
    return embedder.embed(np.stack([padded[first:][: spec.window_samples] for first in firsts]))


def cosines(first: FloatArray, second: FloatArray) -> FloatArray:
    a, b = first.astype(np.float64), second.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / norms)
