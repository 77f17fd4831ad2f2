"""An indexer that publishes small updates when told to, for `benchmarks.serving`.

::

    python -m benchmarks.publications DATA_DIR TARGET --tracks N

For every line on standard input as many tracks as `CHANGED` are put into the library of TARGET,
or, every other time, taken out of it again; then what it holds is published, and a line says what
became of it, as JSON. When the input ends, everything is left as it was found.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from benchmarks.catalogs import catalog_of, open_library, space
from benchmarks.clock import timed
from benchmarks.disturbances import wait_for
from benchmarks.processes import Service
from recommender.current import generations_dir
from recommender.library import Library
from recommender.manifest import Manifest
from recommender.publishing import publish
from recommender.records import Indexed

CHANGED = 100
# far from the end of what is there: `benchmarks.serving` adds one as well
_BEYOND = 1_000


class Changes:
    """Tracks that come and go."""

    def __init__(self, data_dir: Path, library: Library, tracks: list[Indexed]):
        self._data_dir, self._library, self._tracks = data_dir, library, tracks
        self.there = False

    def publish(self) -> dict[str, Any]:
        """Change the library, and publish; what was made, how, and in how many seconds."""
        if self.there:
            self._library.forget_files([track.path for track in self._tracks])
        else:
            self._library.store(self._tracks, space())
        self.there = not self.there
        name, seconds = timed(lambda: publish(self._data_dir, self._library, space()))
        parent = Manifest.read(generations_dir(self._data_dir) / name).parent
        return {"generation": name, "seconds": seconds, "update": bool(parent)}


@dataclass(slots=True)
class Publisher:
    """The process, told to publish.

    Attributes
    ----------
    seconds
        How long each ``publish()`` took.
    n_updates
        How many of them were updates; the others built all anew.
    """

    orders: IO[str]
    answers: IO[str]
    seconds: list[float] = field(default_factory=list)
    n_updates: int = 0

    def step(self, service: Service, path: str) -> None:
        """Have an update published, and wait until `path` is answered from it.

        Raises
        ------
        RuntimeError
            The process ended.
        """
        self.orders.write("publish\n")
        self.orders.flush()
        said = json.loads(self.line())
        self.seconds.append(said["seconds"])
        self.n_updates += said["update"]
        wait_for(service, path, said["generation"])

    def line(self) -> str:
        """The next line that the process says."""
        line = self.answers.readline()
        if not line:
            raise RuntimeError("benchmarks.publications ended; what it wrote above says why")
        return line


@contextmanager
def publishing(data_dir: Path, target: Path, n: int) -> Iterator[Publisher]:
    """The process, ready, until the block ends; then the library is as it was before."""
    command = [sys.executable, "-m", "benchmarks.publications", str(data_dir), str(target)]
    with subprocess.Popen(
        [*command, "--tracks", str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        publisher = Publisher(process.stdin, process.stdout)
        publisher.line()
        # leaving Popen closes the input, and waits
        yield publisher


def main() -> None:
    """Publish when told to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path, help="with real vectors")
    parser.add_argument("target", type=Path, help="a folder of benchmarks.serving")
    parser.add_argument("--tracks", type=int, required=True, help="that are in it")
    options = parser.parse_args()
    first = options.tracks + _BEYOND
    tracks = list(catalog_of(options.data_dir, options.tracks).tracks(first, first + CHANGED))
    with open_library(options.target) as library:
        changes = Changes(options.target, library, tracks)
        print("ready", flush=True)
        for _ in sys.stdin:
            print(json.dumps(changes.publish()), flush=True)
        if changes.there:
            changes.publish()


if __name__ == "__main__":
    main()
