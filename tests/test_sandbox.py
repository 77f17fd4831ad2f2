import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from recommender.child import ERROR
from recommender.errors import ChildFailedError, SilentAudioError, UnknownTrackError
from recommender.sandbox import ChildLimits, ChildPool, _error_from

LIMITS = ChildLimits(memory_bytes=512 * 1024**2, cpu_seconds=1.0, wall_seconds=60.0)


def echo(*values: bytes) -> bytes:
    return b"".join(values)


def own_pid() -> bytes:
    return str(os.getpid()).encode()


def environment(name: str) -> bytes:
    return os.environ.get(name, "unset").encode()


def sleep(seconds: float) -> bytes:
    time.sleep(seconds)
    return own_pid()


def spin(seconds: float) -> bytes:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return own_pid()


def crash() -> bytes:
    ctypes.string_at(0)
    return b""


def leave() -> bytes:
    os._exit(3)


def devour() -> bytes:
    return bytes(1024**3)


def raise_silent() -> bytes:
    raise SilentAudioError("level_dbfs=-90 is too quiet")


def raise_value() -> bytes:
    raise ValueError("unexpected\x1b[31m")


def raise_os_error() -> bytes:
    raise FileNotFoundError(2, "No such file or directory", "/private/path")


def write_file(path: str) -> bytes:
    Path(path).write_bytes(b"x")
    return b"written"


def temporary_folder() -> bytes:
    return os.fsencode(tempfile.gettempdir())


def core_limit() -> bytes:
    return str(resource.getrlimit(resource.RLIMIT_CORE)).encode()


@pytest.fixture(scope="module")
def pool() -> Iterator[ChildPool]:
    with ChildPool(1, LIMITS) as children:
        yield children


def test_a_result_comes_back_as_the_bytes_it_was(pool: ChildPool) -> None:
    big = os.urandom(3_000_000)
    assert pool.call(echo, b"", b"\0\xff", big) == b"\0\xff" + big


def test_a_child_stays_warm(pool: ChildPool) -> None:
    assert pool.call(own_pid) == pool.call(own_pid) != own_pid()


def test_an_error_of_ours_keeps_its_class_and_message_and_the_child(pool: ChildPool) -> None:
    before = pool.call(own_pid)
    with pytest.raises(SilentAudioError, match="level_dbfs=-90 is too quiet"):
        pool.call(raise_silent)
    assert pool.call(own_pid) == before


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (crash, "crashed with SIGSEGV"),
        (leave, "exit code 3"),
        (devour, "out of memory: memory_bytes=536870912"),
        (raise_value, r"raised ValueError: unexpected \[31m"),
        (raise_os_error, "raised FileNotFoundError: No such file or directory$"),
    ],
)
def test_any_other_end_is_one_error_and_a_new_child(
    pool: ChildPool, function: Callable[[], bytes], words: str
) -> None:
    before = pool.call(own_pid)
    with pytest.raises(ChildFailedError, match=words):
        pool.call(function)
    assert pool.call(own_pid) != before


def test_a_call_may_not_take_longer_than_allowed(pool: ChildPool) -> None:
    with pytest.raises(ChildFailedError, match="took more than cpu_seconds=1"):
        pool.call(spin, 60)
    hasty = ChildLimits(LIMITS.memory_bytes, cpu_seconds=1, wall_seconds=0.1)
    with (
        ChildPool(1, hasty) as children,
        pytest.raises(ChildFailedError, match=r"took longer than wall_seconds=0\.1"),
    ):
        children.call(sleep, 60)


def test_a_call_may_be_allowed_longer(pool: ChildPool) -> None:
    before = pool.call(own_pid)
    assert pool.call(spin, 1.5, patience=3) == before
    with pytest.raises(ChildFailedError, match=r"took more than cpu_seconds=1$"):
        pool.call(spin, 60)
    hasty = ChildLimits(LIMITS.memory_bytes, cpu_seconds=1, wall_seconds=0.1)
    with (
        ChildPool(1, hasty) as children,
        pytest.raises(ChildFailedError, match=r"took longer than wall_seconds=0\.2"),
    ):
        children.call(sleep, 60, patience=2)


def test_the_cpu_limit_counts_each_call_alone(pool: ChildPool) -> None:
    assert len({pool.call(spin, 0.6) for _ in range(3)}) == 1


