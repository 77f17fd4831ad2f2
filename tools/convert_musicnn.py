"""Make the packaged musicnn weights from the wheel ``musicnn==0.1.0``.

The wheel keeps each model as a TensorFlow "tensor bundle": ``.index`` is a sorted string table with
``BundleEntryProto`` messages as values, and ``.data-00000-of-00001`` holds the raw little-endian
tensors. Both are read without TensorFlow, which can no longer be installed beside what that wheel
asks for.

Fetch the wheel once with ``pip download --no-deps musicnn==0.1.0``, then::

    python -m tools.convert_musicnn musicnn-0.1.0-py3-none-any.whl

Running it again writes byte-identical files.
"""

import argparse
import ast
import hashlib
import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from recommender.embedders.tf_checkpoint import (
    DT_FLOAT,
    Fields,
    message_fields,
    parse_shape,
    table_entries,
)
from recommender.errors import WeightsError

DESTINATION = Path(__file__).parents[1] / "recommender" / "embedders" / "musicnn_weights"
DATA_SHA256 = {
    "MSD_musicnn": "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
    "MTT_musicnn": "041f3935e981a65cea739842d30c188d3a7d2adf4410955c8668eb3de4a5acab",
    "MSD_vgg": "9683d756b8311146534f333502ebf4a2a78a3e320c54ab0411dff6186d8375fc",
    "MTT_vgg": "458f5c8bcecc086a3bba3dce83809df6da6e0a3560a59ddd84711bf3d5fd8303",
}
LICENSE_MEMBER = "musicnn-0.1.0.dist-info/LICENSE.md"


class Entry(NamedTuple):
    """Where one tensor lies in the data file."""

    dtype: int
    shape: tuple[int, ...]
    offset: int
    size: int


def parse_entry(message: bytes) -> Entry:
    """Parse a ``BundleEntryProto``: 1 dtype, 2 shape, 4 offset, 5 size."""
    fields: Fields = {1: 0, 2: b"", 4: 0, 5: 0, **dict(message_fields(message))}
    dtype, shape, offset, size = (fields[number] for number in (1, 2, 4, 5))
    return Entry(int(dtype), parse_shape(bytes(shape)), int(offset), int(size))


def read_bundle(index: bytes, data: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Read every float32 tensor that the network uses; the optimiser's are left out."""
    tensors = {}
    for key, value in table_entries(index):
        name = key.decode()
        if "/" not in name or "/Adam" in name:  # the header, and the optimiser's variables
            continue
        entry = parse_entry(bytes(value))
        if entry.dtype != DT_FLOAT:
            raise SystemExit(f"dtype={entry.dtype} of {name} is not float32")
        raw = data[entry.offset : entry.offset + entry.size]
        tensors[name] = np.frombuffer(raw, "<f4").reshape(entry.shape)
    return tensors


def read_labels(source: str, variable: str) -> list[str]:
    """Read the list of strings that Python source assigns to `variable`, without running it."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == variable:
            return [str(label) for label in ast.literal_eval(node.value)]
    raise SystemExit(f"variable={variable} is not in the wheel's configuration.py")


def convert_model(wheel: zipfile.ZipFile, model: str, destination: Path) -> dict[str, object]:
    """Write ``<model>.safetensors`` and return its entry of the manifest."""
    data = wheel.read(f"musicnn/{model}/.data-00000-of-00001")
    found = hashlib.sha256(data).hexdigest()
    if found != DATA_SHA256[model]:
        raise SystemExit(f"sha256={found} of {model} is not {DATA_SHA256[model]}")
    content = save(read_bundle(wheel.read(f"musicnn/{model}/.index"), data))
    (destination / f"{model}.safetensors").write_bytes(content)
    configuration = wheel.read("musicnn/configuration.py").decode()
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "source_data_sha256": found,
        "tags": read_labels(configuration, f"{model[:3]}_LABELS"),
    }


def convert(wheel_path: Path, destination: Path) -> None:
    """Write weights, manifest and licence of all models into `destination`."""
    destination.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel_path) as wheel:
        files = {
            f"{model}.safetensors": convert_model(wheel, model, destination)
            for model in DATA_SHA256
        }
        licence = wheel.read(LICENSE_MEMBER).decode().strip() + "\n"
    (destination / "LICENSE.musicnn").write_text(licence, encoding="utf-8")
    manifest = {
        "source": "musicnn==0.1.0, the wheel's TensorFlow checkpoints",
        "source_wheel_sha256": hashlib.sha256(wheel_path.read_bytes()).hexdigest(),
        "licence": "ISC, see LICENSE.musicnn",
        "converter": "tools/convert_musicnn.py",
        "files": files,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (destination / "manifest.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Convert the wheel named on the command line."""
    parser = argparse.ArgumentParser(description="Make the packaged musicnn weights.")
    parser.add_argument("wheel", type=Path, help="musicnn-0.1.0-py3-none-any.whl")
    parser.add_argument("--destination", type=Path, default=DESTINATION)
    arguments = parser.parse_args()
    try:
        convert(arguments.wheel, arguments.destination)
    except WeightsError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
