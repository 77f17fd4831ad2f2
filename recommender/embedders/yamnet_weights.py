"""YAMNet's published weights, a Keras file in HDF5, to tensors.

The tensors have the names of Keras' layers, ``<layer>/kernel``, ``<layer>/bn/beta``,
``<layer>/bn/moving_mean`` and ``<layer>/bn/moving_variance``, and torch's order of axes. The
classifier is left out: only the layer before it is read.
"""

from pathlib import Path

import h5py
import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.yamnet_layers import LAYERS, Layer
from recommender.errors import WeightsError
from recommender.weights import Tensors

NORMALISATION = ("beta", "moving_mean", "moving_variance")


def convert(path: Path) -> Tensors:
    """Read ``yamnet.h5``.

    Parameters
    ----------
    path
        The file as Google publishes it.

    Returns
    -------
    dict
        float32 tensors by name.

    Raises
    ------
    WeightsError
        It is not that file.
    """
    try:
        with h5py.File(path, "r") as file:
            return {name: each for layer in LAYERS for name, each in _read(file, layer).items()}
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"weights={path.name} are not YAMNet's ({error}); fetch yamnet.h5 again"
        ) from error


def _read(file: h5py.File, layer: Layer) -> Tensors:
    kernel = _dataset(file, layer.name, layer.kernel)
    # a depthwise kernel has its one output behind the channels, where others have many
    order = (2, 3, 0, 1) if layer.kernel == "depthwise_kernel" else (3, 2, 0, 1)
    tensors = {f"{layer.name}/kernel": np.ascontiguousarray(kernel.transpose(order))}
    _require(layer.name, tensors[f"{layer.name}/kernel"].shape, layer.shape)
    for part in NORMALISATION:
        values = _dataset(file, f"{layer.name}/bn", part)
        _require(f"{layer.name}/bn/{part}", values.shape, layer.shape[:1])
        tensors[f"{layer.name}/bn/{part}"] = values
    return tensors


def _dataset(file: h5py.File, layer: str, part: str) -> FloatArray:
    """Keras keeps the variables of a layer in a group called as the layer, by their full names."""
    return np.asarray(file[f"{layer}/{layer}/{part}:0"][()], dtype=np.float32)


def _require(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if shape != expected:
        raise ValueError(f"shape={shape} of {name} should be {expected}")
