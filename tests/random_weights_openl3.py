"""Random weights in the exact shapes of OpenL3's, for tests without the published ones."""

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.openl3_network import tensor_shapes
from recommender.weights import Tensors


def random_tensors(seed: int) -> Tensors:
    """Values that keep the size of signals from layer to layer, as those of trained networks do."""
    # goldens depend on these: of numpy's generators this one's numbers never change
    generator = np.random.RandomState(seed)
    return {name: _random(generator, name, shape) for name, shape in tensor_shapes().items()}


def _random(generator: np.random.RandomState, name: str, shape: tuple[int, ...]) -> FloatArray:
    if len(shape) > 1:
        values = generator.standard_normal(shape) * (2 / np.prod(shape[1:])) ** 0.5
    elif name.endswith("running_var"):
        values = generator.uniform(0.5, 1.5, shape)
    elif name.startswith("norm") and name.endswith(".weight"):
        values = generator.uniform(0.8, 1.2, shape)
    else:
        values = generator.uniform(-0.1, 0.1, shape)
    return values.astype(np.float32)
