"""A MAX Audio Embedding Generator on the loopback, as well or as badly behaved as a test wants."""

import io
import json
import threading
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
Levels = npt.NDArray[np.uint8]
Answer = tuple[int, bytes]
ROW, STEP = 15_600, 15_360
WRONG_TYPE = {"status": "error", "message": "Invalid file type/extension"}


def levels_of(samples: Samples) -> Levels:
    """Rows that depend on nothing but the samples: the loudness of 128 slices of each 0.975 s."""
    n_rows = 1 + (len(samples) - ROW) // STEP
    rows = np.stack([samples[STEP * i : STEP * i + ROW] for i in range(n_rows)])
    slices = rows[:, : 121 * 128].reshape(n_rows, 128, 121).astype(np.float64)
    loudness = np.sqrt(np.square(slices).mean(axis=2))
    levels: Levels = (17 * np.log2(1 + loudness)).clip(0, 255).astype(np.uint8)
    return levels


@dataclass
class Behaviour:
    """What the server does.

    `answers` are given instead of the right ones, the first first; with `stall` it receives a
    question and says nothing until the event is set; `cut` bytes of each answer are kept back.
    """

    levels: Callable[[Samples], Levels] = levels_of
    prefix: str = ""
    floats: bool = False
    keeps_alive: bool = True
    answers: list[Answer] = field(default_factory=list)
    location: str = ""
    cut: int = 0
    stall: threading.Event | None = None
    asked: list[Samples] = field(default_factory=list)
    headers: list[Message] = field(default_factory=list)
    n_connections: int = 0
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, behaviour: Behaviour, *args: object):
        self.behaviour = behaviour
        behaviour.n_connections += 1
        self.protocol_version = "HTTP/1.1" if behaviour.keeps_alive else "HTTP/1.0"
        # a client that hangs up has heard enough
        with suppress(ConnectionError):
            super().__init__(*args)  # type: ignore[arg-type]

    def do_POST(self) -> None:
        does = self.behaviour
        does.headers.append(self.headers)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if does.stall:
            does.stall.wait()
            self.close_connection = True
            return
        self._say(*(does.answers.pop(0) if does.answers else self._answer(body)))

    def _answer(self, body: bytes) -> Answer:
        if self.path != f"{self.behaviour.prefix}/model/predict":
            return 404, b"{}"
        part = _part(self.headers["Content-Type"], body)
        if part is None:
            return 400, json.dumps({"message": "Input payload validation failed"}).encode()
        # servers of before 2020 look at the name, later ones at the type
        named = ".wav" in (part.get_filename() or "")
        if not named or part.get_content_type() not in ("audio/wav", "audio/x-wav"):
            return 400, json.dumps(WRONG_TYPE).encode()
        samples = _samples(part.get_payload(decode=True))
        if samples is None:
            return 500, b"{}"
        self.behaviour.asked.append(samples)
        rows = self.behaviour.levels(samples).astype(float if self.behaviour.floats else int)
        return 200, json.dumps({"status": "ok", "embedding": rows.tolist()}, indent=2).encode()

    def _say(self, status: int, content: bytes) -> None:
        self.send_response(status)
        if self.behaviour.location:
            self.send_header("Location", self.behaviour.location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) - self.behaviour.cut])
        self.close_connection = self.close_connection or bool(self.behaviour.cut)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def _part(content_type: str, body: bytes) -> Message | None:
    """The form's only file, if that is called ``audio``."""
    message = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parts = [part for part in message.walk() if part is not message]
    names = [part.get_param("name", header="content-disposition") for part in parts]
    return parts[0] if names == ["audio"] else None


def _samples(content: object) -> Samples | None:
    """What scipy reads of a file with 16-bit samples; anything else ends in an assertion there."""
    assert isinstance(content, bytes)
    try:
        with wave.open(io.BytesIO(content)) as file:
            form = (file.getsampwidth(), file.getnchannels(), file.getframerate())
            return np.frombuffer(file.readframes(-1), "<i2") if form == (2, 1, 16_000) else None
    except (wave.Error, EOFError):
        return None


@contextmanager
def serving_max() -> Iterator[Behaviour]:
    """Serve at ``behaviour.url`` until the context ends."""
    behaviour = Behaviour()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, behaviour))
    behaviour.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield behaviour
    finally:
        if behaviour.stall:
            behaviour.stall.set()
        server.shutdown()
        thread.join()
        server.server_close()
