"""The convolutional network of OpenL3's audio branch, in PyTorch.

Eight convolutions of 3 x 3, each behind a batch normalisation; the last one's outputs, neither
normalised nor rectified, are pooled into the embedding. All published networks have these shapes:
the spectrogram decides how large the images are, and the pooling how long the embedding is.
"""

from collections import OrderedDict

import torch
from torch import nn

from recommender.arrays import FloatArray
from recommender.weights import Tensors

CHANNELS = (1, 64, 64, 128, 128, 256, 256, 512, 512)
N_BLOCKS = len(CHANNELS) - 1
HALVED_BEFORE = (3, 5, 7)
KERAS_EPSILON = 1e-3


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
        # without memory at first: random values would cost time and move the global generator
        with torch.device("meta"):
            self._layers = nn.Sequential(_layers(pool))
        values = {name: torch.tensor(tensor) for name, tensor in tensors.items()}
        self._layers.load_state_dict(values, assign=True)
        # frequencies by frames by channels in memory, as in Keras: a quarter less time
        self._layers.eval().to(memory_format=torch.channels_last)

    def __call__(self, levels: FloatArray) -> FloatArray:
        """Embed spectrograms of shape (n, n_frequencies, n_frames); memory grows with n.

        Returns
        -------
        numpy.ndarray
            float32, shape (n, d): frequency by frequency, within it frame by frame, the channels.
        """
        with torch.inference_mode():
            images = torch.tensor(levels)[:, None].to(memory_format=torch.channels_last)
            vectors: FloatArray = self._layers(images).permute(0, 2, 3, 1).flatten(1).numpy()
        return vectors


def _layers(pool: tuple[int, int]) -> OrderedDict[str, nn.Module]:
    layers = OrderedDict[str, nn.Module]()
    for block in range(1, N_BLOCKS + 1):
        n_in, n_out = CHANNELS[block - 1 : block + 1]
        layers[f"norm{block}"] = nn.BatchNorm2d(n_in, eps=KERAS_EPSILON)
        if block > 1:
            layers[f"relu{block}"] = nn.ReLU(inplace=True)
        if block in HALVED_BEFORE:
            layers[f"pool{block}"] = nn.MaxPool2d(2)
        layers[f"conv{block}"] = nn.Conv2d(n_in, n_out, 3, padding=1)
    layers["pool"] = nn.MaxPool2d(pool)
    return layers


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
