"""What is looked at in every request, and what every answer carries, whatever the route."""

import itertools
import os
import re
from collections.abc import Iterable

from api.problems import ProblemError

# sent unless a route sends another of the same name; as bytes, for they go with every answer
COMMON_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; media-src 'self' blob:; img-src 'self' data:; "
        b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9-]{1,64}")
_HOST = re.compile(rb"(?P<name>\[[0-9a-f:.]+\]|[^\[\]:]+)(?::\d{1,5})?", re.IGNORECASE)


class Asked:
    """The headers of a request that matter whatever its route, read in one go."""

    __slots__ = ("announces_body", "encodings", "hosts", "request_id")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]):
        self.hosts: list[bytes] = []
        self.encodings: list[bytes] = []
        self.request_id = b""
        self.announces_body = False
        for name, value in headers:
            if name == b"host":
                self.hosts.append(value)
            elif name == b"content-encoding":
                self.encodings.append(value)
            elif name == b"x-request-id" and not self.request_id:
                self.request_id = value
            elif name in (b"content-length", b"transfer-encoding"):
                self.announces_body = True


class Gate:
    """Says who may ask, and gives requests their names.

    Parameters
    ----------
    allowed_hosts
        Names that the service answers to, commas between; ``*`` for any.
    """

    def __init__(self, allowed_hosts: str):
        names = {name.strip().lower().encode() for name in allowed_hosts.split(",")}
        self._allowed_hosts = None if b"*" in names else names
        # random once and then counted: asking the system for each would cost more
        self._prefix, self._numbers = os.urandom(10).hex(), itertools.count()

    def request_id(self, asked: Asked) -> str:
        """The name that a request came with, or one that no other has."""
        given = asked.request_id
        if given and _REQUEST_ID.fullmatch(given):
            return given.decode("ascii")
        return f"{self._prefix}{next(self._numbers):012x}"

    def check(self, asked: Asked) -> None:
        """Refuse hosts that are not known, and bodies that are encoded, with ProblemError."""
        if self._allowed_hosts is not None and not self._knows(asked.hosts):
            raise ProblemError(
                "unknown-host", "the operator lists host names in SOUNDALIKE_ALLOWED_HOSTS"
            )
        for encoding in asked.encodings:
            if encoding.strip().lower() != b"identity":
                raise ProblemError("unsupported-media", "send the body without a Content-Encoding")

    def _knows(self, hosts: list[bytes]) -> bool:
        host = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        return host is not None and host["name"].lower() in (self._allowed_hosts or ())
