"""The arithmetic of convolutional stages once more, in numpy and double precision."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recommender.embedders.waveform_stages import Stage
from recommender.weights import Tensors

Signal = npt.NDArray[np.float64]


def reference_output(samples: Signal, tensors: Tensors, stages: Sequence[Stage]) -> Signal:
    """Activations after the last of the stages, shape (n_steps, n_channels)."""
    signal = np.asarray(samples, np.float64)[None]
    for number, stage in enumerate(stages, start=1):
        own = {
            name.partition(".")[2]: tensor.astype(np.float64)
            for name, tensor in tensors.items()
            if name.startswith(f"conv{number}.")
        }
        signal = reference_stage(signal, own, stage)
    return signal.T


def steps_and_channels(n_steps: int, stages: Sequence[Stage]) -> list[tuple[int, int]]:
    """What each stage makes of `n_steps`."""
    shapes = []
    for stage in stages:
        n_steps = (n_steps + 2 * stage.padding - stage.kernel) // stage.stride + 1
        n_steps //= stage.pool
        shapes.append((n_steps, stage.outputs))
    return shapes


def reference_stage(signal: Signal, own: dict[str, Signal], stage: Stage) -> Signal:
    padded = np.pad(signal, ((0, 0), (stage.padding, stage.padding)))
    view = np.lib.stride_tricks.sliding_window_view(padded, stage.kernel, axis=1)
    view = view[:, :: stage.stride]
    convolved = np.tensordot(own["weight"], view, axes=([1, 2], [0, 2])) + own["bias"][:, None]
    centred = convolved - own["mean"][:, None]
    normal = centred / np.sqrt(own["var"][:, None] + 1e-5)
    positive = np.maximum(normal * own["gamma"][:, None] + own["beta"][:, None], 0)
    n_pooled = positive.shape[1] // stage.pool
    whole = positive[:, : n_pooled * stage.pool]
    return np.asarray(whole.reshape(len(whole), n_pooled, stage.pool).max(axis=2))
