"""Weights are verified before they are parsed."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from recommender.errors import WeightsError
from recommender.weights import combined_digest, load_weights


def test_verified_weights_are_returned_as_they_were_saved(tmp_path: Path) -> None:
    tensors = {"a/kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}
    content = save(tensors)
    path = tmp_path / "some.safetensors"
    path.write_bytes(content)
    loaded = load_weights(path, hashlib.sha256(content).hexdigest())
    assert loaded.keys() == tensors.keys()
    np.testing.assert_array_equal(loaded["a/kernel"], tensors["a/kernel"])


def test_other_bytes_are_refused_before_they_are_parsed(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    path.write_bytes(b"not even safetensors")
    with pytest.raises(WeightsError, match=r"sha256=.* of weights=some\.safetensors should be 00"):
        load_weights(path, "00" * 32)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"weights=none\.safetensors .*install soundalike again"):
        load_weights(tmp_path / "none.safetensors", "00" * 32)


def test_one_digest_stands_for_several_files_in_order() -> None:
    assert combined_digest(["a", "b"]) == hashlib.sha256(b"a\nb").hexdigest()
    assert combined_digest(["a", "b"]) != combined_digest(["b", "a"])
