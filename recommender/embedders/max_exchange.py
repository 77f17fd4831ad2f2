"""One question to an HTTP server, from looking its name up to the last byte, by one deadline.

What comes back is read with h11, which does no input or output: how long and how much is read is
decided here, whatever the server says of its answer. A connection serves one question. IBM's server
closes it then anyway, and what follows an answer is nobody's.
"""

import errno
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any

import h11

from recommender.embedders.max_address import Address

MAX_ANSWER_BYTES = 2**20
OK = 200
_PART_BYTES = 2**14


class OversizeError(Exception):
    """An answer has more than `MAX_ANSWER_BYTES`, its head and interim answers included."""


def post(
    address: Address, path: str, headers: Mapping[str, str], body: bytes, deadline: float
) -> tuple[int, bytes]:
    """Ask once.

    Parameters
    ----------
    address
        The server.
    path
        Behind the path of the address.
    headers
        Beside those of the address, and those of framing.
    body
        What is sent.
    deadline
        When everything must be done, on the clock of :func:`time.monotonic`.

    Returns
    -------
    tuple of int and bytes
        The status and, if that is 200, the content.

    Raises
    ------
    TimeoutError
        The deadline has come.
    OversizeError
        The answer is too long; what was read of it is dropped.
    OSError
        There is no connection, or it is lost.
    h11.ProtocolError
        What comes back is not HTTP.
    """
    framing = {"Connection": "close", "Content-Length": str(len(body))}
    said = address.headers() | framing | dict(headers)
    request = h11.Request(method="POST", target=f"{address.path}{path}", headers=list(said.items()))
    http = h11.Connection(h11.CLIENT)
    events = (request, h11.Data(data=body), h11.EndOfMessage())
    question = b"".join(http.send(event) or b"" for event in events)
    with _connected(address, deadline) as connection:
        _send(connection, question, deadline)
        return _answer(connection, http, deadline)


def _left(deadline: float) -> float:
    """Seconds until the deadline, always more than 0: a time limit of 0 would mean something else.

    Raises
    ------
    TimeoutError
        There are none.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _connected(address: Address, deadline: float) -> socket.socket:
    places = _looked_up(address, deadline)
    why: Exception = OSError(errno.EADDRNOTAVAIL, "the host has no address")
    for n_before, (family, kind, protocol, _, place) in enumerate(places):
        plain = socket.socket(family, kind, protocol)
        try:
            # each has its share, so that one that swallows everything leaves time for the next
            plain.settimeout(_left(deadline) / (len(places) - n_before))
            plain.connect(place)
            return _encrypted(plain, address, deadline) if address.scheme == "https" else plain
        except (OSError, ValueError) as error:
            plain.close()
            if isinstance(error, ssl.SSLError):
                raise
            why = error
    raise why


def _looked_up(address: Address, deadline: float) -> list[Any]:
    """Where the host is; a thread asks, which nobody waits for, as nothing can interrupt it."""
    found = queue.SimpleQueue[list[Any] | Exception]()

    def look() -> None:
        try:
            found.put(socket.getaddrinfo(address.host, address.listens_on, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as why:
            found.put(why)

    threading.Thread(target=look, name="max-lookup", daemon=True).start()
    try:
        places = found.get(timeout=_left(deadline))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(places, Exception):
        raise places
    return places


def _encrypted(plain: socket.socket, address: Address, deadline: float) -> ssl.SSLSocket:
    plain.settimeout(_left(deadline))
    return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)


def _send(connection: socket.socket, question: bytes, deadline: float) -> None:
    # not sendall, which on an encrypted connection starts its time anew with each part
    unsent = memoryview(question)
    while unsent:
        connection.settimeout(_left(deadline))
        unsent = unsent[connection.send(unsent[:_PART_BYTES]) :]


def _answer(connection: socket.socket, http: h11.Connection, deadline: float) -> tuple[int, bytes]:
    content, n_heard = bytearray(), 0
    while not isinstance(event := http.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Data):
            content += event.data
        elif isinstance(event, h11.Response):
            if event.status_code != OK:
                return event.status_code, b""
        elif event is h11.NEED_DATA:
            n_heard += _hear(connection, http, deadline)
            if n_heard > MAX_ANSWER_BYTES:
                raise OversizeError
        elif not isinstance(event, h11.InformationalResponse):
            raise h11.RemoteProtocolError("no answer to a question")
    return OK, bytes(content)


def _hear(connection: socket.socket, http: h11.Connection, deadline: float) -> int:
    """Hand on what comes next, and say how many bytes that were."""
    connection.settimeout(_left(deadline))
    part = connection.recv(_PART_BYTES)
    http.receive_data(part)
    if not part and http.their_state is h11.SEND_RESPONSE:
        raise ConnectionResetError(errno.ECONNRESET, "it hangs up without an answer")
    return len(part)
