"""The shape of networks that hear the waveform itself: convolutions along time, one after another.

SampleCNN and SoundNet are such networks, so each of them is a table of stages. Their tensors go by
the same names: ``conv1.weight`` (outputs, inputs, kernel), ``conv1.bias``, and of the batch
normalisation ``conv1.gamma``, ``conv1.beta``, ``conv1.mean``, ``conv1.var`` (outputs,), then
``conv2.weight`` and so on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.errors import WeightsError
from recommender.weights import Tensors

NORMALISATION = ("gamma", "beta", "mean", "var")
BATCH_NORM_EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class Stage:
    """A convolution, batch normalisation, ReLU, and the maximum over every `pool` steps.

    Attributes
    ----------
    inputs, outputs
        Channels.
    kernel, stride, padding
        Of the convolution, in steps; the padding is zeros, on both sides.
    pool
        Steps that become one; 1 leaves them as they are.
    """

    inputs: int
    outputs: int
    kernel: int
    stride: int
    padding: int
    pool: int = 1


def tensor_shapes(stages: Sequence[Stage]) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of a network, by name."""
    shapes = dict[str, tuple[int, ...]]()
    for number, stage in enumerate(stages, start=1):
        shapes[f"conv{number}.weight"] = (stage.outputs, stage.inputs, stage.kernel)
        shapes[f"conv{number}.bias"] = (stage.outputs,)
        shapes |= {f"conv{number}.{name}": (stage.outputs,) for name in NORMALISATION}
    return shapes


def checked_tensors(
    found: Mapping[str, npt.NDArray[Any]], stages: Sequence[Stage], file_name: str
) -> Tensors:
    """The tensors of a network out of those of a file, as contiguous float32.

    Parameters
    ----------
    found
        Arrays by name; what the network does not need is left out.
    stages
        The network.
    file_name
        For the message.

    Raises
    ------
    WeightsError
        A tensor is missing, of another shape, or not finite.
    """
    tensors = Tensors()
    for name, shape in tensor_shapes(stages).items():
        tensor = found.get(name)
        if tensor is None or tensor.shape != shape or not np.isfinite(tensor).all():
            what = "missing" if tensor is None else f"not finite or of shape {tensor.shape}"
            raise WeightsError(
                f"file={file_name} holds other weights: {name} is {what}, it should be {shape}; "
                "use the file that the embedder names"
            )
        tensors[name] = np.ascontiguousarray(tensor, np.float32)
    return tensors
