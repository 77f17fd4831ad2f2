"""From the published checkpoints of PANNs to tensors by name.

The names stay those of the checkpoint. What is left out: the Fourier and mel matrices, which
``recommender.frontend`` computes, the layer that predicts AudioSet's classes, and counters.
"""

from pathlib import Path

import numpy as np

from recommender.embedders.panns_network import ARCHITECTURES, tensor_shapes
from recommender.embedders.torch_checkpoint import load_checkpoint, shaped, tensors_of
from recommender.errors import WeightsError
from recommender.weights import Tensors

# the 16 kHz checkpoint also holds the state of its sampler: arrays of integers, written when
# numpy's private package had another name
_rebuild_array = np.empty(0).__reduce__()[0]
HARMLESS = [
    (_rebuild_array, "numpy.core.multiarray._reconstruct"),
    np.ndarray,
    np.dtype,
    type(np.dtype(np.int64)),
]


def convert(path: Path) -> Tensors:
    """Read a checkpoint of Cnn14 (32 or 16 kHz), Cnn10 or Cnn6.

    Parameters
    ----------
    path
        The ``.pth`` file as published.

    Returns
    -------
    dict
        float32 tensors under the names of :func:`.panns_network.tensor_shapes`.

    Raises
    ------
    WeightsError
        The file is no checkpoint that torch can read without running code, or of another network.
    """
    state = tensors_of(load_checkpoint(path, path.name, HARMLESS).get("model"))
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    for architecture in ARCHITECTURES.values():
        shapes = tensor_shapes(architecture)
        if shapes.items() <= found.items():
            return shaped(state, shapes, path.name)
    raise WeightsError(
        f"weights={path.name} are of no network of {', '.join(ARCHITECTURES)}; "
        "get the file that docs/embedders.md names"
    )
