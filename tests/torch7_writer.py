"""Writes files of Torch 7 as its Lua code does, for tests of the reader."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Storage:
    """What tensors lie in; `kind` is ``"Float"``, or ``"Cuda"`` for those of a graphics card."""

    elements: npt.NDArray[Any]
    kind: str


@dataclass(frozen=True, eq=False)
class Tensor:
    storage: Storage | None
    first: int
    shape: Sequence[int]
    strides: Sequence[int]


@dataclass(frozen=True, eq=False)
class Module:
    class_name: str
    fields: dict[Any, Any]


def tensor_of(array: npt.NDArray[Any], kind: str) -> Tensor:
    """A tensor with a storage of its own."""
    steps = [step // array.itemsize for step in array.strides]
    return Tensor(Storage(array.ravel(), kind), 0, array.shape, steps)


class Torch7Writer:
    """Turns a value into the bytes of a file; `versions` are what the first years lack."""

    def __init__(self, versions: bool = True):
        self._out = bytearray()
        self._written = dict[int, int]()
        self._versions = versions

    def file(self, value: object) -> bytes:
        self._write(value)
        return bytes(self._out)

    def _write(self, value: object) -> None:
        if value is None:
            self._integers(0)
        elif isinstance(value, bool):
            self._integers(5, int(value))
        elif isinstance(value, int | float):
            self._integers(1)
            self._out += struct.pack("<d", value)
        elif isinstance(value, str):
            self._integers(2)
            self._text(value)
        else:
            self._shared(value)

    def _shared(self, value: object) -> None:
        known = id(value) in self._written
        index = self._written.setdefault(id(value), len(self._written) + 1)
        self._integers(3 if isinstance(value, dict) else 4, index)
        if known:
            return
        if isinstance(value, dict):
            self._integers(len(value))
            for key, item in value.items():
                self._write(key)
                self._write(item)
        else:
            self._object(value)

    def _object(self, value: object) -> None:
        if self._versions:
            self._text("V 1")
        if isinstance(value, Storage):
            self._text(f"torch.{value.kind}Storage")
            self._longs(len(value.elements))
            self._out += value.elements.tobytes()
        elif isinstance(value, Tensor):
            kind = value.storage.kind if value.storage else "Float"
            self._text(f"torch.{kind}Tensor")
            self._integers(len(value.shape))
            self._longs(*value.shape, *value.strides, value.first + 1)
            self._write(value.storage)
        elif isinstance(value, Module):
            self._text(value.class_name)
            self._write(value.fields)
        else:
            raise TypeError(f"{value!r} has no place in such a file")

    def _integers(self, *values: int) -> None:
        self._out += np.array(values, "<i4").tobytes()

    def _longs(self, *values: int) -> None:
        self._out += np.array(values, "<i8").tobytes()

    def _text(self, text: str) -> None:
        self._integers(len(text))
        self._out += text.encode("latin-1")
