"""From the published files of wav2vec 2.0 base to tensors by name.

The names are those of ``facebook/wav2vec2-base`` without its prefix ``wav2vec2.``; torchaudio's
differ in where the parts of the network hang. Kernels of the position convolution are kept as a
direction and a length, ``weight_v`` and ``weight_g``, which later versions of torch call
``parametrizations.weight.original1`` and ``…original0``. What only the training needs is left out:
the quantiser, its projections, and the vector that stands for hidden frames.
"""

from pathlib import Path

import safetensors
import safetensors.torch
import torch

from recommender.embedders.torch_checkpoint import load_checkpoint, shaped, tensors_of
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
    content = _load_safetensors(path) if _is_safetensors(path) else load_checkpoint(path, path.name)
    named = {_our_name(name): tensor for name, tensor in tensors_of(content).items()}
    return shaped(named, tensor_shapes(BASE, BASE.layers), path.name)


def _load_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise WeightsError(
            f"weights={path.name} are no safetensors ({error}); "
            "get the file that docs/embedders.md names"
        ) from error


def _is_safetensors(path: Path) -> bool:
    """Whether a line of JSON follows a length of eight bytes; downloads have no suffix to go by."""
    try:
        with path.open("rb") as file:
            return file.read(9)[8:] == b"{"
    except OSError:
        # the reader of checkpoints says so
        return False


def _our_name(name: str) -> str:
    name = name.removeprefix(PREFIX)
    for theirs, ours in RENAMED.items():
        name = name.replace(theirs, ours)
    return name
