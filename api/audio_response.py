"""Serve an open audio file: ranges and validators of RFC 9110."""

import os
import re
import stat
from collections.abc import Iterator
from email.utils import formatdate
from typing import BinaryIO

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.etags import held_by, holds, holds_anything
from api.problems import ProblemError

_BLOCK_BYTES = 256 * 1024
# of the year 9999, after which a date has no form in a header
_LAST_SECOND = 253_402_300_799
_RANGE = re.compile(r"bytes=(?P<first>\d{0,18})-(?P<last>\d{0,18})", re.ASCII)
UNKNOWN_TYPE = "application/octet-stream"
_MEDIA_TYPES = {
    b".aac": "audio/aac",
    b".aif": "audio/aiff",
    b".aifc": "audio/aiff",
    b".aiff": "audio/aiff",
    b".flac": "audio/flac",
    b".m4a": "audio/mp4",
    b".m4b": "audio/mp4",
    b".mka": "audio/x-matroska",
    b".mp2": "audio/mpeg",
    b".mp3": "audio/mpeg",
    b".mp4": "audio/mp4",
    b".oga": "audio/ogg",
    b".ogg": "audio/ogg",
    b".opus": "audio/ogg",
    b".wav": "audio/wav",
    b".wave": "audio/wav",
    b".webm": "audio/webm",
}


def media_type_of(path: bytes) -> str:
    """What a file is, by its suffix; `UNKNOWN_TYPE` when that says nothing."""
    return _MEDIA_TYPES.get(os.path.splitext(path)[1].lower(), UNKNOWN_TYPE)


def open_regular(path: bytes) -> BinaryIO:
    """Open a regular file for reading; a symbolic link in its place is not followed.

    Raises
    ------
    OSError
        It is gone, is something else, or may not be read.
    """
    # non-blocking: a FIFO in the file's place must not hang the thread
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.fdopen(os.open(path, flags), "rb", buffering=0)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FileNotFoundError("not a regular file")
    return file


def audio_response(file: BinaryIO, path: bytes, headers: Headers, *, head_only: bool) -> Response:
    """Answer with an open file or the range of it that is asked for, and close it.

    Of several ranges, and of what is no range, the whole file is the answer, as RFC 9110 allows.

    Parameters
    ----------
    file
        Open for reading.
    path
        Where it was found; its suffix gives the media type.
    headers
        Of the request.
    head_only
        Whether the body is left out.

    Raises
    ------
    ProblemError
        The range begins beyond the end of the file.
    """
    try:
        return _answer(file, path, headers, head_only)
    except BaseException:
        file.close()
        raise


def _answer(file: BinaryIO, path: bytes, headers: Headers, head_only: bool) -> Response:
    state = os.fstat(file.fileno())
    etag = f'"{state.st_ino:x}-{state.st_mtime_ns:x}-{state.st_size:x}"'
    modified = formatdate(min(max(state.st_mtime, 0), _LAST_SECOND), usegmt=True)
    kept = {"ETag": etag, "Last-Modified": modified, "Accept-Ranges": "bytes"}
    held = held_by(headers.raw)
    if holds(held, etag) or holds_anything(held):
        file.close()
        return Response(status_code=304, headers=kept)
    whole = range(state.st_size)
    conditional = headers.get("if-range", etag) in (etag, modified)
    asked = _range(headers.get("range", "") if conditional else "", state.st_size)
    part = whole if asked is None else asked
    kept["Content-Length"] = str(len(part))
    if asked is not None:
        kept["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{state.st_size}"
    return _OpenFileResponse(
        file,
        range(0) if head_only else part,
        status_code=200 if asked is None else 206,
        headers=kept,
        media_type=media_type_of(path),
    )


def _range(text: str, size: int) -> range | None:
    """The bytes that a Range header asks for; None for the whole file."""
    found = _RANGE.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found["first"], found["last"]
    if not first:
        part = range(max(0, size - int(last)), size)
    elif last and int(last) < int(first):
        return None
    else:
        part = range(int(first), min(int(last) + 1, size) if last else size)
    if not part:
        raise ProblemError(
            "range-not-satisfiable",
            f"the file has size={size}",
            {"Content-Range": f"bytes */{size}"},
        )
    return part


class _OpenFileResponse(StreamingResponse):
    """Streams a part of an open file, which it closes whatever happens."""

    def __init__(
        self,
        file: BinaryIO,
        part: range,
        status_code: int,
        headers: dict[str, str],
        media_type: str,
    ):
        super().__init__(_blocks(file, part), status_code, headers, media_type)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


def _blocks(file: BinaryIO, part: range) -> Iterator[bytes]:
    file.seek(part.start)
    left = len(part)
    while left and (block := file.read(min(left, _BLOCK_BYTES))):
        left -= len(block)
        yield block
