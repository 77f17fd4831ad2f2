"""soundnet: the exact architecture with random weights, and the files that its weights are in."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recommender.embedders.soundnet import (
    CHOICES,
    NAME,
    ORIGINAL,
    SOURCE,
    STAGES,
    WEIGHTS,
    SoundNet,
)
from recommender.embedders.soundnet_weights import SOUND8_NPY_GIT_SHA1
from recommender.embedders.waveform_network import WaveformNetwork
from recommender.embedders.waveform_stages import tensor_shapes
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError, WeightsError
from recommender.weights import Tensors
from recommender.weights_store import VARIABLE, store
from tests.contracts import EmbedderContract
from tests.random_weights_soundnet import random_tensors
from tests.signals import SIGNALS
from tests.waveform_reference import reference_output, steps_and_channels


@cache
def weights() -> Tensors:
    return random_tensors(7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(made))
        store(SOURCE, weights(), origin="random")
    return made


@pytest.fixture
def _installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))


@pytest.mark.usefixtures("_installed")
class TestConv7Contract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return SoundNet()


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(
    ("options", "name", "dimension", "layer"),
    [
        ({}, "soundnet", 1024, "conv7"),
        ({"layer": "conv7"}, "soundnet", 1024, "conv7"),
        ({"layer": "pool5"}, "soundnet:layer=pool5", 256, "pool5"),
    ],
)
def test_the_layer_is_chosen(
    options: dict[str, str], name: str, dimension: int, layer: str
) -> None:
    spec = SoundNet(options).spec
    assert (spec.name, spec.frame_dimension, spec.layer) == (name, dimension, layer)
    assert (spec.sample_rate, spec.context_samples, spec.tag_names) == (22_050, 0, ())
    assert (spec.window_samples, spec.hop_samples, spec.least_samples) == (220_500,) * 3
    assert spec.front_end == "waveform256-22k"


def test_options_that_there_are_not_are_refused() -> None:
    assert (NAME, CHOICES) == ("soundnet", {"layer": ("conv7", "pool5")})
    with pytest.raises(InvalidParameterError, match=r"layer=conv8; use layer=conv7\|pool5"):
        SoundNet({"layer": "conv8"})


def test_there_are_as_many_parameters_as_in_the_original() -> None:
    shapes = tensor_shapes(STAGES)
    learnt = [s for name, s in shapes.items() if not name.endswith((".mean", ".var"))]
    hidden = sum(int(np.prod(shape)) for shape in learnt)
    heads = (1000 + 401) * (1024 * 8 + 1)
    assert hidden + heads == 14_352_713


@pytest.mark.parametrize(
    ("seconds", "conv7", "pool5"), [(1, 2, 3), (5, 4, 13), (10, 8, 27), (20, 15, 54)]
)
def test_steps_are_those_of_the_original(seconds: int, conv7: int, pool5: int) -> None:
    planned = steps_and_channels(seconds * 22_050, STAGES)
    assert (planned[6], planned[4]) == ((conv7, 1024), (pool5, 256))


def test_the_network_runs_over_sound_of_any_length() -> None:
    samples = np.zeros((2, 22_050), np.float32)
    assert WaveformNetwork(weights(), STAGES)(samples).shape == (2, 2, 1024)
    assert WaveformNetwork(weights(), STAGES[:5])(samples).shape == (2, 3, 256)


def test_ten_seconds_are_the_least_that_the_heads_of_the_original_take() -> None:
    # they span 8 steps of conv7
    assert steps_and_channels(220_500, STAGES)[-1] == (8, 1024)
    assert steps_and_channels(9 * 22_050, STAGES)[-1] == (7, 1024)


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(("layer", "n_stages"), [("conv7", 7), ("pool5", 5)])
def test_vectors_are_the_mean_over_time_of_256_times_the_sound(layer: str, n_stages: int) -> None:
    window = np.resize(SIGNALS["chords"](), 220_500)
    steps = reference_output(256.0 * window, weights(), STAGES[:n_stages])
    expected = steps.mean(axis=0)
    actual = SoundNet({"layer": layer}).embed(window[None]).vectors[0]
    assert (actual >= 0).all()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * expected.max())


@pytest.mark.usefixtures("_installed")
def test_what_no_recording_holds_is_limited() -> None:
    signs = np.sign(np.random.default_rng(2).standard_normal((1, 220_500))).astype(np.float32)
    embedder = SoundNet({"layer": "pool5"})
    loudest, louder = (embedder.embed(signs * np.float32(x)).vectors for x in (1e6, 1e30))
    np.testing.assert_array_equal(louder, loudest)


def test_without_weights_the_spec_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert WEIGHTS == (SOURCE, ORIGINAL)
    with pytest.raises(WeightsError, match=r"run: python -m indexer weights fetch soundnet-8$"):
        _ = SoundNet().spec


def test_both_files_make_the_same_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = []
    for source in WEIGHTS:
        monkeypatch.setenv(VARIABLE, str(tmp_path / source.name))
        store(source, weights(), origin="random")
        specs.append(SoundNet().spec)
    assert specs[0] == specs[1]


def test_the_unpickled_file_is_pinned_by_the_digest_that_git_knows() -> None:
    assert SOURCE.digest == "git-sha1:96766f1571489fdac071e132ef605f1440dda856"
    assert SOURCE.digest.endswith(SOUND8_NPY_GIT_SHA1)
