"""Runs the networks of :mod:`recommender.embedders.waveform_stages` in torch."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from recommender.arrays import FloatArray
from recommender.embedders.waveform_stages import BATCH_NORM_EPSILON, Stage
from recommender.weights import Tensors


class WaveformNetwork:
    """A network for inference, on the CPU and in float32; threads may share it.

    Parameters
    ----------
    tensors
        By the names of :func:`~recommender.embedders.waveform_stages.tensor_shapes`; those of
        stages beyond `stages` are not used.
    stages
        What is run.
    """

    def __init__(self, tensors: Tensors, stages: Sequence[Stage]):
        self._stages = tuple(stages)
        # a copy: torch does not take the read-only memory that tensors are parsed from
        self._tensors = {name: torch.tensor(tensor) for name, tensor in tensors.items()}

    def __call__(self, windows: FloatArray) -> FloatArray:
        """Activations after the last stage.

        Parameters
        ----------
        windows
            Samples, shape (n_windows, n_samples).

        Returns
        -------
        numpy.ndarray
            float32, shape (n_windows, n_steps, n_channels), at least one window.
        """
        # one by one: a batch is no faster on a CPU, and its activations would weigh gigabytes
        with torch.inference_mode():
            return np.stack([self._run(window) for window in windows])

    def _run(self, window: FloatArray) -> FloatArray:
        signal = torch.tensor(window, dtype=torch.float32)[None, None]
        for number, stage in enumerate(self._stages, start=1):
            signal = self._stage(signal, f"conv{number}", stage)
        activations: FloatArray = signal[0].T.numpy()
        return activations

    def _stage(self, signal: torch.Tensor, name: str, stage: Stage) -> torch.Tensor:
        of = self._tensors
        signal = functional.conv1d(
            signal, of[f"{name}.weight"], of[f"{name}.bias"], stage.stride, stage.padding
        )
        signal = functional.batch_norm(
            signal,
            of[f"{name}.mean"],
            of[f"{name}.var"],
            of[f"{name}.gamma"],
            of[f"{name}.beta"],
            eps=BATCH_NORM_EPSILON,
        )
        signal = functional.relu(signal)
        return functional.max_pool1d(signal, stage.pool) if stage.pool > 1 else signal
