"""VGGish against its definition and a port of it, with random weights.

The golden vectors are those of the class ``VGG`` of torchvggish 0.2 without its last ReLU, with the
weights ``random_vggish(1)`` and the spectrograms ``random_log_mel(2, 2)``.
"""

from pathlib import Path

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.embedders import vggish_weights
from recommender.embedders.vggish import (
    NETWORK_SOURCE,
    PCA_SOURCE,
    WEIGHTS,
    Vggish,
    postprocess,
    quantised,
)
from recommender.embedders.vggish_network import VggishNetwork
from recommender.embedding import Embedder, window_starts
from recommender.errors import InvalidParameterError, WeightsError
from recommender.frontend import audioset_log_mel
from recommender.weights import Tensors
from recommender.weights_store import VARIABLE, store
from tests.contracts import EmbedderContract
from tests.random_weights_audioset import (
    random_log_mel,
    random_pca,
    random_vggish,
    vggish_shapes,
)
from tests.signals import chords
from tests.tf_tables import checkpoint

HIDDEN = 64
GOLDEN_HEAD = [
    [20.579458, -2.6148482, -9.4237223, 1.2076230, -9.4073515, 17.860873],
    [20.255112, -2.9978817, -6.9338458, 0.24648240, -7.8749208, 17.514730],
]
GOLDEN_NORM = [111.785904, 109.770889]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random weights, narrow in the hidden layers so that they load fast."""
    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        store(NETWORK_SOURCE, random_vggish(6, HIDDEN), origin="random")
        store(PCA_SOURCE, random_pca(7), origin="random")
    return folder


@pytest.fixture
def installed_weights(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(weights))


class TestVggishContract(EmbedderContract):
    @pytest.fixture
    def embedder(self, installed_weights: None) -> Embedder:
        return Vggish()


def windows() -> FloatArray:
    """Two windows of music, the second as far behind the first as the original's."""
    music = chords(3.0)
    return np.stack([music[:15600], music[15360:30960]])


def test_the_network_is_the_published_one() -> None:
    tensors = random_vggish(1)
    assert sum(tensor.size for tensor in tensors.values()) == 72_141_184
    vectors = VggishNetwork(tensors)(random_log_mel(2, 2))
    assert vectors.shape == (2, 128)
    np.testing.assert_allclose(vectors[:, :6], GOLDEN_HEAD, rtol=0, atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), GOLDEN_NORM, rtol=1e-5)


def test_all_windows_are_the_frames_of_the_original(installed_weights: None) -> None:
    spec = Vggish().spec
    music = chords(3.0)
    starts = window_starts(len(music), spec, None)
    assert len(starts) == 3
    whole = audioset_log_mel(music[None], 0.01)[0]
    for number, start in enumerate(starts):
        window = music[start : start + spec.window_samples]
        mel = audioset_log_mel(window[None], 0.01)[0]
        np.testing.assert_allclose(mel, whole[96 * number : 96 * (number + 1)], atol=1e-5)


@pytest.mark.usefixtures("installed_weights")
def test_the_last_relu_takes_what_is_negative_away() -> None:
    linear = Vggish().embed(windows()).vectors
    rectified = Vggish({"final_relu": "yes"}).embed(windows()).vectors
    assert (linear < 0).any()
    np.testing.assert_array_equal(rectified, np.maximum(linear, 0))


@pytest.mark.usefixtures("installed_weights")
def test_options_make_spaces_of_their_own() -> None:
    plain, projected = Vggish().spec, Vggish({"postprocess": "pca"}).spec
    rectified = Vggish({"final_relu": "yes"}).spec
    assert plain.name == "vggish"
    assert projected.name == "vggish:postprocess=pca"
    assert projected.weights_sha256 != plain.weights_sha256
    assert rectified.weights_sha256 == plain.weights_sha256
    assert rectified.layer != plain.layer


@pytest.mark.usefixtures("installed_weights")
def test_projected_vectors_are_the_published_bytes_scaled_back() -> None:
    vectors = Vggish({"postprocess": "pca"}).embed(windows()).vectors
    assert vectors.dtype == np.float32
    assert np.abs(vectors).max() <= 2
    levels = (vectors + 2) * 63.75
    np.testing.assert_allclose(levels, levels.round(), atol=1e-4)


def test_postprocessing_is_projection_clipping_and_truncation() -> None:
    projection = random_pca(3)
    vectors = np.random.default_rng(4).uniform(-2, 2, (50, 128)).astype(np.float32)
    centred = (vectors - projection["pca/means"]).astype(np.float64).T
    exact = ((projection["pca/eigen_vectors"] @ centred).T.clip(-2, 2) + 2) * 255 / 4
    levels = (postprocess(vectors, projection) + 2) * 63.75
    clear = np.abs(exact - exact.round()) > 1e-3
    np.testing.assert_allclose(levels[clear], exact.astype(np.uint8)[clear], atol=1e-4)
    assert {0, 255} <= set(levels.round().ravel().tolist())


