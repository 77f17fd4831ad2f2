"""One indexer at a time on a data folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recommender.errors import LockedError

LOCK_FILE = ".indexer.lock"


@contextmanager
def indexer_lock(data_dir: Path) -> Iterator[None]:
    """Hold the lock on `data_dir`; the system frees it however the process ends.

    Raises
    ------
    LockedError
        Another process holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(
                f"data_dir={data_dir} is locked by another indexer; wait for it to end"
            ) from error
        yield
