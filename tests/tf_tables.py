"""Sorted string tables and checkpoints as TensorFlow writes them, for the tests of readers."""

from itertools import takewhile

import numpy as np
import numpy.typing as npt

from recommender.embedders.tf_checkpoint import TABLE_MAGIC
from recommender.weights import Tensors


def varint(number: int) -> bytes:
    """Seven bits a byte from the lowest; all but the last byte have the top bit."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, value: int | bytes) -> bytes:
    """A field of a protocol-buffer message: a number or a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A table block with one restart point: each key without what it shares with the one before."""
    body, before = [], b""
    for key, value in entries:
        pairs = zip(before, key, strict=False)
        shared = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        body += [varint(shared), varint(len(key) - shared), varint(len(value)), key[shared:], value]
        before = key
    return b"".join(body) + bytes(4) + (1).to_bytes(4, "little")


def table(*entries: tuple[bytes, bytes], compression: int = 0) -> bytes:
    """A table of one data block; checksums are zeros."""
    data = block(list(entries)) + bytes([compression]) + bytes(4)
    index = block([(b"\xff", varint(0) + varint(len(data) - 5))])
    handles = varint(0) + varint(0) + varint(len(data)) + varint(len(index))
    return data + index + bytes(5) + handles.ljust(40, b"\0") + TABLE_MAGIC


def saved_meta(name: str, values: npt.NDArray[np.generic]) -> bytes:
    """A ``SavedSliceMeta``: name, shape, type."""
    shape = b"".join(field(2, field(1, size)) for size in values.shape)
    kind = 1 if values.dtype == np.float32 else 9
    return field(1, name.encode()) + field(2, shape) + field(3, kind)


def saved_values(name: str, values: npt.NDArray[np.generic]) -> bytes:
    """A ``SavedTensorSlices`` that holds the values of a whole variable."""
    number = 5 if values.dtype == np.float32 else 10
    tensor = field(1, 1) + field(number, values.tobytes())
    return field(2, field(1, name.encode()) + field(2, b"") + field(3, tensor))


def checkpoint(variables: Tensors) -> bytes:
    """A version 1 checkpoint."""
    meta = b"".join(field(1, saved_meta(name, values)) for name, values in variables.items())
    data = [
        (b"\0\1" + name.encode(), saved_values(name, variables[name])) for name in sorted(variables)
    ]
    return table((b"", field(1, meta)), *data)
