"""Random weights for wav2vec 2.0, scaled so that levels survive every layer."""

from collections.abc import Iterator

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.wav2vec2 import BASE, Architecture
from recommender.embedders.wav2vec2_network import tensor_shapes
from recommender.weights import Tensors

POOL = 100_003


def random_tensors(seed: int, architecture: Architecture = BASE) -> Tensors:
    """Weights that a trained network could have in size, if not in sense.

    A hundred thousand random numbers, each time from another place, do for the 94 million of
    `BASE`.
    """
    generator = np.random.default_rng(seed)
    pool = 2 * generator.random(POOL, np.float32) - 1
    shapes = tensor_shapes(architecture, architecture.layers)
    starts: Iterator[int] = iter(generator.integers(POOL, size=len(shapes)).tolist())
    return {
        name: _scaled(name, np.resize(np.roll(pool, -next(starts)), shape))
        for name, shape in shapes.items()
    }


def _scaled(name: str, uniform: FloatArray) -> FloatArray:
    """From numbers in [-1, 1] to weights."""
    if name.endswith("weight_g") or (uniform.ndim == 1 and name.endswith("weight")):
        return 1 + uniform / np.float32(2)
    if uniform.ndim == 1:
        return uniform / np.float32(10)
    return uniform * np.float32((3.0 / np.prod(uniform.shape[1:])) ** 0.5)
