"""Stages of the networks that hear the waveform: one worked by hand, and what tensors must be."""

import numpy as np
import pytest

from recommender.embedders.waveform_network import WaveformNetwork
from recommender.embedders.waveform_stages import Stage, checked_tensors, tensor_shapes
from recommender.errors import WeightsError
from recommender.weights import Tensors
from tests.random_weights_waveform import random_stage_tensors
from tests.waveform_reference import reference_output

STAGE = Stage(1, 1, kernel=3, stride=2, padding=1, pool=2)
BY_HAND = {
    "conv1.weight": [[[1.0, 2.0, 3.0]]],
    "conv1.bias": [0.5],
    "conv1.mean": [0.5],
    "conv1.var": [4.0 - 1e-5],
    "conv1.gamma": [2.0],
    "conv1.beta": [-3.0],
}


def tensors_by_hand() -> Tensors:
    return {name: np.array(values, np.float32) for name, values in BY_HAND.items()}


def test_a_stage_is_what_a_hand_computes() -> None:
    # padded to 0 1 0 -1 2 1 0, every second place times 1 2 3: 2 4 4, with the bias 2.5 4.5 4.5;
    # minus the mean, by the deviation 2, times 2, minus 3: -1 1 1; rectified: 0 1 1
    samples = np.array([[1.0, 0.0, -1.0, 2.0, 1.0]], np.float32)
    every = Stage(1, 1, kernel=3, stride=2, padding=1)
    steps = WaveformNetwork(tensors_by_hand(), [every])(samples)
    np.testing.assert_allclose(steps, [[[0.0], [1.0], [1.0]]], atol=1e-6)
    # the third step is no pair
    pooled = WaveformNetwork(tensors_by_hand(), [STAGE])(samples)
    np.testing.assert_allclose(pooled, [[[1.0]]], atol=1e-6)


def test_stages_follow_each_other_as_in_the_reference() -> None:
    stages = (
        Stage(1, 4, kernel=5, stride=2, padding=2, pool=3),
        Stage(4, 3, kernel=4, stride=3, padding=0),
        Stage(3, 2, kernel=2, stride=1, padding=1, pool=2),
    )
    tensors = random_stage_tensors(stages, 3)
    windows = np.random.default_rng(4).standard_normal((2, 101)).astype(np.float32)
    actual = WaveformNetwork(tensors, stages)(windows)
    expected = np.stack([reference_output(window, tensors, stages) for window in windows])
    assert actual.shape == expected.shape == (2, 3, 2)
    np.testing.assert_allclose(actual, expected, atol=1e-5 * expected.max())


def test_tensors_are_named_by_stage_and_part() -> None:
    assert tensor_shapes([STAGE, Stage(1, 7, kernel=5, stride=1, padding=0)]) == {
        "conv1.weight": (1, 1, 3),
        **{f"conv1.{part}": (1,) for part in ("bias", "gamma", "beta", "mean", "var")},
        "conv2.weight": (7, 1, 5),
        **{f"conv2.{part}": (7,) for part in ("bias", "gamma", "beta", "mean", "var")},
    }


def test_only_tensors_of_the_network_are_kept_as_contiguous_float32() -> None:
    found = {name: np.array(values, np.float64) for name, values in BY_HAND.items()}
    found["conv1.weight"] = found["conv1.weight"][..., ::-1]
    kept = checked_tensors({**found, "classifier": np.zeros(3)}, [STAGE], "file")
    assert sorted(kept) == sorted(BY_HAND)
    assert all(t.dtype == np.float32 and t.flags.c_contiguous for t in kept.values())
    np.testing.assert_array_equal(kept["conv1.weight"], [[[3.0, 2.0, 1.0]]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conv1.var": None}, r"conv1\.var is missing"),
        ({"conv1.weight": np.zeros((1, 1, 4))}, r"of shape \(1, 1, 4\), it should be \(1, 1, 3\)"),
        ({"conv1.beta": np.array([np.nan])}, r"conv1\.beta is not finite"),
    ],
    ids=["missing", "shape", "nan"],
)
def test_other_tensors_are_refused_by_name(change: dict[str, np.ndarray], said: str) -> None:
    found = {k: v for k, v in {**tensors_by_hand(), **change}.items() if v is not None}
    with pytest.raises(WeightsError, match=rf"file=x\.pt holds other weights: .*{said}"):
        checked_tensors(found, [STAGE], "x.pt")
