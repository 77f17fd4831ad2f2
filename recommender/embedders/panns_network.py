"""The convolutional networks of PANNs in torch: what they compute, of which tensors.

Batch normalisation is folded into the convolutions, for at run time it is a scale and an offset of
each channel. The first blocks see windows one by one, for their activations are tens of megabytes a
window; the later ones see several at once, for their kernels are.

Where channels are many, multiplications are saved: by tiles of 4 x 4 results (Toom-Cook in both
directions), and where only 2 bands are left by a product that their results share.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recommender.arrays import FloatArray
from recommender.embedders.tiled_convolution import TILE, TiledConvolution
from recommender.weights import Tensors

N_MELS = 64
EPSILON = 1e-5
STATISTICS = ("weight", "bias", "running_mean", "running_var")
N_SINGLE = 4
N_POOLED = 5
# activations of as many windows take less memory than the kernels, which are read once for all
GROUP = 24
# with fewer output channels the way to tiles and back costs more than it saves
LEAST_CHANNELS = 128

Layer = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A stack of blocks, each of convolutions of one size followed by pooling.

    Attributes
    ----------
    channels
        Output channels of each block; those of the last are the length of the vector.
    kernel
        Height and width of the convolutions.
    convolutions
        How many of them a block has.
    """

    channels: tuple[int, ...]
    kernel: int
    convolutions: int


ARCHITECTURES = {
    "cnn14": Architecture((64, 128, 256, 512, 1024, 2048), kernel=3, convolutions=2),
    "cnn10": Architecture((64, 128, 256, 512), kernel=3, convolutions=2),
    "cnn6": Architecture((64, 128, 256, 512), kernel=5, convolutions=1),
}


