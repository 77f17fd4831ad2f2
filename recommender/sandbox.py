"""Child processes for hostile input: a crash, a hang or a flood of memory ends a child, not us.

A child is a fresh interpreter that handles one call at a time, under limits of the system. It may
have been taken over by what it decoded, so of its answers only bytes are believed: a result, or
the name and message of an error of `recommender.errors`.
"""

import json
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from recommender import errors
from recommender.child import (
    ANSWER_HEAD,
    REQUEST_HEAD,
    RESULT,
    STARTED,
    ChildLimits,
    child_environment,
    read_exactly,
)
from recommender.closing import Closing
from recommender.errors import ChildFailedError, SoundalikeError

__all__ = ["ChildLimits", "ChildPool"]

START_SECONDS = 120.0
# address space: libraries and the largest network take 2 GiB of it while it is loaded, and a child
# that embeds clips for several spaces keeps some networks
MEMORY_BYTES = 4 * 2**30
MAX_ANSWER_BYTES = 256 * 1024**2
_MAX_MESSAGE = 500
_EXIT_SECONDS = 5.0
_CHILD = "from recommender.child import serve; serve()"


class ChildPool(Closing):
    """Children that run functions one call each at a time; safe to use from many threads.

    Children start when they are first needed, stay warm, and are replaced when they fail.

    Parameters
    ----------
    size
        Most children at a time.
    limits
        What each may use.
    environment
        Variables that the children see beside the few that an interpreter needs.
    wait_seconds
        How long a call waits for a free child; None for as long as it takes.
    """

    def __init__(
        self,
        size: int,
        limits: ChildLimits,
        environment: Mapping[str, str] | None = None,
        wait_seconds: float | None = None,
    ):
        self._size, self._limits = size, limits
        self._environment = child_environment(environment or {})
        self._wait_seconds = wait_seconds
        self._idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)
        self._living: set[_Child] = set()
        self._lock = threading.Lock()
        self._closed = False
        # the system ends a child when the thread that started it ends, so one thread starts all
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="sandbox-starter")

    def call(self, function: Callable[..., bytes], *args: Any, patience: float = 1.0) -> bytes:
        """Run ``function(*args)`` in a child.

        Parameters
        ----------
        function
            A function at the top level of an importable module.
        args
            Picklable values.
        patience
            How many times the seconds of the limits this call may take.

        Raises
        ------
        SoundalikeError
            Of the class and with the message that the function raised.
        ChildFailedError
            The child crashed, ran into a limit, or the function raised anything else.
        TimeoutError
            No child was free within `wait_seconds`.
        """
        limits = self._limits.times(patience)
        request = pickle.dumps((function, args, limits.cpu_seconds))
        child, healthy = self._take(), False
        try:
            if child is None or not child.is_alive():
                self._end(child)
                child = self._launch()
            answer = child.call(request, limits)
            healthy = True
        finally:
            # also after Ctrl-C: the answer that is still to come belongs to no later call
            if not healthy:
                self._end(child)
            self._idle.put(child if healthy else None)
        if isinstance(answer, SoundalikeError):
            raise answer
        return answer

    def _take(self) -> "_Child | None":
        try:
            return self._idle.get(timeout=self._wait_seconds)
        except queue.Empty:
            raise TimeoutError(
                f"no child process was free within wait_seconds={self._wait_seconds:g}"
            ) from None

    def _launch(self) -> "_Child":
        with self._lock:
            self._require_open()
            launching = self._starter.submit(self._start)
        return launching.result()

    def _start(self) -> "_Child":
        with self._lock:
            self._require_open()
            child = _Child(self._limits, self._environment)
            self._living.add(child)
        return child

    def _require_open(self) -> None:
        if self._closed:
            raise ChildFailedError("the pool of child processes is closed")

    def _end(self, child: "_Child | None") -> None:
        if child is not None:
            child.end()
            with self._lock:
                self._living.discard(child)

    def close(self) -> None:
        """End every child at once; calls that are under way fail."""
        with self._lock:
            self._closed = True
            for child in self._living:
                child.kill()
        for slot in [self._idle.get() for _ in range(self._size)]:
            self._end(slot)
            self._idle.put(None)
        self._starter.shutdown()


class _Child:
    """The parent's end of one child process."""

    def __init__(self, limits: ChildLimits, environment: Mapping[str, str]):
        self._socket, theirs = socket.socketpair()
        settings = json.dumps({"parent": os.getpid(), "limits": asdict(limits)})
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-P", "-c", _CHILD, settings],
                stdin=theirs.fileno(),
                env=environment,
                process_group=0,  # Ctrl-C on the terminal reaches the parent only
            )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process; the thread that is in a call sees the connection close."""
        self._process.kill()

    def end(self) -> None:
        self.kill()
        self._process.wait()
        self._socket.close()

    def call(self, request: bytes, limits: ChildLimits) -> bytes | SoundalikeError:
        """The result, or the error that the function raised; else raises ChildFailedError."""
        deadline, limit = time.monotonic() + START_SECONDS, f"start_seconds={START_SECONDS:g}"
        try:
            self._socket.settimeout(START_SECONDS)
            self._socket.sendall(REQUEST_HEAD.pack(len(request)) + request)
            kind, answer = self._receive(deadline)
            if kind == STARTED:
                limit = f"wall_seconds={limits.wall_seconds:g}"
                kind, answer = self._receive(time.monotonic() + limits.wall_seconds)
        except TimeoutError:
            raise ChildFailedError(f"took longer than {limit}") from None
        except OSError:
            raise ChildFailedError(self._why_it_ended(limits)) from None
        if kind == RESULT:
            return answer
        error = _error_from(answer)
        if isinstance(error, ChildFailedError):
            raise error
        return error

    def _receive(self, deadline: float) -> tuple[bytes, bytes]:
        kind, length = ANSWER_HEAD.unpack(read_exactly(self._socket, ANSWER_HEAD.size, deadline))
        if length > MAX_ANSWER_BYTES:
            raise ChildFailedError(f"answer_bytes={length} is beyond {MAX_ANSWER_BYTES}")
        return kind, read_exactly(self._socket, length, deadline)

    def _why_it_ended(self, limits: ChildLimits) -> str:
        try:
            code = self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return "the child process closed its connection"
        if code == -signal.SIGXCPU:
            return f"took more than cpu_seconds={limits.cpu_seconds:g}"
        if code == -signal.SIGKILL:
            return "was killed, by close() or by the system for want of memory"
        if code < 0:
            return f"crashed with {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


def _error_from(answer: bytes) -> SoundalikeError:
    """The error that a child names, if it is one of ours."""
    try:
        said = json.loads(answer)
        name, message = str(said["error"]), str(said["message"])
    except (ValueError, TypeError, KeyError):
        return ChildFailedError("the child process broke the protocol")
    kind = getattr(errors, name, None)
    message = "".join(c if c.isprintable() else " " for c in message[:_MAX_MESSAGE])
    if isinstance(kind, type) and issubclass(kind, SoundalikeError):
        return kind.__new__(kind, message)  # not kind(message): some build their own message
    return ChildFailedError(message)
