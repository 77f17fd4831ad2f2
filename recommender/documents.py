"""Tracks as JSON by row, in files of lines beside a catalog.

What an update adds goes into a second, small file, so that the first can stay the same file from
one generation to the next.

A page of ten is ten short reads from the cache of the system: SQLite takes several times as long
to find and copy them, which is more than a search takes. The file is read, not mapped, so that what
was read once does not stay in the memory of every worker.
"""

import os
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from recommender.errors import GenerationError, StorageError

LINES, ADDED, PLACES = ".jsonl", ".added.jsonl", ".npy"

_Places = npt.NDArray[np.int64]


class Documents:
    """Reads documents; safe to use from many threads, also when the file has lost its name.

    Parameters
    ----------
    catalog
        Path of the catalog, which tells those of its documents.

    Raises
    ------
    GenerationError
        The files are missing, or do not fit together.
    """

    def __init__(self, catalog: Path):
        try:
            places = np.load(catalog.with_suffix(PLACES), "r", allow_pickle=False)
            self._lines, self._added = (self._opened(catalog, kind) for kind in (LINES, ADDED))
        except (OSError, ValueError, EOFError) as error:
            raise GenerationError(f"catalog={catalog.name} has no documents") from error
        self._places: _Places = np.asarray(places)
        self._size = os.fstat(self._lines).st_size
        if not self._fits(self._size + os.fstat(self._added).st_size):
            raise GenerationError(f"catalog={catalog.name} has other documents")

    def _opened(self, catalog: Path, kind: str) -> int:
        file = os.open(catalog.with_suffix(kind), os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, file)
        return file

    def _fits(self, size: int) -> bool:
        places = self._places
        if places.dtype != np.int64 or places.ndim != 2 or places.shape[1] != 2:
            return False
        ends = places.sum(axis=1)
        return bool((places >= 0).all() and (ends <= size).all())

    def of(self, rows: Sequence[int]) -> list[str]:
        """Documents of rows that there are, in their order.

        Raises
        ------
        GenerationError
            The file cannot be read.
        """
        lines, added, size, read = self._lines, self._added, self._size, os.pread
        try:
            return [
                (
                    read(lines, length, start)
                    if start < size
                    else read(added, length, start - size)
                ).decode()
                for start, length in self._places[rows].tolist()
            ]
        except (OSError, ValueError) as error:
            raise GenerationError("documents cannot be read") from error

    def held(self, rows: Iterable[int]) -> list[int]:
        """Those of some rows that there are."""
        lengths, n_rows = self._places[:, 1], len(self._places)
        return [row for row in rows if 0 <= row < n_rows and lengths[row]]


class DocumentWriter:
    """Writes documents, or adds some to a copy that nobody reads; use it with ``with``.

    Parameters
    ----------
    catalog
        Path of the catalog; where there are documents beside it, they stay but for those that are
        put again or forgotten. Their first file may be one that others read, linked: it is not
        written to.
    """

    def __init__(self, catalog: Path):
        self._catalog = catalog
        known = catalog.with_suffix(PLACES)
        self._is_new = not known.exists()
        before = np.empty((0, 2), int) if self._is_new else np.load(known, allow_pickle=False)
        self._places: list[list[int]] = before.tolist()

    def __enter__(self) -> Self:
        lines, added = (self._catalog.with_suffix(kind) for kind in (LINES, ADDED))
        added.touch()
        self._file = (lines if self._is_new else added).open("ab")
        self._end = self._file.tell() + (0 if self._is_new else lines.stat().st_size)
        return self

    def put(self, row: int, document: str) -> None:
        """Write the document of a row."""
        content = document.encode()
        while len(self._places) <= row:
            self._places.append([0, 0])
        self._places[row] = [self._end, len(content)]
        self._file.write(content + b"\n")
        self._end += len(content) + 1

    def forget(self, rows: Iterable[int]) -> None:
        """Have no document for some rows."""
        for row in rows:
            self._places[row] = [0, 0]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
            if kind is None:
                self._finish()
        except OSError as problem:
            raise StorageError(
                f"catalog={self._catalog.name} could not be written ({problem.strerror}); "
                "make room or mend permissions"
            ) from problem

    def _finish(self) -> None:
        places = np.array(self._places, np.int64).reshape(-1, 2)
        # each line has one sign more
        if self._end > 2 * int(places[:, 1].sum() + len(places)):
            places = self._packed(places)
        with self._catalog.with_suffix(PLACES).open("wb") as file:
            np.save(file, places, allow_pickle=False)

    def _packed(self, places: _Places) -> _Places:
        """Write the lines anew, in a new first file, without what is no document any more."""
        first, added = (self._catalog.with_suffix(kind) for kind in (LINES, ADDED))
        before, packed = first.read_bytes() + added.read_bytes(), np.zeros_like(places)
        new = first.with_suffix(".new")
        with new.open("wb") as lines:
            for row, (start, length) in enumerate(places.tolist()):
                if length:
                    packed[row] = lines.tell(), length
                    lines.write(before[start : start + length] + b"\n")
        new.replace(first)
        added.write_bytes(b"")
        return packed
