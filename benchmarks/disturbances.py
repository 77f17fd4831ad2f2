"""What happens to a service while it answers: reloads, and clips that are uploaded."""

import http.client
import io
import itertools
import threading
import time
import urllib.parse
import wave
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from api.uploads import FIELD
from benchmarks.processes import Service
from recommender.current import Served, make_current

_BOUNDARY = "benchmark"
_RATE = 22_050
_UPLOADS_AT_ONCE = 8


@contextmanager
def repeated(step: Callable[[], object], every: float) -> Iterator[None]:
    """Do something every few seconds, in a thread, until the block ends."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(every):
            step()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


class Alternating:
    """Has now this, now that generation served."""

    def __init__(self, data_dir: Path, choices: Sequence[tuple[Served, ...]]):
        self._data_dir, self._choices = data_dir, itertools.cycle(choices)
        self.count = 0

    def step(self) -> str:
        """The name of the generation that is served from now on."""
        lines = next(self._choices)
        make_current(self._data_dir, *lines)
        self.count += 1
        return lines[0].generation

    def seconds(self, service: Service, path: str) -> float:
        """From a change of ``CURRENT`` until `path` is answered from it, polling included."""
        started, name = time.perf_counter(), self.step().encode()
        while name not in service.get(path):
            time.sleep(0.002)
        return time.perf_counter() - started


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
        self._pool = ThreadPoolExecutor(_UPLOADS_AT_ONCE)
        self.statuses = Counter[int]()
        self.seconds = list[float]()

    def step(self) -> None:
        """Send one, without waiting for the answer."""
        self._pool.submit(self._send)

    def wait(self) -> None:
        """Until all are answered."""
        self._pool.shutdown()

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
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(_RATE)
        writer.writeframes((samples * 32767).astype("<i2").tobytes())
    return file.getvalue()