def test_bytes_are_rounded_down_and_reach_from_0_to_255() -> None:
    projected = np.array([-9.0, -2.0, -2.0 + 0.99 / 63.75, 0.0, 2.0, 9.0], np.float32)
    np.testing.assert_array_equal(quantised(projected), [0, 0, 0, 127, 255, 255])


@pytest.mark.usefixtures("installed_weights")
def test_silence_and_nan_go_through_the_projection() -> None:
    silent = np.zeros((2, 15600), np.float32)
    silent[1, 0:200] = np.nan
    vectors = Vggish({"postprocess": "pca", "final_relu": "yes"}).embed(silent).vectors
    assert np.isfinite(vectors[0]).all()
    assert np.isnan(vectors[1]).all()


def test_missing_weights_are_said_before_any_audio_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(WeightsError, match="weights=vggish are not in"):
        _ = Vggish().spec
    store(NETWORK_SOURCE, {}, origin="random")
    assert Vggish().spec.frame_dimension == 128
    with pytest.raises(WeightsError, match="weights=vggish-pca are not in"):
        _ = Vggish({"postprocess": "pca"}).spec


def test_unknown_options_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"postprocess=none\|pca"):
        Vggish({"postprocess": "whiten"})


def test_sources_can_be_verified_and_converted() -> None:
    for source in WEIGHTS:
        assert source.digest.startswith("sha512:")
        assert len(source.digest) == len("sha512:") + 128
        assert hasattr(vggish_weights, source.converter.partition(":")[2])


def published(tensors: Tensors) -> Tensors:
    """The variables as TensorFlow has them, beside one that the network does not use."""
    variables = {f"vggish/{name}": in_tensorflow_order(each) for name, each in tensors.items()}
    return variables | {"vggish/unused": np.ones(3, np.float32)}


def in_tensorflow_order(tensor: FloatArray) -> FloatArray:
    order = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[tensor.ndim]
    return np.ascontiguousarray(tensor.transpose(order))


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Converts a network whose hidden layers are narrow: the whole one has 289 MB."""
    monkeypatch.setattr(vggish_weights, "SHAPES", vggish_shapes(HIDDEN))


@pytest.mark.usefixtures("narrow")
def test_the_published_checkpoint_is_converted(tmp_path: Path) -> None:
    tensors = random_vggish(8, HIDDEN)
    path = tmp_path / "vggish_model.ckpt"
    path.write_bytes(checkpoint(published(tensors)))
    converted = vggish_weights.convert(path)
    assert converted.keys() == tensors.keys()
    for name, values in tensors.items():
        np.testing.assert_array_equal(converted[name], values, strict=True)
        assert converted[name].flags.c_contiguous


@pytest.mark.usefixtures("narrow")
def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vggish_model.ckpt"
    path.write_bytes(checkpoint({"resnet/conv1/weights": np.ones((3, 3), np.float32)}))
    with pytest.raises(WeightsError, match="have no vggish/conv1/weights"):
        vggish_weights.convert(path)
    tensors = random_vggish(8, HIDDEN)
    tensors["conv2/weights"] = tensors["conv2/weights"][:, :5]
    path.write_bytes(checkpoint(published(tensors)))
    with pytest.raises(WeightsError, match=r"shape=\(128, 5, 3, 3\) of vggish/conv2/weights"):
        vggish_weights.convert(path)


@pytest.mark.parametrize("means_shape", [(128,), (128, 1)])
def test_the_published_projection_is_converted(
    tmp_path: Path, means_shape: tuple[int, ...]
) -> None:
    projection = random_pca(9)
    np.savez(
        tmp_path / "vggish_pca_params.npz",
        pca_eigen_vectors=projection["pca/eigen_vectors"].astype(np.float64),
        pca_means=projection["pca/means"].reshape(means_shape),
    )
    converted = vggish_weights.convert_pca(tmp_path / "vggish_pca_params.npz")
    assert converted.keys() == projection.keys()
    for name, values in projection.items():
        np.testing.assert_array_equal(converted[name], values, strict=True)


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vggish_pca_params.npz"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="are not VGGish's projection"):
        vggish_weights.convert_pca(path)


@pytest.mark.parametrize("means", [np.zeros(127), np.array([print] * 128, dtype=object)])
def test_an_archive_of_something_else_is_refused_and_nothing_in_it_is_run(
    tmp_path: Path, means: np.ndarray[tuple[int], np.dtype[np.generic]]
) -> None:
    path = tmp_path / "vggish_pca_params.npz"
    np.savez(path, pca_eigen_vectors=np.zeros((128, 128)), pca_means=means)
    with pytest.raises(WeightsError, match="are not VGGish's projection"):
        vggish_weights.convert_pca(path)
