"""VGGish's published weights, a TensorFlow checkpoint and a numpy archive, to tensors.

The tensors have the names of TensorFlow's variables without ``vggish/`` before them, and torch's
order of axes. The projection for `postprocess` is ``pca/eigen_vectors`` and ``pca/means``.
"""

import zipfile
from pathlib import Path

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.tf_checkpoint import read_checkpoint
from recommender.errors import WeightsError
from recommender.weights import Tensors

SCOPE = "vggish/"
SHAPES: dict[str, tuple[int, ...]] = {
    "conv1": (64, 1, 3, 3),
    "conv2": (128, 64, 3, 3),
    "conv3/conv3_1": (256, 128, 3, 3),
    "conv3/conv3_2": (256, 256, 3, 3),
    "conv4/conv4_1": (512, 256, 3, 3),
    "conv4/conv4_2": (512, 512, 3, 3),
    "fc1/fc1_1": (4096, 12288),
    "fc1/fc1_2": (4096, 4096),
    "fc2": (128, 4096),
}
PCA_SHAPES = {"eigen_vectors": (128, 128), "means": (128,)}


def convert(path: Path) -> Tensors:
    """Read ``vggish_model.ckpt``.

    Parameters
    ----------
    path
        The file as Google publishes it.

    Returns
    -------
    dict
        float32 tensors by name: ``<layer>/weights`` and ``<layer>/biases`` for each of `SHAPES`.

    Raises
    ------
    WeightsError
        It is not that file.
    """
    variables = read_checkpoint(path)
    tensors = {}
    for layer, shape in SHAPES.items():
        for part, expected in (("weights", shape), ("biases", shape[:1])):
            name = f"{layer}/{part}"
            tensors[name] = _required(path, name, variables.get(SCOPE + name), expected)
    return tensors


def convert_pca(path: Path) -> Tensors:
    """Read ``vggish_pca_params.npz``.

    Parameters
    ----------
    path
        The file as Google publishes it.

    Returns
    -------
    dict
        float32 tensors ``pca/eigen_vectors`` of shape (128, 128) and ``pca/means`` of shape (128,).

    Raises
    ------
    WeightsError
        It is not that file.
    """
    try:
        # numpy leaves a file open that it opened and could not read
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {
                f"pca/{part}": np.asarray(archive[f"pca_{part}"], np.float32).reshape(shape)
                for part, shape in PCA_SHAPES.items()
            }
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"weights={path.name} are not VGGish's projection ({error}); fetch the file again"
        ) from error


def _required(
    path: Path, name: str, values: FloatArray | None, expected: tuple[int, ...]
) -> FloatArray:
    if values is None:
        raise WeightsError(f"weights={path.name} have no {SCOPE}{name}; fetch the file again")
    tensor = _in_torch_order(values)
    if tensor.shape != expected:
        raise WeightsError(
            f"shape={tensor.shape} of {SCOPE}{name} in weights={path.name} should be {expected}; "
            "fetch the file again"
        )
    return tensor


def _in_torch_order(values: FloatArray) -> FloatArray:
    """TensorFlow has outputs as the last axis of kernels and matrices, torch as the first."""
    order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(values.ndim, (0,))
    return np.ascontiguousarray(values.transpose(order))
