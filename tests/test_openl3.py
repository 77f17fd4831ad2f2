"""OpenL3 against its reference implementations, and as an embedder.

The golden numbers are those of other programs on one second of the chords, taken as 48 kHz. The
front-end ``kapre014`` and the embeddings are torchopenl3 1.0.1's, fed with the random weights of
this folder and with ``librosa.filters.mel(sr=48000, n_fft=2048, n_mels=n, htk=True)`` as
its mel bank, which its own class gets wrong until real weights overwrite it. The other two
front-ends are ``librosa.feature.melspectrogram(power=1.0, hop_length=242)`` of librosa 0.11.0,
centred, or not centred and with 1964 zeros behind, then ``power_to_db`` less its maximum.
"""

import itertools
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.embedders.openl3 import CHOICES, POOLS, SOURCES, WEIGHTS, OpenL3
from recommender.embedders.openl3_frontend import below_own_loudest, create_front_end
from recommender.embedders.openl3_network import OpenL3Network
from recommender.embedders.openl3_weights import convert
from recommender.embedders.options import parse_options
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError, WeightsError
from recommender.weights import Tensors
from recommender.weights_store import VARIABLE, store
from tests.contracts import EmbedderContract
from tests.random_weights_openl3 import random_tensors
from tests.signals import SIGNALS

# the mean of all levels, then those of frequencies 12, 50 and 100 in frames 0, 40, 80 and 120
GOLDEN_LEVELS = {
    ("mel256", "kapre014"): """
        -29.762 -16.484 -23.367 -16.192 -23.156 -10.964 -24.159 -16.249 -21.088 -17.631
        -26.079 -13.350 -16.542
    """,
    ("mel128", "kapre014"): """
        -28.064 -15.695 -25.378 -19.972 -25.238 -16.866 -26.243 -13.542 -16.732 -19.364
        -21.660 -15.710 -21.300
    """,
    ("linear", "kapre014"): """
        -31.411 -11.816 -15.733 -9.072 -12.360 -12.207 -15.141 -9.015 -12.047 -16.349
        -19.945 -16.595 -18.622
    """,
    ("mel256", "kapre03"): """
        -31.061 -26.528 -29.224 -15.937 -25.611 -9.231 -12.347 -8.598 -10.935 -24.518
        -29.630 -17.048 -27.092
    """,
    ("mel256", "librosa"): """
        -29.644 -18.326 -27.735 -20.388 -26.497 -9.878 -12.015 -7.446 -10.648 -20.952
        -31.833 -22.282 -25.378
    """,
}
# sixteen numbers, evenly spread over the embedding
GOLDEN_EMBEDDINGS = {
    ("mel256", "512"): """
        34.431 155.865 79.779 175.994 17.394 211.056 164.961 92.062 80.518 121.823 214.658
        142.007 -2.330 250.751 357.219 90.128
    """,
    ("mel128", "6144"): """
        9.148 -21.326 26.348 -4.500 -1.135 -29.482 16.054 -34.996 1.340 -33.062 21.697
        -25.926 26.045 -7.390 16.018 15.944
    """,
    ("linear", "512"): """
        52.417 135.098 95.491 199.712 5.517 209.528 153.561 97.587 75.089 133.940 186.016
        127.531 -2.704 272.980 367.123 103.865
    """,
}
SEED = 1


def numbers(text: str) -> list[float]:
    return [float(number) for number in text.split()]


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    return random_tensors(SEED)


