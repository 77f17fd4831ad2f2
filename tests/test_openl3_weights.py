"""Weights of OpenL3 in the layout of the published files: HDF5 of Keras in gzip."""

import gzip
import io
from pathlib import Path

import h5py
import numpy as np
import pytest

from recommender.embedders.openl3 import SOURCES
from recommender.embedders.openl3_network import N_BLOCKS, tensor_shapes
from recommender.embedders.openl3_weights import MOST_BYTES, convert
from recommender.errors import WeightsError
from recommender.weights import Tensors
from recommender.weights_store import VARIABLE, store
from tests.random_weights_openl3 import random_tensors

KERAS_NAMES = {
    "norm": {
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    },
    "conv": {"kernel": "weight", "bias": "bias"},
}


def keras_layers(tensors: Tensors) -> dict[str, Tensors]:
    """Layers as Keras names and orders them, weightless ones between."""
    layers: dict[str, Tensors] = {"input_1": {}}
    for block in range(1, N_BLOCKS + 1):
        # numbers go on from one model to the next that a program makes
        names = {"norm": f"batch_normalization_{block + 8}", "conv": f"conv2d_{block + 7}"}
        if block == N_BLOCKS:
            names["conv"] = "audio_embedding_layer"
        for kind, layer in names.items():
            layers[layer] = {
                keras: tensors[f"{kind}{block}.{ours}"] for keras, ours in KERAS_NAMES[kind].items()
            }
        layers[f"activation_{block}"] = {}
        kernel = layers[names["conv"]]["kernel"]
        layers[names["conv"]]["kernel"] = kernel.transpose(2, 3, 1, 0)
    return layers


def keras_file(path: Path, layers: dict[str, Tensors], group: str = "/") -> Path:
    """Write HDF5 in gzip as ``Model.save_weights`` of Keras 2 lays it out."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        root = file.require_group(group)
        root.attrs["layer_names"] = [name.encode() for name in layers]
        for name, arrays in layers.items():
            inside = root.create_group(name)
            paths = {f"{name}/{array}:0": values for array, values in arrays.items()}
            inside.attrs["weight_names"] = [path.encode() for path in paths]
            for where, values in paths.items():
                inside[where] = values
    path.write_bytes(gzip.compress(content.getvalue(), compresslevel=0))
    return path


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    return random_tensors(2)


@pytest.mark.parametrize("group", ["/", "model_weights"])
def test_a_published_file_gives_the_tensors_in_it(
    group: str, tmp_path: Path, tensors: Tensors
) -> None:
    converted = convert(keras_file(tmp_path / "w.h5.gz", keras_layers(tensors), group))
    assert converted.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(converted[name], tensor)
        assert converted[name].dtype == np.float32
        assert converted[name].flags.c_contiguous


def test_converted_weights_can_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tensors: Tensors
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    converted = convert(keras_file(tmp_path / "w.h5.gz", keras_layers(tensors)))
    kept = store(SOURCES["mel128", "env"], converted, origin="made here").load()
    assert {name: tensor.shape for name, tensor in kept.items()} == tensor_shapes()


def test_a_network_of_other_shapes_is_refused(tmp_path: Path, tensors: Tensors) -> None:
    layers = keras_layers(tensors)
    layers["conv2d_10"]["bias"] = np.zeros(7, np.float32)
    with pytest.raises(WeightsError, match=r"conv3\.bias=\(7,\) .* should be \(128,\)"):
        convert(keras_file(tmp_path / "w.h5.gz", layers))


def test_a_network_of_other_layers_is_refused(tmp_path: Path, tensors: Tensors) -> None:
    layers = keras_layers(tensors)
    del layers["audio_embedding_layer"]
    with pytest.raises(WeightsError, match=r"layers=15 .* should be 16"):
        convert(keras_file(tmp_path / "w.h5.gz", layers))


def test_a_layer_of_another_kind_is_refused(tmp_path: Path, tensors: Tensors) -> None:
    layers = keras_layers(tensors)
    layers["conv2d_8"] = {"spectrum": np.zeros(3, np.float32)}
    with pytest.raises(WeightsError, match="conv1"):
        convert(keras_file(tmp_path / "w.h5.gz", layers))


@pytest.mark.parametrize(
    "content",
    [
        b"<html>not found</html>",
        gzip.compress(b"no HDF5"),
        gzip.compress(b"cut short" * 99)[:-9],
        gzip.compress(bytes(MOST_BYTES + 1), compresslevel=1),
    ],
    ids=["no gzip", "no HDF5", "cut short", "too large"],
)
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.h5.gz").write_bytes(content)
    with pytest.raises(WeightsError, match=r"weights=w\.h5\.gz are not Keras weights"):
        convert(tmp_path / "w.h5.gz")


def test_hdf5_of_something_else_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file["numbers"] = [1, 2, 3]
    (tmp_path / "w.h5.gz").write_bytes(gzip.compress(content.getvalue()))
    with pytest.raises(WeightsError, match="layer_names"):
        convert(tmp_path / "w.h5.gz")
