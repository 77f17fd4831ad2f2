"""The layers of musicnn's vgg: convolutions of 3 x 3, "same" in time and frequency, and maxima.

Images are float32 of shape (n_frames, n_bands, channels). What makes these layers cheap is told in
:mod:`recommender.embedders.musicnn_layers`: the maximum is taken of the plain convolution, and
that is computed by :mod:`recommender.embedders.toom_cook`, here in both directions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recommender.arrays import FloatArray
from recommender.embedders.musicnn_layers import Activation
from recommender.embedders.toom_cook import ToomCook

TAPS = 3
# of results at a time: few enough to stay in the processor's cache, enough for matrix products
STRIP_FRAMES = 8
STRIP_TILES = 100


@dataclass(frozen=True, slots=True)
class InputLayer:
    """The convolution of one channel, then the maximum over 4 frames, every 2 frames and bands.

    Attributes
    ----------
    kernel
        Filters, shape (9, channels).
    activation
        What follows.
    """

    kernel: FloatArray
    activation: Activation

    def __call__(self, mel: FloatArray) -> FloatArray:
        """Spectrogram (n_frames, n_bands) to an image (n_frames // 2 - 1, n_bands // 2, n)."""
        # the bands between are never looked at
        patches = sliding_window_view(np.pad(mel, TAPS // 2), (TAPS, TAPS))[:, ::2]
        n_frames, n_bands = len(mel) // 2 - 1, patches.shape[1]
        image = np.empty((n_frames, n_bands, self.kernel.shape[1]), np.float32)
        for first in range(0, n_frames, STRIP_FRAMES):
            strip = image[first : first + STRIP_FRAMES]
            behind = patches[2 * first :][: 2 * len(strip) + 2]
            results = behind.reshape(-1, TAPS * TAPS) @ self.kernel
            frames = results.reshape(len(strip) + 1, 2, n_bands, -1)
            pairs = np.maximum(frames[:, 0], frames[:, 1])
            strip[:] = self.activation(np.maximum(pairs[:-1], pairs[1:]))
        return image


@dataclass(frozen=True, slots=True)
class SquareLayer:
    """A convolution, then the maximum over squares; what does not fill a square is left out.

    Attributes
    ----------
    method
        How to convolve along time and along frequency.
    kernel
        Evaluated filters, shape (n_points ** 2, channels in, channels out).
    square
        Frames and bands of a square; a tile holds whole ones.
    activation
        What follows.
    """

    method: ToomCook
    kernel: FloatArray
    square: int
    activation: Activation

    def __call__(self, image: FloatArray) -> FloatArray:
        """Image to one of (n_frames // square, n_bands // square, channels out)."""
        n_frames, n_bands = (size // self.square for size in image.shape[:2])
        tiles = self._tiles(image, n_frames * self.square, n_bands * self.square)
        n_rows = max(1, STRIP_TILES // tiles.shape[1])
        strips = [self._strip(tiles[row : row + n_rows]) for row in range(0, len(tiles), n_rows)]
        return self.activation(np.concatenate(strips)[:n_frames, :n_bands])

    def _tiles(self, image: FloatArray, n_frames: int, n_bands: int) -> FloatArray:
        """Overlapping tiles behind so many results: (high, wide, channels, n_points, n_points)."""
        outputs, margin = self.method.outputs, TAPS // 2
        high, wide = -(-n_frames // outputs), -(-n_bands // outputs)
        shape = (high * outputs + 2 * margin, wide * outputs + 2 * margin, image.shape[2])
        padded = np.zeros(shape, np.float32)
        inner = image[: shape[0] - margin, : shape[1] - margin]
        padded[margin:, margin:][: inner.shape[0], : inner.shape[1]] = inner
        points = (self.method.n_points, self.method.n_points)
        return sliding_window_view(padded, points, axis=(0, 1))[::outputs, ::outputs]

    def _strip(self, tiles: FloatArray) -> FloatArray:
        """Maxima of the plain convolution over rows of tiles: (frames, bands, channels out)."""
        high, wide, n_inputs, n_points, _ = tiles.shape
        inputs = tiles.transpose(3, 4, 0, 1, 2).reshape(n_points**2, -1)
        # one product with the Kronecker square does both directions at once
        evaluate = np.kron(self.method.evaluate, self.method.evaluate)
        values = (evaluate @ inputs).reshape(n_points**2, -1, n_inputs)
        products = (values @ self.kernel).reshape(n_points**2, -1)
        results = np.kron(self.method.interpolate, self.method.interpolate) @ products
        side = self.method.outputs // self.square
        squares = results.reshape(side, self.square, side, self.square, high, wide, -1)
        best: FloatArray = squares.max(axis=1).max(axis=2).transpose(2, 0, 3, 1, 4)
        return best.reshape(high * side, wide * side, -1)
