"""MooER's published files, a checkpoint of torch and a text of Kaldi, to tensors by name.

The encoder's names stay those of the checkpoint, see :func:`.mooer_network.tensor_shapes`. The
normalisation of its input is ``cmvn/shift``, added first, and ``cmvn/scale``, multiplied with.
"""

import re
from pathlib import Path

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.mooer_network import N_INPUTS, tensor_shapes
from recommender.embedders.torch_checkpoint import load_checkpoint, shaped, tensors_of
from recommender.errors import WeightsError
from recommender.weights import Tensors

PREFIX = "encoder."
# a component, its sizes, the rate at which it was to learn, and its numbers
COMPONENT = r"<{}>\s+\d+\s+\d+\s+<LearnRateCoef>\s+\S+\s+\[([^\[\]]*)\]"
CMVN = {"cmvn/shift": "AddShift", "cmvn/scale": "Rescale"}


def convert(path: Path) -> Tensors:
    """Read ``paraformer-encoder.pth``, or the encoder out of a whole Paraformer's ``model.pt``.

    Nothing is executed: a file that holds Python objects beside tensors is refused.

    Parameters
    ----------
    path
        The published file.

    Returns
    -------
    dict
        float32 tensors under the names of :func:`.mooer_network.tensor_shapes`.

    Raises
    ------
    WeightsError
        The file cannot be read without running code, or is of another network.
    """
    tensors = tensors_of(load_checkpoint(path, path.name))
    named = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}
    return shaped(named, tensor_shapes(), path.name)


def convert_cmvn(path: Path) -> Tensors:
    """Read ``am.mvn``, a network of Kaldi that shifts and scales.

    Parameters
    ----------
    path
        The published file.

    Returns
    -------
    dict
        float32 tensors ``cmvn/shift`` and ``cmvn/scale``, shape (560,) each.

    Raises
    ------
    WeightsError
        It is not that file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(
            f"weights={path.name} cannot be read as text ({type(error).__name__}); "
            "fetch the file again"
        ) from error
    return {name: _component(path, text, component) for name, component in CMVN.items()}


def _component(path: Path, text: str, name: str) -> FloatArray:
    found = re.search(COMPONENT.format(name), text)
    if found is None:
        raise WeightsError(f"weights={path.name} have no <{name}>; fetch the file again")
    try:
        numbers = np.array([float(word) for word in found[1].split()], np.float32)
    except ValueError as error:
        raise WeightsError(
            f"weights={path.name} hold no numbers in <{name}> ({error}); fetch the file again"
        ) from error
    if len(numbers) != N_INPUTS or not np.isfinite(numbers).all():
        raise WeightsError(
            f"numbers={len(numbers)} in <{name}> of weights={path.name} should be {N_INPUTS}, "
            "all finite; fetch the file again"
        )
    return numbers
