"""kill -9 at random moments: nothing torn, nothing lost, nothing twice."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from recommender.current import current_generation, generations_dir, list_generations
from recommender.errors import IndexUnavailableError
from recommender.generation import open_generation
from tests.music import N_TRACKS

KILLS = 25
# start-up, listening and publication of six tracks take about this long when nothing else runs
SPREAD_SECONDS = 2.5
ROOT = Path(__file__).parent.parent


def start(music: Path, data: Path) -> subprocess.Popen[bytes]:
    command = ["reindex", str(music), "--data-dir", str(data), "--windows", "1", "--segments"]
    return subprocess.Popen(
        [sys.executable, "-m", "indexer", *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def stored(data: Path) -> int:
    """Rows of the library's files, 0 before there is one; fails when the database is torn."""
    if not (data / "library.db").exists():
        return 0
    with sqlite3.connect(data / "library.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'files'").fetchone()
        count = connection.execute("SELECT count(*) FROM files").fetchone() if tables else (0,)
    connection.close()
    return int(count[0])


def check_published(data: Path) -> None:
    """Whatever is current is whole, and so is every finished generation."""
    try:
        open_generation(data, current_generation(data))
    except IndexUnavailableError:
        assert not (data / "CURRENT").exists()
    for name in list_generations(data):
        open_generation(data, name)


def test_killed_at_random_moments_it_goes_on_where_it_was(music: Path, tmp_path: Path) -> None:
    data, moments = tmp_path / "data", random.Random(2026)
    kept = 0
    for round_number in range(KILLS):
        if kept == N_TRACKS and round_number % 3 == 0:
            # give it something to do again
            extra = music / f"touched-{round_number}.ogg"
            next(iter(sorted(music.rglob("*.ogg")))).rename(extra)
        process = start(music, data)
        time.sleep(moments.uniform(0.2, SPREAD_SECONDS))
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = stored(data)
        assert now >= kept
        kept = min(now, N_TRACKS)
        check_published(data)
    assert start(music, data).wait() == 0
    generation = open_generation(data, current_generation(data))
    assert generation.manifest.n_tracks == N_TRACKS
    assert stored(data) == N_TRACKS
    assert generation.segments is not None
    assert (generation.segments.spans[:, 1] > 0).all()
    leftovers = [name for name in os.listdir(generations_dir(data)) if name.startswith(".")]
    assert leftovers == []
