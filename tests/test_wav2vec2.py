"""wav2vec2 against torchaudio's code and transformers' defaults, and as an embedder.

The golden numbers come from ``wav2vec2_base`` of torchaudio 2.11.0, which shares no code with
transformers, with the random weights of `random_tensors(5)` in its own names, under torch 2.13: the
hidden states of ``extract_features``, averaged over frames. For ``clip`` it was given the chords
less their mean and divided by their deviation.
"""

import socket
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from recommender.arrays import FloatArray
from recommender.embedders import wav2vec2
from recommender.embedders.wav2vec2 import (
    BASE,
    HUGGING_FACE,
    N_PARAMETERS,
    TORCHAUDIO,
    WEIGHTS,
    Architecture,
    Wav2Vec2,
)
from recommender.embedders.wav2vec2_network import Wav2Vec2Network, configuration, tensor_shapes
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError, WeightsError
from recommender.weights import Tensors
from recommender.weights_store import VARIABLE, Installed, store
from tests.contracts import EmbedderContract
from tests.random_weights_wav2vec2 import random_tensors
from tests.signals import SIGNALS

# the first 16 numbers, the mean of all without their signs, and the largest
GOLDEN_TEXT = {
    ("6", "clip"): """
        -1.30691 -1.14238 -1.32212 1.08491 -0.303957 0.4247 -1.21867 -0.0449709 -2.18589 -1.77498
        1.96102 -0.789295 1.02199 2.11647 1.00658 0.738275 0.7782741 5.400903
    """,
    ("12", "none"): """
        -0.835447 0.389891 -0.848686 -0.610104 -0.363907 0.150219 3.25088 0.381413 0.141597
        -0.748017 0.881596 -0.340685 1.18102 -0.078283 0.0378891 0.677568 0.7635355 3.682901
    """,
}
GOLDEN = {key: [float(number) for number in text.split()] for key, text in GOLDEN_TEXT.items()}
# narrower than what is published, which the arithmetic does not see; frames are as long
SLIM = Architecture(
    channels=8, width=24, heads=3, inner=32, layers=12, position_kernel=16, position_groups=4
)


@pytest.fixture(autouse=True, scope="module")
def _single_thread() -> Iterator[None]:
    """Threads that wait for one another on a busy machine take many times as long."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@cache
def slim_tensors() -> Tensors:
    return random_tensors(1, SLIM)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(made))
        store(HUGGING_FACE, slim_tensors(), origin="random")
    return made


@pytest.fixture
def slim(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slim network is installed in place of the published one."""
    monkeypatch.setenv(VARIABLE, str(folder))
    monkeypatch.setattr(wav2vec2, "BASE", SLIM)


@pytest.fixture(scope="module")
def published_size() -> Tensors:
    return random_tensors(5)


class TestWav2Vec2Contract(EmbedderContract):
    @pytest.fixture
    def embedder(self, slim: None) -> Embedder:
        return Wav2Vec2()


