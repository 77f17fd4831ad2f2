"""``max-local`` against VGGish, whose rows it averages, and against ``max``, whose twin it is."""

from pathlib import Path

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.embedders.environment import MAX_URL
from recommender.embedders.max_client import MaxClient
from recommender.embedders.max_local import MaxLocal
from recommender.embedders.vggish import (
    NETWORK_SOURCE,
    OFFSET,
    PCA_SOURCE,
    Vggish,
    quantised,
)
from recommender.embedders.vggish_network import VggishNetwork
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError, WeightsError
from recommender.frontend import audioset_log_mel
from recommender.space import Space
from recommender.weights_store import VARIABLE, store
from tests.contracts import EmbedderContract
from tests.fake_max import Levels, Samples, serving_max
from tests.random_weights_audioset import random_pca, random_thin_vggish
from tests.signals import chords

NETWORK, PROJECTION = random_thin_vggish(6, 8), random_pca(7)
STEP = 4 / 255


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random weights of a thin network."""
    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        store(NETWORK_SOURCE, NETWORK, origin="random")
        store(PCA_SOURCE, PROJECTION, origin="random")
    return folder


@pytest.fixture(autouse=True)
def _installed(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(weights))


class TestMaxLocalContract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return MaxLocal()


def music() -> FloatArray:
    """Two windows, end to end as they lie in a recording."""
    sound = chords(20.0)
    return np.stack([sound[:153_840], sound[153_600:307_440]])


def levels_of_vggish(samples: Samples) -> Levels:
    """The server's arithmetic in its own order: the spectrogram of all, and then rows of it."""
    sound = samples[None].astype(np.float32) / np.float32(32768)
    mel = audioset_log_mel(sound, OFFSET)[0]
    rows = mel[: 96 * (len(mel) // 96)].reshape(-1, 96, 64)
    embedded = np.maximum(VggishNetwork(NETWORK)(rows), 0)
    projected = (embedded - PROJECTION["pca/means"]) @ PROJECTION["pca/eigen_vectors"].T
    return quantised(projected).astype(np.uint8)


def test_it_agrees_with_a_server_of_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    here = MaxLocal().embed(music()).vectors
    with serving_max() as server:
        server.levels = levels_of_vggish
        monkeypatch.setenv(MAX_URL, server.url)
        there = MaxClient().embed(music()).vectors
    assert np.abs(here - there).max() <= STEP
    assert np.abs(here - there).mean() < STEP / 1000


def test_it_and_a_server_make_two_spaces_of_one_geometry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MAX_URL, "http://max:5000")
    here, there = MaxLocal().spec, MaxClient().spec
    assert Space(here, 12).id != Space(there, 12).id
    for name in ("sample_rate", "window_samples", "hop_samples", "least_samples", "tail", "layer"):
        assert getattr(here, name) == getattr(there, name)


def test_a_vector_is_the_mean_of_the_ten_published_rows() -> None:
    sound: FloatArray = (np.rint(music() * 32768) / 32768).astype(np.float32)
    rows = np.stack([sound[1, 15_360 * i : 15_360 * i + 15_600] for i in range(10)])
    each = Vggish({"final_relu": "yes", "postprocess": "pca"}).embed(rows).vectors
    vector = MaxLocal().embed(music()).vectors[1]
    np.testing.assert_allclose(vector, each.mean(axis=0), atol=1e-6)


def test_it_is_told_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(WeightsError, match="weights=vggish are not in"):
        _ = MaxLocal().spec


def test_it_takes_no_options() -> None:
    with pytest.raises(InvalidParameterError, match="it takes none"):
        MaxLocal({"postprocess": "none"})
