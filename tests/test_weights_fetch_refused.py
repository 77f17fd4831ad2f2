"""Downloads that are refused or given up, and what is said then."""

import threading
import urllib.request
from dataclasses import replace
from email.message import Message
from functools import partial
from pathlib import Path

import pytest

from recommender import weights_fetch
from recommender.errors import LockedError, WeightsError
from recommender.weights_fetch import Fetcher
from recommender.weights_part import Part
from recommender.weights_store import is_https
from tests.file_server import serving_file
from tests.published_weights import CONTENT, SOURCE, UNVERIFIED
from tests.weights_fetching import fetcher, ignore, served

HALF = len(CONTENT) // 2


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOUNDALIKE_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "weights"


def test_a_wrong_digest_keeps_nothing(folder: Path) -> None:
    with (
        serving_file(CONTENT[:-1] + b"?") as does,
        pytest.raises(WeightsError, match="brought another file than digest=sha256"),
    ):
        fetcher(does).fetch(served(does), ignore)
    assert not list(folder.iterdir())


def test_another_size_is_refused_before_the_first_byte(folder: Path) -> None:
    with (
        serving_file(CONTENT * 2) as does,
        pytest.raises(WeightsError, match=r"n_bytes=\d+ at url=.* should be"),
    ):
        fetcher(does).fetch(served(does), ignore)
    assert not list(folder.iterdir())


def test_a_file_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_fetch, "MAX_BYTES", 1000)
    monkeypatch.setattr("recommender.weights_part.MAX_BYTES", 1000)
    with serving_file(CONTENT) as does:
        with pytest.raises(WeightsError, match="is beyond 1000"):
            fetcher(does).fetch(served(does, UNVERIFIED), ignore)
        does.length = False
        with pytest.raises(WeightsError, match="sends more than n_bytes=1000"):
            fetcher(does).fetch(served(does, UNVERIFIED), ignore)


def test_404_is_not_tried_again_and_says_what_else_to_do() -> None:
    with serving_file(CONTENT) as does:
        does.statuses = [404]
        with pytest.raises(WeightsError, match=r"HTTP 404; .* weights add fake-one FILE"):
            fetcher(does).fetch(served(does), ignore)
    assert len(does.asked) == 1


def test_a_busy_server_is_waited_for_as_long_as_it_says() -> None:
    waited: list[float] = []
    with serving_file(CONTENT) as does:
        does.statuses, does.headers = [503, 429], {"Retry-After": "7"}
        patient = replace(fetcher(does), sleep=waited.append)
        assert patient.fetch(served(does), ignore).read_bytes() == CONTENT
    assert waited == [7.0, 7.0]


def test_waits_grow_and_end() -> None:
    waited: list[float] = []
    with serving_file(CONTENT) as does:
        does.statuses = [500] * 4
        patient = replace(fetcher(does, attempts=4), sleep=waited.append)
        with pytest.raises(WeightsError, match=r"failed 4 times \(HTTP 500\)"):
            patient.fetch(served(does), ignore)
    assert waited == [1.0, 2.0, 4.0]


def test_a_server_that_is_not_there_is_said_so() -> None:
    with serving_file(CONTENT) as does:
        pass
    with pytest.raises(WeightsError, match="failed 3 times"):
        fetcher(does).fetch(served(does), ignore)


def test_a_server_that_falls_silent_is_given_up() -> None:
    release = threading.Event()
    with serving_file(CONTENT) as does:
        does.drop_after = [HALF]
        does.stall = release
        hasty = replace(fetcher(does, attempts=1), timeout_seconds=0.2)
        with pytest.raises(WeightsError, match="timed out"):
            hasty.fetch(served(does), ignore)
        release.set()


def test_a_redirect_to_an_address_that_is_not_trusted_is_refused() -> None:
    with serving_file(CONTENT) as does:
        does.statuses, does.location = [302], does.url.replace("127.0.0.1", "localhost")
        with pytest.raises(WeightsError, match=r"leads to http://localhost:.* is not https"):
            fetcher(does).fetch(served(does), ignore)
    assert len(does.asked) == 1


def test_a_compressed_answer_is_refused() -> None:
    with serving_file(CONTENT) as does:
        does.headers = {"Content-Encoding": "gzip"}
        with pytest.raises(WeightsError, match="Content-Encoding=gzip"):
            fetcher(does).fetch(served(does), ignore)


def test_too_little_room_is_said_before_the_first_byte(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    class Full:
        free = len(CONTENT)

    monkeypatch.setattr("shutil.disk_usage", lambda _: Full)
    with (
        serving_file(CONTENT) as does,
        pytest.raises(WeightsError, match="make room, or set SOUNDALIKE_WEIGHTS_DIR"),
    ):
        fetcher(does).fetch(served(does), ignore)
    assert not list(folder.iterdir())


def test_a_second_download_of_the_same_weights_is_refused(folder: Path) -> None:
    folder.mkdir()
    with (
        serving_file(CONTENT) as does,
        Part.opened(served(does)),
        pytest.raises(LockedError, match="fake-one are being fetched already"),
    ):
        fetcher(does).fetch(served(does), ignore)


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://example.org/a", True),
        ("HTTPS://example.org/a", True),
        ("http://example.org/a", False),
        ("ftp://example.org/a", False),
        ("file:///etc/passwd", False),
        ("https:///a", False),
        ("//example.org/a", False),
    ],
)
def test_only_https_is_asked(url: str, trusted: bool) -> None:
    assert is_https(url) is trusted


@pytest.mark.parametrize("url", ["http://example.org/a", "file:///etc/passwd"])
def test_by_default_nothing_else_is_opened(url: str) -> None:
    with pytest.raises(WeightsError, match="is not https"):
        Fetcher().fetch(replace(SOURCE, url=url), ignore)


def test_by_default_a_redirect_from_https_to_http_is_refused() -> None:
    redirects = weights_fetch._Redirects(is_https)
    request = urllib.request.Request(SOURCE.url, headers={"Range": "bytes=7-"})
    ask = partial(redirects.redirect_request, request, None, 302, "Found", Message())  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match=r"leads to http://example.org/b, which is not https"):
        ask("http://example.org/b")
    followed = ask("https://mirror.example.org/b")
    assert followed is not None
    assert followed.get_header("Range") == "bytes=7-"
