"""The networks of PANNs against their authors' code, and as embedders.

The golden numbers come from ``panns_inference.models.Cnn14`` (panns-inference 0.1.1) with the
spectrogram and the mel levels of torchlibrosa 0.1.0, and for cnn10 and cnn6 from the same front-end
followed by the blocks of the authors' training code; all of them with the random weights of
`random_tensors(5)`, under torch 2.13. The signals are taken as if their rate were the embedder's,
and repeated to fill the window.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from recommender.arrays import FloatArray
from recommender.embedders import panns
from recommender.embedders.panns import VARIANTS, WEIGHTS, Panns
from recommender.embedders.panns_network import (
    ARCHITECTURES,
    Architecture,
    PannsNetwork,
    _TwoBands,
    tensor_shapes,
)
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError, WeightsError
from recommender.weights import Tensors
from recommender.weights_store import VARIABLE, Installed, store
from tests.contracts import EmbedderContract
from tests.random_weights_panns import random_tensors
from tests.signals import SIGNALS

# the first 16 numbers, the mean of all and the largest
GOLDEN_TEXT = {
    ("cnn14", "chords"): """
        2.25665 0.543785 3.78499 0 2.22014 1.44167 0.983563 0 0.727787 0.499819 0.486931 0 2.11058
        4.18278 0 0 0.9990524 8.621331
    """,
    ("cnn14_16k", "chords"): """
        1.80649 0.534809 2.68319 0.00875733 1.49648 1.37907 0.652392 0 0.680249 0.50057 0.553055 0
        1.42118 3.13457 0 0 0.7792928 6.591615
    """,
    ("cnn10", "sweep"): """
        0 10.2994 21.2882 13.9011 0 0 0 0 0 20.1896 18.6328 14.5622 0 8.31079 0 18.6506
        6.699539 53.96889
    """,
    ("cnn6", "hiss"): """
        2.76441 0 7.60732 0 7.35095 4.24182 4.52059 0 5.13493 2.24861 1.73033 0 1.00192 9.01835
        0 0 1.789399 15.21219
    """,
}
GOLDEN = {key: [float(number) for number in text.split()] for key, text in GOLDEN_TEXT.items()}
TOLERANCE = 1e-5
# every eighth level of the first frame of the chords, then of frame 500, and the mean of all
LEVELS_TEXT = {
    "cnn14": """
        3.7987914 0.69634104 -3.8587096 -4.0011234 -2.3186483 -0.33891398 -4.8640103 -4.793113
        -11.501604 -11.356846 -10.95942 -6.4654264 -7.0598593 -6.4395905 -10.4037075 -9.080373
        -18.438553
    """,
    "cnn14_16k": """
        3.1401756 -5.766512 -11.597134 -0.03934523 -4.6479645 -6.0321054 -16.47122 -4.783804
        -13.168476 -7.890483 -11.393414 -3.973887 -10.761609 -8.291224 -15.90068 -8.768649
        -22.300852
    """,
}
LEVELS = {model: [float(number) for number in text.split()] for model, text in LEVELS_TEXT.items()}
SLIM = Architecture((4, 8, 8, 512), kernel=3, convolutions=1)


@pytest.fixture
def weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path


class TestPannsContract(EmbedderContract):
    """The network is narrower than any that is published, which the arithmetic does not see."""

    @pytest.fixture
    def embedder(self, weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Embedder:
        monkeypatch.setitem(ARCHITECTURES, "cnn6", SLIM)
        store(VARIANTS["cnn6"].source, random_tensors(1, SLIM), origin="random")
        return Panns({"model": "cnn6"})


@pytest.fixture(scope="module")
def tensors_of() -> dict[str, Tensors]:
    return {name: random_tensors(5, network) for name, network in ARCHITECTURES.items()}


@pytest.fixture(scope="module")
def networks(tensors_of: dict[str, Tensors]) -> dict[str, PannsNetwork]:
    return {name: PannsNetwork(ARCHITECTURES[name], tensors_of[name]) for name in ARCHITECTURES}


def pretend_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The 320 MB of cnn14 are not written for every test."""
    monkeypatch.setattr(panns, "installed", lambda source: Installed(Path(), "0" * 64, "random"))


