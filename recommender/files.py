"""Writing files so that a crash leaves the old or the new one, never half of one."""

import hashlib
import mmap
import os
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LOWEST_PRIORITY = 19
# not small: between blocks a thread needs the interpreter, and keeps others from it if it is slow
_BLOCK_BYTES = 2 << 20


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    # not a bytearray: nobody else could run while it is filled with zeros
    digest, block = hashlib.sha256(), memoryview(mmap.mmap(-1, _BLOCK_BYTES))
    with path.open("rb", buffering=0) as file:
        while n_bytes := file.readinto(block):
            digest.update(block[:n_bytes])
    return digest.hexdigest()


def sha256_of_all(paths: Iterable[Path], *, patient: bool = False) -> list[str]:
    """Hex SHA-256 of files, on all cores; when `patient`, on one, in what time others leave it."""
    n_threads, prepare = (1, _step_back) if patient else (os.cpu_count(), None)
    with ThreadPoolExecutor(n_threads, initializer=prepare) as pool:
        return list(pool.map(sha256_of, paths))


def _step_back() -> None:
    """Give this thread only what others leave.

    Linux alone gives threads a priority of their own.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)


def sync(path: Path) -> None:
    """Push a file's content, or a directory's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_durably(path: Path, content: str | bytes) -> None:
    """Replace a small file in one step: temporary file, fsync, rename, fsync of the folder.

    Text is written in UTF-8.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)
