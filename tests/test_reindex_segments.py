"""Runs that keep windows: who is listened to, what stays as it was, and what a run says."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from indexer.__main__ import main
from recommender.current import current_generation
from recommender.generation import Generation, open_generation
from tests.music import N_TRACKS, tracks_in


@pytest.fixture
def run(music: Path, tmp_path: Path) -> list[str]:
    """A run of the indexer, with the embedder that is the quickest."""
    return ["reindex", str(music), "--data-dir", str(tmp_path / "data"), "--embedder", "mfcc"]


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def served(tmp_path: Path) -> Generation:
    return open_generation(tmp_path / "data", current_generation(tmp_path / "data"))


def rows(tmp_path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(tmp_path / "data" / "library.db")) as connection:
        found = connection.execute(query).fetchall()
        connection.commit()
    return found


VECTORS = "SELECT track_id, space_id, vector, tags, level_dbfs, n_windows FROM vectors ORDER BY 1"


def test_windows_are_listened_to_when_they_are_asked_for(
    run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = told(capsys, *run)
    assert (first["added"], first["index"]["segments"]) == (N_TRACKS, None)
    before = rows(tmp_path, VECTORS)
    second = told(capsys, *run, "--segments")
    assert (second["updated"], second["unchanged"], second["added"]) == (N_TRACKS, 0, 0)
    assert second["audio_seconds"] > 5 * N_TRACKS - 1
    # pooled vectors to the bit, and so their space
    assert rows(tmp_path, VECTORS) == before
    assert second["space"] == first["space"]
    assert second["index"]["segments"]["tracks"] == N_TRACKS
    generation = served(tmp_path)
    assert generation.segments is not None
    assert (generation.segments.spans[:, 1] > 0).all()


def test_with_windows_from_the_start_vectors_are_the_same(
    run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, *run)
    before = rows(tmp_path, VECTORS)
    run[run.index(str(tmp_path / "data"))] = str(tmp_path / "other" / "data")
    told(capsys, *run, "--segments", "--windows", "12")
    assert rows(tmp_path / "other", VECTORS) == before


def test_later_runs_keep_what_is_served(
    run: list[str], music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, *run, "--segments")
    again = told(capsys, *run)
    assert (again["unchanged"], again["published"]) == (N_TRACKS, False)
    # a new file is listened to in the same way
    new = tracks_in(music)[0].rename(tmp_path / "new.ogg")
    told(capsys, *run)
    rows(tmp_path, "DELETE FROM segments WHERE track_id NOT IN (SELECT track_id FROM files)")
    rows(tmp_path, "DELETE FROM vectors WHERE track_id NOT IN (SELECT track_id FROM files)")
    new.rename(music / "new.ogg")
    assert told(capsys, *run)["added"] == 1
    assert served(tmp_path).manifest.index.segments is not None
    assert rows(tmp_path, "SELECT count(*) FROM segments") == [(N_TRACKS,)]


def test_they_can_be_left_out_and_taken_in_again_without_listening(
    run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, *run, "--segments")
    without = told(capsys, *run, "--no-segments")
    assert (without["unchanged"], without["published"]) == (N_TRACKS, True)
    assert served(tmp_path).segments is None
    back = told(capsys, *run, "--segments")
    assert (back["unchanged"], back["published"]) == (N_TRACKS, True)
    assert served(tmp_path).segments is not None


def test_a_run_that_was_stopped_goes_on_with_what_lacks_windows(
    run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, *run, "--segments")
    rows(tmp_path, "DELETE FROM segments WHERE rowid % 2")
    [(left,)] = rows(tmp_path, "SELECT count(*) FROM segments")
    plan = told(capsys, *run, "--dry-run")
    assert plan["unembedded"] == N_TRACKS - left > 0
    assert told(capsys, *run)["updated"] == N_TRACKS - left


def test_the_commands_say_which_windows_there_are(
    run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*run, "--segments"]) == 0
    line = f"windows of {N_TRACKS} tracks, one every"
    assert line in capsys.readouterr().out
    for command in ("status", "generations"):
        assert main([command, "--data-dir", str(tmp_path / "data")]) == 0
        assert line in capsys.readouterr().out
    [space] = told(capsys, "status", "--data-dir", str(tmp_path / "data"))["spaces"]
    segments = space["index"]["segments"]
    assert segments["windows"] >= segments["tracks"] == N_TRACKS
    assert segments["bytes"] > 0
