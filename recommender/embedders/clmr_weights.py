"""From the published checkpoint of CLMR to the tensors of :mod:`recommender.embedders.clmr`.

Two layouts are around. The older, which is the released one, is a bare dictionary of tensors called
``encoder.sequential.<stage>.<0 or 1>.…``: 0 is the convolution, 1 the batch normalisation. PyTorch
Lightning wraps such a dictionary as ``state_dict`` and calls the encoder ``model.encoder.``. What
belongs to training (projector, classifier, counters) is left out. The release is a ZIP archive
that holds the checkpoint beside the state of the optimiser.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch

from recommender.embedders.clmr import STAGES
from recommender.embedders.torch_checkpoint import load_checkpoint, tensors_of
from recommender.embedders.waveform_stages import checked_tensors
from recommender.errors import WeightsError
from recommender.weights import Tensors

SUFFIXES = (".pt", ".ckpt")
OPTIMISER = "_optim.pt"
LIGHTNING = "pytorch-lightning_version"
PARTS = {
    "0.weight": "weight",
    "0.bias": "bias",
    "1.weight": "gamma",
    "1.bias": "beta",
    "1.running_mean": "mean",
    "1.running_var": "var",
}


def convert(path: Path) -> Tensors:
    """Read the encoder out of ``clmr_checkpoint_10000.zip``, or of a ``.pt`` or ``.ckpt`` file.

    Nothing is executed: of a file that holds Python objects beside tensors nothing is taken.

    Parameters
    ----------
    path
        The published file.

    Returns
    -------
    dict
        Named as in :mod:`recommender.embedders.waveform_stages`; ``conv1`` is the strided stage.

    Raises
    ------
    WeightsError
        It is no such file, or holds a network of another shape.
    """
    state = _state(_checkpoint(path), path.name)
    found = dict[str, npt.NDArray[Any]]()
    for number in range(len(STAGES)):
        for theirs, ours in PARTS.items():
            tensor = state.get(f"sequential.{number}.{theirs}")
            if tensor is not None:
                found[f"conv{number + 1}.{ours}"] = tensor.detach().float().numpy()
    return checked_tensors(found, STAGES, path.name)


def _checkpoint(path: Path) -> bytes:
    """The bytes that torch is to read: the file, or what lies in the archive."""
    try:
        content = path.read_bytes()
        if not zipfile.is_zipfile(io.BytesIO(content)):
            return content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [
                name
                for name in archive.namelist()
                if name.endswith(SUFFIXES) and not name.endswith(OPTIMISER)
            ]
            # torch's own format is a ZIP archive too, without such members
            return archive.read(members[0]) if members else content
    except (OSError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"weights={path.name} cannot be read ({error}); download the file again"
        ) from error


def _state(checkpoint: bytes, file_name: str) -> dict[str, torch.Tensor]:
    """Every tensor of the encoder, by its name within the encoder."""
    loaded, prefix = load_checkpoint(io.BytesIO(checkpoint), file_name), "encoder."
    if LIGHTNING in loaded:
        loaded, prefix = loaded.get("state_dict", {}), "model.encoder."
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors_of(loaded).items()
        if name.startswith(prefix)
    }
