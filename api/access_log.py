"""A line for every request, at a cost that does not show in the time it takes."""

import asyncio
import logging
import time

NAME = "api.access"
# how long a line may wait for others; what is gathered is lost when the process is killed
WAIT_SECONDS = 0.5
MAX_LINES = 200
_log = logging.getLogger(NAME)


class AccessLog:
    """Gathers lines and logs them together, several to a record; for one event loop."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._second, self._stamp = 0, ""
        self._due: asyncio.TimerHandle | None = None

    def add(
        self, method: str, route: str, status: int | str, milliseconds: float, request_id: str
    ) -> None:
        """Note a request that was answered, by the template of its route."""
        if not _log.isEnabledFor(logging.INFO):
            return
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        self._lines.append(
            f"{self._stamp},{int(now % 1 * 1000):03} INFO {NAME} "
            f"{method} {route} {status} {milliseconds:.1f}ms id={request_id}"
        )
        if len(self._lines) >= MAX_LINES:
            self.flush()
        elif self._due is None:
            self._due = asyncio.get_running_loop().call_later(WAIT_SECONDS, self.flush)

    def flush(self) -> None:
        """Log what has been gathered."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._lines:
            lines, self._lines = self._lines, []
            _log.info("%s", "\n".join(lines))


def handler() -> logging.Handler:
    """Writes lines as they are, for they begin with time and level already."""
    bare = logging.StreamHandler()
    bare.setFormatter(logging.Formatter("%(message)s"))
    return bare
