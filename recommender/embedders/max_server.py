"""Requests to an IBM MAX Audio Embedding Generator: one form per request, retried, bounded.

The address may hold a name and a password. No message shows them, nor the path behind the host,
nor anything that the server says. Redirects are not followed: audio goes to that address, or
nowhere.
"""

import base64
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ssl import SSLCertVerificationError
from typing import Self
from urllib.parse import unquote, urlsplit

from recommender.embedders.environment import MAX_URL
from recommender.errors import RemoteEmbedderError

ATTEMPTS = 5
# within the time that a clip may take, so that the server is blamed and not the clip
PATIENCE_SECONDS = 15.0
FIRST_WAIT_SECONDS = 0.5
MAX_ANSWER_BYTES = 2**20
_PART_BYTES = 2**13
_OK = 200
_REDIRECTS, _REFUSALS, _FAULTS = 300, 400, 500


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is; as a string it is safe to show.

    Attributes
    ----------
    scheme, host, port
        ``"http"`` or ``"https"``, the host without brackets, and None for the scheme's own port.
    path
        What stands before ``/model/predict``, "" or ``"/something"``.
    credentials
        ``"name:password"`` or "".
    """

    scheme: str
    host: str
    port: int | None
    path: str = field(repr=False)
    credentials: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read the setting ``max_url``.

        Raises
        ------
        RemoteEmbedderError
            It is empty, or no address of a server.
        """
        wanted = f"set {MAX_URL}=http://HOST:PORT of an IBM MAX Audio Embedding Generator"
        if not url:
            raise RemoteEmbedderError(f"{MAX_URL} is not set; {wanted}, or use max-local")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            # nothing of it is quoted: it may hold a password
            raise RemoteEmbedderError(f"{MAX_URL} is no address; {wanted}") from None
        clean = url.isascii() and url.isprintable() and " " not in url
        if not clean or parts.scheme not in ("http", "https") or not parts.hostname:
            raise RemoteEmbedderError(f"{MAX_URL} is no http:// or https:// address; {wanted}")
        if parts.query or parts.fragment:
            raise RemoteEmbedderError(f"{MAX_URL} goes on behind the path; {wanted}")
        credentials = unquote(parts.netloc.rpartition("@")[0])
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"), credentials)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port is not None else "")

    def headers(self) -> dict[str, str]:
        """What every request says of itself."""
        said = {"User-Agent": "soundalike", "Accept": "application/json"}
        if self.credentials:
            encoded = base64.b64encode(self.credentials.encode()).decode()
            said["Authorization"] = f"Basic {encoded}"
        return said

    def connection(self) -> HTTPConnection:
        """A connection that opens with its first request."""
        make = HTTPSConnection if self.scheme == "https" else HTTPConnection
        return make(self.host, self.port)


class _TransientError(Exception):
    """The server cannot answer now."""


@dataclass(frozen=True, slots=True)
class MaxServer:
    """A server, and how patiently it is asked; safe to use from many threads.

    Attributes
    ----------
    address
        Where it is.
    patience_seconds
        How long one question may take, attempts and waits together.
    sleep
        Called with the seconds between two attempts.
    """

    address: Address
    patience_seconds: float = PATIENCE_SECONDS
    sleep: Callable[[float], None] = time.sleep

    @contextmanager
    def asking(self) -> Iterator[Callable[[bytes], bytes]]:
        """A function from a WAV file to what the server answers, over one connection.

        It raises RemoteEmbedderError when the server cannot be reached, refuses, or fails
        `ATTEMPTS` times.
        """
        connection = self.address.connection()
        try:
            yield partial(self._ask, connection)
        finally:
            connection.close()

    def _ask(self, connection: HTTPConnection, wav: bytes) -> bytes:
        deadline, failures = time.monotonic() + self.patience_seconds, 0
        body, headers = _form(wav)
        while True:
            try:
                return self._attempt(connection, body, headers, deadline)
            except SSLCertVerificationError as why:
                raise self.error(f"proves no identity ({why.verify_message})") from why
            except (_TransientError, OSError, HTTPException) as why:
                connection.close()
                failures += 1
                seconds = FIRST_WAIT_SECONDS * 2 ** (failures - 1)
                if failures >= ATTEMPTS or time.monotonic() + seconds >= deadline:
                    raise self.error(f"failed {failures} times ({_words(why)})") from why
                self.sleep(seconds)

    def _attempt(
        self, connection: HTTPConnection, body: bytes, headers: dict[str, str], deadline: float
    ) -> bytes:
        # of the connection that is open, and of one that is yet to be
        connection.timeout = max(0.001, deadline - time.monotonic())
        if connection.sock:
            connection.sock.settimeout(connection.timeout)
        path = f"{self.address.path}/model/predict"
        connection.request("POST", path, body, self.address.headers() | headers)
        response = connection.getresponse()
        if response.status >= _FAULTS:
            raise _TransientError(f"HTTP {response.status}")
        if response.status != _OK:
            raise self.error(f"answers HTTP {response.status}{_hint(response.status)}")
        return self._content(response, deadline)

    def _content(self, response: HTTPResponse, deadline: float) -> bytes:
        content = bytearray()
        while part := response.read(_PART_BYTES):
            content += part
            if len(content) > MAX_ANSWER_BYTES:
                raise self.error(f"answers with more than {MAX_ANSWER_BYTES} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError
        if response.length:
            raise _TransientError("an answer was cut short")
        return bytes(content)

    def error(self, what: str) -> RemoteEmbedderError:
        """What is wrong with this server, and what to do about it."""
        return RemoteEmbedderError(
            f"max_url={self.address} {what}; make sure that an IBM MAX Audio Embedding Generator "
            "answers there, and run again: nothing that was stored is lost"
        )


def _form(wav: bytes) -> tuple[bytes, dict[str, str]]:
    """A body with one file in it, and the headers that describe it.

    Old servers judge the file by its name, later ones by its type.
    """
    boundary = secrets.token_hex(16)
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="audio"; filename="audio.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    body = head.encode() + wav + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def _words(why: Exception) -> str:
    """What went wrong, without a word of the server's."""
    if isinstance(why, TimeoutError):
        return "it took too long"
    if isinstance(why, OSError) and why.strerror:
        return why.strerror
    return str(why) if isinstance(why, _TransientError) else type(why).__name__


def _hint(status: int) -> str:
    return ", a redirect, which is not followed" if _REDIRECTS <= status < _REFUSALS else ""
