"""Files that are read in small pieces all over: mapped, or read where they are too large for that.

What is mapped is quicker to get at, and its pages count as memory of every process that has touched
them. So the few large files of a catalog of a million tracks are read.
"""

import mmap
import os
import weakref
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

MOST_MAPPED_BYTES = 128 * 1024**2


class _Descriptor:
    """A file that stays open as long as this, also when it has lost its name."""

    def __init__(self, path: Path):
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)

    def read(self, n_bytes: int, start: int) -> bytes:
        content = os.pread(self._file, n_bytes, start)
        if len(content) != n_bytes:
            raise OSError("the file is shorter than it was")
        return content

    @property
    def size(self) -> int:
        return os.fstat(self._file).st_size


class _Read:
    """A file by slices like one that is mapped, each of them read."""

    def __init__(self, file: _Descriptor):
        self._file, self._size = file, file.size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        return self._file.read(part.stop - part.start, part.start)


Slices = _Read | mmap.mmap | bytes


def open_slices(path: Path) -> Slices:
    """Open a file of bytes; an item of what comes back is a slice of it.

    Raises
    ------
    OSError
        It cannot be opened.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_MAPPED_BYTES:
            return _Read(_Descriptor(path))
        # nothing cannot be mapped
        return mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) if size else b""


class RowFile:
    """An array in a file, read row by row.

    Parameters
    ----------
    path
        Written by :func:`numpy.save`.
    array
        The same, mapped, which tells where the rows are.
    """

    def __init__(self, path: Path, array: "np.memmap[Any, np.dtype[Any]]"):
        self.path, self.shape, self.dtype = path, array.shape, array.dtype
        self._file, self._start = _Descriptor(path), array.offset
        self._row_bytes = int(np.prod(self.shape[1:])) * self.dtype.itemsize

    @classmethod
    def of(cls, path: Path) -> "Self | npt.NDArray[Any]":
        """An array to read rows of: mapped unless it is large.

        Raises
        ------
        OSError, ValueError, EOFError
            It is no array, or cannot be read.
        """
        array = np.load(path, "r", allow_pickle=False)
        # the plain type: a memmap's own is slower at every step
        return cls(path, array) if array.nbytes > MOST_MAPPED_BYTES else np.asarray(array)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, row: int) -> npt.NDArray[Any]:
        content: npt.NDArray[Any] = self.block(row, row + 1)[0]
        return content

    def block(self, first: int, end: int) -> npt.NDArray[Any]:
        """Some rows, one after another, that are there."""
        n_bytes = (end - first) * self._row_bytes
        content = self._file.read(n_bytes, self._start + first * self._row_bytes)
        return np.frombuffer(content, self.dtype).reshape(end - first, *self.shape[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All of it, mapped."""
        return np.asarray(np.load(self.path, "r", allow_pickle=False), dtype, copy=copy)
