"""The layers of musicnn that convolve along time, arranged for speed on one core.

The front-end's results are only ever used as a maximum over frequency. Three observations make
them cheap:

* Batch normalisation after the rectifier is monotonic in each channel, rising or falling by the
  sign of its scale. With the filters of falling channels negated, the maximum can be taken of
  the plain convolution; bias, rectifier and scale follow on one value in place of many.
* Convolving along time by :mod:`recommender.embedders.toom_cook` leaves a quarter to a half of
  the multiplications.
* From any mel band on, the bands of a frame are contiguous. Matrix products read them in place, so
  nothing is ever unfolded.

Each loop works on what the second-level cache holds, which is why layers take one window.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.toom_cook import ToomCook


@dataclass(frozen=True, slots=True)
class Activation:
    """Bias, rectifier and batch normalisation; every array has shape (channels,).

    Attributes
    ----------
    sign
        -1 where the convolution's filters were negated, else 1.
    bias
        Added before the rectifier.
    scale, shift
        Batch normalisation as one multiplication and one addition.
    """

    sign: FloatArray
    bias: FloatArray
    scale: FloatArray
    shift: FloatArray

    @classmethod
    def plain(cls, bias: FloatArray, scale: FloatArray, shift: FloatArray) -> Self:
        """Behind a convolution whose filters are as they were trained."""
        return cls(np.ones_like(scale), bias, scale, shift)

    @classmethod
    def after_maximum(cls, bias: FloatArray, scale: FloatArray, shift: FloatArray) -> Self:
        """Behind the maximum of a convolution whose filters were multiplied with `sign`."""
        return cls(np.where(scale < 0, np.float32(-1), np.float32(1)), bias, scale, shift)

    def __call__(self, linear: FloatArray) -> FloatArray:
        """Apply to results of a convolution, shape (..., channels)."""
        rectified: FloatArray = np.maximum(self.sign * linear + self.bias, 0.0)
        return rectified * self.scale + self.shift


@dataclass(frozen=True, slots=True)
class TimbralLayer:
    """Filters over 7 frames and many mel bands, then the maximum over frequency.

    Attributes
    ----------
    method
        How to convolve along time.
    kernel
        Evaluated filters, shape (n_points, n_bands, channels).
    activation
        What follows.
    """

    method: ToomCook
    kernel: FloatArray
    activation: Activation

    def __call__(self, tiles: FloatArray) -> FloatArray:
        """Evaluated tiles (n_points, n_tiles, n_mels) to (outputs * n_tiles, channels)."""
        n_points, n_bands, channels = self.kernel.shape
        n_tiles, n_mels = tiles.shape[1:]
        products = np.empty((n_points, n_tiles, channels), np.float32)
        results = np.empty((self.method.outputs, n_tiles * channels), np.float32)
        best = np.full_like(results, -np.inf)
        for low in range(n_mels - n_bands + 1):
            np.matmul(tiles[:, :, low : low + n_bands], self.kernel, out=products)
            np.matmul(self.method.interpolate, products.reshape(n_points, -1), out=results)
            np.maximum(best, results, out=best)
        by_tile = best.reshape(-1, n_tiles, channels).swapaxes(0, 1)
        return self.activation(by_tile.reshape(-1, channels))


@dataclass(frozen=True, slots=True)
class TemporalLayer:
    """Long filters over the frames of one mel band, then the maximum over frequency.

    The filters are cut into pieces of `method.taps`, one a tile; pieces take the place that
    channels have in other convolutions. Neighbouring tiles share most of their pieces, so a group
    of them is one product, with the filters repeated a piece later for each tile.

    Attributes
    ----------
    method
        How to convolve along time; it has as many taps as outputs.
    kernel
        Evaluated pieces, shape (n_points, n_pieces + group - 1, group * channels).
    group
        Tiles of one product.
    first_tile
        Where this filter's first piece lies in the tiles that all temporal layers share.
    activation
        What follows.
    """

    method: ToomCook
    kernel: FloatArray
    group: int
    first_tile: int
    activation: Activation

    def __call__(self, tiles: FloatArray, n_groups: int) -> FloatArray:
        """Evaluated tiles (n_points, n_tiles, n_mels) to (outputs * group * n_groups, channels)."""
        n_points, span, width = self.kernel.shape
        outputs, n_mels = self.method.outputs, tiles.shape[2]
        products = np.empty((n_points, n_mels, width), np.float32)
        results = np.empty((outputs, n_mels * width), np.float32)
        best = np.empty((n_groups, outputs, width), np.float32)
        for index in range(n_groups):
            first = self.first_tile + index * self.group
            bands = tiles[:, first : first + span].swapaxes(1, 2)
            np.matmul(bands, self.kernel, out=products)
            np.matmul(self.method.interpolate, products.reshape(n_points, -1), out=results)
            np.max(results.reshape(outputs, n_mels, width), axis=1, out=best[index])
        channels = width // self.group
        by_tile = best.reshape(n_groups, outputs, self.group, channels).swapaxes(1, 2)
        return self.activation(by_tile.reshape(-1, channels))


@dataclass(frozen=True, slots=True)
class ChannelLayer:
    """Filters over 7 frames and all channels, "same" in time.

    With this few products per result a fast convolution would wait for memory; one matrix product
    with the taps side by side, and a shifted sum, does not.

    Attributes
    ----------
    kernel
        Filters, shape (channels in, taps * channels out).
    activation
        What follows.
    """

    kernel: FloatArray
    activation: Activation

    def __call__(self, features: FloatArray) -> FloatArray:
        """Features (n_frames, channels in) to (n_frames, channels out)."""
        n_frames, channels = len(features), len(self.activation.bias)
        products = (features @ self.kernel).reshape(n_frames, -1, channels)
        n_taps = products.shape[1]
        results = np.zeros((n_frames + n_taps - 1, channels), np.float32)
        for tap in range(n_taps):
            first = n_taps - 1 - tap
            results[first : first + n_frames] += products[:, tap]
        return self.activation(results[n_taps // 2 :][:n_frames])


def pad_frames(
    series: FloatArray, method: ToomCook, before: int, n_tiles: int | None = None
) -> FloatArray:
    """Zeros around a series (n_frames, channels), so that it can be cut into whole tiles.

    Parameters
    ----------
    series
        What to pad.
    method
        Whose tiles it is for.
    before
        Frames of zeros in front.
    n_tiles
        How many tiles to make; as many as give one result a frame by default.
    """
    count = -(-len(series) // method.outputs) if n_tiles is None else n_tiles
    padded = np.zeros((count * method.outputs + method.taps - 1, series.shape[1]), np.float32)
    padded[before : before + len(series)] = series
    return padded
