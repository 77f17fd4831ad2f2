"""Published checkpoints of PANNs, and files that are none."""

from pathlib import Path

import numpy as np
import pytest
import torch

from recommender.embedders.panns import VARIANTS, Panns
from recommender.embedders.panns_network import ARCHITECTURES, tensor_shapes
from recommender.embedders.panns_weights import convert
from recommender.errors import WeightsError
from recommender.weights import Tensors
from recommender.weights_store import VARIABLE, store
from tests.random_weights_panns import random_tensors


@pytest.fixture(scope="module")
def tensors_of() -> dict[str, Tensors]:
    return {name: random_tensors(5, ARCHITECTURES[name]) for name in ("cnn10", "cnn6")}


def published(tensors: Tensors) -> dict[str, object]:
    """A checkpoint as the authors wrote them: with the front-end, the classes and counters."""
    state = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
    width = len(state["fc1.bias"])
    counters = {
        f"{name.removesuffix('.running_var')}.num_batches_tracked": torch.tensor(7)
        for name in state
        if name.endswith(".running_var")
    }
    fixed = {
        "spectrogram_extractor.stft.conv_real.weight": torch.zeros(513, 1, 1024),
        "spectrogram_extractor.stft.conv_imag.weight": torch.zeros(513, 1, 1024),
        "logmel_extractor.melW": torch.zeros(513, 64),
        "fc_audioset.weight": torch.zeros(527, width),
        "fc_audioset.bias": torch.zeros(527),
    }
    return {"iteration": 600_000, "model": fixed | state | counters}


@pytest.mark.parametrize(("network", "n_keys"), [("cnn10", 60), ("cnn6", 36)])
def test_a_published_checkpoint_gives_the_tensors_of_its_network(
    network: str, n_keys: int, tensors_of: dict[str, Tensors], tmp_path: Path
) -> None:
    tensors = tensors_of[network]
    checkpoint = published(tensors)
    assert len(checkpoint["model"]) == n_keys  # type: ignore[arg-type]
    torch.save(checkpoint, tmp_path / "network.pth")
    converted = convert(tmp_path / "network.pth")
    assert list(converted) == list(tensor_shapes(ARCHITECTURES[network]))
    for name, tensor in converted.items():
        np.testing.assert_array_equal(tensor, tensors[name])


def test_what_is_converted_can_be_stored_and_embeds(
    tensors_of: dict[str, Tensors], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    torch.save(published(tensors_of["cnn6"]), tmp_path / "network.pth")
    source = VARIANTS["cnn6"].source
    kept = store(source, convert(tmp_path / "network.pth"), origin="md5:0")
    embedder = Panns({"model": "cnn6"})
    assert embedder.spec.weights_sha256 == kept.sha256
    vectors = embedder.embed(np.zeros((1, embedder.spec.window_samples), np.float32)).vectors
    assert vectors.shape == (1, 512)
    assert vectors.any()


def test_a_sampler_of_old_numpy_arrays_is_read_past(
    tensors_of: dict[str, Tensors], tmp_path: Path
) -> None:
    """The 16 kHz checkpoint has one."""
    checkpoint = published(tensors_of["cnn6"]) | {"sampler": {"indexes": [np.arange(5)]}}
    path = tmp_path / "network.pth"
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert "fc1.bias" in convert(path)


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code of the file ran",)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"model": {"fc1.bias": torch.zeros(3)}}, id="another network"),
        pytest.param({"state_dict": {}}, id="another layout"),
        pytest.param([1, 2], id="a list"),
        pytest.param({"model": Hostile()}, id="code"),
    ],
)
def test_other_files_of_torch_are_refused_in_words(
    content: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"weights=other\.pth .*embedders\.md"):
        convert(tmp_path / "other.pth")
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 torn"])
def test_files_of_no_kind_are_refused_in_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"weights=other\.pth"):
        convert(tmp_path / "other.pth")


def test_a_network_with_a_missing_tensor_or_another_shape_is_refused(
    tensors_of: dict[str, Tensors], tmp_path: Path
) -> None:
    whole = tensors_of["cnn6"]
    missing = {name: tensor for name, tensor in whole.items() if name != "bn0.bias"}
    narrow = whole | {"fc1.bias": np.zeros(511, np.float32)}
    for tensors in (missing, narrow):
        torch.save({"model": {n: torch.from_numpy(t) for n, t in tensors.items()}}, tmp_path / "x")
        with pytest.raises(WeightsError, match="of no network"):
            convert(tmp_path / "x")
