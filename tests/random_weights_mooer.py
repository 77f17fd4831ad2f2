"""Random weights for the encoder of MooER, in its exact architecture."""

import numpy as np

from recommender.embedders.mooer_network import N_BLOCKS, tensor_shapes
from recommender.weights import Tensors


def random_tensors(seed: int, n_blocks: int = N_BLOCKS) -> Tensors:
    """As ``mooer_weights.convert`` returns them; deep stacks keep their level."""
    generator = np.random.default_rng(seed)
    return {
        name: _random(name, shape, generator) for name, shape in tensor_shapes(n_blocks).items()
    }


def random_cmvn(seed: int) -> Tensors:
    """As ``mooer_weights.convert_cmvn`` returns them, near those that are published."""
    generator = np.random.default_rng(seed)
    return {
        "cmvn/shift": -13 + 2 * generator.random(560, np.float32),
        "cmvn/scale": np.float32(0.15) + np.float32(0.1) * generator.random(560, np.float32),
    }


def _random(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    spread = generator.random(shape, np.float32) - np.float32(0.5)
    if len(shape) > 1:
        spread *= np.float32((12.0 / np.prod(shape[1:])) ** 0.5)
        return spread
    if name.endswith(("norm1.weight", "norm2.weight")):
        return spread + np.float32(1)
    return spread * np.float32(0.2) if name.endswith("bias") else spread + np.float32(1)
