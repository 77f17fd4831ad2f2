"""The child's end of `recommender.sandbox`: limits, and a loop that answers calls.

Protocol, on one socket: a request is its length (8 bytes) and a pickled (function, arguments, CPU
seconds); each answer is a kind (1 byte), a length (8 bytes) and bytes. A call is answered by
STARTED, when the function's module is imported, and then RESULT or ERROR. Nothing that a child says
is unpickled.
"""

import json
import math
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn, Self

from recommender.errors import SoundalikeError

STARTED, RESULT, ERROR = b"S", b"R", b"E"
ANSWER_HEAD = struct.Struct("!cQ")
REQUEST_HEAD = struct.Struct("!Q")

# what an interpreter needs; anything else, such as keys in variables, stays out of reach
_INHERITED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "TMPDIR", "TZ")
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What a child may use.

    Attributes
    ----------
    memory_bytes
        Address space of the child, its interpreter and libraries included.
    cpu_seconds, wall_seconds
        Time of one call, importing the function's module not included.
    """

    memory_bytes: int
    cpu_seconds: float
    wall_seconds: float

    def times(self, factor: float) -> Self:
        """The limits of a call that may take `factor` times as long."""
        return replace(
            self,
            cpu_seconds=self.cpu_seconds * factor,
            wall_seconds=self.wall_seconds * factor,
        )


def read_exactly(connection: socket.socket, n_bytes: int, deadline: float | None = None) -> bytes:
    """Exactly `n_bytes`; raises TimeoutError past `deadline`, ConnectionError at the end."""
    data = bytearray()
    while len(data) < n_bytes:
        if deadline is not None:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
        part = connection.recv(min(n_bytes - len(data), 1 << 20))
        if not part:
            raise ConnectionError("closed by the other side")
        data += part
    return bytes(data)


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The variables of a child: this process's modules, one thread, and `extra`.

    No others are handed on, so a secret reaches a child only if `extra` holds it.
    """
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    paths = [os.path.abspath(p) for p in sys.path]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)} | _THREADS | dict(extra)


def serve() -> NoReturn:
    """Be a child: answer calls on standard input until the parent is gone."""
    settings = json.loads(sys.argv[1])
    limits = ChildLimits(**settings["limits"])
    connection = socket.socket(fileno=os.dup(0))
    _prepare(limits, settings["parent"])
    while True:
        try:
            (length,) = REQUEST_HEAD.unpack(read_exactly(connection, REQUEST_HEAD.size))
            request = read_exactly(connection, length)
        except ConnectionError:
            os._exit(0)
        kind, answer = _answer(request, limits, connection)
        connection.sendall(ANSWER_HEAD.pack(kind, len(answer)) + answer)


def _prepare(limits: ChildLimits, parent: int) -> None:
    _die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.dont_write_bytecode = True
    # found out by writing a file, and libraries ask when they are imported: too late below
    tempfile.gettempdir()
    for name, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(name, (value, value))
    # decoders print about every damaged frame, on the descriptors that the terminal shows
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)


def _die_with_parent(parent: int) -> None:
    """Ask Linux for a SIGKILL when the parent ends, kill -9 included; elsewhere EOF must do."""
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _answer(request: bytes, limits: ChildLimits, connection: socket.socket) -> tuple[bytes, bytes]:
    try:
        # the parent is trusted, and nothing else can write to this connection
        function, args, cpu_seconds = pickle.loads(request)  # noqa: S301
        _allow_cpu(cpu_seconds)
        connection.sendall(ANSWER_HEAD.pack(STARTED, 0))
        return RESULT, function(*args)
    except SoundalikeError as error:
        return ERROR, _named(type(error).__name__, str(error))
    except MemoryError:
        return ERROR, _named(
            "ChildFailedError", f"ran out of memory: memory_bytes={limits.memory_bytes}"
        )
    except Exception as error:
        # an OSError's own text would name the path of a file
        words = error.strerror if isinstance(error, OSError) else error
        return ERROR, _named("ChildFailedError", f"raised {type(error).__name__}: {words}")


def _named(name: str, message: str) -> bytes:
    return json.dumps({"error": name, "message": message}).encode()


def _allow_cpu(seconds: float) -> None:
    """Move the limit, which counts from the start of the process, for one more call."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used + seconds), hard))
