"""Services as processes of their own: started, waited for, weighed, ended."""

import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_SECONDS = 600.0
# between two looks at what a process keeps in memory
PEAK_SECONDS = 0.01
_SIZES = ("Rss", "Pss", "Private_Clean", "Private_Dirty", "Anonymous")
# by what is in their command lines
_ROLES = {
    b"spawn_main": "worker",
    b"resource_tracker": "resource tracker",
    b"recommender.child": "clips",
}
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: its address, its process, and when that was started."""

    address: str
    process: subprocess.Popen[str]
    started: float

    def get(self, path: str) -> bytes:
        """The body of an answer.

        Raises
        ------
        urllib.error.URLError
            There is none, or it is an error.
        """
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:
            body: bytes = answer.read()
        return body

    def seconds_to(self, path: str) -> float:
        """Seconds from the start of the process until a path is answered."""
        while time.perf_counter() - self.started < READY_SECONDS:
            try:
                self.get(path)
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.005)
            else:
                return time.perf_counter() - self.started
        raise RuntimeError(f"{self.address}{path} did not answer within {READY_SECONDS:g} s")

    def memory(self) -> list["Memory"]:
        """Of each process, the service itself first."""
        found, weighed = [self.process.pid], list[Memory]()
        for pid in found:
            # one that ends meanwhile is left out
            with suppress(FileNotFoundError, ProcessLookupError):
                found += _children(pid)
                weighed.append(Memory.of(pid))
        return weighed


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process keeps in memory, in MiB.

    Attributes
    ----------
    role
        What it is there for.
    resident
        Pages in memory, those it shares with others included.
    proportional
        The same, pages that n processes share counted as one n-th.
    own
        Pages that no other process has mapped.
    anonymous
        Pages that are of no file: nobody can take them away but by swapping.
    """

    pid: int
    role: str
    resident: float
    proportional: float
    own: float
    anonymous: float

    @classmethod
    def of(cls, pid: int) -> "Memory":
        """Of a process now."""
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        sizes = {name: text for name, _, text in (line.partition(":") for line in lines)}
        rss, pss, clean, dirty, anonymous = (int(sizes[n].split()[0]) / 1024 for n in _SIZES)
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        role = next((role for mark, role in _ROLES.items() if mark in command), "service")
        return cls(pid, role, rss, pss, clean + dirty, anonymous)

    def most(self, other: "Memory") -> "Memory":
        """The larger one of each size, of two moments of one process."""
        pairs = zip(self.sizes, other.sizes, strict=True)
        return Memory(self.pid, self.role, *(max(pair) for pair in pairs))

    @property
    def sizes(self) -> tuple[float, float, float, float]:
        """Resident, proportional, own, anonymous."""
        return self.resident, self.proportional, self.own, self.anonymous


class Peak:
    """The most that each process of a service keeps in memory while a block runs."""

    def __init__(self, service: Service):
        self._service, self._most = service, dict[int, Memory]()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def memory(self) -> list[Memory]:
        """Of each process, the service itself first."""
        return list(self._most.values())

    def _watch(self) -> None:
        looked = False
        while not (self._stopped.wait(PEAK_SECONDS) and looked):
            looked = True
            for one in self._service.memory():
                self._most[one.pid] = one.most(self._most.get(one.pid, one))


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    lists = ((task / "children").read_text(encoding="ascii").split() for task in tasks)
    return [int(child) for children in lists for child in children]


@contextmanager
def running(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Service]:
    """A Python module as a service, until the block ends.

    Raises
    ------
    RuntimeError
        It ended before it said where it listens.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    try:
        yield Service(_address(process.stdout, arguments), process, started)
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(output: Any, arguments: Sequence[str]) -> str:
    for line in output:
        match = _ADDRESS.search(line)
        if match:
            return match[0]
    raise RuntimeError(f"python -m {' '.join(arguments)} ended; run it to see why")
