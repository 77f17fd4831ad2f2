"""The converter of YAMNet's published file, on files with its layout and random values."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from recommender.embedders.yamnet_layers import LAYERS
from recommender.embedders.yamnet_weights import convert
from recommender.errors import WeightsError
from recommender.weights import Tensors
from tests.random_weights_audioset import random_yamnet


def write_keras(path: Path, tensors: Tensors) -> Path:
    """Write tensors as Keras does: in the group of a layer its variables by their full names."""
    with h5py.File(path, "w") as file:
        for layer in LAYERS:
            depthwise = "depthwise" in layer.name
            order = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
            kernel = tensors[f"{layer.name}/kernel"].transpose(order)
            part = "depthwise_kernel:0" if depthwise else "kernel:0"
            file[f"{layer.name}/{layer.name}/{part}"] = kernel
            for part in ("beta", "moving_mean", "moving_variance"):
                group = f"{layer.name}/bn"
                file[f"{group}/{group}/{part}:0"] = tensors[f"{group}/{part}"]
        file["logits/logits/kernel:0"] = np.zeros((1024, 521), np.float32)
    return path


def test_the_published_file_is_converted(tmp_path: Path) -> None:
    tensors = random_yamnet(8)
    converted = convert(write_keras(tmp_path / "yamnet.h5", tensors))
    assert converted.keys() == tensors.keys()
    for name, values in tensors.items():
        np.testing.assert_array_equal(converted[name], values, strict=True)
        assert converted[name].flags.c_contiguous


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "yamnet.h5"
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(WeightsError, match=r"weights=yamnet\.h5 are not YAMNet's"):
        convert(path)
    with h5py.File(path, "w") as file:
        file["conv1/kernel:0"] = np.zeros(3)
    with pytest.raises(WeightsError, match=r"weights=yamnet\.h5 are not YAMNet's"):
        convert(path)
    tensors = random_yamnet(8)
    tensors["layer5/pointwise_conv/bn/beta"] = np.zeros(3, np.float32)
    with pytest.raises(WeightsError, match=r"shape=\(3,\) of layer5/pointwise_conv/bn/beta"):
        convert(write_keras(path, tensors))
