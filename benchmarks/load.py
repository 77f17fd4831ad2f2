"""Load by wrk: requests per second and latencies of one address, or of random ones."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
local paths = {}
function init(args)
  math.randomseed(tonumber(args[2]))
  for line in io.lines(args[1]) do paths[#paths + 1] = line end
end
function request()
  return wrk.format("GET", paths[math.random(#paths)])
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests": %d, "microseconds": %d, "p50": %d, "p95": %d, "p99": %d, ' ..
    '"most": %d, "refused": %d, "failed": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95),
    latency:percentile(99), latency.max, e.status, e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw.

    Attributes
    ----------
    rate
        Answers a second.
    p50, p95, p99, most
        Latencies in ms.
    errors
        Answers beyond 399, and connections that failed.
    requests
        Answers in all.
    """

    rate: float
    p50: float
    p95: float
    p99: float
    most: float
    errors: int
    requests: int = 0


class Wrk:
    """wrk asking for random ones of some paths.

    Parameters
    ----------
    paths
        Of one service, queries included.
    folder
        Where the script lies.
    """

    def __init__(self, paths: Sequence[str], folder: Path):
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        (self._folder / "paths").write_text("\n".join(paths), encoding="utf-8")
        (self._folder / "script.lua").write_text(_SCRIPT, encoding="utf-8")
        self._seed = 0

    def run(self, address: str, clients: int, seconds: float) -> Load:
        """Keep `clients` connections busy for a while.

        Raises
        ------
        RuntimeError
            wrk is not installed, or could not run.
        """
        self._seed += 1
        command = [
            *("wrk", "--threads", "1", "--connections", str(clients)),
            *("--duration", f"{max(1, round(seconds))}s", "--timeout", "10s"),
            *("--script", str(self._folder / "script.lua"), address, "--"),
            *(str(self._folder / "paths"), str(self._seed)),
        ]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise RuntimeError("wrk is not installed; its package is called wrk") from error
        lines = [line for line in ended.stdout.splitlines() if line.startswith("RESULT ")]
        if not lines:
            raise RuntimeError(f"wrk said: {ended.stdout}{ended.stderr}")
        return load_of(lines[0])


def load_of(line: str) -> Load:
    """The line that the script ends with, read."""
    said = json.loads(line.removeprefix("RESULT "))
    p50, p95, p99, most = (said[name] / 1e3 for name in ("p50", "p95", "p99", "most"))
    rate = said["requests"] / (said["microseconds"] / 1e6)
    failed = said["refused"] + said["failed"]
    return Load(rate, p50, p95, p99, most, failed, said["requests"])
