"""What happens to a service while it answers: reloads, and clips that are uploaded."""

import http.client
import io
import itertools
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from api.uploads import FIELD
from benchmarks.clock import seconds_of
from benchmarks.processes import Service
from recommender.current import Served, make_current

_BOUNDARY = "benchmark"
_RATE = 22_050
_UPLOADS_AT_ONCE = 8
_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 300.0


@dataclass(slots=True)
class Steps:
    """How long each of some steps took, in seconds.

    Attributes
    ----------
    within
        Those that ended while what they disturb was measured.
    late
        The last one, if it ended later.
    """

    within: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)


@contextmanager
def repeated(step: Callable[[], object], every: float, steps: Steps) -> Iterator[None]:
    """Do something in a thread until the block ends: at once, and again every few seconds.

    A step that takes longer puts off the next one. The last is waited for, so that it disturbs
    nothing that comes later; what it raises is raised here.
    """
    stopped = threading.Event()

    def work() -> None:
        pause = 0.0
        while not stopped.wait(pause):
            spent = seconds_of(step)
            (steps.late if stopped.is_set() else steps.within).append(spent)
            pause = max(0.0, every - spent)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            yield
        finally:
            stopped.set()
        future.result()


def wait_for(service: Service, path: str, generation: str, pause: float = _LOOK_SECONDS) -> None:
    """Until an answer is from a generation; `pause` is between two looks, in seconds.

    Raises
    ------
    RuntimeError
        It does not come to that.
    """
    ends = time.perf_counter() + _PATIENCE_SECONDS
    while generation.encode() not in service.get(path):
        if time.perf_counter() > ends:
            raise RuntimeError(
                f"generation={generation} is not served after {_PATIENCE_SECONDS:g} s; "
                "the log of the service says why"
            )
        time.sleep(pause)


class Alternating:
    """Has now this, now that generation served, as a rollback does."""

    def __init__(self, data_dir: Path, choices: Sequence[tuple[Served, ...]]):
        self._data_dir, self._choices = data_dir, itertools.cycle(choices)

    def step(self, service: Service, path: str, pause: float = _LOOK_SECONDS) -> None:
        """Change ``CURRENT``, and wait until `path` is answered from what it names now."""
        lines = next(self._choices)
        make_current(self._data_dir, *lines)
        wait_for(service, path, lines[0].generation, pause)


class Uploads:
    """Clips that are sent to a service, a few a second.

    Attributes
    ----------
    statuses
        How many were answered with each status.
    seconds
        How long each answer took.
    """

    def __init__(self, address: str, clip: bytes):
        self._host = urllib.parse.urlsplit(address).netloc
        self._body = _multipart(clip)
        self._pool, self._sent = ThreadPoolExecutor(_UPLOADS_AT_ONCE), list[Future[None]]()
        self.statuses = Counter[int]()
        self.seconds = list[float]()

    def step(self) -> None:
        """Send one, without waiting for the answer."""
        self._sent.append(self._pool.submit(self._send))

    def wait(self) -> None:
        """Until all that were sent are answered."""
        wait(self._sent)

    def _send(self) -> None:
        started = time.perf_counter()
        connection = http.client.HTTPConnection(self._host, timeout=60)
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        try:
            connection.request("POST", "/similar/clip", self._body, {"Content-Type": kind})
            answer = connection.getresponse()
            answer.read()
            self.statuses[answer.status] += 1
        except OSError:
            self.statuses[0] += 1
        finally:
            connection.close()
        self.seconds.append(time.perf_counter() - started)


def _multipart(clip: bytes) -> bytes:
    head = (
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; "
        f'name="{FIELD}"; filename="clip.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    )
    return head.encode() + clip + f"\r\n--{_BOUNDARY}--\r\n".encode()


def clip_of(seconds: float) -> bytes:
    """Chords as a WAV file: something to decode and embed."""
    times = np.arange(round(seconds * _RATE)) / _RATE
    # another chord every other second
    hertz = np.where(times[:, np.newaxis] % 4 < 2, (220.0, 277.2, 329.6), (246.9, 293.7, 370.0))
    samples = 0.2 * np.sin(2 * np.pi * hertz * times[:, np.newaxis]).sum(axis=1)
    file = io.BytesIO()
    soundfile.write(file, samples, _RATE, format="WAV")
    return file.getvalue()
