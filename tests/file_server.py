"""A server of one file on the loopback, as well or as badly behaved as a test wants."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Behaviour:
    """What the server does.

    `drop_after` lists, for the first answers, after how many bytes the connection breaks, and
    `statuses` what the first answers are instead of the file; with `stall` a connection stays
    open, silent, until the event is set.
    """

    content: bytes
    etag: str = '"v1"'
    ranges: bool = True
    length: bool = True
    drop_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    location: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    stall: threading.Event | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, behaviour: Behaviour, *args: object):
        self.behaviour = behaviour
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        does = self.behaviour
        does.asked.append(dict(self.headers))
        if does.statuses:
            self._refuse(does.statuses.pop(0))
            return
        start = self._start()
        rest = does.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(does.content) - 1}/{len(does.content)}"
            )
        if does.etag:
            self.send_header("ETag", does.etag)
        if does.length:
            self.send_header("Content-Length", str(len(rest)))
        for name, value in does.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(rest[: does.drop_after.pop(0)] if does.drop_after else rest)
        if does.stall:
            does.stall.wait()

    def _start(self) -> int:
        wanted = self.headers.get("Range", "")
        version = self.headers.get("If-Range", self.behaviour.etag)
        if not wanted or not self.behaviour.ranges or version != self.behaviour.etag:
            return 0
        return int(wanted.removeprefix("bytes=").rstrip("-"))

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        if self.behaviour.location:
            self.send_header("Location", self.behaviour.location)
        for name, value in self.behaviour.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serving_file(content: bytes) -> Iterator[Behaviour]:
    """Serve `content` at ``behaviour.url`` until the context ends."""
    behaviour = Behaviour(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, behaviour))
    behaviour.url = f"http://127.0.0.1:{server.server_address[1]}/weights.bin"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield behaviour
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
