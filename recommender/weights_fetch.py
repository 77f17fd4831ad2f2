"""Downloads of published weights, which may be interrupted: https only, resumed, verified.

A download grows in ``NAME.part`` beside a note of what the server said it was. It gets its name
only when its digest is right.
"""

import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from ssl import SSLCertVerificationError, SSLError
from typing import IO

from recommender.errors import WeightsError
from recommender.weights_intake import verified
from recommender.weights_part import MAX_BYTES, Note, Part, Progress, TransientError
from recommender.weights_store import VARIABLE, Source, is_https, weights_dir

TIMEOUT_SECONDS = 30.0
ATTEMPTS = 6
MAX_WAIT_SECONDS = 60.0
_HEADERS = {"User-Agent": "soundalike", "Accept-Encoding": "identity"}
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_RANGE_NOT_SATISFIABLE = 416


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How downloads are made.

    Attributes
    ----------
    trusts
        Which addresses may be asked, those of redirects included.
    attempts
        Failures in a row, without a byte in between, after which it gives up.
    timeout_seconds
        Longest silence of a server.
    sleep
        Called with the seconds between two attempts.
    """

    trusts: Callable[[str], bool] = is_https
    attempts: int = ATTEMPTS
    timeout_seconds: float = TIMEOUT_SECONDS
    sleep: Callable[[float], None] = time.sleep

    def fetch(self, source: Source, progress: Progress) -> Path:
        """Download a published file, or go on with a download; verify it, and only then name it.

        Parameters
        ----------
        source
            What to download.
        progress
            Told how far it is.

        Returns
        -------
        Path
            The file in the weights folder; a whole one of before is not downloaded again.

        Raises
        ------
        WeightsError
            It cannot be had, or is not the file that was published: then nothing is kept of it.
        LockedError
            It is being downloaded already.
        OSError
            The weights folder cannot be written to; what has come stays.
        """
        path = weights_dir() / f"{source.name}.download"
        path.parent.mkdir(parents=True, exist_ok=True)
        if _is_good(source, path):
            return path
        with Part.opened(source) as part:
            self._fill(part, source, progress)
            if not _is_good(source, part.path):
                part.discard()
                raise WeightsError(
                    f"url={source.url} brought another file than digest={source.digest}; "
                    f"nothing was kept; get {source.file_name} elsewhere and run: "
                    f"python -m indexer weights add {source.name} FILE"
                )
            part.finish(path)
        return path

    def _fill(self, part: Part, source: Source, progress: Progress) -> None:
        """Ask until the file is whole; every byte that comes grants new attempts."""
        failures = 0
        while not part.is_whole(source):
            size_before = part.size
            try:
                self._ask(part, source, progress)
                break
            except (TransientError, TimeoutError, ConnectionError, SSLError, HTTPException) as why:
                failures = 1 if part.size > size_before else failures + 1
                if failures >= self.attempts:
                    raise WeightsError(
                        f"url={source.url} failed {failures} times "
                        f"({str(why) or type(why).__name__}); "
                        f"{part.size} bytes are kept; run again: {source.command}"
                    ) from why
                seconds = getattr(why, "retry_after", 0.0) or 2.0 ** (failures - 1)
                self.sleep(min(seconds, MAX_WAIT_SECONDS))

    def _ask(self, part: Part, source: Source, progress: Progress) -> None:
        with self._opened(source, part) as response:
            note = part.accept(response, Note.of(response, source))
            _check_size(part, source, note.n_bytes)
            part.receive(response, note, progress)

    @contextmanager
    def _opened(self, source: Source, part: Part) -> Iterator[HTTPResponse]:
        if not self.trusts(source.url):
            raise WeightsError(
                f"url={source.url} is not https; get {source.file_name} yourself and run: "
                f"python -m indexer weights add {source.name} FILE"
            )
        headers = _HEADERS | part.range_headers(source)
        request = urllib.request.Request(source.url, headers=headers)  # noqa: S310 - checked above
        opener = urllib.request.build_opener(_Redirects(self.trusts))
        try:
            with opener.open(request, timeout=self.timeout_seconds) as response:
                yield response
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == _RANGE_NOT_SATISFIABLE:
                part.discard()
            raise _refusal(error, source) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, SSLCertVerificationError):
                raise WeightsError(
                    f"url={source.url} proves no identity: {error.reason}"
                ) from error
            raise TransientError(str(error.reason)) from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to trusted addresses only."""

    def __init__(self, trusts: Callable[[str], bool]):
        self._trusts = trusts

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not self._trusts(newurl):
            raise WeightsError(f"url={req.full_url} leads to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _is_good(source: Source, path: Path) -> bool:
    """Whether a file is there and, as far as can be known, the published one."""
    try:
        verified(source, path)
    except (FileNotFoundError, WeightsError):
        return False
    return True


def _check_size(part: Part, source: Source, n_bytes: int) -> None:
    """Refuse, before the first byte, a file that is not the one or has no room."""
    if source.n_bytes and n_bytes and n_bytes != source.n_bytes:
        part.discard()
        raise WeightsError(
            f"n_bytes={n_bytes} at url={source.url} should be {source.n_bytes}; "
            "another file is there now"
        )
    if n_bytes > MAX_BYTES:
        part.discard()
        raise WeightsError(f"n_bytes={n_bytes} at url={source.url} is beyond {MAX_BYTES}")
    # the file, and what is made of it, which is about as large
    wanted, free = 2 * n_bytes - part.size, shutil.disk_usage(part.path.parent).free
    if free < wanted:
        raise WeightsError(
            f"free_bytes={free} in {part.path.parent} is below {wanted}; "
            f"make room, or set {VARIABLE}"
        )


def _refusal(error: urllib.error.HTTPError, source: Source) -> Exception:
    """What an answer that is no file means: try again later, or never."""
    if error.code in _TRY_AGAIN or error.code == _RANGE_NOT_SATISFIABLE:
        seconds = error.headers.get("Retry-After", "")
        return TransientError(f"HTTP {error.code}", float(seconds) if seconds.isdigit() else 0.0)
    return WeightsError(
        f"url={source.url} answers HTTP {error.code}; get {source.file_name} elsewhere and run: "
        f"python -m indexer weights add {source.name} FILE"
    )
