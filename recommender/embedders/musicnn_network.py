"""The musicnn network (Pons and Serra, 2019) from its tensors, in numpy.

Front-end: two timbral and three temporal convolutions over the mel spectrogram, each reduced to
its maximum over frequency, 561 channels together. Mid-end: three convolutions along time with
residuals, 64 channels each. Back-end: maximum and mean over time, two dense layers.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.musicnn_layers import (
    Activation,
    ChannelLayer,
    TemporalLayer,
    TimbralLayer,
    pad_frames,
)
from recommender.embedders.toom_cook import ToomCook, toom_cook

Tensors = Mapping[str, FloatArray]

N_FRAMES = 187
EPSILON = 1e-3
# Training left filters of 1e-34; over silence their products are subnormal and 30 times slower
DEAD_WEIGHT = 1e-12
TAPS = 7
TEMPORAL_TAPS = (128, 64, 32)
TEMPORAL_GROUP = 4
TEMPORAL_GROUPS = 12


class Layers(NamedTuple):
    """What the network computes for some windows, each float32 of shape (n_windows, width).

    Attributes
    ----------
    penultimate
        The dense layer before the tags, 200 wide.
    taggram
        Tag probabilities, 50 wide.
    max_pool, mean_pool
        Maximum and mean over time of front-end and mid-end, 753 wide: what the dense layers get.
    """

    penultimate: FloatArray
    taggram: FloatArray
    max_pool: FloatArray
    mean_pool: FloatArray


class MusicnnNetwork:
    """One trained musicnn model.

    It holds nothing but prepared weights, so threads may share it.

    Parameters
    ----------
    tensors
        The model's variables under the names of its checkpoint.
    """

    def __init__(self, tensors: Tensors):
        short, long = toom_cook(outputs=8, taps=TAPS), toom_cook(outputs=4, taps=4)
        self._short, self._long = short, long
        self._input_scale, self._input_shift = normalisation(tensors, 0)
        self._timbral = [_timbral_layer(tensors, number, short) for number in (0, 1)]
        self._temporal = [
            _temporal_layer(tensors, number, long, taps)
            for number, taps in enumerate(TEMPORAL_TAPS, start=2)
        ]
        self._mid_end = [_channel_layer(tensors, number) for number in (5, 6, 7)]
        self._hidden_kernel, self._hidden_activation = _hidden_layer(tensors)
        self._output_kernel = tensors["dense_1/kernel"]
        self._output_bias = tensors["dense_1/bias"]

    def __call__(self, mel: FloatArray) -> Layers:
        """Run the network.

        Parameters
        ----------
        mel
            Compressed mel spectrograms, shape (n_windows, 187, 96).
        """
        pooled = np.empty((len(mel), self._hidden_kernel.shape[0]), np.float32)
        for row, window in zip(pooled, mel, strict=True):
            row[:] = _pool(self._features(window))
        penultimate = self._hidden_activation(pooled @ self._hidden_kernel)
        logits = penultimate @ self._output_kernel + self._output_bias
        return Layers(
            penultimate,
            probabilities(logits),
            max_pool=pooled[:, 0::2],
            mean_pool=pooled[:, 1::2],
        )

    def _features(self, mel: FloatArray) -> FloatArray:
        """Front-end and mid-end of one window, shape (187, 753)."""
        front = self._front_end(mel * self._input_scale + self._input_shift)
        first = self._mid_end[0](front)
        second = self._mid_end[1](first) + first
        third = self._mid_end[2](second) + second
        return np.concatenate([front, first, second, third], axis=1)

    def _front_end(self, mel: FloatArray) -> FloatArray:
        short = self._short.tiles(pad_frames(mel, self._short, TAPS // 2))
        n_long = TEMPORAL_GROUPS * TEMPORAL_GROUP + TEMPORAL_TAPS[0] // self._long.taps - 1
        before = (TEMPORAL_TAPS[0] - 1) // 2
        long = self._long.tiles(pad_frames(mel, self._long, before, n_long))
        timbral = [layer(short)[:N_FRAMES] for layer in self._timbral]
        temporal = [layer(long, TEMPORAL_GROUPS)[:N_FRAMES] for layer in self._temporal]
        return np.concatenate([*timbral, *temporal], axis=1)


def probabilities(logits: FloatArray) -> FloatArray:
    """The sigmoid, in the form that cannot overflow."""
    between: FloatArray = 0.5 + 0.5 * np.tanh(0.5 * logits)
    return between


def living_filters(filters: FloatArray) -> FloatArray:
    """The filters, with what training left of those it gave up set to zero."""
    return np.where(np.abs(filters) < DEAD_WEIGHT, np.float32(0), filters)


def _pool(features: FloatArray) -> FloatArray:
    """Maximum and mean over time, interleaved channel by channel."""
    return np.stack([features.max(axis=0), features.mean(axis=0)], axis=1).reshape(-1)


def _variable(layer: str, number: int, name: str) -> str:
    """Name of a variable in the checkpoint, where the first layer of a kind has no number."""
    return f"{layer}_{number}/{name}" if number else f"{layer}/{name}"


def normalisation(tensors: Tensors, number: int) -> tuple[FloatArray, FloatArray]:
    """Batch normalisation as scale and shift."""
    gamma, beta, mean, variance = (
        tensors[_variable("batch_normalization", number, name)].astype(np.float64)
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + EPSILON)
    return scale.astype(np.float32), (beta - mean * scale).astype(np.float32)


def _bias_scale_shift(tensors: Tensors, number: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Bias, scale and shift of what follows convolution `number`."""
    scale, shift = normalisation(tensors, number + 1)
    return tensors[_variable("conv2d", number, "bias")], scale, shift


