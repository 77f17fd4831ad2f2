"""Where weights come in: bytes that are checked against a pinned digest before they are parsed."""

import hashlib
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import load

from recommender.errors import WeightsError

Tensors = dict[str, npt.NDArray[np.float32]]
# of batch normalisation, as frameworks call them
AVERAGES = ("mean", "_var", ".var", "variance")


def load_weights(path: Path, sha256: str, remedy: str = "install soundalike again") -> Tensors:
    """Read a safetensors file whose digest is known.

    The file is read once; what is parsed are the very bytes that were verified.

    Parameters
    ----------
    path
        The ``.safetensors`` file.
    sha256
        Its SHA-256 in lower-case hexadecimal.
    remedy
        What to do when it holds other bytes, for the message.

    Returns
    -------
    dict
        Name to tensor, in the shapes that the file gives them.

    Raises
    ------
    WeightsError
        The file cannot be read, or holds other bytes.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"weights={path.name} cannot be read ({error.strerror}); {remedy}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise WeightsError(f"sha256={found} of weights={path.name} should be {sha256}; {remedy}")
    return load(content)


def learned_numbers(path: Path) -> int:
    """How many numbers of a safetensors file were learned; averages of training do not count."""
    with safe_open(path, "numpy") as file:
        return sum(
            math.prod(file.get_slice(name).get_shape())
            for name in file.keys()  # noqa: SIM118 - no mapping
            if not name.endswith(AVERAGES)
        )


def combined_digest(digests: list[str]) -> str:
    """One SHA-256 that stands for several files; it changes when any of theirs does."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
