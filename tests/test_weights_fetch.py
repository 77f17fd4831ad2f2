"""Downloads of weights: whole, interrupted, and resumed."""

import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest

from recommender.errors import WeightsError
from tests.file_server import serving_file
from tests.published_weights import CONTENT, SOURCE, UNVERIFIED
from tests.weights_fetching import fetcher, ignore, served

HALF = len(CONTENT) // 2


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOUNDALIKE_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "weights"


def stop_at(size: int, done: int, _total: int) -> None:
    """Ctrl-C when so many bytes have come."""
    if done >= size:
        raise KeyboardInterrupt


def test_a_download_is_verified_and_named(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    with serving_file(CONTENT) as does:
        path = fetcher(does).fetch(served(does), lambda *now: told.append(now))
    assert path.read_bytes() == CONTENT
    assert [p.name for p in folder.iterdir()] == [path.name]
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_whole_download_is_not_asked_for_again_unless_it_is_damaged() -> None:
    with serving_file(CONTENT) as does:
        path = fetcher(does).fetch(served(does), ignore)
        fetcher(does).fetch(served(does), ignore)
        assert len(does.asked) == 1
        path.write_bytes(CONTENT[1:])
        fetcher(does).fetch(served(does), ignore)
    assert path.read_bytes() == CONTENT


def test_a_broken_connection_is_resumed_where_it_broke() -> None:
    with serving_file(CONTENT) as does:
        does.drop_after = [HALF, 1000]
        path = fetcher(does).fetch(served(does), ignore)
    assert path.read_bytes() == CONTENT
    ranges = [asked.get("Range") for asked in does.asked]
    assert ranges == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]
    assert does.asked[1]["If-Range"] == '"v1"'


def test_a_run_that_was_stopped_is_resumed_by_the_next(folder: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with serving_file(CONTENT) as does:
        does.drop_after = [HALF]
        with pytest.raises(KeyboardInterrupt):
            fetcher(does).fetch(served(does), stop)
        begun = (folder / "fake-one.part").stat().st_size
        assert 0 < begun <= HALF
        path = fetcher(does).fetch(served(does), ignore)
    assert path.read_bytes() == CONTENT
    assert does.asked[1]["Range"] == f"bytes={begun}-"


def test_a_whole_part_needs_no_server(folder: Path) -> None:
    with serving_file(CONTENT) as does, pytest.raises(KeyboardInterrupt):
        fetcher(does).fetch(served(does), partial(stop_at, len(CONTENT)))
    assert fetcher(does).fetch(served(does), ignore).read_bytes() == CONTENT
    assert len(does.asked) == 1


def test_a_server_without_ranges_sends_it_all_again() -> None:
    with serving_file(CONTENT) as does:
        does.ranges, does.drop_after = False, [HALF]
        path = fetcher(does).fetch(served(does), ignore)
    assert path.read_bytes() == CONTENT


def test_another_version_on_the_server_is_not_mixed_with_the_part() -> None:
    source = replace(SOURCE, digest="", n_bytes=0)
    with serving_file(b"x" * len(CONTENT)) as does:
        does.drop_after = [HALF]
        with pytest.raises(WeightsError, match="failed 1 times"):
            fetcher(does, attempts=1).fetch(served(does, source), ignore)
        does.content, does.etag = CONTENT, '"v2"'
        path = fetcher(does).fetch(served(does, source), ignore)
    assert path.read_bytes() == CONTENT


def test_without_a_mark_of_the_version_and_a_digest_nothing_is_resumed() -> None:
    with serving_file(CONTENT) as does:
        does.etag, does.drop_after = "", [HALF]
        fetcher(does).fetch(served(does, UNVERIFIED), ignore)
    assert [asked.get("Range") for asked in does.asked] == [None, None]


def test_a_part_that_the_server_does_not_know_is_begun_anew(folder: Path) -> None:
    with serving_file(CONTENT) as does:
        does.drop_after, does.statuses = [HALF], []
        with pytest.raises(WeightsError, match="failed 1 times"):
            fetcher(does, attempts=1).fetch(served(does), ignore)
        does.statuses = [416]
        path = fetcher(does).fetch(served(does), ignore)
    assert path.read_bytes() == CONTENT
    assert "Range" not in does.asked[-1]


def test_an_answer_without_a_length_is_taken() -> None:
    with serving_file(CONTENT) as does:
        does.length = False
        path = fetcher(does).fetch(served(does), ignore)
    assert path.read_bytes() == CONTENT


def test_a_run_that_was_killed_is_resumed_by_the_next(folder: Path) -> None:
    script = (
        "from recommender.weights_fetch import Fetcher\n"
        "from recommender.weights_store import Source\n"
        "Fetcher(trusts=lambda url: True).fetch(Source(**{source!r}), lambda *_: None)"
    )
    part = folder / "fake-one.part"
    with serving_file(CONTENT) as does:
        does.drop_after, does.stall = [HALF], threading.Event()
        command = [sys.executable, "-c", script.format(source=asdict(served(does)))]
        child = subprocess.Popen(command, cwd=Path(__file__).parent.parent)
        while not (part.exists() and part.stat().st_size == HALF) and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        does.stall.set()
        path = fetcher(does).fetch(served(does), ignore)
    assert path.read_bytes() == CONTENT
    assert does.asked[1]["Range"] == f"bytes={HALF}-"