def test_a_child_that_died_between_calls_is_replaced(pool: ChildPool) -> None:
    pid = int(pool.call(own_pid))
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)], timeout=0.2)
    assert int(pool.call(own_pid)) != pid


def test_ctrl_c_is_left_to_the_parent(pool: ChildPool) -> None:
    pid = int(pool.call(own_pid))
    os.kill(pid, signal.SIGINT)
    assert int(pool.call(own_pid)) == pid
    assert os.getpgid(pid) != os.getpgid(0)


def test_a_child_writes_no_files_and_no_cores(pool: ChildPool, tmp_path: Path) -> None:
    with pytest.raises(ChildFailedError, match="File too large"):
        pool.call(write_file, str(tmp_path / "x"))
    assert pool.call(core_limit) == b"(0, 0)"


def test_libraries_that_ask_for_a_temporary_folder_are_told(pool: ChildPool) -> None:
    assert pool.call(temporary_folder) == os.fsencode(tempfile.gettempdir())


def test_a_child_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_API_KEY", "secret")
    with ChildPool(1, LIMITS, {"GIVEN": "yes"}) as children:
        assert children.call(environment, "SOUNDALIKE_API_KEY") == b"unset"
        assert children.call(environment, "GIVEN") == b"yes"
        assert children.call(environment, "OMP_NUM_THREADS") == b"1"


def test_calls_from_many_threads_do_not_disturb_each_other() -> None:
    def one(number: int) -> str:
        payload = str(number).encode() * 10_000
        try:
            return (
                "ok" if children.call(*((crash,) if number % 5 == 0 else (echo, payload))) else ""
            )
        except ChildFailedError:
            return "failed"

    with ChildPool(3, LIMITS) as children, ThreadPoolExecutor(6) as threads:
        results = list(threads.map(one, range(30)))
    assert results == ["failed" if n % 5 == 0 else "ok" for n in range(30)]


def test_a_busy_pool_says_so() -> None:
    with ChildPool(1, LIMITS, wait_seconds=0.05) as children, ThreadPoolExecutor(1) as threads:
        children.call(own_pid)
        slow = threads.submit(children.call, sleep, 0.4)
        while not children._idle.empty():
            time.sleep(0.001)
        with pytest.raises(TimeoutError, match=r"wait_seconds=0\.05"):
            children.call(own_pid)
        assert slow.result()


def test_closing_ends_children_and_the_calls_under_way() -> None:
    children = ChildPool(2, LIMITS)
    pid = int(children.call(own_pid))
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(children.call, sleep, 60)
        while children._idle.qsize() == 2:
            time.sleep(0.001)
        children.close()
        with pytest.raises(ChildFailedError):
            slow.result()
    assert not psutil.pid_exists(pid)
    with pytest.raises(ChildFailedError, match="closed"):
        children.call(own_pid)


def test_a_child_outlives_the_thread_that_first_called_it() -> None:
    with ChildPool(1, LIMITS) as children:
        pids: list[bytes] = []
        for _ in range(2):
            thread = threading.Thread(target=lambda: pids.append(children.call(own_pid)))
            thread.start()
            thread.join()
    assert pids[0] == pids[1]


def test_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = """
        import os, signal, threading, time
        from recommender.sandbox import ChildLimits, ChildPool
        from tests.test_sandbox import own_pid, sleep
        pool = ChildPool(1, ChildLimits(2**30, 60, 60))
        print(pool.call(own_pid).decode(), flush=True)
        threading.Thread(target=pool.call, args=(sleep, 60), daemon=True).start()
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parent.parent,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid = int(done.stdout)
    for _ in range(500):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.01)
    pytest.fail(f"child {pid} still runs")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x80\x04.",
        b"[]",
        b'{"error": "SystemExit", "message": ""}',
        b'{"error": "Sequence", "message": ""}',
        b'{"error": "__doc__", "message": ""}',
    ],
)
def test_a_lying_child_can_only_fail(answer: bytes) -> None:
    assert type(_error_from(answer)) is ChildFailedError


def test_every_error_class_can_be_named() -> None:
    error = _error_from(b'{"error": "UnknownTrackError", "message": "m"}')
    assert type(error) is UnknownTrackError
    assert str(error) == "m"
    assert ERROR == b"E"