@pytest.fixture(scope="module")
def weights_folder(tensors: Tensors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random weights for the smallest spectrograms."""
    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        store(SOURCES["mel128", "music"], tensors, origin="random")
    return folder


@pytest.fixture
def small(weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> OpenL3:
    monkeypatch.setenv(VARIABLE, str(weights_folder))
    return OpenL3({"repr": "mel128"})


class TestOpenL3Contract(EmbedderContract):
    @pytest.fixture
    def embedder(self, small: OpenL3) -> Embedder:
        return small


@pytest.fixture(scope="module")
def second() -> FloatArray:
    """One second of chords, a window; its last quarter is silent."""
    return SIGNALS["chords"](4.0)[None, 12_000:60_000]


@pytest.mark.parametrize(("representation", "front_end"), GOLDEN_LEVELS)
def test_spectrograms_are_those_of_the_reference(
    representation: str, front_end: str, second: FloatArray
) -> None:
    levels = create_front_end(representation, front_end)(second)[0]
    assert levels.dtype == np.float32
    picked = levels[np.ix_([12, 50, 100], [0, 40, 80, 120])]
    golden = numbers(GOLDEN_LEVELS[representation, front_end])
    np.testing.assert_allclose([levels.mean(), *picked.ravel()], golden, rtol=0, atol=2e-3)


@pytest.mark.parametrize(("representation", "size"), GOLDEN_EMBEDDINGS)
def test_embeddings_are_those_of_the_reference(
    representation: str, size: str, second: FloatArray, tensors: Tensors
) -> None:
    levels = create_front_end(representation, "kapre014")(second)
    vectors = OpenL3Network(tensors, POOLS[representation, size])(levels)
    assert vectors.shape == (1, int(size))
    golden = numbers(GOLDEN_EMBEDDINGS[representation, size])
    np.testing.assert_allclose(vectors[0, :: int(size) // 16], golden, rtol=0, atol=0.03)


def test_the_network_has_as_many_parameters_as_the_published_one(tensors: Tensors) -> None:
    sizes = {name: tensor.size for name, tensor in tensors.items()}
    assert sum(sizes.values()) == 4_689_860
    assert sum(size for name, size in sizes.items() if "running" not in name) == 4_687_042


def test_the_short_embedding_is_the_maximum_of_the_long_one(
    second: FloatArray, tensors: Tensors
) -> None:
    levels = create_front_end("mel128", "kapre014")(second)
    long = OpenL3Network(tensors, POOLS["mel128", "6144"])(levels)
    short = OpenL3Network(tensors, POOLS["mel128", "512"])(levels)
    # four bands of frequency by three stretches of time
    np.testing.assert_array_equal(long.reshape(12, 512).max(axis=0), short[0])


@pytest.mark.parametrize(
    ("representation", "shape"),
    [("mel256", (256, 199)), ("mel128", (128, 199)), ("linear", (257, 197))],
)
@pytest.mark.parametrize("front_end", CHOICES["frontend"])
def test_spectrograms_have_the_shape_of_training(
    representation: str, front_end: str, shape: tuple[int, int]
) -> None:
    levels = create_front_end(representation, front_end)(np.zeros((2, 48_000), np.float32))
    assert levels.shape == (2, *shape)


def test_front_ends_differ_by_decibels(second: FloatArray) -> None:
    kapre014, kapre03, librosa = (
        create_front_end("mel256", front_end)(second) for front_end in CHOICES["frontend"]
    )
    for one, other in itertools.combinations((kapre014, kapre03, librosa), 2):
        assert 2 < np.abs(one - other).mean() < 10


def test_levels_are_ten_times_the_logarithm_of_magnitudes_under_the_loudest() -> None:
    magnitudes = np.array([[[100.0, 10.0], [1.0, 0.0]]], np.float32)
    np.testing.assert_allclose(below_own_loudest(magnitudes), [[[0, -10], [-20, -80]]], atol=1e-5)


def test_silence_is_zero_throughout() -> None:
    assert not create_front_end("mel256", "kapre014")(np.zeros((1, 48_000), np.float32)).any()


def test_the_volume_says_nothing(small: OpenL3, second: FloatArray) -> None:
    loud, quiet = small.embed(np.concatenate([second, second / np.float32(64)])).vectors
    np.testing.assert_allclose(quiet, loud, rtol=0, atol=1e-4 * np.abs(loud).max())


@pytest.fixture
def marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """All six weights installed as far as the specification looks; their digests by name."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return {
        source.name: store(source, {"mark": np.full(1, row, np.float32)}, origin="mark").sha256
        for row, source in enumerate(WEIGHTS)
    }


@pytest.mark.parametrize(
    ("name", "full", "weights", "front_end"),
    [
        ("openl3", "openl3", "openl3-mel256-music", "mel256-48k-kapre014"),
        (
            "openl3:size=6144,content=env",
            "openl3:content=env,size=6144",
            "openl3-mel256-env",
            "mel256-48k-kapre014",
        ),
        (
            "openl3:repr=mel128,frontend=librosa",
            "openl3:repr=mel128,frontend=librosa",
            "openl3-mel128-music",
            "mel128-48k-librosa",
        ),
        (
            "openl3:repr=linear,frontend=librosa",
            "openl3:repr=linear",
            "openl3-linear-music",
            "linear-48k-kapre014",
        ),
    ],
)
def test_the_name_says_what_differs(
    name: str, full: str, weights: str, front_end: str, marked: dict[str, str]
) -> None:
    spec = OpenL3(parse_options(name)).spec
    assert (spec.name, spec.front_end) == (full, front_end)
    assert spec.weights_sha256 == marked[weights]


def test_every_choice_has_a_specification_of_its_own(marked: dict[str, str]) -> None:
    made = [
        OpenL3(dict(zip(CHOICES, values, strict=True))).spec
        for values in itertools.product(*CHOICES.values())
    ]
    # of linear spectrograms the three front-ends are one
    assert len(set(made)) == 2 * 2 * (3 + 3 + 1)
    assert {spec.frame_dimension for spec in made} == {512, 6144}
    assert {spec.window_samples for spec in made} == {48_000}


@pytest.mark.parametrize("options", [{"size": "256"}, {"content": "speech"}, {"hop": "0.1"}])
def test_other_options_are_refused(options: Mapping[str, str]) -> None:
    with pytest.raises(InvalidParameterError, match="openl3 has no option"):
        OpenL3(options)


def test_without_weights_the_specification_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(WeightsError, match="weights fetch openl3-mel256-music"):
        _ = OpenL3().spec


def test_importing_the_embedder_imports_neither_torch_nor_h5py() -> None:
    heavy = "sys.exit(bool({'torch', 'h5py'} & {*sys.modules}))"
    code = f"import sys, recommender.embedders.openl3; {heavy}"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_published_files_are_named_and_pinned() -> None:
    assert len({source.name for source in WEIGHTS}) == len(WEIGHTS) == 6
    for source in WEIGHTS:
        assert source.url.endswith(source.file_name)
        kind, _, digest = source.digest.partition(":")
        assert len(bytes.fromhex(digest)) == {"sha256": 32, "git-sha1": 20}[kind]
        assert source.converter == f"{convert.__module__}:{convert.__name__}"
