"""``python -m api --workers N``: several processes behind one address."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import httpx
import psutil
import pytest

from api.__main__ import main
from tests.builders import publish_entries
from tests.fakes import ids_of, small_catalog
from tests.test_api_command import command

PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    publish_entries(folder, small_catalog())
    return folder


@contextmanager
def two_workers(data_dir: Path) -> Iterator[tuple["Popen[str]", str]]:
    """The command with two workers, and the address that it says it listens on."""
    with command("--data-dir", str(data_dir), "--port", "0", "--workers", "2") as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            found = re.fullmatch(r"Soundalike is listening on (http://127\.0\.0\.1:\d+)\n", line)
            assert found, line
            yield process, found[1]
        finally:
            process.kill()


def workers_of(pid: int) -> list[psutil.Process]:
    """Processes that serve; what is started beside them does not."""
    children = psutil.Process(pid).children()
    living = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in living if "resource_tracker" not in " ".join(child.cmdline())]


def wait_until(look: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def are_gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() for process in processes)


def test_a_worker_that_dies_is_replaced_and_all_end_when_asked_to(data_dir: Path) -> None:
    with two_workers(data_dir) as (process, url):
        first, second = workers_of(process.pid)
        assert ids_of(httpx.get(f"{url}/similar", params={"track_id": "a0"}))
        first.kill()
        wait_until(lambda: len({*workers_of(process.pid)} - {first}) == 2)
        assert httpx.get(f"{url}/livez").status_code == 200
        assert second in workers_of(process.pid)
        workers = workers_of(process.pid)
        process.send_signal(signal.SIGTERM)
        out, log = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (0, "")
    assert are_gone(workers)
    assert "a worker ended with exit_code=-9" in log
    assert "GET /livez 200" in log
    assert "Traceback" not in log


def test_workers_end_with_a_parent_that_is_killed(data_dir: Path) -> None:
    with two_workers(data_dir) as (process, _):
        workers = workers_of(process.pid)
        process.kill()
        process.wait()
        wait_until(lambda: are_gone(workers))


def test_a_second_signal_ends_workers_at_once(data_dir: Path) -> None:
    with two_workers(data_dir) as (process, _):
        workers = workers_of(process.pid)
        for worker in workers:
            worker.suspend()
        process.send_signal(signal.SIGINT)
        # the second is only one when the first has been seen
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert are_gone(workers)


def test_every_worker_has_its_share_of_the_machine(data_dir: Path) -> None:
    with two_workers(data_dir) as (process, _):
        for worker in workers_of(process.pid):
            assert worker.environ()["OMP_NUM_THREADS"] == "1"
            assert os.getpgid(worker.pid) != os.getpgid(process.pid)


@pytest.mark.parametrize("workers", ["0", "-1", "x", "1.5", "257", "٣"])
def test_no_other_number_of_workers_is_taken(
    workers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--workers", workers])
    assert raised.value.code == 2
    assert "workers" in capsys.readouterr().err
