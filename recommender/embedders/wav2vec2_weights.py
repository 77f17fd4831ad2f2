"""From the published files of wav2vec 2.0 base to tensors by name.

The names are those of ``facebook/wav2vec2-base`` without its prefix ``wav2vec2.``; torchaudio's
differ in where the parts of the network hang. Kernels of the position convolution are kept as a
direction and a length, ``weight_v`` and ``weight_g``, which later versions of torch call
``parametrizations.weight.original1`` and ``…original0``. What only the training needs is left out:
the quantiser, its projections, and the vector that stands for hidden frames.
"""

import pickle
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from recommender.embedders.wav2vec2 import BASE
from recommender.embedders.wav2vec2_network import tensor_shapes
from recommender.errors import WeightsError
from recommender.weights import Tensors

PREFIX = "wav2vec2."
RENAMED = {
    "encoder.feature_projection.": "feature_projection.",
    "encoder.transformer.": "encoder.",
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}
UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    pickle.UnpicklingError,
    safetensors.SafetensorError,
)


def convert(path: Path) -> Tensors:
    """Read ``pytorch_model.bin``, ``model.safetensors`` or ``wav2vec2_fairseq_base_ls960.pth``.

    Nothing is executed: a file that holds Python objects beside tensors is refused.

    Parameters
    ----------
    path
        The published file, under any name.

    Returns
    -------
    dict
        float32 tensors under the names of :func:`.wav2vec2_network.tensor_shapes`.

    Raises
    ------
    WeightsError
        The file cannot be read without running code, or is of another network.
    """
    state = _state(path)
    converted = Tensors()
    for name, shape in tensor_shapes(BASE, BASE.layers).items():
        found = tuple(state[name].shape) if name in state else "missing"
        if found != shape:
            raise WeightsError(
                f"tensor={name} of weights={path.name} is {found} and should be {shape}: "
                "they are not of wav2vec 2.0 base; get the file that docs/embedders.md names"
            )
        converted[name] = state[name].to(torch.float32).contiguous().numpy()
    return converted


def _state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of the file by our names, whatever else it holds."""
    try:
        content: Any
        if _is_safetensors(path):
            content = safetensors.torch.load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
        return {_our_name(name): value for name, value in content.items() if torch.is_tensor(value)}
    except UNREADABLE as error:
        raise WeightsError(
            f"weights={path.name} are no tensors that can be read without running code "
            f"({type(error).__name__}); get the file that docs/embedders.md names"
        ) from error


def _is_safetensors(path: Path) -> bool:
    """Whether a line of JSON follows a length of eight bytes; downloads have no suffix to go by."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _our_name(name: str) -> str:
    name = name.removeprefix(PREFIX)
    for theirs, ours in RENAMED.items():
        name = name.replace(theirs, ours)
    return name
