"""From the published weights of SoundNet to the tensors of :mod:`recommender.embedders.soundnet`.

The authors publish ``soundnet8_final.t7`` of Torch 7, in a ZIP archive beside other networks. Ports
carry the same numbers as ``sound8.npy``, a pickled dictionary; pickles can run code, so of these
only the very file whose digest is pinned is opened, whoever asks. The two layers that name objects
and scenes are left out: they are four fifths of the network, and no vector is read from them.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.embedders.soundnet import SOURCE, STAGES
from recommender.embedders.torch7 import Torch7Object, parse_torch7
from recommender.embedders.waveform_stages import checked_tensors
from recommender.errors import WeightsError
from recommender.weights import Tensors

MEMBER = "soundnet8_final.t7"
NPY_MAGIC = b"\x93NUMPY"
SOUND8_NPY_GIT_SHA1 = SOURCE.digest.removeprefix("git-sha1:")
CONVOLUTIONS = ("nn.SpatialConvolution", "cudnn.SpatialConvolution")
NORMALISATIONS = ("nn.SpatialBatchNormalization", "cudnn.SpatialBatchNormalization")
CONVOLUTION_FIELDS = {"weight": "weight", "bias": "bias"}
NORMALISATION_FIELDS = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "mean",
    "running_var": "var",
}
NPY_FIELDS = {"biases": "bias"} | {name: name for name in ("gamma", "beta", "mean", "var")}

Arrays = dict[str, npt.NDArray[Any]]


def convert(path: Path) -> Tensors:
    """Read ``soundnet_models_public.zip``, ``soundnet8_final.t7`` or ``sound8.npy``.

    Parameters
    ----------
    path
        The published file; its content, not its name, says which of them it is.

    Returns
    -------
    dict
        Named as in :mod:`recommender.embedders.waveform_stages`, ``conv1`` to ``conv7``.

    Raises
    ------
    WeightsError
        It is none of these files, or holds a network of another shape.
    """
    try:
        content = path.read_bytes()
        if zipfile.is_zipfile(io.BytesIO(content)):
            content = _unpacked(content)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"file={path.name} cannot be read ({error}); download it again"
        ) from error
    is_npy = content.startswith(NPY_MAGIC)
    found = _of_npy(content, path.name) if is_npy else _of_torch7(content, path.name)
    return checked_tensors(found, STAGES, path.name)


def _unpacked(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.rpartition("/")[2] == MEMBER:
                return archive.read(name)
    raise KeyError(f"there is no {MEMBER} in the archive")


def _of_npy(content: bytes, file_name: str) -> Arrays:
    # as git names the file in the repositories that carry it; no second file of a given SHA-1 can
    # be made, whatever is known about pairs of files
    digest = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324
    if digest != SOUND8_NPY_GIT_SHA1:
        raise WeightsError(
            f"git_sha1={digest} of file={file_name} should be {SOUND8_NPY_GIT_SHA1}: a pickle of "
            f"unknown content is not opened; use sound8.npy as published, or {MEMBER}"
        )
    layers = np.load(io.BytesIO(content), allow_pickle=True, encoding="latin1").item()
    found = Arrays()
    for number in range(1, len(STAGES) + 1):
        layer = layers[f"conv{number}"]
        # (kernel, 1, inputs, outputs)
        found[f"conv{number}.weight"] = layer["weights"][:, 0].transpose(2, 1, 0)
        found |= {f"conv{number}.{ours}": layer[theirs] for theirs, ours in NPY_FIELDS.items()}
    return found


def _of_torch7(content: bytes, file_name: str) -> Arrays:
    """Tensors by order: each convolution begins a stage, and the normalisation after it ends it."""
    found = Arrays()
    number = 0
    for module in _modules(parse_torch7(content, file_name)):
        if module.class_name in CONVOLUTIONS:
            number += 1
            found |= _fields(module, CONVOLUTION_FIELDS, number)
        elif module.class_name in NORMALISATIONS:
            found |= _fields(module, NORMALISATION_FIELDS, number)
    return found


def _modules(network: object) -> Iterator[Torch7Object]:
    """The network and all modules within, each once, in the order in which they are run."""
    waiting, seen = [network], set[int]()
    while waiting:
        module = waiting.pop()
        if not isinstance(module, Torch7Object) or id(module) in seen:
            continue
        seen.add(id(module))
        yield module
        within = module.fields.get("modules")
        if isinstance(within, dict):
            waiting += [within.get(key) for key in range(len(within), 0, -1)]


def _fields(module: Torch7Object, names: dict[str, str], number: int) -> Arrays:
    arrays = Arrays()
    for theirs, ours in names.items():
        array = module.fields.get(theirs)
        if isinstance(array, np.ndarray):
            # (outputs, inputs, kernel, 1): images of one column
            arrays[f"conv{number}.{ours}"] = array[..., 0] if array.ndim == 4 else array
    return arrays
