"""VGGish's network in torch: six convolutions, then three dense layers."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, linear, max_pool2d

from recommender.arrays import FloatArray
from recommender.weights import Tensors

N_FRAMES = 96
N_MELS = 64
WIDTH = 128
BLOCKS = (
    ("conv1",),
    ("conv2",),
    ("conv3/conv3_1", "conv3/conv3_2"),
    ("conv4/conv4_1", "conv4/conv4_2"),
)
HIDDEN = ("fc1/fc1_1", "fc1/fc1_2")
OUTPUT = "fc2"


class VggishNetwork:
    """Log-mel spectrograms to 128 numbers each, before any last ReLU.

    Parameters
    ----------
    tensors
        ``<layer>/weights`` and ``<layer>/biases`` for the layers of `BLOCKS`, `HIDDEN` and
        `OUTPUT`, with torch's order of axes; the dense layers follow rows, columns, channels.
    """

    def __init__(self, tensors: Tensors):
        self._tensors = {name: torch.from_numpy(values) for name, values in tensors.items()}

    def __call__(self, log_mel: FloatArray) -> FloatArray:
        """Vectors, float32 of shape (n, 128), of spectrograms of shape (n, 96, 64)."""
        with torch.inference_mode():
            layer = torch.from_numpy(log_mel)[:, None]
            for block in BLOCKS:
                for name in block:
                    layer = conv2d(layer, *self._layer(name), padding=1).relu()
                layer = max_pool2d(layer, 2)
            layer = layer.permute(0, 2, 3, 1).flatten(1)
            for name in HIDDEN:
                layer = linear(layer, *self._layer(name)).relu()
            vectors = linear(layer, *self._layer(OUTPUT))
        return np.asarray(vectors.numpy(), dtype=np.float32)

    def _layer(self, name: str) -> tuple[Tensor, Tensor]:
        return self._tensors[f"{name}/weights"], self._tensors[f"{name}/biases"]
