"""Several processes that answer at one socket, kept alive by a parent that does nothing else."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait

from api.serving import BACKLOG, GRACEFUL_SECONDS, log_plainly, serve
from recommender.settings import Settings

# of a worker that dies over and over, before the next is started
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
# one that lived for so long had no fault from the start
SOUND_SECONDS = 60.0
_READY = b"ready"
_log = logging.getLogger(__name__)
_spawn = multiprocessing.get_context("spawn")


class Supervisor:
    """Starts workers, replaces those that die, and ends them all.

    Parameters
    ----------
    settings
        What each worker serves, and how many there are.
    listener
        The bound socket that all of them accept connections from. Its protocol must be named, as
        only then does asyncio set TCP_NODELAY.
    ready
        Called once, when all workers answer requests.
    """

    def __init__(self, settings: Settings, listener: socket.socket, ready: Callable[[], None]):
        self._settings, self._listener, self._ready = settings, listener, ready
        self._places = [_Place() for _ in range(settings.service_workers)]
        self._announced = False

    def run(self) -> bool:
        """Serve until SIGTERM or Ctrl-C, a second of which ends workers at once.

        Returns
        -------
        bool
            Whether all workers came so far as to answer.
        """
        self._listener.listen(BACKLOG)
        with _signals() as signals:
            try:
                while not signals.come and self._keep_alive():
                    signals.wait_for(self._sources(), self._patience())
            finally:
                self._end(signals)
        return self._announced

    def _keep_alive(self) -> bool:
        """Start what is due; False when a worker failed before any request could be answered."""
        for place in self._places:
            if place.worker is not None and (exit_code := place.worker.ended()) is not None:
                if not self._announced:
                    return False
                place.bury(exit_code)
            if place.worker is None and place.due <= time.monotonic():
                place.worker = _Worker(self._settings, self._listener)
        if not self._announced and all(p.worker and p.worker.is_ready() for p in self._places):
            self._announced = True
            self._ready()
        return True

    def _sources(self) -> list[Connection | int]:
        workers = [place.worker for place in self._places if place.worker]
        return [source for worker in workers for source in worker.sources()]

    def _patience(self) -> float | None:
        """Seconds until a worker is due to be started; None for whenever something happens."""
        due = [place.due for place in self._places if place.worker is None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _end(self, signals: "_Signals") -> None:
        workers = [place.worker for place in self._places if place.worker]
        for worker in workers:
            worker.process.terminate()
        come, deadline = signals.come, time.monotonic() + GRACEFUL_SECONDS + 5
        while (left := [w for w in workers if w.ended() is None]) and signals.come == come:
            if time.monotonic() >= deadline:
                break
            signals.wait_for([w.process.sentinel for w in left], deadline - time.monotonic())
        for worker in workers:
            worker.process.kill()
            worker.process.join()


class _Place:
    """Where one worker after the other works."""

    def __init__(self) -> None:
        self.worker: _Worker | None = None
        self.due = 0.0
        self._delay = 0.0

    def bury(self, exit_code: int) -> None:
        """Make room for the next worker, later each time that one dies early."""
        now = time.monotonic()
        if self.worker is not None and now - self.worker.began < SOUND_SECONDS:
            self._delay = min(LONGEST_DELAY, 2 * self._delay or FIRST_DELAY)
        else:
            self._delay = 0.0
        _log.error(
            "a worker ended with exit_code=%d; starting another in %.1f s", exit_code, self._delay
        )
        self.worker, self.due = None, now + self._delay


class _Worker:
    """The parent's end of one process that serves."""

    def __init__(self, settings: Settings, listener: socket.socket):
        self.began = time.monotonic()
        self._reader, writer = _spawn.Pipe(duplex=False)
        self._is_ready = False
        with writer, _ctrl_c_blocked():
            self.process = _spawn.Process(
                target=_work, args=(settings, listener, writer), name="soundalike-worker"
            )
            self.process.start()

    def is_ready(self) -> bool:
        """Whether it answers requests."""
        try:
            self._is_ready = self._is_ready or (
                self._reader.poll() and self._reader.recv_bytes(len(_READY)) == _READY
            )
        except (OSError, EOFError):
            self._is_ready = False
        return self._is_ready

    def ended(self) -> int | None:
        """Its exit code, None while it lives."""
        return self.process.exitcode

    def sources(self) -> list[Connection | int]:
        """What becomes readable when something has changed."""
        ended = self.process.sentinel
        return [ended] if self._is_ready else [ended, self._reader]


def _work(settings: Settings, listener: socket.socket, writer: Connection) -> None:
    """What a worker does, in a process of its own."""
    # Ctrl-C on the terminal reaches the parent only, which ends the workers in good order
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log_plainly()
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    with listener, writer:
        answered = serve(settings, listener, lambda: writer.send_bytes(_READY))
    sys.exit(0 if answered else 1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Have a process that is started meanwhile not hear Ctrl-C before it can bear it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Signals:
    """Counts signals that ask the service to end, and wakes who waits."""

    def __init__(self, reader: socket.socket):
        self._reader = reader
        self.come = 0

    def count(self, *_: object) -> None:
        """Handle one signal."""
        self.come += 1

    def wait_for(self, sources: list[Connection | int], seconds: float | None) -> None:
        """Wait until a signal comes or one of some sources is readable."""
        if self._reader in wait([*sources, self._reader], seconds):
            self._reader.recv(4096)


@contextmanager
def _signals() -> Iterator[_Signals]:
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        signals = _Signals(reader)
        kinds = (signal.SIGTERM, signal.SIGINT)
        before = {kind: signal.signal(kind, signals.count) for kind in kinds}
        wakeup = signal.set_wakeup_fd(writer.fileno())
        try:
            yield signals
        finally:
            signal.set_wakeup_fd(wakeup)
            for kind, handler in before.items():
                signal.signal(kind, handler)
