"""Weights of OpenL3 as they are published, HDF5 of Keras in gzip, to tensors.

Keras finds weights by their order, not by the names of layers, which depend on how many layers a
program made before: so does this.
"""

import gzip
import io
import zlib
from itertools import chain
from pathlib import Path

import h5py
import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.openl3_network import N_BLOCKS, tensor_shapes
from recommender.errors import WeightsError
from recommender.weights import Tensors

# of the published files unpacked: 19 MB of numbers, or with the optimizer's three times as much
MOST_BYTES = 100_000_000
NORM_NAMES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
CONV_NAMES = {"kernel": "weight", "bias": "bias"}
KERNEL_TO_TORCH = (3, 2, 0, 1)

Layer = dict[str, FloatArray]


def convert(path: Path) -> Tensors:
    """Read ``openl3_audio_*-v0_4_0.h5.gz``.

    Returns
    -------
    dict
        Names and shapes of :func:`recommender.embedders.openl3_network.tensor_shapes`.

    Raises
    ------
    WeightsError
        The file is not such a file.
    """
    try:
        with h5py.File(io.BytesIO(_unpacked(path)), "r") as file:
            layers = _layers(file)
    except (OSError, EOFError, zlib.error, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"weights={path.name} are not Keras weights in gzip ({error}); download them again"
        ) from error
    tensors = _named(layers, path)
    _require_shapes(tensors, path)
    return tensors


def _unpacked(path: Path) -> bytes:
    with gzip.open(path) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes")
    return content


def _layers(file: h5py.File) -> list[Layer]:
    """Layers that have weights, in the order of the network; arrays by the last part of a name."""
    root = file.get("model_weights", file)
    groups = [root[_text(name)] for name in root.attrs["layer_names"]]
    layers = [_arrays(group) for group in groups]
    return [layer for layer in layers if layer]


def _arrays(group: h5py.Group) -> Layer:
    names = [_text(name) for name in group.attrs["weight_names"]]
    return {
        name.rsplit("/", 1)[-1].partition(":")[0]: np.asarray(group[name], dtype=np.float32)
        for name in names
    }


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _named(layers: list[Layer], path: Path) -> Tensors:
    """Layers, by turns a normalisation and a convolution, under their names here."""
    if len(layers) != 2 * N_BLOCKS:
        raise WeightsError(
            f"layers={len(layers)} with weights in {path.name} should be {2 * N_BLOCKS}; "
            "use the file of an audio network, version 0.4.0"
        )
    kinds = chain.from_iterable(
        ((f"norm{block}", NORM_NAMES), (f"conv{block}", CONV_NAMES))
        for block in range(1, N_BLOCKS + 1)
    )
    tensors: Tensors = {}
    for (kind, names), layer in zip(kinds, layers, strict=True):
        for name, array in layer.items():
            tensors[f"{kind}.{names.get(name, name)}"] = _as_in_torch(array)
    return tensors


def _as_in_torch(array: FloatArray) -> FloatArray:
    """A kernel, the only array of four axes, with its axes in the order of torch."""
    if array.ndim != len(KERNEL_TO_TORCH):
        return array
    return np.ascontiguousarray(array.transpose(KERNEL_TO_TORCH))


def _require_shapes(tensors: Tensors, path: Path) -> None:
    found = {name: tensor.shape for name, tensor in tensors.items()}
    expected = tensor_shapes()
    wrong = sorted(
        name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)
    )
    if wrong:
        name = wrong[0]
        raise WeightsError(
            f"{name}={found.get(name)} in {path.name} should be {expected.get(name)}; "
            "use the file of an audio network, version 0.4.0"
        )
