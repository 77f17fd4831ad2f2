"""What a server can do to who asks it: take its time, say too much, say what is not HTTP."""

import errno
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from recommender.embedders import max_server
from recommender.embedders.max_address import Address
from recommender.embedders.max_exchange import MAX_ANSWER_BYTES
from recommender.embedders.max_server import (
    ATTEMPTS,
    PACE_SECONDS,
    PATIENCE_SECONDS,
    MaxServer,
)
from recommender.errors import RemoteEmbedderError

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
# far more than any patience here; whoever is asked gives up when nobody listens any more
MANY = 2_000
LATE, NOT_HTTP = r"\(it took too long\)", r"\(an answer was cut short, or is not HTTP\)"


@dataclass
class Loopback:
    """A server that says whatever it is told to, and how often it was told to go on."""

    address: Address
    n_said: int = 0
    n_asked: int = 0
    questions: list[bytes] = field(default_factory=list)


@contextmanager
def saying(*parts: bytes, pause: float = 0.0, scheme: str = "http") -> Iterator[Loopback]:
    """Answer each question with the parts, one after another; read none that is encrypted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        loopback = Loopback(Address.parse(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"))
        thread = threading.Thread(target=_serve, args=(listener, loopback, parts, pause))
        thread.start()
        try:
            yield loopback
        finally:
            # wakes who accepts
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(
    listener: socket.socket, loopback: Loopback, parts: tuple[bytes, ...], pause: float
) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            loopback.n_asked += 1
            if loopback.address.scheme == "http":
                loopback.questions.append(_question(connection))
            for part in parts:
                connection.sendall(part)
                loopback.n_said += 1
                time.sleep(pause)


def _question(connection: socket.socket) -> bytes:
    heard = b""
    while not heard.endswith(b"--\r\n"):
        heard += connection.recv(2**16)
    return heard


def ask(address: Address, patience: float = 30.0, n_questions: int = 1) -> bytes:
    server = MaxServer(address, patience, pace_seconds=0.0, sleep=lambda _: None)
    return server.asking(n_questions)(b"RIFF")


def test_an_answer_is_read_and_the_connection_given_up() -> None:
    with saying(HEAD + b"Content-Length: 2\r\n\r\nok and more") as server:
        assert ask(server.address) == b"ok"
        assert ask(server.address) == b"ok"
    assert server.n_asked == 2
    assert b"\r\nConnection: close\r\n" in server.questions[0]
    assert b"\r\nHost: " + server.address.authority.encode() in server.questions[0]


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        CHUNKED + b"1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 2\r\n\r\nok",
    ],
)
def test_an_answer_may_be_framed_in_any_way_that_there_is(answer: bytes) -> None:
    with saying(answer) as server:
        assert ask(server.address) == b"ok"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (HEAD + b"Content-Length: 8000\r\n\r\n", b"x"),
        (HEAD + b"X: ", b"x"),
        (b"", b"H"),
        (CHUNKED + b"1f40\r\n", b"x"),
        (HEAD + b"\r\n", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["content", "head", "status", "chunk", "unframed", "interim"],
)
def test_a_server_that_answers_by_drops_is_given_up_in_time(first: bytes, then: bytes) -> None:
    with (
        saying(first, *[then] * MANY, pause=0.01) as server,
        pytest.raises(RemoteEmbedderError, match=f"failed 1 times {LATE}"),
    ):
        ask(server.address, patience=0.2)
    assert server.n_said < MANY / 2


def test_a_server_that_shakes_hands_by_drops_is_given_up_in_time() -> None:
    drops = [b"\x16\x03\x03\x40\x00", *[b"\x02"] * MANY]
    with (
        saying(*drops, pause=0.01, scheme="https") as server,
        pytest.raises(RemoteEmbedderError, match=f"failed 1 times {LATE}"),
    ):
        ask(server.address, patience=0.3)
    assert server.n_said < MANY / 2


def test_a_server_that_does_not_listen_to_a_question_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address.parse(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server = MaxServer(address, patience_seconds=0.2)
        with pytest.raises(RemoteEmbedderError, match=LATE):
            server.asking(1)(bytes(2**25))


def test_a_name_that_is_never_found_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found.wait() and [])
    with pytest.raises(RemoteEmbedderError, match=LATE):
        ask(Address.parse("http://max"), patience=0.05)
    found.set()


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service"),
        (UnicodeError("label too long"), "UnicodeError"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "Network is unreachable"),
    ],
)
def test_a_name_that_cannot_be_looked_up_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, why: Exception, words: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise why

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(RemoteEmbedderError, match=rf"failed {ATTEMPTS} times \({words}"):
        ask(Address.parse("http://max"))


def test_a_host_without_an_address_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    with pytest.raises(RemoteEmbedderError, match="the host has no address"):
        ask(Address.parse("http://max"))


def test_every_address_of_a_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = gone.getsockname()
    with saying(HEAD + b"Content-Length: 2\r\n\r\nok") as server:
        there = ("127.0.0.1", server.address.port)
        places = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", place) for place in (nobody, there)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
        assert ask(Address.parse("http://max")) == b"ok"


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED + b"-5\r\n" + b"x" * 100,
        CHUNKED + b"-1\r\n",
        CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"+2\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"secret\r\n",
        CHUNKED + b"2\r\nokay\r\n0\r\n\r\n",
        CHUNKED + b"9\r\nok",
        HEAD + b"Content-Length: -1\r\n\r\nok",
        HEAD + b"Content-Length: secret\r\n\r\nok",
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        HEAD + b"Content-Length: 9\r\n\r\nok",
        HEAD + b"Transfer-Encoding: secret\r\n\r\nok",
        HEAD + b"secret\r\n\r\n",
        HEAD + b"X: " + b"x" * 2**17,
        HEAD,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: secret\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\nok",
        b"220 secret greetings\r\n\r\n",
        b"\x00\xff\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_not_quoted(answer: bytes) -> None:
    with (
        saying(answer) as server,
        pytest.raises(RemoteEmbedderError, match=rf"failed {ATTEMPTS} times \(") as raised,
    ):
        ask(server.address)
    assert "secret" not in str(raised.value)
    assert server.n_asked == ATTEMPTS


def test_numbers_that_python_does_not_read_are_refused() -> None:
    with (
        saying(HEAD + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\nok") as server,
        pytest.raises(RemoteEmbedderError, match=f"failed {ATTEMPTS} times"),
    ):
        ask(server.address)


def test_a_server_that_hangs_up_is_asked_again() -> None:
    with (
        saying() as server,
        pytest.raises(RemoteEmbedderError, match=r"\(it hangs up without an answer\)"),
    ):
        ask(server.address)
    assert server.n_asked == ATTEMPTS


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (CHUNKED + b"FFFFFFFFFFF\r\n", b"x" * 2**14),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", b"x" * 2**14),
        (HEAD + b"\r\n", b"x" * 2**14),
        (CHUNKED, b"1\r\nx\r\n" * 2**11),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2**10),
    ],
    ids=["chunk", "content", "unframed", "chunks", "interim"],
)
def test_an_endless_answer_is_not_kept_whatever_its_frame(first: bytes, then: bytes) -> None:
    with (
        saying(first, *[then] * MANY) as server,
        pytest.raises(RemoteEmbedderError, match=f"more than {MAX_ANSWER_BYTES} bytes"),
    ):
        ask(server.address)
    assert server.n_asked == 1
    # the system takes some more in, on either side
    assert server.n_said < MANY


def test_a_refusal_is_heard_whatever_follows_it() -> None:
    with (
        saying(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9999\r\n\r\n", b"x") as server,
        pytest.raises(RemoteEmbedderError, match="answers HTTP 404"),
    ):
        ask(server.address)


def test_questions_that_belong_together_share_a_time() -> None:
    server = MaxServer(Address.parse("http://max"))
    assert server.seconds_for(0) == server.seconds_for(1) == PATIENCE_SECONDS
    assert server.seconds_for(24) == 24 * PACE_SECONDS


def test_when_the_time_of_all_questions_is_up_none_is_asked() -> None:
    with saying(HEAD + b"Content-Length: 2\r\n\r\nok") as server:
        asking = MaxServer(server.address, patience_seconds=0.0, pace_seconds=0.0).asking(3)
        with pytest.raises(RemoteEmbedderError, match=LATE):
            asking(b"RIFF")
    assert server.n_asked == 0


def test_the_identity_of_a_server_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    contexts = []

    def wrapped(context: ssl.SSLContext, _: socket.socket, server_hostname: str) -> Any:
        contexts.append((context.verify_mode, context.check_hostname, server_hostname))
        raise OSError(errno.ECONNRESET, "enough")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrapped)
    with saying(scheme="https") as server, pytest.raises(RemoteEmbedderError, match="enough"):
        ask(server.address)
    assert contexts == [(ssl.CERT_REQUIRED, True, "127.0.0.1")] * ATTEMPTS


def test_a_server_that_is_another_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    why = ssl.SSLCertVerificationError(1, "certificate verify failed")
    why.verify_message = "self-signed certificate"
    tried: list[Callable[..., object]] = []

    def fail(*of: Any) -> None:
        tried.append(of[0])
        raise why

    monkeypatch.setattr(max_server, "post", fail)
    with pytest.raises(RemoteEmbedderError, match=r"no identity \(self-signed certificate\)"):
        ask(Address.parse("https://max"))
    assert len(tried) == 1
