"""musicnn's vgg against golden data of its authors' TensorFlow network, and its layers."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from threadpoolctl import threadpool_limits

from recommender.embedders.musicnn import Musicnn
from recommender.embedders.musicnn_layers import Activation
from recommender.embedders.musicnn_vgg import CHOICES, MODELS, MusicnnVgg
from recommender.embedders.musicnn_vgg_layers import InputLayer
from recommender.embedders.musicnn_vgg_network import VggNetwork
from recommender.embedders.options import parse_options
from recommender.embedding import Embedder, Frames
from recommender.errors import InvalidParameterError
from recommender.space import Space
from tests.contracts import EmbedderContract
from tests.musicnn_golden import cosines, embed_signal, golden
from tests.signals import SIGNALS

DoubleArray = npt.NDArray[np.float64]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """As where it is used; on a busy machine, threads would wait for each other at each product."""
    with threadpool_limits(1):
        yield


class TestVggContract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return MusicnnVgg(options={"model": "mtt"})


class TestTaggramContract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return MusicnnVgg(options={"layer": "taggram", "model": "msd"})


@cache
def embedded(signal: str) -> Frames:
    return embed_signal(MusicnnVgg(), signal)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("position", [0, 1], ids=MODELS)
def test_vectors_are_those_of_the_original_network(signal: str, position: int) -> None:
    expected = golden()[f"{signal}.{MODELS[position]}.pool5"].reshape(-1, 256)
    actual = embedded(signal).vectors[:, 256 * position :][:, :256]
    assert actual.shape == expected.shape
    assert cosines(actual, expected).min() > 1 - 5e-7
    np.testing.assert_allclose(actual, expected, rtol=0, atol=5e-3)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("position", [0, 1], ids=MODELS)
def test_tags_are_those_of_the_original_network(signal: str, position: int) -> None:
    expected = golden()[f"{signal}.{MODELS[position]}.taggram"]
    actual = embedded(signal).tags[:, 50 * position :][:, :50]
    assert actual.shape == expected.shape
    assert cosines(actual, expected).min() > 1 - 5e-7
    np.testing.assert_allclose(actual, expected, rtol=0, atol=3e-4)


def test_the_taggram_is_the_tags_as_a_vector() -> None:
    frames = embed_signal(MusicnnVgg(options={"layer": "taggram"}), "hiss")
    np.testing.assert_array_equal(frames.vectors, frames.tags)
    np.testing.assert_array_equal(frames.tags, embedded("hiss").tags)


def test_one_model_is_its_half_of_both() -> None:
    for position, model in enumerate(("msd", "mtt")):
        one = embed_signal(MusicnnVgg(options={"model": model}), "hiss")
        half = embedded("hiss").vectors[:, 256 * position :][:, :256]
        np.testing.assert_array_equal(one.vectors, half)


def test_tags_have_the_names_that_musicnn_gives_them() -> None:
    assert MusicnnVgg().spec.tag_names == Musicnn().spec.tag_names
    labels = [f"mtt:{label.lower()}" for label in golden()["labels.MTT_vgg"]]
    assert list(MusicnnVgg(options={"model": "mtt"}).spec.tag_names) == labels


@pytest.mark.parametrize(
    ("name", "dimension", "n_tags"),
    [
        ("musicnn-vgg", 512, 100),
        ("musicnn-vgg:model=mtt", 256, 50),
        ("musicnn-vgg:layer=taggram", 100, 100),
        ("musicnn-vgg:layer=taggram,model=msd", 50, 50),
    ],
)
def test_options_choose_layer_and_model(name: str, dimension: int, n_tags: int) -> None:
    spec = MusicnnVgg(options=parse_options(name)).spec
    assert (spec.name, spec.frame_dimension, len(spec.tag_names)) == (name, dimension, n_tags)


def test_each_choice_of_options_is_a_space_of_its_own() -> None:
    ids = {
        Space(MusicnnVgg(options={"layer": layer, "model": model}).spec, 12).id
        for layer in CHOICES["layer"]
        for model in CHOICES["model"]
    }
    assert len(ids) == 6
    assert all(id_.startswith("musicnn-vgg-") for id_ in ids)


def test_a_layer_of_the_other_architecture_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"layer=penultimate; use layer=pool5\|taggram"):
        MusicnnVgg(options={"layer": "penultimate"})
    with pytest.raises(InvalidParameterError, match="layer=pool5; use layer=penultimate"):
        Musicnn(options={"layer": "pool5"})


@pytest.fixture(scope="module")
def tensors() -> dict[str, npt.NDArray[np.float32]]:
    """Random variables of the architecture, with channels that fall as often as they rise."""
    random = np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {"dense/kernel": (256, 50), "dense/bias": (50,)}
    for number in range(1, 6):
        inputs = 1 if number == 1 else 128
        shapes |= {f"{number}CNN/kernel": (3, 3, inputs, 128), f"{number}CNN/bias": (128,)}
    for number in range(6):
        layer = f"batch_normalization_{number}" if number else "batch_normalization"
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        shapes |= {f"{layer}/{name}": (128 if number else 1,) for name in names}
    tensors = {n: random.normal(0, 0.1, shape) for n, shape in shapes.items()}
    tensors |= {n: random.normal(0, 1, t.shape) for n, t in tensors.items() if "gamma" in n}
    tensors |= {n: random.uniform(0.5, 2, t.shape) for n, t in tensors.items() if "variance" in n}
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}


def test_the_network_is_the_one_that_its_authors_wrote_down(
    tensors: dict[str, npt.NDArray[np.float32]],
) -> None:
    mel = np.random.default_rng(6).uniform(0, 3, (187, 96)).astype(np.float32)
    image = normalised(mel[:, :, None].astype(np.float64), tensors, 0)
    for number, (size, step) in enumerate(
        [((4, 1), 2), ((2, 2), 2), ((2, 2), 2), ((2, 2), 2), ((4, 4), 4)], start=1
    ):
        image = convolved(image, tensors[f"{number}CNN/kernel"]) + tensors[f"{number}CNN/bias"]
        image = maxima(normalised(np.maximum(image, 0), tensors, number), size, step)
    expected = image.reshape(1, -1)
    logits = expected @ tensors["dense/kernel"] + tensors["dense/bias"]
    layers = VggNetwork(tensors)(mel[None])
    np.testing.assert_allclose(layers.pool5, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(layers.taggram, 1 / (1 + np.exp(-logits)), rtol=0, atol=1e-5)


def test_the_first_maximum_sees_four_frames_and_every_other_band() -> None:
    kernel = np.zeros((9, 1), np.float32)
    kernel[4] = 1
    zero, one = np.zeros(1, np.float32), np.ones(1, np.float32)
    mel = np.arange(9 * 4, dtype=np.float32).reshape(9, 4)
    image = InputLayer(kernel, Activation.plain(zero, one, zero))(mel)
    np.testing.assert_array_equal(image[:, :, 0], mel[[3, 5, 7], ::2])


def normalised(
    image: DoubleArray, tensors: dict[str, npt.NDArray[np.float32]], number: int
) -> DoubleArray:
    layer = f"batch_normalization_{number}" if number else "batch_normalization"
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    gamma, beta, mean, variance = (tensors[f"{layer}/{name}"].astype(np.float64) for name in names)
    return np.asarray((image - mean) / np.sqrt(variance + 1e-3) * gamma + beta)


def convolved(image: DoubleArray, kernel: npt.NDArray[np.float32]) -> DoubleArray:
    high, wide, _ = image.shape
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    result = np.zeros((high, wide, kernel.shape[3]))
    for row, column in np.ndindex(3, 3):
        result += padded[row:, column:][:high, :wide] @ kernel[row, column].astype(np.float64)
    return result


def maxima(image: DoubleArray, size: tuple[int, int], step: int) -> DoubleArray:
    views = np.lib.stride_tricks.sliding_window_view(image, size, axis=(0, 1))
    return np.asarray(views[::step, ::step].max(axis=(3, 4)))
