"""clmr: the exact architecture with random weights, and both layouts of its checkpoints."""

import argparse
import io
import zipfile
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recommender.embedders.clmr import CHOICES, NAME, SOURCE, STAGES, WEIGHTS, Clmr
from recommender.embedders.clmr_weights import convert
from recommender.embedders.waveform_stages import tensor_shapes
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError, WeightsError
from recommender.weights import Tensors
from recommender.weights_store import VARIABLE, store
from tests.contracts import EmbedderContract
from tests.random_weights_clmr import random_tensors
from tests.random_weights_waveform import assert_same_tensors
from tests.signals import SIGNALS
from tests.waveform_reference import reference_output, steps_and_channels

PARTS = {
    "weight": "0.weight",
    "bias": "0.bias",
    "gamma": "1.weight",
    "beta": "1.bias",
    "mean": "1.running_mean",
    "var": "1.running_var",
}


@cache
def weights() -> Tensors:
    return random_tensors(6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(made))
        store(SOURCE, weights(), origin="random")
    return made


class TestClmrContract(EmbedderContract):
    @pytest.fixture
    def embedder(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Embedder:
        monkeypatch.setenv(VARIABLE, str(folder))
        return Clmr()


def test_the_spec_is_that_of_the_training(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))
    spec = Clmr().spec
    assert (spec.name, spec.sample_rate, spec.frame_dimension) == ("clmr", 22_050, 512)
    assert (spec.window_samples, spec.hop_samples, spec.least_samples) == (59_049,) * 3
    assert (spec.context_samples, spec.tag_names) == (0, ())
    assert spec.layer == "encoder"
    assert spec.front_end == "waveform-22k"


def test_there_are_as_many_parameters_as_in_the_original() -> None:
    shapes = tensor_shapes(STAGES)
    learnt = [s for name, s in shapes.items() if not name.endswith((".mean", ".var"))]
    assert sum(int(np.prod(shape)) for shape in learnt) == 2_368_512


def test_channels_and_steps_are_those_of_the_original() -> None:
    assert steps_and_channels(59_049, STAGES) == [
        (19_683, 128),
        (6_561, 128),
        (2_187, 128),
        (729, 256),
        (243, 256),
        (81, 256),
        (27, 256),
        (9, 256),
        (3, 256),
        (1, 512),
        (1, 512),
    ]


def test_vectors_are_those_of_the_reference_arithmetic(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))
    window = SIGNALS["chords"]()[:59_049]
    expected = reference_output(window.astype(np.float64), weights(), STAGES)[0]
    actual = Clmr().embed(window[None]).vectors[0]
    assert (actual >= 0).all()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * expected.max())


def test_what_no_recording_holds_is_limited(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))
    signs = np.sign(np.random.default_rng(2).standard_normal((1, 59_049))).astype(np.float32)
    loudest, louder = (Clmr().embed(signs * np.float32(x)).vectors for x in (1e6, 1e30))
    np.testing.assert_array_equal(louder, loudest)


def test_without_weights_the_spec_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(WeightsError, match="run: python -m indexer weights fetch clmr-mtat"):
        _ = Clmr().spec


def test_options_are_refused() -> None:
    assert (NAME, CHOICES, WEIGHTS) == ("clmr", {}, (SOURCE,))
    with pytest.raises(InvalidParameterError, match="embedder=clmr has no option layer=fc"):
        Clmr({"layer": "fc"})


def state_dict(prefix: str) -> "OrderedDict[str, torch.Tensor]":
    """As SimCLR around SampleCNN saves itself, with what the training needs besides."""
    state: OrderedDict[str, torch.Tensor] = OrderedDict()
    for name, tensor in weights().items():
        number, part = name.removeprefix("conv").split(".")
        place = f"{prefix}sequential.{int(number) - 1}"
        state[f"{place}.{PARTS[part]}"] = torch.tensor(tensor)
        state[f"{place}.1.num_batches_tracked"] = torch.tensor(7)
    state[f"{prefix}fc.weight"] = torch.zeros(50, 512)
    state["projector.0.weight"] = torch.zeros(512, 512)
    return state


def saved(checkpoint: object, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(checkpoint, file, **options)
    return file.getvalue()


def lightning(**extra: object) -> dict[str, object]:
    # a Lightning module that holds the encoder by itself and within SimCLR saves it twice
    twice = {name: torch.zeros(1) for name in state_dict("encoder.")} | state_dict("model.encoder.")
    return {"pytorch-lightning_version": "1.4.0", "epoch": 3, "state_dict": twice, **extra}


@pytest.mark.parametrize(
    "content",
    [
        lambda: saved(state_dict("encoder.")),
        lambda: saved(state_dict("encoder."), _use_new_zipfile_serialization=False),
        lambda: saved(lightning()),
    ],
    ids=["bare", "bare of 2019", "lightning"],
)
def test_both_layouts_are_converted(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "clmr.pt"
    path.write_bytes(content())
    assert_same_tensors(convert(path), weights())


def test_the_release_is_read_without_the_optimiser_beside_it(tmp_path: Path) -> None:
    path = tmp_path / SOURCE.file_name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("clmr_checkpoint_10000_optim.pt", saved({"state": {}}))
        archive.writestr("clmr_checkpoint_10000.pt", saved(state_dict("encoder.")))
    assert_same_tensors(convert(path), weights())
    assert list(tmp_path.iterdir()) == [path]


def test_python_objects_are_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "clmr.ckpt"
    path.write_bytes(saved(lightning(hyper_parameters=argparse.Namespace(seed=1))))
    with pytest.raises(WeightsError, match=r"clmr\.ckpt are no checkpoint of tensors alone"):
        convert(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: b"", "no checkpoint of tensors"),
        (lambda: b"<html>not found</html>", "no checkpoint of tensors"),
        (lambda: saved(state_dict("encoder."))[:-1000], "no checkpoint of tensors"),
        (lambda: saved([1.0]), "no checkpoint of tensors"),
        (lambda: saved({"pytorch-lightning_version": "1"}), r"conv1\.weight is missing"),
        (lambda: saved({}), r"conv1\.weight is missing"),
        (lambda: saved({"encoder.sequential.0.0.weight": 3}), r"conv1\.weight is missing"),
        (
            lambda: saved({"encoder.sequential.0.0.weight": torch.zeros(128, 1, 5)}),
            r"conv1\.weight is not finite or of shape \(128, 1, 5\)",
        ),
    ],
    ids=["empty", "page", "cut", "list", "lightning", "other", "number", "shape"],
)
def test_other_files_are_refused_in_words(tmp_path: Path, content: Any, said: str) -> None:
    path = tmp_path / "clmr.pt"
    path.write_bytes(content())
    with pytest.raises(WeightsError, match=rf"=clmr\.pt .*{said}"):
        convert(path)


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"weights=none\.pt cannot be read"):
        convert(tmp_path / "none.pt")
