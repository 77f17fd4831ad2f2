"""From the published checkpoints of PANNs to tensors by name.

The names stay those of the checkpoint. What is left out: the Fourier and mel matrices, which
``recommender.frontend`` computes, the layer that predicts AudioSet's classes, and counters.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recommender.embedders.panns_network import ARCHITECTURES, tensor_shapes
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
UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    pickle.UnpicklingError,
)


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
    state = _state(path)
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    for architecture in ARCHITECTURES.values():
        shapes = tensor_shapes(architecture)
        if shapes.items() <= found.items():
            return {name: state[name].to(torch.float32).contiguous().numpy() for name in shapes}
    raise WeightsError(
        f"weights={path.name} are of no network of {', '.join(ARCHITECTURES)}; "
        "get the file that docs/embedders.md names"
    )


def _state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of the file, whatever else it holds."""
    try:
        with torch.serialization.safe_globals(HARMLESS):
            content: Any = torch.load(path, map_location="cpu", weights_only=True)
        return {name: value for name, value in content["model"].items() if torch.is_tensor(value)}
    except UNREADABLE as error:
        raise WeightsError(
            f"weights={path.name} are no checkpoint of PANNs ({type(error).__name__}); "
            "get the file that docs/embedders.md names"
        ) from error
