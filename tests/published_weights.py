"""Weights as if somebody had published them: tensors behind a line of text."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from recommender.errors import WeightsError
from recommender.weights import Tensors
from recommender.weights_store import Source

HEAD = b"published weights\n"
TENSORS: Tensors = {
    "dense/kernel": np.arange(60_000, dtype=np.float32).reshape(300, 200),
    "dense/bias": np.ones(200, np.float32),
}
CONTENT = HEAD + save(TENSORS)
SOURCE = Source(
    name="fake-one",
    url="https://example.org/owner/model/resolve/main/weights.bin",
    file_name="weights.bin",
    n_bytes=len(CONTENT),
    digest=f"sha256:{hashlib.sha256(CONTENT).hexdigest()}",
    licence="CC BY 4.0",
    attribution="A. Author, 2020",
    trained_on="AudioSet",
    commercial=True,
    converter="tests.published_weights:convert",
    n_parameters=60_200,
)
UNVERIFIED = replace(SOURCE, name="fake-unverified", digest="", n_bytes=0)
NON_COMMERCIAL = replace(SOURCE, name="fake-nc", licence="CC BY-NC 4.0", commercial=False)


def convert(path: Path) -> Tensors:
    """Read the published format."""
    head, _, body = path.read_bytes().partition(b"\n")
    if head + b"\n" != HEAD:
        raise WeightsError(f"{path.name} is not of the published format")
    return load(body)


def convert_to_doubles(path: Path) -> Tensors:
    """A converter that does not keep to its contract."""
    return {name: tensor.astype(np.float64) for name, tensor in convert(path).items()}


def convert_with_a_crash(path: Path) -> Tensors:
    """A parser that meets what it does not know."""
    raise KeyError("conv1.weight")
