"""TensorFlow checkpoints, read without TensorFlow.

Both kinds of checkpoint are built on LevelDB's sorted string table: blocks of prefix-compressed
keys with values, an index block that points to them, and a footer that points to the index. In a
version 1 checkpoint, a single file, the values hold the tensors themselves; in version 2, a
"bundle", they say where a tensor lies in a file of data. TensorFlow writes neither compressed.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recommender.arrays import FloatArray
from recommender.errors import WeightsError
from recommender.weights import Tensors

TABLE_MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER_BYTES = 48
DT_FLOAT = 1

Buffer = bytes | memoryview
Fields = dict[int, int | Buffer]


def read_checkpoint(path: Path) -> Tensors:
    """Read every float32 variable of a version 1 checkpoint; others are left out.

    Parameters
    ----------
    path
        The one file that the checkpoint is.

    Returns
    -------
    dict
        Name of the variable to its values, in the shape and order of axes that TensorFlow has.

    Raises
    ------
    WeightsError
        It is no such file, or a variable is in it in several slices.
    """
    try:
        # a view: the values, most of the file, are copied once
        return _variables(memoryview(path.read_bytes()))
    except (OSError, IndexError, KeyError, ValueError, TypeError) as error:
        raise WeightsError(
            f"checkpoint={path.name} cannot be read ({error!r}); fetch it again"
        ) from error


def _variables(table: memoryview) -> Tensors:
    shapes: dict[str, tuple[int, ...]] = {}
    tensors = {}
    for key, value in table_entries(table):
        fields = dict(message_fields(value))
        if key == b"":
            shapes = _shapes(_part(fields[1]))
            continue
        saved = dict(message_fields(_part(fields[2])))
        name = _text(saved[1])
        if name in shapes:
            tensors[name] = _values(name, _part(saved[3]), shapes[name])
    return tensors


def _shapes(meta: Buffer) -> dict[str, tuple[int, ...]]:
    """Shapes of the float32 variables that a ``SavedTensorSliceMeta`` lists."""
    variables = [dict(message_fields(_part(part))) for n, part in message_fields(meta) if n == 1]
    return {
        _text(variable[1]): parse_shape(_part(variable.get(2, b"")))
        for variable in variables
        if variable.get(3) == DT_FLOAT
    }


def _values(name: str, tensor: Buffer, shape: tuple[int, ...]) -> FloatArray:
    """Values of a ``TensorProto``: field 5, the packed ``float_val``."""
    packed = dict(message_fields(tensor)).get(5, b"")
    values = np.frombuffer(_part(packed), "<f4").astype(np.float32)
    if values.size != math.prod(shape):
        raise WeightsError(
            f"values={values.size} of variable={name} do not fill its shape={shape}; "
            "a checkpoint whose variables are not sliced is needed"
        )
    return values.reshape(shape)


def parse_shape(message: Buffer) -> tuple[int, ...]:
    """Parse a ``TensorShapeProto``: field 2 repeated, in it field 1 the size of a dimension."""
    dimensions = [dict(message_fields(_part(dim))) for n, dim in message_fields(message) if n == 2]
    return tuple(_number(dimension.get(1, 0)) for dimension in dimensions)


def table_entries(table: Buffer) -> Iterator[tuple[bytes, Buffer]]:
    """Yield key and value of an uncompressed table, in the order of keys.

    Raises
    ------
    WeightsError
        It is no such table, or compressed.
    IndexError
        It ends too early.
    """
    if table[-len(TABLE_MAGIC) :] != TABLE_MAGIC:
        raise WeightsError("the checkpoint is not a sorted string table; fetch it again")
    footer = table[-FOOTER_BYTES:]
    _, at = read_varint(footer, 0)  # the metaindex: offset and size
    _, at = read_varint(footer, at)
    for _, handle in _block_entries(table, footer[at:]):
        yield from _block_entries(table, handle)


def _block_entries(table: Buffer, handle: Buffer) -> Iterator[tuple[bytes, Buffer]]:
    """Yield the prefix-compressed entries of the block that `handle` (offset, size) points to."""
    offset, at = read_varint(handle, 0)
    size, _ = read_varint(handle, at)
    if table[offset + size] != 0:
        raise WeightsError("the checkpoint is compressed, which TensorFlow's are not")
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


def message_fields(message: Buffer) -> Iterator[tuple[int, int | Buffer]]:
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


def read_varint(data: Buffer, at: int) -> tuple[int, int]:
    """Read a base-128 varint; return it and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _part(field: int | Buffer) -> Buffer:
    if isinstance(field, int):
        raise TypeError("a number stands where a message should")
    return field


def _number(field: int | Buffer) -> int:
    if not isinstance(field, int):
        raise TypeError("a message stands where a number should")
    return field


def _text(field: int | Buffer) -> str:
    return str(_part(field), "utf-8")
