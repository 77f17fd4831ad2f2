"""The convolutional network of OpenL3's audio branch, in PyTorch.

Eight convolutions of 3 x 3, each behind a batch normalisation; the last one's outputs, neither
normalised nor rectified, are pooled into the embedding. All published networks have these shapes:
the spectrogram decides how large the images are, and the pooling how long the embedding is. At run
time a normalisation is a scale and an offset, and is folded into the convolution before it.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from recommender.arrays import FloatArray
from recommender.embedders.tiled_convolution import TiledConvolution
from recommender.weights import Tensors

CHANNELS = (1, 64, 64, 128, 128, 256, 256, 512, 512)
N_BLOCKS = len(CHANNELS) - 1
HALVED_BEFORE = (3, 5, 7)
KERAS_EPSILON = 1e-3
# with fewer output channels the way to tiles and back costs more than it saves
LEAST_CHANNELS = 128


class OpenL3Network:
    """Spectrograms in, embeddings out; it holds no state between calls.

    Parameters
    ----------
    tensors
        Named and shaped as :func:`tensor_shapes` says.
    pool
        Frequencies and frames that the last pooling takes the maximum of.
    """

    def __init__(self, tensors: Tensors, pool: tuple[int, int]):
        values = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
        self._scale, self._offset = _scale_and_offset(values, 1)
        self._convolutions = [_convolution(values, block) for block in range(1, N_BLOCKS + 1)]
        self._pool = pool

    def __call__(self, levels: FloatArray) -> FloatArray:
        """Embed spectrograms of shape (n, n_frequencies, n_frames).

        One after the other, for the activations of one fit the processor's cache; so memory does
        not grow with n, and a spectrogram's numbers do not depend on those beside it.

        Returns
        -------
        numpy.ndarray
            float32, shape (n, d): frequency by frequency, within it frame by frame, the channels.
        """
        with torch.inference_mode():
            vectors: FloatArray = torch.stack([self._one(image) for image in levels]).numpy()
        return vectors

    def _one(self, levels: FloatArray) -> Tensor:
        images = (torch.from_numpy(levels) * self._scale + self._offset)[None, None]
        images = images.contiguous(memory_format=torch.channels_last)
        for block, convolution in enumerate(self._convolutions, 1):
            if block > 1:
                images = images.relu_()
            if block in HALVED_BEFORE:
                images = functional.max_pool2d(images, 2)
            images = convolution(images)
        return functional.max_pool2d(images, self._pool)[0].permute(1, 2, 0).flatten()


def _scale_and_offset(values: dict[str, Tensor], block: int) -> tuple[Tensor, Tensor]:
    """What batch normalisation does at run time: multiply and add, shape (n_channels,) each."""
    gain, shift, mean, variance = (
        values[f"norm{block}.{name}"].double()
        for name in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gain / torch.sqrt(variance + KERAS_EPSILON)
    return scale.float(), (shift - mean * scale).float()


def _convolution(values: dict[str, Tensor], block: int) -> Callable[[Tensor], Tensor]:
    """A convolution and the normalisation behind it, which the last one has not."""
    kernels, biases = values[f"conv{block}.weight"], values[f"conv{block}.bias"]
    if block < N_BLOCKS:
        scale, offset = _scale_and_offset(values, block + 1)
        kernels, biases = kernels * scale[:, None, None, None], biases * scale + offset
    if len(biases) >= LEAST_CHANNELS:
        return TiledConvolution(kernels, biases)
    kernels = kernels.contiguous(memory_format=torch.channels_last)
    return partial(functional.conv2d, weight=kernels, bias=biases, padding=1)


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights: ``norm1`` and ``conv1`` to ``norm8`` and ``conv8``.

    A ``norm`` has weight, bias, running_mean and running_var, of one number for each channel. A
    ``conv`` has weight, (outputs, inputs, frequency, time), and bias.
    """
    shapes = dict[str, tuple[int, ...]]()
    for block in range(1, N_BLOCKS + 1):
        n_in, n_out = CHANNELS[block - 1 : block + 1]
        for name in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"norm{block}.{name}"] = (n_in,)
        shapes[f"conv{block}.weight"] = (n_out, n_in, 3, 3)
        shapes[f"conv{block}.bias"] = (n_out,)
    return shapes