def window_of(signal: str, embedder: Embedder) -> FloatArray:
    return np.resize(SIGNALS[signal](), (1, embedder.spec.window_samples))


@pytest.mark.parametrize(("model", "signal"), GOLDEN)
def test_vectors_are_those_of_the_authors_code(
    model: str,
    signal: str,
    networks: dict[str, PannsNetwork],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend_installed(monkeypatch)
    network = networks[VARIANTS[model].architecture]
    monkeypatch.setattr(Panns, "_load", lambda _embedder: network)
    embedder = Panns({"model": model})
    vector = embedder.embed(window_of(signal, embedder)).vectors[0]
    found = [*vector[:16], vector.mean(), vector.max()]
    golden = GOLDEN[model, signal]
    np.testing.assert_allclose(found, golden, rtol=0, atol=TOLERANCE * max(golden))


@pytest.mark.parametrize("model", LEVELS)
def test_levels_are_those_of_torchlibrosa(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_installed(monkeypatch)
    embedder = Panns({"model": model})
    levels = embedder._levels(window_of("chords", embedder)[0])
    assert levels.shape == (1001, 64)
    found = [*levels[0, ::8], *levels[500, ::8], levels.mean()]
    np.testing.assert_allclose(found, LEVELS[model], rtol=0, atol=2e-4)


@pytest.mark.parametrize("frames", [1, 6])
def test_two_bands_give_what_torch_gives(frames: int) -> None:
    generator = torch.Generator().manual_seed(3)
    images = torch.randn((2, 16, frames, 2), generator=generator)
    kernels = torch.randn((5, 16, 3, 3), generator=generator)
    biases = torch.randn(5, generator=generator)
    expected = conv2d(images.double(), kernels.double(), biases.double(), padding=1).relu()
    found = _TwoBands(kernels, biases)(images)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * float(expected.max()))


@pytest.mark.parametrize(
    ("network", "n_parameters"),
    # the published counts without the layer of 527 classes
    [
        ("cnn14", 80_753_615 - 527 * 2049),
        ("cnn10", 5_219_279 - 527 * 513),
        ("cnn6", 4_837_455 - 527 * 513),
    ],
)
def test_networks_have_as_many_parameters_as_published(network: str, n_parameters: int) -> None:
    learned = [
        shape
        for name, shape in tensor_shapes(ARCHITECTURES[network]).items()
        if ".running_" not in name
    ]
    assert sum(int(np.prod(shape)) for shape in learned) == n_parameters


def test_a_name_leaves_the_default_network_out(weights_folder: Path) -> None:
    for variant in VARIANTS.values():
        store(variant.source, {"none": np.zeros(1, np.float32)}, origin="random")
    specs = [Panns({"model": model}).spec for model in VARIANTS]
    assert [spec.name for spec in specs] == [
        "panns",
        "panns:model=cnn14_16k",
        "panns:model=cnn10",
        "panns:model=cnn6",
    ]
    assert [spec.frame_dimension for spec in specs] == [2048, 2048, 512, 512]
    assert [spec.window_samples for spec in specs] == [320_000, 160_000, 320_000, 320_000]
    assert Panns().spec == specs[0]


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"model=cnn14\|cnn14_16k\|cnn10\|cnn6"):
        Panns({"model": "cnn15"})


def test_missing_weights_are_named_before_audio_is_touched(weights_folder: Path) -> None:
    with pytest.raises(WeightsError, match="fetch panns-cnn14"):
        _ = Panns().spec


def test_sources_say_all_that_is_known() -> None:
    assert [source.name for source in WEIGHTS] == [
        "panns-cnn14",
        "panns-cnn14-16k",
        "panns-cnn10",
        "panns-cnn6",
    ]
    for source in WEIGHTS:
        kind, _, digits = source.digest.partition(":")
        assert len(digits) == {"sha256": 64, "md5": 32}[kind]
    assert WEIGHTS[0].url == (
        "https://zenodo.org/record/3987831/files/Cnn14_mAP%3D0.431.pth?download=1"
    )
