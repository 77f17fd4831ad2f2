"""What is made when it is first needed, and once, however many threads ask."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Made = TypeVar("_Made")


class Once(Generic[_Made]):
    """Weights take long to prepare: two threads must not both do it, and many runs never need them.

    Parameters
    ----------
    make
        Makes it; when it raises, the next call tries again.
    """

    def __init__(self, make: Callable[[], _Made]):
        self._make = make
        self._lock = threading.Lock()
        self._made: list[_Made] = []

    def __call__(self) -> _Made:
        """What was made."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]
