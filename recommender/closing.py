"""What is closed when its ``with`` block ends."""

from types import TracebackType
from typing import Self


class Closing:
    """A context manager that calls `close` at the end, however it ends."""

    def close(self) -> None:
        """Free what is held."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
