"""Receive one uploaded file, streamed from a multipart body to where nobody else can read it."""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.problems import ProblemError

FIELD = "file"
# boundaries and part headers around the file itself
ENVELOPE_BYTES = 64 * 1024
_PREFIX = "soundalike-clip-"
_LEFT_OVER_SECONDS = 3600.0


@asynccontextmanager
async def received_file(request: Request, max_bytes: int) -> AsyncIterator[Path]:
    """The uploaded file, for as long as the block runs.

    Raises
    ------
    ProblemError
        The body is not multipart, is cut short, holds anything but one file field called `FIELD`,
        or a file larger than `max_bytes`.
    """
    # mkdtemp makes the folder private (0700)
    folder = Path(await run_in_threadpool(tempfile.mkdtemp, prefix=_PREFIX))
    try:
        path = folder / "clip"
        with path.open("xb") as file:
            await _receive(request, file, max_bytes)
        yield path
    finally:
        shutil.rmtree(folder)


def sweep_left_overs() -> None:
    """Remove what a killed service left behind; no upload under way is that old."""
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        try:
            state = folder.lstat()
        except FileNotFoundError:
            continue  # another service has just answered this clip
        ours = stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid()
        if ours and time.time() - state.st_mtime > _LEFT_OVER_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


async def _receive(request: Request, file: BinaryIO, max_bytes: int) -> None:
    part = _OnlyFile(max_bytes)
    parser = _parser(request.headers.get("content-type", ""), part)
    async for piece in request.stream():
        try:
            parser.write(piece)
        except ValueError as error:
            raise ProblemError("malformed-request", "the multipart body is malformed") from error
        await run_in_threadpool(_write, file, part.taken())
    if not part.complete:
        raise ProblemError("malformed-request", "the multipart body ends too early")
    if part.n_bytes == 0:
        raise ProblemError(
            "invalid-parameter", f"send a recording in one multipart field called {FIELD}"
        )


def _write(file: BinaryIO, piece: bytes) -> None:
    try:
        file.write(piece)
        file.flush()
    except OSError as error:
        raise ProblemError("overloaded", "there is no room for clips; try again later") from error


def _parser(content_type: str, part: "_OnlyFile") -> MultipartParser:
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        raise ProblemError("unsupported-media", f"send multipart/form-data with a field {FIELD}")
    try:
        return MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": part.begin,
                "on_header_field": part.header_name,
                "on_header_value": part.header_value,
                "on_header_end": part.header_end,
                "on_headers_finished": part.headers_finished,
                "on_part_data": part.data,
                "on_end": part.end,
            },
        )
    except (KeyError, ValueError) as error:
        raise ProblemError("malformed-request", "Content-Type has no usable boundary") from error


class _OnlyFile:
    """What the parser reports, as long as it is one file."""

    def __init__(self, max_bytes: int):
        self._max_bytes = max_bytes
        self._name = self._value = self._disposition = b""
        self._pieces: list[bytes] = []
        self._n_parts = 0
        self.n_bytes = 0
        self.complete = False

    def begin(self) -> None:
        self._disposition = b""

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode(errors="replace")
        if name != FIELD or b"filename" not in options:
            raise _refused(name, f"it is not known here; the file goes into the field {FIELD}")
        self._n_parts += 1
        if self._n_parts > 1:
            raise _refused(name, "it is there more than once; send one file")

    def data(self, data: bytes, start: int, end: int) -> None:
        self.n_bytes += end - start
        if self.n_bytes > self._max_bytes:
            raise ProblemError("payload-too-large", f"max_clip_bytes={self._max_bytes}")
        self._pieces.append(data[start:end])

    def end(self) -> None:
        self.complete = True

    def taken(self) -> bytes:
        """What has come in since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _refused(name: str, message: str) -> ProblemError:
    errors = [{"in": "body", "name": name, "message": message}]
    return ProblemError("invalid-parameter", f"field {name}: {message}", errors=errors)
