"""Where an IBM MAX Audio Embedding Generator is, read strictly.

An address may hold a name and a password, and one that is mistyped may hold a piece of them where
the host, the port or the path should be. So whatever could be that is refused, and never shown.
"""

import base64
import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv6Address
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from recommender.embedders.environment import MAX_URL
from recommender.errors import RemoteEmbedderError

_PORTS = {"http": 80, "https": 443}
# RFC 1035 says how long; underscores are no part of it, and names of containers have them
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*\.?", re.ASCII)
# RFC 3986 allows an @ as well, which is rather the end of a password with a slash in it
_PATH = re.compile(r"(/[\w.~!$&'()*+,;=:%-]*)*", re.ASCII)


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
        if problem := _problem(url, parts, port):
            raise RemoteEmbedderError(f"{MAX_URL} {problem}; {wanted}")
        credentials = unquote(parts.netloc.rpartition("@")[0])
        return cls(parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"), credentials)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """The host, and the port if it is not the scheme's own: what ``Host`` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host + (f":{self.port}" if self.port is not None else "")

    @property
    def listens_on(self) -> int:
        """The port, that of the scheme if none is named."""
        return self.port or _PORTS[self.scheme]

    def headers(self) -> dict[str, str]:
        """What every request says of itself."""
        said = {
            "Host": self.authority,
            "User-Agent": "soundalike",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        if self.credentials:
            encoded = base64.b64encode(self.credentials.encode()).decode()
            said["Authorization"] = f"Basic {encoded}"
        return said


def _problem(url: str, parts: SplitResult, port: int | None) -> str:
    """What is wrong with an address, without a word of it; "" for nothing."""
    # the whole text: `urlsplit` drops tabs, line ends, and spaces in front
    if not url.isascii() or not url.isprintable() or {" ", "\\"} & set(url):
        return "has characters that no address has"
    if parts.scheme not in _PORTS or not parts.hostname:
        return "is no http:// or https:// address"
    if not _is_host(parts.hostname, parts.netloc.rpartition("@")[2]):
        return "has a host that no host can be called"
    if port == 0:
        return "has the port 0, which nothing listens on"
    if "?" in url or "#" in url:
        return "goes on behind the path"
    if not _PATH.fullmatch(parts.path):
        return "has a path that is none; in a password, write / as %2F"
    return ""


def _is_host(host: str, written: str) -> bool:
    """Whether `host` is one, and all that is `written` but for the port."""
    is_version_6 = ":" in host
    shown = f"[{host}]" if is_version_6 else host
    # `urlsplit` drops what follows a bracket, and takes any name in brackets
    if re.fullmatch(re.escape(shown) + r"(:\d*)?", written.lower()) is None:
        return False
    if not is_version_6:
        return _HOST.fullmatch(host) is not None
    try:
        # a zone, as in fe80::1%eth0, is a name on one machine only
        return IPv6Address(host).scope_id is None
    except AddressValueError:
        return False
