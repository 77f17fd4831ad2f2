"""Archives of histories: what may be read of them, and where it ends.

An archive is user data. What lists its members, and what they become when they are unpacked, is
limited before either is read.
"""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from recommender.errors import HistoryError

MAGIC = b"PK\x03\x04"
# ListenBrainz has a file a month
MAX_MEMBERS = 10_000
MAX_BYTES = 4 << 30

_LIST_BYTES = 4 << 20
_END = struct.Struct("<4s4HLLH")
_END_MAGIC = b"PK\x05\x06"
_COMMENT_BYTES = 1 << 16
_STEP_BYTES = 1 << 10

# what a member does that is damaged, encrypted, or packed in a way that is not known; and a seek
# to where a damaged list says that it lies
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, struct.error)


@contextmanager
def opened_archive(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """An archive within the limits.

    Raises
    ------
    HistoryError
        It is damaged, or beyond the limits.
    """
    _check_list(file)
    try:
        archive = zipfile.ZipFile(file)
    except (*UNREADABLE, ValueError) as error:
        raise HistoryError("the archive is damaged; fetch it once more") from error
    with archive:
        n_bytes = sum(member.file_size for member in archive.infolist())
        if len(archive.infolist()) > MAX_MEMBERS or n_bytes > MAX_BYTES:
            raise HistoryError(
                f"the archive holds {len(archive.infolist())} files of {n_bytes} bytes, more than "
                f"{MAX_MEMBERS} or {MAX_BYTES}; unpack it, and import its files one by one"
            )
        yield archive


def head_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo, n_bytes: int) -> bytes:
    """How a member begins, as far as it can be read."""
    head = bytearray()
    # others may ask for gigabytes before they give a byte
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return b""
    with suppress(*UNREADABLE, ValueError), archive.open(member) as file:
        # in small steps: what comes before the damage is enough to tell what it is
        while len(head) < n_bytes and (more := file.read(_STEP_BYTES)):
            head += more
    return bytes(head)


def _check_list(file: BinaryIO) -> None:
    """Check the size of the list of members, which is held in memory when it is read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _COMMENT_BYTES - _END.size))
    tail = file.read()
    at = tail.rfind(_END_MAGIC)
    if at < 0 or len(tail) - at < _END.size:
        raise HistoryError("the archive is damaged: it has no end; fetch it once more")
    list_bytes = _END.unpack_from(tail, at)[5]
    # the 64-bit kind tells its size elsewhere, and no history needs it
    if list_bytes > _LIST_BYTES or b"PK\x06\x07" in tail[max(0, at - 20) : at]:
        raise HistoryError(
            "the archive holds too many files, or is of the 64-bit kind; unpack it, and import "
            "its files one by one"
        )
    file.seek(0, io.SEEK_SET)
