"""Half a download on the disk: what there is of it, which file it is of, and how it goes on."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import BinaryIO, Self

from recommender.errors import LockedError, WeightsError
from recommender.files import replace_durably
from recommender.weights_store import Source, weights_dir

MAX_BYTES = 8 * 2**30
_BLOCK_BYTES = 1 << 18

Progress = Callable[[int, int], None]
"""Told of the bytes that are there and of all there will be, 0 when the server does not say."""


class TransientError(Exception):
    """A failure that may pass; `retry_after` seconds when the server says how long it takes."""

    def __init__(self, words: str, retry_after: float = 0.0):
        super().__init__(words)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Note:
    """What a part is of: address, the server's mark of that version, and bytes in all (or 0)."""

    url: str
    validator: str
    n_bytes: int

    @classmethod
    def of(cls, response: HTTPResponse, source: Source) -> Self:
        """What an answer says of the file that it brings.

        Raises
        ------
        WeightsError
            It is compressed on the way, which was not asked for.
        """
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding != "identity":
            raise WeightsError(f"url={source.url} answers with Content-Encoding={encoding}")
        etag = response.headers.get("ETag", "")
        # a weak one does not promise the same bytes
        validator = etag if etag.startswith('"') else response.headers.get("Last-Modified", "")
        return cls(source.url, validator, response.length or 0)

    @classmethod
    def read(cls, path: Path) -> Self:
        """A note of before; one that says nothing when there is none, or half of one."""
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            return cls(str(said["url"]), str(said["validator"]), int(said["n_bytes"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls("", "", 0)


class Part:
    """A download that is not whole yet, open for appending and locked."""

    def __init__(self, path: Path, file: BinaryIO):
        self.path, self._file = path, file
        self._note_path = path.with_name(f"{path.name}.json")

    @classmethod
    @contextmanager
    def opened(cls, source: Source) -> Iterator[Self]:
        """Open what there is of a download, or begin one.

        Raises
        ------
        LockedError
            Another process is at it.
        """
        path = weights_dir() / f"{source.name}.part"
        with path.open("ab", buffering=0) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LockedError(
                    f"weights={source.name} are being fetched already; wait for that to end"
                ) from error
            part = cls(path, file)
            try:
                yield part
            finally:
                part._sweep()

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return os.fstat(self._file.fileno()).st_size

    def is_whole(self, source: Source) -> bool:
        """Whether every byte is there already."""
        note = Note.read(self._note_path)
        return note.url == source.url and 0 < note.n_bytes == self.size

    def range_headers(self, source: Source) -> dict[str, str]:
        """What asks for the rest, and for all of it when the server has another version now."""
        note = Note.read(self._note_path)
        # without a mark of the version, only a digest tells a file that was put together wrongly
        if not self.size or note.url != source.url or not (note.validator or source.digest):
            return {}
        wanted = {"Range": f"bytes={self.size}-"}
        return wanted | ({"If-Range": note.validator} if note.validator else {})

    def accept(self, response: HTTPResponse, said: Note) -> Note:
        """Make ready for an answer: go on when it continues this part, begin anew otherwise.

        Returns
        -------
        Note
            What the whole file is.

        Raises
        ------
        TransientError
            The answer continues something else; nothing is kept.
        """
        if response.status != 206:
            self._file.truncate(0)
            replace_durably(self._note_path, json.dumps(asdict(said)))
            return said
        before = Note.read(self._note_path)
        place = response.headers.get("Content-Range", "")
        fits = place.startswith(f"bytes {self.size}-") and place.endswith(f"/{before.n_bytes}")
        if not fits or (before.validator and said.validator not in ("", before.validator)):
            self.discard()
            raise TransientError("the server continued with another file")
        return before

    def receive(self, response: HTTPResponse, note: Note, progress: Progress) -> None:
        """Append what comes, as it comes.

        Raises
        ------
        TransientError
            The connection ended before the file did; what has come stays.
        WeightsError
            More came than there is; nothing is kept.
        """
        most, size = note.n_bytes or MAX_BYTES, self.size
        progress(size, note.n_bytes)
        while block := response.read1(_BLOCK_BYTES):
            size += len(block)
            if size > most:
                self.discard()
                raise WeightsError(f"url={note.url} sends more than n_bytes={most}")
            self._write(block)
            progress(size, note.n_bytes)
        if size < note.n_bytes:
            raise TransientError(f"the connection ended after {size} of {note.n_bytes} bytes")

    def discard(self) -> None:
        """Keep nothing."""
        self._file.truncate(0)

    def finish(self, path: Path) -> None:
        """Give the file its name."""
        os.fsync(self._file.fileno())
        self.path.replace(path)
        self._note_path.unlink(missing_ok=True)

    def _write(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:
            rest = rest[self._file.write(rest) :]

    def _sweep(self) -> None:
        """Leave no empty file behind."""
        if not self.size:
            self.path.unlink(missing_ok=True)
            self._note_path.unlink(missing_ok=True)
