"""The vgg network of musicnn (Pons and Serra, 2019) from its tensors, in numpy.

Five convolutions of 3 x 3 with 128 channels over the mel spectrogram, each followed by rectifier,
batch normalisation and a maximum over a few frames and bands; then one dense layer.
"""

from typing import NamedTuple

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.musicnn_layers import Activation
from recommender.embedders.musicnn_network import (
    Tensors,
    living_filters,
    normalisation,
    probabilities,
)
from recommender.embedders.musicnn_vgg_layers import TAPS, InputLayer, SquareLayer
from recommender.embedders.toom_cook import ToomCook, toom_cook

# of the maxima behind the second to the fifth convolution
SQUARES = (2, 2, 2, 4)


class VggLayers(NamedTuple):
    """What the network computes for some windows, each float32 of shape (n_windows, width).

    Attributes
    ----------
    pool5
        What the dense layer gets, 256 wide: 128 channels for each half of the window.
    taggram
        Tag probabilities, 50 wide.
    """

    pool5: FloatArray
    taggram: FloatArray


class VggNetwork:
    """One trained vgg model.

    It holds nothing but prepared weights, so threads may share it.

    Parameters
    ----------
    tensors
        The model's variables under the names of its checkpoint.
    """

    def __init__(self, tensors: Tensors):
        method = toom_cook(outputs=4, taps=TAPS)
        self._input_scale, self._input_shift = normalisation(tensors, 0)
        self._first = _input_layer(tensors)
        self._others = [
            _square_layer(tensors, number, method, square)
            for number, square in enumerate(SQUARES, start=2)
        ]
        self._output_kernel = tensors["dense/kernel"]
        self._output_bias = tensors["dense/bias"]

    def __call__(self, mel: FloatArray) -> VggLayers:
        """Run the network.

        Parameters
        ----------
        mel
            Compressed mel spectrograms, shape (n_windows, 187, 96).
        """
        pool5 = np.empty((len(mel), len(self._output_kernel)), np.float32)
        for row, window in zip(pool5, mel, strict=True):
            row[:] = self._features(window)
        return VggLayers(pool5, probabilities(pool5 @ self._output_kernel + self._output_bias))

    def _features(self, mel: FloatArray) -> FloatArray:
        """All convolutions over one window, shape (256,)."""
        image = self._first(mel * self._input_scale + self._input_shift)
        for layer in self._others:
            image = layer(image)
        return image.reshape(-1)


def _convolution(tensors: Tensors, number: int) -> tuple[FloatArray, Activation]:
    """Filters (taps, taps, inputs, channels), ready for the maximum, and what follows it."""
    scale, shift = normalisation(tensors, number)
    activation = Activation.after_maximum(tensors[f"{number}CNN/bias"], scale, shift)
    return living_filters(tensors[f"{number}CNN/kernel"]) * activation.sign, activation


def _input_layer(tensors: Tensors) -> InputLayer:
    filters, activation = _convolution(tensors, 1)
    return InputLayer(filters.reshape(TAPS * TAPS, -1), activation)


def _square_layer(tensors: Tensors, number: int, method: ToomCook, square: int) -> SquareLayer:
    filters, activation = _convolution(tensors, number)
    taps = method.evaluate_kernel
    values = np.einsum("ia,jb,abcd->ijcd", taps, taps, filters.astype(np.float64), optimize=True)
    kernel = values.astype(np.float32).reshape(-1, *filters.shape[2:])
    return SquareLayer(method, kernel, square, activation)