@pytest.mark.parametrize(("layer", "normalise"), GOLDEN)
def test_vectors_are_those_of_torchaudio(
    layer: str, normalise: str, published_size: Tensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the 378 MB are not written
    monkeypatch.setattr(wav2vec2, "installed", lambda *_: Installed(Path(), "0" * 64, "random"))
    monkeypatch.setattr(Installed, "load", lambda _kept: published_size)
    window = np.resize(SIGNALS["chords"](), (1, 160_000))
    vector = Wav2Vec2({"layer": layer, "normalise": normalise}).embed(window).vectors[0]
    assert vector.shape == (768,)
    found = [*vector[:16], np.abs(vector).mean(), vector.max()]
    golden = GOLDEN[layer, normalise]
    np.testing.assert_allclose(found, golden, rtol=0, atol=1e-5 * max(golden))


def test_frames_are_those_of_the_published_network(published_size: Tensors) -> None:
    network = Wav2Vec2Network(BASE, published_size, n_layers=1)
    assert network(np.ones(400, np.float32)).shape == (1, 768)
    assert network(np.ones(16_000, np.float32)).shape == (49, 768)
    slim_network = Wav2Vec2Network(SLIM, slim_tensors(), n_layers=1)
    assert slim_network(np.ones(160_000, np.float32)).shape == (499, SLIM.width)


def test_tensors_are_those_that_transformers_has_by_default() -> None:
    with torch.device("meta"):
        theirs = Wav2Vec2Model(Wav2Vec2Config()).state_dict()
    assert sum(tensor.numel() for tensor in theirs.values()) == 94_371_712
    hidden = theirs.pop("masked_spec_embed")
    ours = tensor_shapes(BASE, BASE.layers)
    assert sum(int(np.prod(shape)) for shape in ours.values()) == N_PARAMETERS
    assert N_PARAMETERS + hidden.numel() == 94_371_712
    later_names = ("parametrizations.weight.original0", "parametrizations.weight.original1")
    assert {
        name.replace(later_names[0], "weight_g").replace(later_names[1], "weight_v"): tuple(t.shape)
        for name, t in theirs.items()
    } == ours


def test_the_configuration_is_that_of_transformers_but_for_chance() -> None:
    ours, theirs = (one.to_dict() for one in (configuration(BASE, 12), Wav2Vec2Config()))
    assert {name for name in theirs if ours[name] != theirs[name]} == {
        "hidden_dropout",
        "attention_dropout",
        "activation_dropout",
        "layerdrop",
        "apply_spec_augment",
        "mask_time_prob",
    }


def slim_reference(samples: FloatArray) -> list[FloatArray]:
    """All hidden states (n_frames, width) of transformers' model with its own defaults."""
    config = Wav2Vec2Config(
        hidden_size=SLIM.width,
        num_hidden_layers=SLIM.layers,
        num_attention_heads=SLIM.heads,
        intermediate_size=SLIM.inner,
        conv_dim=(SLIM.channels,) * 7,
        num_conv_pos_embeddings=SLIM.position_kernel,
        num_conv_pos_embedding_groups=SLIM.position_groups,
    )
    model = Wav2Vec2Model(config).eval()
    state = {name: torch.from_numpy(tensor) for name, tensor in slim_tensors().items()}
    unloaded = model.load_state_dict(state, strict=False)
    assert (unloaded.missing_keys, unloaded.unexpected_keys) == (["masked_spec_embed"], [])
    with torch.no_grad():
        heard = model(torch.from_numpy(samples)[None], output_hidden_states=True)
    return [states[0].numpy() for states in heard.hidden_states]


def test_each_layer_is_the_hidden_state_of_that_number() -> None:
    samples = np.random.default_rng(4).standard_normal(8000, np.float32)
    states = slim_reference(samples)
    assert len(states) == 13
    for layer, expected in enumerate(states):
        found = Wav2Vec2Network(SLIM, slim_tensors(), layer)(samples)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_a_standardised_window_has_no_level(slim: None) -> None:
    window = np.random.default_rng(5).uniform(-0.5, 0.5, (1, 160_000)).astype(np.float32)
    for normalise, moves in (("clip", False), ("none", True)):
        embedder = Wav2Vec2({"normalise": normalise})
        loud, quiet = embedder.embed(np.concatenate([window, window * np.float32(0.01)])).vectors
        assert (np.abs(loud - quiet).max() > 0.05 * np.abs(loud).max()) == moves


def test_it_asks_nobody_and_leaves_nothing_to_chance(
    slim: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> NoReturn:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    embedder, windows = Wav2Vec2(), np.ones((1, 160_000), np.float32)
    torch.manual_seed(1)
    vectors = embedder.embed(windows).vectors
    torch.manual_seed(2)
    np.testing.assert_array_equal(Wav2Vec2().embed(windows).vectors, vectors)


def test_the_spec_says_which_options_were_taken(slim: None) -> None:
    spec, other = Wav2Vec2().spec, Wav2Vec2({"layer": "12", "normalise": "none"}).spec
    assert (spec.name, spec.layer) == ("wav2vec2", "hidden6-mean")
    assert (other.name, other.layer) == ("wav2vec2:layer=12,normalise=none", "hidden12-mean")
    assert (spec.front_end, other.front_end) == ("waveform-16k-standardised", "waveform-16k")
    assert (spec.sample_rate, spec.frame_dimension, spec.tail) == (16_000, SLIM.width, "covered")
    assert (spec.window_samples, spec.hop_samples, spec.least_samples) == (160_000,) * 3
    assert spec.weights_sha256 == other.weights_sha256


def test_either_published_file_is_used_and_makes_one_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors: Tensors = {"none": np.zeros(1, np.float32)}
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    store(TORCHAUDIO, tensors, origin="random")
    spec = Wav2Vec2().spec
    assert spec.frame_dimension == 768
    store(HUGGING_FACE, tensors, origin="random")
    assert Wav2Vec2().spec == spec


def test_missing_weights_are_named_before_audio_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(WeightsError, match="run: python -m indexer weights fetch wav2vec2-base"):
        _ = Wav2Vec2().spec


@pytest.mark.parametrize("option", [{"layer": "13"}, {"normalise": "yes"}, {"model": "large"}])
def test_unknown_options_are_refused(option: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterError, match=r"use layer=6\|0\|.*normalise=clip\|none"):
        Wav2Vec2(option)


def test_sources_differ_only_in_who_published_them() -> None:
    assert WEIGHTS == (HUGGING_FACE, TORCHAUDIO)
    published = ("name", "url", "file_name", "n_bytes", "digest", "licence")
    as_one = replace(TORCHAUDIO, **{name: getattr(HUGGING_FACE, name) for name in published})
    assert as_one == HUGGING_FACE
