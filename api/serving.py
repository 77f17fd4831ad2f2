"""One process that serves: uvicorn over a socket that listens already."""

import gc
import logging
import socket
import sys
from collections.abc import Callable

import uvicorn

from api import access_log
from api.one_write import OneWriteProtocol
from recommender.settings import Settings

GRACEFUL_SECONDS = 20
BACKLOG = 2048
SWITCH_SECONDS = 0.0005


def serve(settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> bool:
    """Serve until SIGTERM or Ctrl-C.

    Parameters
    ----------
    settings
        What the service is to be.
    listener
        Bound, not necessarily listening.
    ready
        Called once, when requests are answered.

    Returns
    -------
    bool
        Whether it came so far.
    """
    # here and not above: what it imports reads OMP_NUM_THREADS
    from api.app import create_app

    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        # by h11: the other parser that uvicorn may find sets no bound to headers
        http=OneWriteProtocol,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    # modules stay: looking through them for garbage again and again would hold up answers. Before a
    # generation is opened, which must be collected when another takes its place
    gc.collect()
    gc.freeze()
    # questions must not wait for long while a new generation is looked at
    sys.setswitchinterval(SWITCH_SECONDS)
    listener.listen(BACKLOG)
    server = _AnnouncingServer(config, ready)
    server.run([listener])
    return server.was_ready


def log_plainly() -> None:
    """Have this process log to standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    access = logging.getLogger(access_log.NAME)
    access.handlers, access.propagate = [access_log.handler()], False
    # its own access log would show what people search for
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # it tells which of its builds it tried
    logging.getLogger("faiss").setLevel(logging.WARNING)


class _AnnouncingServer(uvicorn.Server):
    """Says when it answers requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]):
        super().__init__(config)
        self._ready = ready
        self.was_ready = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.was_ready = True
            self._ready()
