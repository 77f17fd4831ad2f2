"""Convolution in tiles against torch's own."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from recommender.embedders.tiled_convolution import TiledConvolution


# one tile, tiles that are cut, and more than one strip of them, within an image and of images
@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 2, 7), (2, 48, 51), (40, 6, 9)])
@pytest.mark.parametrize("size", [3, 5])
def test_tiles_give_what_torch_gives(shape: tuple[int, int, int], size: int) -> None:
    n, height, width = shape
    generator = torch.Generator().manual_seed(3)
    images = torch.randn((n, 16, height, width), generator=generator)
    kernels = torch.randn((5, 16, size, size), generator=generator)
    biases = torch.randn(5, generator=generator)
    expected = conv2d(images.double(), kernels.double(), biases.double(), padding=size // 2)
    found = TiledConvolution(kernels, biases)(images)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * float(expected.max()))


def test_images_may_lie_in_memory_in_any_order() -> None:
    images = torch.randn((2, 16, 9, 10), generator=torch.Generator().manual_seed(4))
    convolution = TiledConvolution(torch.ones((5, 16, 3, 3)), torch.zeros(5))
    same = images.contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(convolution(images), convolution(same))
