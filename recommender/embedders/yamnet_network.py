"""YAMNet's network in torch, up to the layer before the classes."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from recommender.arrays import FloatArray
from recommender.embedders.yamnet_layers import LAYERS
from recommender.weights import Tensors

EPSILON = 1e-4


class YamnetNetwork:
    """Log-mel spectrograms to 1024 numbers each, none below 0.

    Parameters
    ----------
    tensors
        As :func:`recommender.embedders.yamnet_weights.convert` returns them.
    """

    def __init__(self, tensors: Tensors):
        self._layers = [(_normalised(tensors, layer.name), layer.stride) for layer in LAYERS]

    def __call__(self, log_mel: FloatArray) -> FloatArray:
        """Vectors, float32 of shape (n, 1024), of spectrograms of shape (n, 96, 64)."""
        with torch.inference_mode():
            activation = torch.from_numpy(log_mel)[:, None]
            for (kernel, bias), stride in self._layers:
                activation = _convolve(activation, kernel, bias, stride).relu()
            vectors = activation.mean((2, 3))
        return np.asarray(vectors.numpy(), dtype=np.float32)


def _normalised(tensors: Tensors, name: str) -> tuple[Tensor, Tensor]:
    """Kernel and bias that do at once what convolution and batch normalisation do in turn."""
    kernel, beta, mean, variance = (
        torch.from_numpy(tensors[f"{name}/{part}"])
        for part in ("kernel", "bn/beta", "bn/moving_mean", "bn/moving_variance")
    )
    scale = (variance + EPSILON).rsqrt()
    return kernel * scale[:, None, None, None], beta - mean * scale


def _convolve(activation: Tensor, kernel: Tensor, bias: Tensor, stride: int) -> Tensor:
    """Convolution with TensorFlow's padding "same": at stride 2 it lies below and right alone."""
    # a kernel of one channel over several is a depthwise one
    groups = activation.shape[1] // kernel.shape[1]
    edge = kernel.shape[2] // 2
    if stride == 1:
        return conv2d(activation, kernel, bias, padding=edge, groups=groups)
    return conv2d(pad(activation, (0, edge, 0, edge)), kernel, bias, stride=stride, groups=groups)
