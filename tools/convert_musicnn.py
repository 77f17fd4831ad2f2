"""Make the packaged musicnn weights from the wheel ``musicnn==0.1.0``.

The wheel keeps each model as a TensorFlow "tensor bundle": ``.index`` is a sorted string table in
LevelDB's format, whose values are ``BundleEntryProto`` messages, and ``.data-00000-of-00001`` holds
the raw little-endian tensors. Both are simple enough to be read without TensorFlow, which can no
longer be installed beside what that wheel asks for.

Fetch the wheel once with ``pip download --no-deps musicnn==0.1.0``, then::

    python -m tools.convert_musicnn musicnn-0.1.0-py3-none-any.whl

Running it again writes byte-identical files.
"""

import argparse
import ast
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

DESTINATION = Path(__file__).parents[1] / "recommender" / "embedders" / "musicnn_weights"
DATA_SHA256 = {
    "MSD_musicnn": "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
    "MTT_musicnn": "041f3935e981a65cea739842d30c188d3a7d2adf4410955c8668eb3de4a5acab",
}
LABEL_VARIABLES = {"MSD_musicnn": "MSD_LABELS", "MTT_musicnn": "MTT_LABELS"}
LICENSE_MEMBER = "musicnn-0.1.0.dist-info/LICENSE.md"

TABLE_MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER_BYTES = 48
DT_FLOAT = 1

Fields = dict[int, int | bytes]


class Entry(NamedTuple):
    """Where one tensor lies in the data file."""

    dtype: int
    shape: tuple[int, ...]
    offset: int
    size: int


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a base-128 varint; return it and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def table_entries(table: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield key and value of an uncompressed LevelDB table, in the order of keys."""
    if table[-len(TABLE_MAGIC) :] != TABLE_MAGIC:
        raise SystemExit("the .index file is not a sorted string table; fetch the wheel again")
    footer = table[-FOOTER_BYTES:]
    _, at = read_varint(footer, 0)  # the metaindex: offset and size
    _, at = read_varint(footer, at)
    for _, handle in block_entries(table, footer[at:]):
        for key, value in block_entries(table, handle):
            yield key.decode(), value


def block_entries(table: bytes, handle: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the prefix-compressed entries of the block that `handle` (offset, size) points to."""
    offset, at = read_varint(handle, 0)
    size, _ = read_varint(handle, at)
    if table[offset + size] != 0:
        raise SystemExit("the .index file is compressed, which this wheel's is not")
    block = table[offset : offset + size]
    restarts = int.from_bytes(block[-4:], "little")
    end = size - 4 * (restarts + 1)
    key, at = b"", 0
    while at < end:
        shared, at = read_varint(block, at)
        unshared, at = read_varint(block, at)
        length, at = read_varint(block, at)
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length


def message_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field of a protocol-buffer message."""
    at = 0
    while at < len(message):
        tag, at = read_varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, at = read_varint(message, at)
            yield number, value
            continue
        if wire_type == 2:
            length, at = read_varint(message, at)
        else:
            length = {1: 8, 5: 4}[wire_type]
        yield number, message[at : at + length]
        at += length


def parse_entry(message: bytes) -> Entry:
    """Parse a ``BundleEntryProto``: 1 dtype, 2 shape, 4 offset, 5 size."""
    fields: Fields = {1: 0, 2: b"", 4: 0, 5: 0, **dict(message_fields(message))}
    dimensions = [dict(message_fields(bytes(dim))) for _, dim in message_fields(bytes(fields[2]))]
    shape = tuple(int(dimension[1]) for dimension in dimensions)
    return Entry(int(fields[1]), shape, int(fields[4]), int(fields[5]))


def read_bundle(index: bytes, data: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Read every float32 tensor that the network uses; the optimiser's are left out."""
    tensors = {}
    for name, value in table_entries(index):
        if "/" not in name or "/Adam" in name:  # the header, and the optimiser's variables
            continue
        entry = parse_entry(value)
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
        "tags": read_labels(configuration, LABEL_VARIABLES[model]),
    }


def convert(wheel_path: Path, destination: Path) -> None:
    """Write weights, manifest and licence of both models into `destination`."""
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
    convert(arguments.wheel, arguments.destination)


if __name__ == "__main__":
    main()
