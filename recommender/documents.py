"""Tracks as JSON by row, in files of lines beside a catalog.

What an update adds goes into a second, small file, so that the first can stay the same file from
one generation to the next.

SQLite takes several times as long to find and copy a page of ten, which is more than a search
takes. Files are mapped, which takes half as long as reading them, but for large ones: what was
touched of a mapped file counts as memory of every worker, some 400 bytes a track. No file is ever
cut, which would end a process that has mapped it: writers add to one, or put another in its place.
"""

from array import array
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from recommender.errors import GenerationError, StorageError
from recommender.slices import open_slices

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
            self._lines, self._added = (
                open_slices(catalog.with_suffix(kind)) for kind in (LINES, ADDED)
            )
        except (OSError, ValueError, EOFError) as error:
            raise GenerationError(f"catalog={catalog.name} has no documents") from error
        if not _fit(places, len(self._lines) + len(self._added)):
            raise GenerationError(f"catalog={catalog.name} has other documents")
        # start and length of each row, one after the other: single numbers come out of a view
        # much quicker than out of an array
        self._places = memoryview(places.reshape(-1).data)

    def of(self, rows: Iterable[int]) -> dict[int, str]:
        """Documents by row, of the rows that have one.

        Raises
        ------
        GenerationError
            The file cannot be read.
        """
        places, lines, added, size = self._places, self._lines, self._added, len(self._lines)
        found, end = dict[int, str](), len(places) // 2
        try:
            for row in rows:
                length = places[2 * row + 1] if 0 <= row < end else 0
                if length:
                    start = places[2 * row]
                    if start < size:
                        document = lines[start : start + length]
                    else:
                        document = added[start - size : start - size + length]
                    found[row] = document.decode()
        except (OSError, ValueError) as error:
            raise GenerationError("documents cannot be read") from error
        return found


def _fit(places: _Places, size: int) -> bool:
    if places.dtype != np.int64 or places.ndim != 2 or places.shape[1] != 2:
        return False
    ends = places.sum(axis=1)
    return bool((places >= 0).all() and (ends <= size).all())


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
        before = b"" if self._is_new else np.load(known, allow_pickle=False).tobytes()
        # a start and a length for each row
        self._places = array("q", before)

    def __enter__(self) -> Self:
        lines, added = (self._catalog.with_suffix(kind) for kind in (LINES, ADDED))
        added.touch()
        self._file = (lines if self._is_new else added).open("ab")
        self._end = self._file.tell() + (0 if self._is_new else lines.stat().st_size)
        return self

    def put(self, row: int, document: str) -> None:
        """Write the document of a row."""
        content = document.encode()
        self._places.extend([0] * (2 * row + 2 - len(self._places)))
        self._places[2 * row], self._places[2 * row + 1] = self._end, len(content)
        self._file.write(content + b"\n")
        self._end += len(content) + 1

    def forget(self, rows: Iterable[int]) -> None:
        """Have no document for some rows."""
        for row in rows:
            self._places[2 * row] = self._places[2 * row + 1] = 0

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
        known = self._catalog.with_suffix(PLACES)
        # here and below: another file, for whoever has mapped the one before
        known.unlink(missing_ok=True)
        with known.open("wb") as file:
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
        added.unlink()
        added.touch()
        return packed
