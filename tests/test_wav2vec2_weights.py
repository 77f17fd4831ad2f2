"""Published files of wav2vec 2.0 in every layout, and files that are none.

The network in them is slim: what the converter does, it does by name and shape.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from recommender.embedders import wav2vec2_weights
from recommender.embedders.wav2vec2 import HUGGING_FACE, Architecture
from recommender.embedders.wav2vec2_weights import convert
from recommender.errors import WeightsError
from recommender.weights import Tensors
from recommender.weights_intake import found_elsewhere
from tests.random_weights_wav2vec2 import random_tensors
from tests.random_weights_waveform import assert_same_tensors

SLIM = Architecture(
    channels=8, width=24, heads=3, inner=32, layers=2, position_kernel=16, position_groups=4
)
State = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def tensors(monkeypatch: pytest.MonkeyPatch) -> Tensors:
    monkeypatch.setattr(wav2vec2_weights, "BASE", SLIM)
    return random_tensors(2, SLIM)


def of_hugging_face(tensors: Tensors) -> State:
    """As the network saved itself for further training, under the names of 2021."""
    heads = {
        "quantizer.codevectors": torch.zeros(1, 640, 128),
        "quantizer.weight_proj.weight": torch.zeros(640, 512),
        "project_hid.weight": torch.zeros(256, 768),
        "project_q.bias": torch.zeros(256),
        "wav2vec2.masked_spec_embed": torch.zeros(768),
    }
    return heads | {f"wav2vec2.{name}": torch.from_numpy(value) for name, value in tensors.items()}


def of_torchaudio(tensors: Tensors) -> State:
    state = dict[str, torch.Tensor]()
    for name, value in tensors.items():
        if name.startswith("encoder."):
            name = f"encoder.transformer.{name.removeprefix('encoder.')}"
        elif name.startswith("feature_projection."):
            name = f"encoder.{name}"
        state[name] = torch.from_numpy(value)
    return state


def of_later_torch(state: State) -> State:
    return {
        name.replace("weight_g", "parametrizations.weight.original0").replace(
            "weight_v", "parametrizations.weight.original1"
        ): value
        for name, value in state.items()
    }


def of_the_model_alone(tensors: Tensors) -> State:
    return {name: torch.from_numpy(value) for name, value in tensors.items()}


@pytest.mark.parametrize("later", [False, True], ids=["2021", "later"])
@pytest.mark.parametrize("layout", [of_hugging_face, of_torchaudio, of_the_model_alone])
@pytest.mark.parametrize("form", ["zip", "old torch", "safetensors"])
def test_every_layout_gives_the_same_tensors(
    layout: Callable[[Tensors], State], later: bool, form: str, tensors: Tensors, tmp_path: Path
) -> None:
    state = of_later_torch(layout(tensors)) if later else layout(tensors)
    path = tmp_path / "wav2vec2-base.download"
    if form == "safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == "zip")
    converted = convert(path)
    assert list(converted) == list(tensors)
    assert_same_tensors(converted, tensors)


def test_half_precision_is_widened(tensors: Tensors, tmp_path: Path) -> None:
    halves = {name: value.bfloat16() for name, value in of_hugging_face(tensors).items()}
    safetensors.torch.save_file(halves, tmp_path / "model.safetensors")
    expected = {n: torch.from_numpy(t).bfloat16().float().numpy() for n, t in tensors.items()}
    assert_same_tensors(convert(tmp_path / "model.safetensors"), expected)


def test_a_missing_tensor_or_another_shape_is_named(tensors: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    state = of_hugging_face(tensors)
    missing = "encoder.layers.1.final_layer_norm.bias"
    torch.save({name: value for name, value in state.items() if missing not in name}, path)
    with pytest.raises(WeightsError, match=rf"tensor={missing} of .*\.bin is missing"):
        convert(path)
    torch.save(state | {"wav2vec2.feature_projection.projection.bias": torch.zeros(9)}, path)
    with pytest.raises(WeightsError, match=r"projection\.bias .* is \(9,\) and should be \(24,\)"):
        convert(path)


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code of the file ran",)


@pytest.mark.parametrize("content", [Hostile(), {"args": Hostile(), "model": {}}, [1.0]])
def test_python_objects_are_not_loaded(
    content: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the file of the authors, which holds the settings of their training."""
    torch.save(content, tmp_path / "wav2vec_small.pt")
    with pytest.raises(WeightsError, match=r"wav2vec_small\.pt are no checkpoint .*embedders\.md"):
        convert(tmp_path / "wav2vec_small.pt")
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"<html>no</html>", b"PK\x03\x04 torn", b"12345678{torn"])
def test_files_of_no_kind_are_refused_in_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(content)
    with pytest.raises(WeightsError, match=r"weights=other\.bin are no (checkpoint|safetensors)"):
        convert(tmp_path / "other.bin")


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"weights=none\.bin are no checkpoint"):
        convert(tmp_path / "none.bin")


def test_the_cache_of_hugging_face_is_found_and_spares_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--facebook--wav2vec2-base" / "snapshots" / "0b5b8e86"
    snapshot.mkdir(parents=True)
    with (snapshot / "pytorch_model.bin").open("wb") as file:
        file.truncate(HUGGING_FACE.n_bytes)
    assert found_elsewhere(HUGGING_FACE) == snapshot / "pytorch_model.bin"
