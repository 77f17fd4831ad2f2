"""The published files of MooER: its encoder's checkpoint and Kaldi's text."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recommender.embedders import mooer_weights
from recommender.embedders.mooer_network import tensor_shapes
from recommender.embedders.mooer_weights import convert, convert_cmvn
from recommender.errors import WeightsError
from recommender.weights import Tensors
from tests.random_weights_mooer import random_cmvn

Shapes = dict[str, tuple[int, ...]]
SHAPES = tensor_shapes()
FEW = tensor_shapes(2)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The converter asks for two blocks only, which is faster."""
    monkeypatch.setattr(mooer_weights, "tensor_shapes", lambda: FEW)


def state_dict(prefix: str = "", shapes: Shapes = SHAPES) -> dict[str, torch.Tensor]:
    """Every tensor in full shape, each of one number of its own, so that the file stays small."""
    return {
        prefix + name: torch.tensor(float(place)).expand(shape)
        for place, (name, shape) in enumerate(shapes.items())
    }


def written(folder: Path, content: object) -> Path:
    path = folder / "paraformer-encoder.pth"
    torch.save(content, path)
    return path


def assert_converted(tensors: Tensors, shapes: Shapes) -> None:
    assert {name: tensor.shape for name, tensor in tensors.items()} == shapes
    for place, tensor in enumerate(tensors.values()):
        assert tensor.dtype == np.float32
        assert tensor.flat[0] == tensor.flat[-1] == place


def test_the_published_checkpoint_is_converted(tmp_path: Path) -> None:
    assert_converted(convert(written(tmp_path, state_dict())), SHAPES)


@pytest.mark.usefixtures("few")
def test_the_encoder_is_taken_out_of_a_whole_paraformer(tmp_path: Path) -> None:
    rest = {"decoder.after_norm.bias": torch.zeros(3), "predictor.cif_output.bias": torch.zeros(1)}
    whole = state_dict("encoder.", FEW) | rest
    assert_converted(convert(written(tmp_path, whole)), FEW)


@pytest.mark.usefixtures("few")
def test_float32_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = {name: torch.empty(shape) for name, shape in FEW.items()}
    monkeypatch.setattr(torch, "load", lambda *args, **options: state)
    for name, tensor in convert(tmp_path / "any.pth").items():
        assert tensor.ctypes.data == state[name].data_ptr()


@pytest.mark.parametrize("name", ["encoders0.0.norm1.weight", "after_norm.bias"])
def test_every_tensor_is_required_in_its_shape(tmp_path: Path, name: str) -> None:
    state = state_dict()
    del state[name]
    with pytest.raises(WeightsError, match=rf"tensor={name} of .* is missing and should be \("):
        convert(written(tmp_path, state))
    state[name] = torch.zeros(7)
    with pytest.raises(WeightsError, match=rf"tensor={name} of .* is \(7,\) and should be \("):
        convert(written(tmp_path, state))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1.0], "are no checkpoint of tensors"),
        ({3: torch.zeros(2)}, "is missing and should be"),
        ({"args": argparse.Namespace(seed=1)}, "are no checkpoint of tensors"),
    ],
    ids=["list", "numbered", "object"],
)
def test_other_checkpoints_are_refused_in_words(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(WeightsError, match=rf"paraformer-encoder\.pth {said}"):
        convert(written(tmp_path, content))


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 cut"])
def test_other_files_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "paraformer-encoder.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="no checkpoint of tensors alone"):
        convert(path)


def kaldi_text(shift: object, scale: object) -> str:
    """As Kaldi writes it, with the numbers of each component in one line."""
    return (
        "<Nnet> \n<Splice> 560 560\n[ 0 ]\n"
        f"<AddShift> 560 560 \n<LearnRateCoef> 0 [ {shift} ]\n"
        f"<Rescale> 560 560\n<LearnRateCoef> 0 [ {scale} ]\n</Nnet> \n"
    )


def joined(numbers: np.ndarray) -> str:
    return " ".join(str(number) for number in numbers)


def test_shift_and_scale_are_read_as_kaldi_writes_them(tmp_path: Path) -> None:
    cmvn = random_cmvn(3)
    path = tmp_path / "am.mvn"
    path.write_text(kaldi_text(joined(cmvn["cmvn/shift"]), joined(cmvn["cmvn/scale"])))
    converted = convert_cmvn(path)
    assert sorted(converted) == sorted(cmvn)
    for name, numbers in cmvn.items():
        assert converted[name].dtype == np.float32
        np.testing.assert_array_equal(converted[name], numbers)


ONES = joined(np.ones(560))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "have no <AddShift>"),
        (kaldi_text(ONES, ONES).partition("<Rescale>")[0], "have no <Rescale>"),
        (kaldi_text(joined(np.ones(400)), ONES), "numbers=400 in <AddShift>"),
        (kaldi_text(ONES, joined(np.ones(561))), "numbers=561 in <Rescale>"),
        (kaldi_text(ONES, ONES.replace("1.0", "nan", 1)), "in <Rescale> .* all finite"),
        (kaldi_text("a b", ONES), "hold no numbers in <AddShift>"),
        (kaldi_text(ONES, ONES).replace("]", ""), "have no <AddShift>"),
    ],
    ids=["empty", "cut", "short", "long", "nan", "words", "open"],
)
def test_other_texts_are_refused_in_words(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "am.mvn"
    path.write_text(content)
    with pytest.raises(WeightsError, match=said):
        convert_cmvn(path)


def test_what_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "am.mvn"
    path.write_bytes(b"\xff\xfe\x80")
    with pytest.raises(WeightsError, match=r"am\.mvn cannot be read as text"):
        convert_cmvn(path)
    with pytest.raises(WeightsError, match=r"none\.mvn cannot be read as text"):
        convert_cmvn(tmp_path / "none.mvn")
