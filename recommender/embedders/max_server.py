"""Requests to an IBM MAX Audio Embedding Generator: one form per request, retried, bounded.

No message shows the name and the password that the address may hold, nor the path behind the host,
nor anything that the server says. Redirects are not followed: audio goes to that address, or
nowhere. Whatever goes wrong is a RemoteEmbedderError, so that no recording is blamed for it.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ssl import SSLCertVerificationError

import h11

from recommender.embedders.max_address import Address
from recommender.embedders.max_exchange import MAX_ANSWER_BYTES, OK, OversizeError, post
from recommender.errors import RemoteEmbedderError

ATTEMPTS = 5
# a window has 9.6 s of sound; a clip at six levels, and six hours of sound, must get through within
# what `max_client.COST` lets a child take, so that the server is blamed and not the recording
PATIENCE_SECONDS = 15.0
PACE_SECONDS = 3.0
FIRST_WAIT_SECONDS = 0.5
_REDIRECTS, _REFUSALS, _FAULTS = 300, 400, 500


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
    pace_seconds
        How long one may take on average, of those that belong together.
    sleep
        Called with the seconds between two attempts.
    """

    address: Address
    patience_seconds: float = PATIENCE_SECONDS
    pace_seconds: float = PACE_SECONDS
    sleep: Callable[[float], None] = time.sleep

    def seconds_for(self, n_questions: int) -> float:
        """How long so many questions may take together, whatever the server does."""
        return max(self.patience_seconds, self.pace_seconds * n_questions)

    def asking(self, n_questions: int) -> Callable[[bytes], bytes]:
        """A function from a WAV file to what the server answers, for that many from now on.

        It raises RemoteEmbedderError when the server cannot be reached, refuses, fails `ATTEMPTS`
        times, or when the time of this question or of all of them is up.
        """
        return partial(self._ask, time.monotonic() + self.seconds_for(n_questions))

    def _ask(self, end: float, wav: bytes) -> bytes:
        deadline, failures = min(end, time.monotonic() + self.patience_seconds), 0
        while True:
            try:
                return self._attempt(wav, deadline)
            except SSLCertVerificationError as why:
                raise self.error(f"proves no identity ({why.verify_message})") from why
            except (_TransientError, OSError, ValueError, h11.ProtocolError) as why:
                failures += 1
                seconds = FIRST_WAIT_SECONDS * 2 ** (failures - 1)
                if failures >= ATTEMPTS or time.monotonic() + seconds >= deadline:
                    raise self.error(f"failed {failures} times ({_words(why)})") from why
                self.sleep(seconds)

    def _attempt(self, wav: bytes, deadline: float) -> bytes:
        body, headers = _form(wav)
        try:
            status, content = post(self.address, "/model/predict", headers, body, deadline)
        except OversizeError as why:
            raise self.error(f"answers with more than {MAX_ANSWER_BYTES} bytes") from why
        if status >= _FAULTS:
            raise _TransientError(f"HTTP {status}")
        if status != OK:
            raise self.error(f"answers HTTP {status}{_hint(status)}")
        return content

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
    if isinstance(why, h11.ProtocolError):
        return "an answer was cut short, or is not HTTP"
    return str(why) if isinstance(why, _TransientError) else type(why).__name__


def _hint(status: int) -> str:
    return ", a redirect, which is not followed" if _REDIRECTS <= status < _REFUSALS else ""