def _kernel(tensors: Tensors, number: int) -> FloatArray:
    """Filters of a convolution, shape (taps, inputs, channels)."""
    return living_filters(tensors[_variable("conv2d", number, "kernel")][:, :, 0, :])


def _timbral_layer(tensors: Tensors, number: int, method: ToomCook) -> TimbralLayer:
    activation = Activation.after_maximum(*_bias_scale_shift(tensors, number))
    kernel = method.kernel(_kernel(tensors, number) * activation.sign)
    return TimbralLayer(method, kernel, activation)


def _temporal_layer(tensors: Tensors, number: int, method: ToomCook, taps: int) -> TemporalLayer:
    activation = Activation.after_maximum(*_bias_scale_shift(tensors, number))
    pieces = (_kernel(tensors, number)[:, 0] * activation.sign).reshape(-1, method.taps, 51)
    evaluated = method.kernel(pieces.swapaxes(0, 1))
    n_points, n_pieces, channels = evaluated.shape
    span = n_pieces + TEMPORAL_GROUP - 1
    kernel = np.zeros((n_points, span, TEMPORAL_GROUP, channels), np.float32)
    for tile in range(TEMPORAL_GROUP):
        kernel[:, tile : tile + n_pieces, tile] = evaluated
    # a "same" filter starts (taps - 1) // 2 frames before its result
    first_tile = ((TEMPORAL_TAPS[0] - 1) // 2 - (taps - 1) // 2) // method.taps
    grouped = kernel.reshape(n_points, span, -1)
    return TemporalLayer(method, grouped, TEMPORAL_GROUP, first_tile, activation)


def _channel_layer(tensors: Tensors, number: int) -> ChannelLayer:
    kernel = _kernel(tensors, number).swapaxes(0, 1)
    side_by_side = np.ascontiguousarray(kernel).reshape(len(kernel), -1)
    return ChannelLayer(side_by_side, Activation.plain(*_bias_scale_shift(tensors, number)))


def _hidden_layer(tensors: Tensors) -> tuple[FloatArray, Activation]:
    """The first dense layer with the normalisation of its input folded in."""
    scale, shift = normalisation(tensors, 9)
    weights = tensors["dense/kernel"].astype(np.float64)
    bias = tensors["dense/bias"] + shift.astype(np.float64) @ weights
    kernel = (scale[:, None] * weights).astype(np.float32)
    return kernel, Activation.plain(bias.astype(np.float32), *normalisation(tensors, 10))
