"""The store of listeners while the service runs: opened when it can be, and tidied once a day."""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from recommender.closing import Closing
from recommender.errors import InvalidParameterError, SoundalikeError, StorageError
from recommender.listeners import Listeners
from recommender.settings import Settings

# requests that wait for the disk or a server do not keep searches waiting
THREADS = 8
# until a store that could not be opened is tried again
RETRY_SECONDS = 10.0
DAY_SECONDS = 86_400.0
_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


class Listening(Closing):
    """Holds the store, which may come later than the service, and forgets what has expired.

    Parameters
    ----------
    settings
        Where it is, and for how long events are kept.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self._store: Listeners | None = None
        self._problem = ""
        self._stopped = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keep-listeners", daemon=True)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="listeners")

    @property
    def store(self) -> Listeners:
        """The store.

        Raises
        ------
        StorageError
            It could not be opened yet.
        """
        if self._store is None:
            raise StorageError(self._problem)
        return self._store

    def start(self) -> None:
        """Open the store; if that fails, the rest of the service goes without.

        Raises
        ------
        InvalidParameterError
            The settings name nothing that can be one: no time will mend that.
        """
        self._open()
        self._keeper.start()

    async def run(self, work: Callable[[Listeners], _Result]) -> _Result:
        """What `work` makes of the store, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(self.store))

    def close(self) -> None:
        """Wait for what is under way, and release the store."""
        self._stopped.set()
        self._keeper.join()
        self._threads.shutdown()
        if self._store is not None:
            self._store.close()

    def _open(self) -> None:
        try:
            self._store = Listeners.of(self._settings)
        except InvalidParameterError:
            raise
        except SoundalikeError as error:
            if str(error) != self._problem:
                _log.error("listeners cannot be served: %s", error)
            self._problem = str(error)

    def _keep(self) -> None:
        while self._store is None:
            if self._stopped.wait(RETRY_SECONDS):
                return
            self._open()
        self._forget(self._store)
        while not self._stopped.wait(DAY_SECONDS):
            self._forget(self._store)

    def _forget(self, store: Listeners) -> None:
        try:
            forgotten = store.forget_expired()
        except StorageError as error:
            _log.error("expired events are forgotten tomorrow: %s", error)
        else:
            if forgotten:
                _log.info("forgotten events=%d", forgotten)
