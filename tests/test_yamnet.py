"""YAMNet against its definition and a port of it, with random weights.

The golden vectors are those of the class ``YAMNet`` of torch-vggish-yamnet 0.2.1, with the weights
``random_yamnet(3)`` (and the scale of its normalisations at 1) and the spectrograms
``random_log_mel(4, 2)``.
"""

from pathlib import Path

import numpy as np
import pytest

from recommender.embedders.yamnet import SOURCE, Yamnet
from recommender.embedders.yamnet_network import YamnetNetwork
from recommender.embedding import Embedder, window_starts
from recommender.errors import InvalidParameterError, WeightsError
from recommender.weights_store import VARIABLE, store
from tests.contracts import EmbedderContract, noise_windows
from tests.random_weights_audioset import random_log_mel, random_yamnet

GOLDEN_HEAD = [
    [0.0, 0.3376015, 2.0197032, 0.0931947, 1.6059328, 0.5991318],
    [0.0, 0.3923828, 1.5167259, 0.1961134, 1.8829769, 0.7563973],
]
GOLDEN_NORM = [60.865395, 59.588486]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        store(SOURCE, random_yamnet(6), origin="random")
    return folder


@pytest.fixture
def installed_weights(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(weights))


class TestYamnetContract(EmbedderContract):
    @pytest.fixture
    def embedder(self, installed_weights: None) -> Embedder:
        return Yamnet()


def test_the_network_is_the_published_one() -> None:
    vectors = YamnetNetwork(random_yamnet(3))(random_log_mel(4, 2))
    assert vectors.shape == (2, 1024)
    np.testing.assert_allclose(vectors[:, :6], GOLDEN_HEAD, rtol=0, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), GOLDEN_NORM, rtol=1e-5)


def test_it_has_as_many_trained_parameters_as_the_published_one() -> None:
    trained = sum(
        tensor.size for name, tensor in random_yamnet(1).items() if "/moving_" not in name
    )
    classifier = 521 * (1024 + 1)
    assert trained + classifier == 3_729_481


@pytest.mark.usefixtures("installed_weights")
def test_vectors_are_averages_of_what_is_rectified() -> None:
    embedder = Yamnet()
    vectors = embedder.embed(noise_windows(embedder, 2)).vectors
    assert vectors.min() == 0
    assert vectors.max() > 0


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize(("seconds", "n_windows"), [(0.975, 1), (1.455, 2), (3.0, 5)])
def test_windows_lie_half_a_window_apart(seconds: float, n_windows: int) -> None:
    assert len(window_starts(int(seconds * 16_000), Yamnet().spec, None)) == n_windows


def test_missing_weights_are_said_before_any_audio_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(WeightsError, match="weights=yamnet are not in"):
        _ = Yamnet().spec


def test_options_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="takes none"):
        Yamnet({"layer": "classes"})
