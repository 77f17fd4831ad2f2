"""mooer: the exact encoder with random weights, and its published files.

The golden states are those of the class ``SANMEncoder`` of funasr 1.4.16, of which MooER's own is a
copy, with the weights ``random_tensors(5)`` and the features of `features`.
"""

from pathlib import Path

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.embedders.mooer import (
    CHOICES,
    CMVN_SOURCE,
    ENCODER_SOURCE,
    FITNESS,
    NAME,
    WEIGHTS,
    Mooer,
    heard,
)
from recommender.embedders.mooer_network import MooerNetwork, tensor_shapes
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError, WeightsError
from recommender.frontend import kaldi_log_mel
from recommender.weights import Tensors
from recommender.weights_store import VARIABLE, store
from tests.contracts import EmbedderContract, noise_windows
from tests.random_weights_mooer import random_cmvn, random_tensors
from tests.signals import SIGNALS

FEW_BLOCKS = 2
# the first four numbers of the mean of both windows, and the length of that mean
GOLDEN_MEAN = [
    [0.340112, 0.33328897, -0.5231956, -0.29359445],
    [0.19714853, 0.06317307, -0.37316054, -0.38308167],
]
GOLDEN_LENGTH = [16.062338, 15.941691]
GOLDEN_LAST = [-1.0773613, 0.11896817, -0.01494928, 0.32298186, -0.52041864, -1.0286359]
GOLDEN_MEAN_OF_FEW = [
    [0.21323976, -0.32810298, -0.17003042, 0.0948522],
    [0.24791388, -0.37237349, 0.04739764, -0.18634027],
]


@pytest.fixture(scope="module")
def few() -> Tensors:
    return random_tensors(5, FEW_BLOCKS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, few: Tensors) -> Path:
    """A folder with random weights of the same layers, but fewer of them."""
    made = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(made))
        store(ENCODER_SOURCE, few, origin="random")
        store(CMVN_SOURCE, random_cmvn(6), origin="random")
    return made


@pytest.fixture
def embedder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Embedder:
    monkeypatch.setenv(VARIABLE, str(folder))
    return Mooer()


class TestMooerContract(EmbedderContract):
    @pytest.fixture
    def embedder(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Embedder:
        monkeypatch.setenv(VARIABLE, str(folder))
        return Mooer()


def features() -> FloatArray:
    return np.random.default_rng(3).standard_normal((2, 50, 560)).astype(np.float32)


def test_the_whole_network_is_the_original() -> None:
    tensors = random_tensors(5)
    assert len(tensors) == 652
    assert sum(tensor.size for tensor in tensors.values()) == 157_975_648
    states = MooerNetwork(tensors)(features())
    assert states.shape == (2, 50, 512)
    assert states.dtype == np.float32
    means = states.mean(axis=1)
    np.testing.assert_allclose(means[:, :4], GOLDEN_MEAN, rtol=0, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), GOLDEN_LENGTH, rtol=1e-5)
    np.testing.assert_allclose(states[1, 49, :6], GOLDEN_LAST, rtol=0, atol=1e-4)


def test_as_many_blocks_are_run_as_there_are_weights(few: Tensors) -> None:
    means = MooerNetwork(few)(features()).mean(axis=1)
    np.testing.assert_allclose(means[:, :4], GOLDEN_MEAN_OF_FEW, rtol=0, atol=2e-5)


def test_weights_are_not_copied(few: Tensors) -> None:
    weights = {name: tensor.copy() for name, tensor in few.items()}
    network = MooerNetwork(weights)
    weights["after_norm.bias"] += 1
    difference = network(features()) - MooerNetwork(few)(features())
    np.testing.assert_allclose(difference, 1, rtol=0, atol=1e-5)


def test_the_parameters_are_those_of_the_source() -> None:
    sizes = [int(np.prod(shape)) for shape in tensor_shapes().values()]
    assert sum(sizes) == ENCODER_SOURCE.n_parameters
    assert sum(tensor.size for tensor in random_cmvn(1).values()) == CMVN_SOURCE.n_parameters


def test_the_spec_says_what_is_heard(embedder: Embedder) -> None:
    spec = embedder.spec
    assert (spec.name, spec.sample_rate, spec.frame_dimension) == ("mooer", 16_000, 512)
    assert (spec.window_samples, spec.hop_samples, spec.least_samples) == (160_000,) * 3
    assert (spec.context_samples, spec.tag_names, spec.tail) == (0, (), "covered")


def test_a_window_is_heard_as_167_frames_of_560_numbers() -> None:
    cmvn = random_cmvn(6)
    window = SIGNALS["chords"]()[None, :160_000]
    frames = heard(window, cmvn)
    assert frames.shape == (1, 167, 560)
    assert frames.dtype == np.float32
    middle = kaldi_log_mel(window, 80)[0, 6]
    expected = (middle + cmvn["cmvn/shift"][240:320]) * cmvn["cmvn/scale"][240:320]
    np.testing.assert_allclose(frames[0, 1, 240:320], expected, rtol=0, atol=1e-6)


def test_the_vector_is_the_mean_of_the_states(embedder: Embedder, few: Tensors) -> None:
    windows = noise_windows(embedder, 1)
    states = MooerNetwork(few)(heard(windows, random_cmvn(6)))
    vectors = embedder.embed(windows).vectors
    np.testing.assert_allclose(vectors[0], states[0].mean(axis=0), rtol=0, atol=1e-6)


def test_more_windows_than_go_in_at_once_keep_their_order(embedder: Embedder) -> None:
    windows = noise_windows(embedder, Mooer.group + 1)
    together, last = embedder.embed(windows).vectors, embedder.embed(windows[-1:]).vectors
    np.testing.assert_allclose(together[-1], last[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("source", WEIGHTS, ids=lambda source: source.name)
def test_without_weights_the_spec_says_how_to_get_them(
    source: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: Tensors
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    if source is CMVN_SOURCE:
        store(ENCODER_SOURCE, few, origin="random")
    missing = "mooer-cmvn" if source is CMVN_SOURCE else "mooer-encoder"
    with pytest.raises(WeightsError, match=f"run: python -m indexer weights fetch {missing}"):
        _ = Mooer().spec


def test_other_weights_are_another_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: Embedder, few: Tensors
) -> None:
    before = embedder.spec.weights_sha256
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    store(ENCODER_SOURCE, few, origin="random")
    store(CMVN_SOURCE, random_cmvn(7), origin="random")
    assert Mooer().spec.weights_sha256 != before


def test_it_is_said_to_be_an_experiment_and_has_no_options() -> None:
    assert (NAME, CHOICES, WEIGHTS) == ("mooer", {}, (ENCODER_SOURCE, CMVN_SOURCE))
    assert FITNESS.startswith("experimental")
    with pytest.raises(InvalidParameterError, match="embedder=mooer has no option layer=3"):
        Mooer({"layer": "3"})
