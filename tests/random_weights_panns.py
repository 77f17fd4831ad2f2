"""Random weights for the networks of PANNs, scaled so that levels survive every layer."""

import numpy as np

from recommender.embedders.panns_network import ARCHITECTURES, Architecture, tensor_shapes
from recommender.weights import Tensors


def random_tensors(seed: int, architecture: Architecture = ARCHITECTURES["cnn14"]) -> Tensors:
    """Weights that a trained network could have in size, if not in sense."""
    generator = np.random.default_rng(seed)
    return {
        name: _random(name, shape, generator) for name, shape in tensor_shapes(architecture).items()
    }


def _random(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    uniform = generator.random(shape, np.float32)
    if len(shape) > 1:
        reach = np.float32((6.0 / np.prod(shape[1:])) ** 0.5)
        return (2 * uniform - 1) * reach
    if name == "bn0.running_mean":
        return -40 + 20 * uniform
    if name == "bn0.running_var":
        return 200 + 200 * uniform
    if name.endswith(("running_var", "weight")):  # of a normalisation: one number a channel
        return uniform + np.float32(0.5)
    return uniform * np.float32(0.2)
