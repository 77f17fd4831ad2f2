"""kill -9 while events are posted: every acknowledged event is there, once."""

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx
import psutil

from tests.listener_client import Sender, told_of

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 60.0


class Killed:
    """The service as a command, with all its processes, which is killed and started again."""

    def __init__(self, data_dir: Path, workers: int):
        self._arguments = ("--data-dir", str(data_dir), "--port", "0", "--workers", str(workers))
        self.url = "http://127.0.0.1:9"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "api", *self._arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout
        found = re.search(r"http://127\.0\.0\.1:\d+", self._process.stdout.readline())
        assert found
        self.url = found[0]

    def kill(self) -> None:
        """End it and its workers without warning."""
        assert self._process.stdout
        processes = [self._process, *psutil.Process(self._process.pid).children(recursive=True)]
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()


def survive(
    data_dir: Path, listeners: int, posts: int, sizes: tuple[int, int], kills: int, workers: int
) -> dict[str, int]:
    """Post events of several listeners at once, kill the service meanwhile, count what is there."""
    service, give_up, moments = Killed(data_dir, workers), threading.Event(), random.Random(6)
    senders = [Sender(lambda: service.url, f"l{n}", posts, sizes) for n in range(listeners)]
    threads = [threading.Thread(target=sender.run, args=(give_up,)) for sender in senders]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, kills + 1):
            # spread over all posts, in the midst of one
            _wait_for(senders, number * listeners * posts // (kills + 1))
            time.sleep(moments.uniform(0, 0.02))
            service.kill()
            service.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        with httpx.Client(base_url=service.url, timeout=60.0) as client:
            told = {sender.listener: told_of(client, sender.listener) for sender in senders}
    finally:
        give_up.set()
        service.kill()
    for sender in senders:
        assert sender.n_done == posts
        assert sorted(told[sender.listener]) == sorted(sender.acknowledged)
    with closing(sqlite3.connect(data_dir / "listeners.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return {
        "posts": sum(sender.n_done for sender in senders),
        "posted again": sum(sender.n_again for sender in senders),
        "acknowledged": sum(len(sender.acknowledged) for sender in senders),
        "stored before, but not acknowledged": sum(s.counts["duplicates"] for s in senders),
        "found": sum(map(len, told.values())),
        "found twice": sum(len(keys) - len(set(keys)) for keys in told.values()),
    }


def _wait_for(senders: list[Sender], n_posts: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(sender.n_done for sender in senders) < n_posts:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_every_acknowledged_event_is_there_once_after_kills(tmp_path: Path) -> None:
    counts = survive(tmp_path, listeners=4, posts=60, sizes=(1, 20), kills=3, workers=1)
    assert counts["found"] == counts["acknowledged"]
    assert counts["found twice"] == 0
    assert counts["posted again"] > 0
