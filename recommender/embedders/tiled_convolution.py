"""Convolution of images in tiles of 4 x 4 results, with far fewer multiplications.

Toom-Cook in both directions: a tile is known from as many products as it has inputs, of which 3 x 3
kernels need a quarter of the usual number and 5 x 5 kernels a sixth. The way to the tiles' values
and back are two small matrix products; a strip of tiles at a time, so that all of it stays in the
processor's cache.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from recommender.embedders.toom_cook import toom_cook

TILE = 4
# as many stay in the cache on their way, and are enough for a matrix product to be quick
STRIP_TILES = 100
# kernels of many channels do not stay in it, and are worth reading for more tiles
CHANNELS_PER_TILE = 4


class TiledConvolution:
    """A convolution that keeps the size of images; it holds no state between calls.

    Parameters
    ----------
    kernels
        Shape (n_outputs, n_inputs, size, size); size is odd.
    biases
        Shape (n_outputs,).
    """

    def __init__(self, kernels: Tensor, biases: Tensor):
        self._n_outputs, n_inputs, size, _ = kernels.shape
        maps = toom_cook(TILE, size)
        self._margin, self._points = size // 2, maps.n_points
        # one product with the Kronecker square does rows and columns at once
        evaluate, interpolate = map(torch.from_numpy, (maps.evaluate, maps.interpolate))
        self._evaluate = torch.kron(evaluate, evaluate)
        self._interpolate = torch.kron(interpolate, interpolate)
        taps = torch.from_numpy(maps.evaluate_kernel).float()
        values = torch.einsum("ia,ocab,jb->ijco", taps, kernels, taps)
        self._kernels = values.reshape(-1, n_inputs, self._n_outputs).contiguous()
        self._biases = biases
        self._strip_tiles = max(STRIP_TILES, n_inputs // CHANNELS_PER_TILE)

    def __call__(self, images: Tensor) -> Tensor:
        """Convolve images (n, n_inputs, height, width), zeros around them.

        Returns
        -------
        torch.Tensor
            Shape (n, n_outputs, height, width), with the channels last in memory.
        """
        n, _, height, width = images.shape
        high, wide = -(-height // TILE), -(-width // TILE)
        margin = self._margin
        sides = (margin, margin + wide * TILE - width, margin, margin + high * TILE - height)
        padded = functional.pad(images.permute(0, 2, 3, 1), (0, 0, *sides))
        results = padded.new_empty(n, high, TILE, wide, TILE, self._n_outputs)
        tiles = padded.unfold(1, self._points, TILE).unfold(2, self._points, TILE)
        for part in self._strips(n, high, wide):
            self._strip(tiles[part], results[part])
        whole = results.view(n, high * TILE, wide * TILE, self._n_outputs)
        return whole[:, :height, :width].permute(0, 3, 1, 2)

    def _strips(self, n: int, high: int, wide: int) -> Iterator[tuple[slice, slice]]:
        """Images and rows of tiles that are worked on at once: whole images if those are small."""
        n_rows = max(1, self._strip_tiles // wide)
        n_images = max(1, n_rows // high)
        for image in range(0, n, n_images):
            for row in range(0, high, n_rows):
                yield slice(image, image + n_images), slice(row, row + n_rows)

    def _strip(self, tiles: Tensor, results: Tensor) -> None:
        """From tiles (n, high, wide, n_inputs, points, points) to (n, high, 4, wide, 4, n_outputs).

        `results` is written to.
        """
        n, high, wide, n_inputs, points, _ = tiles.shape
        inputs = tiles.permute(4, 5, 0, 1, 2, 3).reshape(points**2, -1)
        values = (self._evaluate @ inputs).view(points**2, -1, n_inputs)
        products = torch.bmm(values, self._kernels).view(points**2, -1)
        outputs = (self._interpolate @ products).view(TILE, TILE, n, high, wide, -1)
        torch.add(outputs.permute(2, 3, 0, 4, 1, 5), self._biases, out=results)
