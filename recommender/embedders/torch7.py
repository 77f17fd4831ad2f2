"""Reads the files of Torch 7, the Lua predecessor of PyTorch (``.t7``, the binary form).

Only data is read, as written on 64-bit little-endian machines: nil, numbers, strings, booleans,
tables, tensors and objects. Functions are refused. Nothing in a file can make the reader run code
or read outside the file.
"""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.errors import WeightsError

NIL, NUMBER, STRING, TABLE, OBJECT, BOOLEAN = range(6)
# on the graphics card, single precision has no name of its own
ELEMENTS = {
    "Byte": "<u1",
    "Char": "<i1",
    "Short": "<i2",
    "Int": "<i4",
    "Long": "<i8",
    "Float": "<f4",
    "Double": "<f8",
    "Cuda": "<f4",
    "CudaDouble": "<f8",
    "CudaLong": "<i8",
}
STORAGES = {f"torch.{name}Storage": np.dtype(code) for name, code in ELEMENTS.items()}
TENSORS = {f"torch.{name}Tensor": np.dtype(code) for name, code in ELEMENTS.items()}


@dataclass(slots=True)
class Torch7Object:
    """An object of a class: its name, for example ``"nn.ReLU"``, and its fields."""

    class_name: str
    fields: dict[Any, Any] = field(default_factory=dict)


def parse_torch7(content: bytes, file_name: str) -> object:
    """Read the one object that a file holds.

    Parameters
    ----------
    content
        The whole file.
    file_name
        For the message.

    Returns
    -------
    object
        None, float, str, bool, dict (tables), numpy.ndarray (tensors and storages) or
        :class:`Torch7Object`.

    Raises
    ------
    WeightsError
        It is not of this format, is cut short, or holds a function.
    """
    try:
        return _Reader(content).read()
    except (struct.error, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise WeightsError(
            f"file={file_name} is no Torch 7 file that can be read ({error}); download it again"
        ) from error


class _Reader:
    def __init__(self, content: bytes):
        self._content = content
        self._at = 0
        self._known = dict[int, object]()  # what is referred to twice is written once

    def read(self) -> object:
        kind = self._integer()
        if kind in (TABLE, OBJECT):
            index = self._integer()
            if index not in self._known:
                self._known[index] = None
                self._known[index] = self._table(index) if kind == TABLE else self._object(index)
            return self._known[index]
        return self._plain(kind)

    def _plain(self, kind: int) -> object:
        if kind == NIL:
            return None
        if kind == NUMBER:
            return float(self._unpacked("<d"))
        if kind == STRING:
            return self._text()
        if kind == BOOLEAN:
            return self._integer() == 1
        raise ValueError(f"type {kind} at byte {self._at} is not data")

    def _taken(self, n_bytes: int) -> bytes:
        if not 0 <= n_bytes <= len(self._content) - self._at:
            raise ValueError(f"cut short at byte {self._at}")
        self._at += n_bytes
        return self._content[self._at - n_bytes : self._at]

    def _unpacked(self, layout: str) -> Any:
        return struct.unpack(layout, self._taken(struct.calcsize(layout)))[0]

    def _integer(self) -> int:
        return int(self._unpacked("<i"))

    def _text(self) -> str:
        return self._taken(self._integer()).decode("latin-1")

    def _table(self, index: int) -> dict[Any, Any]:
        table = dict[Any, Any]()
        self._known[index] = table  # it may hold itself
        for _ in range(self._integer()):
            key = self.read()
            table[key] = self.read()
        return table

    def _object(self, index: int) -> object:
        name = self._text()
        if name.startswith("V "):  # a version, which files of the first years lack
            name = self._text()
        if name in STORAGES:
            return self._elements(int(self._unpacked("<q")), STORAGES[name])
        if name in TENSORS:
            return self._tensor(TENSORS[name])
        found = Torch7Object(name)
        self._known[index] = found  # it may hold itself
        fields = self.read()
        if not isinstance(fields, dict):
            raise ValueError(f"{name} at byte {self._at} is not written as a table")
        found.fields = fields
        return found

    def _elements(self, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        return np.frombuffer(self._taken(count * dtype.itemsize), dtype)

    def _tensor(self, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        rank = self._integer()
        shape = self._elements(rank, np.dtype("<i8")).tolist()
        strides = self._elements(rank, np.dtype("<i8")).tolist()
        first = int(self._unpacked("<q")) - 1
        storage = self.read()
        if storage is None or not rank:
            return np.empty(0, dtype)
        if not isinstance(storage, np.ndarray) or storage.dtype != dtype:
            raise ValueError(f"a tensor at byte {self._at} has no storage of its type")
        last = first + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        # as_strided would read whatever lies in memory
        if min(shape) < 1 or min(strides) < 0 or first < 0 or last >= len(storage):
            raise ValueError(f"a tensor at byte {self._at} reaches beyond its storage")
        steps = [step * dtype.itemsize for step in strides]
        return np.lib.stride_tricks.as_strided(storage[first:], shape, steps, writeable=False)
