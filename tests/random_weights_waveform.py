"""Random weights for the networks that hear the waveform; each stage keeps the level of sound."""

from collections.abc import Sequence

import numpy as np

from recommender.embedders.waveform_stages import Stage, tensor_shapes
from recommender.weights import Tensors


def random_stage_tensors(stages: Sequence[Stage], seed: int) -> Tensors:
    rng = np.random.default_rng(seed)
    tensors = Tensors()
    for name, shape in tensor_shapes(stages).items():
        kind = name.partition(".")[2]
        if kind == "weight":
            drawn = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif kind in ("gamma", "var"):
            drawn = rng.uniform(0.5, 1.5, shape)
        else:
            drawn = rng.standard_normal(shape) * 0.1
        tensors[name] = drawn.astype(np.float32)
    return tensors


def assert_same_tensors(actual: Tensors, expected: Tensors) -> None:
    assert sorted(actual) == sorted(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(actual[name], tensor, err_msg=name)
