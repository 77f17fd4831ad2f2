"""The files that soundnet's weights are published in, written here as their authors wrote them."""

import hashlib
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.embedders import soundnet_weights
from recommender.embedders.soundnet import ORIGINAL, STAGES
from recommender.embedders.soundnet_weights import SOUND8_NPY_GIT_SHA1, convert
from recommender.errors import WeightsError
from recommender.weights import Tensors
from tests.random_weights_soundnet import random_tensors
from tests.random_weights_waveform import assert_same_tensors
from tests.torch7_writer import Module, Storage, Tensor, Torch7Writer


@cache
def weights() -> Tensors:
    return random_tensors(7)


class Flattened:
    """All tensors of a network in one storage of the graphics card, as training leaves them."""

    def __init__(self) -> None:
        self._arrays = list[Any]()
        self._placed = list[tuple[int, tuple[int, ...]]]()
        self._end = 0

    def place(self, array: Any) -> int:
        self._arrays.append(array.ravel())
        self._placed.append((self._end, array.shape))
        self._end += array.size
        return len(self._placed) - 1

    def tensors(self) -> list[Tensor]:
        storage = Storage(np.concatenate(self._arrays), "Cuda")
        return [
            Tensor(storage, first, shape, [int(np.prod(shape[i + 1 :])) for i in range(len(shape))])
            for first, shape in self._placed
        ]


def torch7_file(of: Tensors, library: str = "cudnn") -> bytes:
    """``soundnet8_final.t7`` as the training script builds and saves it."""
    flat = Flattened()
    places = {
        name: flat.place(tensor[..., None] if name.endswith("weight") else tensor)
        for name, tensor in of.items()
    }
    tensors = flat.tensors()
    modules = list[Module]()
    for number, stage in enumerate(STAGES, start=1):
        own = {name: tensors[places[f"conv{number}.{name}"]] for name in ("weight", "bias")}
        norm = {
            theirs: tensors[places[f"conv{number}.{ours}"]]
            for theirs, ours in soundnet_weights.NORMALISATION_FIELDS.items()
        }
        size = Storage(np.array([1, stage.inputs, 9, 1], "<i8"), "Long")
        modules.append(
            Module(f"{library}.SpatialConvolution", {"kH": stage.kernel, "iSize": size, **own})
        )
        modules.append(Module("nn.SpatialBatchNormalization", {"eps": 1e-5, **norm}))
        modules.append(Module(f"{library}.ReLU", {"inplace": True}))
        modules.append(Module(f"{library}.SpatialMaxPooling", {"output": Tensor(None, 0, (), ())}))
    heads = {1: Module(f"{library}.SpatialConvolution", {"weight": tensors[0]})}
    modules.append(Module("nn.ConcatTable", {"modules": heads}))
    return Torch7Writer().file(Module("nn.Sequential", {"modules": dict(enumerate(modules, 1))}))


@pytest.mark.parametrize("library", ["nn", "cudnn"])
def test_the_torch_file_is_converted(tmp_path: Path, library: str) -> None:
    path = tmp_path / "soundnet8_final.t7"
    path.write_bytes(torch7_file(weights(), library))
    assert_same_tensors(convert(path), weights())


def test_the_published_archive_is_converted(tmp_path: Path) -> None:
    path = tmp_path / ORIGINAL.file_name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("soundnet_models_public/soundnet5_final.t7", b"other")
        archive.writestr("soundnet_models_public/soundnet8_final.t7", torch7_file(weights()))
    assert_same_tensors(convert(path), weights())
    assert list(tmp_path.iterdir()) == [path]


def test_an_archive_without_the_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "models.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("soundnet5_final.t7", b"other")
    with pytest.raises(WeightsError, match=r"no soundnet8_final\.t7 in the archive"):
        convert(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cut short"),
        (b"<html>not found</html>", "is no Torch 7 file"),
        (Torch7Writer().file("text"), r"conv1\.weight is missing"),
        (Torch7Writer().file(Module("nn.Sequential", {})), r"conv1\.weight is missing"),
    ],
    ids=["empty", "page", "no module", "no modules"],
)
def test_other_files_are_refused_in_words(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "soundnet8_final.t7"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"file=soundnet8_final\.t7 .*{said}"):
        convert(path)


def test_another_network_in_the_same_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "soundnet5_final.t7"
    other = dict(weights()) | {"conv2.weight": weights()["conv2.weight"][:, :, :16]}
    path.write_bytes(torch7_file(other))
    with pytest.raises(WeightsError, match=r"conv2\.weight is .*of shape \(32, 16, 16\)"):
        convert(path)


def test_modules_that_hold_themselves_end(tmp_path: Path) -> None:
    modules = dict[int, Module]()
    network = Module("nn.Sequential", {"modules": modules})
    modules[1] = network
    path = tmp_path / "loop.t7"
    path.write_bytes(Torch7Writer().file(network))
    with pytest.raises(WeightsError, match=r"conv1\.weight is missing"):
        convert(path)


def npy_file(path: Path) -> str:
    """``sound8.npy`` as its port saves it; returns the digest that git knows it by."""
    layers = dict[str, dict[str, Any]]()
    for number in range(1, len(STAGES) + 1):
        own = {part: weights()[f"conv{number}.{part}"] for part in ("gamma", "beta", "mean", "var")}
        own["biases"] = weights()[f"conv{number}.bias"]
        # (kernel, 1, inputs, outputs)
        own["weights"] = weights()[f"conv{number}.weight"].transpose(2, 1, 0)[:, None]
        layers[f"conv{number}"] = own
    layers["conv8"] = {"biases": np.zeros(1000, np.float32)}
    np.save(path, np.array(layers, dtype=object), allow_pickle=True)
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def test_the_pinned_port_is_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sound8.npy"
    monkeypatch.setattr(soundnet_weights, "SOUND8_NPY_GIT_SHA1", npy_file(path))
    assert_same_tensors(convert(path), weights())


class Harm:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self.mark,)


def test_no_other_pickle_is_opened(tmp_path: Path) -> None:
    path, mark = tmp_path / "sound8.npy", tmp_path / "mark"
    np.save(path, np.array({"conv1": Harm(mark)}, dtype=object), allow_pickle=True)
    with pytest.raises(WeightsError, match=f"should be {SOUND8_NPY_GIT_SHA1}: a pickle of unknown"):
        convert(path)
    assert not mark.exists()
    # the file does harm where it is opened
    np.load(path, allow_pickle=True)
    assert mark.exists()


def test_the_digest_is_the_one_that_git_gives(tmp_path: Path) -> None:
    path = tmp_path / "sound8.npy"
    path.write_bytes(soundnet_weights.NPY_MAGIC)
    # printf '\\x93NUMPY' | git hash-object --stdin
    with pytest.raises(WeightsError, match="git_sha1=0f69915fecbe1236968cf5bc86ee17cc1816cb7b"):
        convert(path)