def tensor_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor, named as in the published checkpoints."""
    shapes: dict[str, tuple[int, ...]] = {f"bn0.{name}": (N_MELS,) for name in STATISTICS}
    width, size = 1, architecture.kernel
    for block, channels in enumerate(architecture.channels, 1):
        for layer in range(1, architecture.convolutions + 1):
            shapes[f"conv_block{block}.conv{layer}.weight"] = (channels, width, size, size)
            norm = f"conv_block{block}.bn{layer}"
            shapes |= {f"{norm}.{name}": (channels,) for name in STATISTICS}
            width = channels
    return shapes | {"fc1.weight": (width, width), "fc1.bias": (width,)}


class PannsNetwork:
    """From mel levels to the layer before the tags; holds no state between calls.

    Parameters
    ----------
    architecture
        Which network.
    tensors
        Its weights by the names of :func:`tensor_shapes`.
    """

    def __init__(self, architecture: Architecture, tensors: Tensors):
        scale, offset = _scale_and_offset(tensors, "bn0")
        self._scale, self._offset = torch.from_numpy(scale), torch.from_numpy(offset)
        self._blocks = [
            [
                _layer(tensors, f"conv_block{place + 1}", layer, bands=N_MELS >> place)
                for layer in range(1, architecture.convolutions + 1)
            ]
            for place in range(len(architecture.channels))
        ]
        self._dense = torch.from_numpy(tensors["fc1.weight"])
        self._bias = torch.from_numpy(tensors["fc1.bias"])

    def __call__(self, windows: Sequence[FloatArray]) -> FloatArray:
        """Embed windows.

        Parameters
        ----------
        windows
            At least one; mel levels in dB, shape (n_frames, 64) with at least 32 frames.

        Returns
        -------
        numpy.ndarray
            float32, shape (n_windows, dimension).
        """
        groups = [windows[first : first + GROUP] for first in range(0, len(windows), GROUP)]
        with torch.inference_mode():
            vectors: FloatArray = torch.cat([self._group(group) for group in groups]).numpy()
        return vectors

    def _group(self, windows: Sequence[FloatArray]) -> Tensor:
        images = torch.cat([self._single(levels) for levels in windows])
        by_time = self._through(images, N_SINGLE, len(self._blocks)).mean(dim=3)
        pooled = by_time.amax(dim=2) + by_time.mean(dim=2)
        return functional.linear(pooled, self._dense, self._bias).relu_()

    def _single(self, levels: FloatArray) -> Tensor:
        image = (torch.from_numpy(levels) * self._scale + self._offset)[None, None]
        return self._through(image.to(memory_format=torch.channels_last), 0, N_SINGLE)

    def _through(self, images: Tensor, first: int, end: int) -> Tensor:
        """Some of the blocks; images are (n, channels, frames, bands)."""
        for place in range(first, end):
            for layer in self._blocks[place]:
                images = layer(images)
            # the sixth block of cnn14 has only 2 bands left and is not pooled
            if place < N_POOLED:
                images = functional.avg_pool2d(images, 2)
        return images


def _scale_and_offset(tensors: Tensors, norm: str) -> tuple[FloatArray, FloatArray]:
    """What batch normalisation does at run time: multiply and add, shape (n_channels,) each."""
    gain, shift, mean, variance = (
        tensors[f"{norm}.{name}"].astype(np.float64) for name in STATISTICS
    )
    scale = gain / np.sqrt(variance + EPSILON)
    return scale.astype(np.float32), (shift - mean * scale).astype(np.float32)


def _layer(tensors: Tensors, block: str, layer: int, bands: int) -> Layer:
    """A convolution, the normalisation behind it and the rectifier, for images of `bands` bands."""
    scale, offset = _scale_and_offset(tensors, f"{block}.bn{layer}")
    kernels = torch.from_numpy(tensors[f"{block}.conv{layer}.weight"] * scale[:, None, None, None])
    biases = torch.from_numpy(offset)
    n_outputs, _, size, _ = kernels.shape
    if bands == 2 and size == 3:
        return _TwoBands(kernels, biases)
    if bands % TILE == 0 and n_outputs >= LEAST_CHANNELS:
        return _Tiled(kernels, biases)
    return _Direct(kernels, biases)


class _Direct:
    """As torch does it."""

    def __init__(self, kernels: Tensor, biases: Tensor):
        self._kernels = kernels.contiguous(memory_format=torch.channels_last)
        self._biases = biases
        self._margin = kernels.shape[2] // 2

    def __call__(self, images: Tensor) -> Tensor:
        return functional.conv2d(images, self._kernels, self._biases, padding=self._margin).relu_()


class _Tiled:
    """With fewer multiplications."""

    def __init__(self, kernels: Tensor, biases: Tensor):
        self._convolution = TiledConvolution(kernels, biases)

    def __call__(self, images: Tensor) -> Tensor:
        return self._convolution(images).relu_()


class _TwoBands:
    """Kernels of 3 x 3 over images of two bands x and y, with silence on either side.

    Of taps a, b, c along bands the results are ``b x + c y`` and ``a x + b y``: the products with
    ``b``, of ``x + y``, are shared, and those with ``c - b`` and ``a - b`` make up for it.
    """

    def __init__(self, kernels: Tensor, biases: Tensor):
        low, middle, high = kernels.unbind(dim=3)
        taps = torch.stack([middle, high - middle, low - middle])
        n_outputs = len(biases)
        self._kernels = taps.permute(0, 3, 2, 1).reshape(3, -1, n_outputs).contiguous()
        self._biases = biases

    def __call__(self, images: Tensor) -> Tensor:
        n, _, frames, _ = images.shape
        x, y = functional.pad(images.permute(3, 0, 2, 1), (0, 0, 1, 1)).unbind(dim=0)
        inputs = torch.stack([x + y, y, x]).unfold(2, 3, 1).transpose(3, 4)
        shared, first, second = torch.bmm(inputs.reshape(3, n * frames, -1), self._kernels)
        bands = torch.stack([shared + first, shared + second], dim=1) + self._biases
        return bands.relu_().view(n, frames, 2, -1).permute(0, 3, 1, 2)
