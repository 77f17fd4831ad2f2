"""The command line, as a user calls it: exit codes, messages, JSON."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from indexer.__main__ import main
from indexer.lock import indexer_lock
from indexer.output import printable
from recommender.current import generations_dir, list_generations
from recommender.index.recipes import INDEX
from tests.music import N_TRACKS, tracks_in


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def index(music: Path, data: Path) -> None:
    arguments = ["reindex", str(music), "--data-dir", str(data), "--windows", "1"]
    assert main(arguments) == 0


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_reindex_ends_with_counts(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index(music, data)
    out = capsys.readouterr().out
    assert f"{N_TRACKS} added, 0 updated, 0 moved" in out
    assert f"with {N_TRACKS} tracks" in out


def test_reindex_reports_as_json(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (music / "bad\n[red]:heart:.mp3").write_text("no music")
    report = answer(
        capsys, "reindex", str(music), "--data-dir", str(data), "--windows", "1", "--workers", "1"
    )
    assert (report["added"], report["failed"]) == (N_TRACKS, 1)
    [failure] = report["failures"]
    assert failure["reason"] == "unsupported-media"
    assert failure["path"].endswith("bad\\n[red]:heart:.mp3")


def test_dry_run_prints_the_plan_and_writes_nothing(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = answer(capsys, "reindex", str(music), "--data-dir", str(data), "--dry-run")
    assert plan["new"] == N_TRACKS
    assert not data.exists()


def test_status_generations_and_verify_tell_what_is_there(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index(music, data)
    name = list_generations(data)[0]
    status = answer(capsys, "status", "--data-dir", str(data))
    assert (status["files"], status["spaces"][0]["tracks"]) == (N_TRACKS, N_TRACKS)
    [listed] = answer(capsys, "generations", "--data-dir", str(data))
    assert (listed["name"], listed["current"]) == (name, True)
    assert answer(capsys, "verify", "--data-dir", str(data)) == {name: "", "library.db": ""}


def test_status_before_the_first_run_says_what_to_do(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "reindex MUSIC_DIR" in answer(capsys, "status", "--data-dir", str(data))["problem"]
    assert not data.exists()


def test_rollback_serves_the_generation_before(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index(music, data)
    tracks_in(music)[0].unlink()
    index(music, data)
    older, newer = list_generations(data)
    moved = answer(capsys, "rollback", "--data-dir", str(data))
    assert moved == {"from": newer, "to": older}
    assert (data / "CURRENT").read_text() == f"{older} musicnn\n"
    assert main(["rollback", "--data-dir", str(data)]) == 2
    assert "is the oldest" in capsys.readouterr().err


def test_verify_finds_damage_and_rollback_refuses_it(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index(music, data)
    name = list_generations(data)[0]
    path = generations_dir(data) / name / INDEX
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert main(["verify", "--data-dir", str(data)]) == 65
    assert "index.faiss is damaged" in capsys.readouterr().out
    assert main(["rollback", name, "--data-dir", str(data)]) == 65


def test_a_damaged_library_is_said_so_by_every_command(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index(music, data)
    path = data / "library.db"
    content = bytearray(path.read_bytes())
    for page in range(8192, len(content), 4096):
        content[page : page + 64] = b"\xff" * 64
    path.write_bytes(content)
    for command in (["status"], ["verify"], ["reindex", str(music)]):
        assert main([*command, "--data-dir", str(data)]) == 65, command
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err


def test_messages_move_no_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reindex", str(tmp_path / "\x1b[31mnone"), "--data-dir", str(tmp_path)]) == 2
    assert "\\x1b[31mnone is not a folder" in capsys.readouterr().err


def test_a_second_indexer_exits_75(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with indexer_lock(data):
        assert main(["reindex", str(music), "--data-dir", str(data)]) == 75
    assert "locked by another indexer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["reindex", "/nowhere/at/all"], "MUSIC_DIR=/nowhere/at/all is not a folder"),
        (["reindex", ".", "--embedder", "nonesuch"], "embedder=nonesuch is unknown"),
        (["reindex", ".", "--embedder", "nonesuch", "--dry-run"], "embedder=nonesuch is unknown"),
        (["reindex", ""], "MUSIC_DIR= is empty"),
        (["rollback", "nonesuch"], "no published index"),
    ],
)
def test_bad_requests_are_refused_in_words(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert main([*arguments, "--data-dir", str(data)]) in (1, 2)
    err = capsys.readouterr().err
    assert complaint in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonesuch"], ["reindex"], ["reindex", ".", "--workers", "0"], ["reindex", ".", "--x"]],
)
def test_usage_errors_exit_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_settings_come_from_the_environment(
    music: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOUNDALIKE_DATA_DIR", str(data))
    assert answer(capsys, "status")["data_dir"] == str(data)
    monkeypatch.setenv("SOUNDALIKE_DATADIR", str(data))
    assert main(["status"]) == 2
    assert "SOUNDALIKE_DATADIR is not a setting" in capsys.readouterr().err


def test_a_full_disk_fails_in_words_and_keeps_what_is_served(music: Path, data: Path) -> None:
    index(music, data)
    served = (data / "CURRENT").read_text()
    tracks_in(music)[0].unlink()
    limited = 'ulimit -f 16; exec "$@"'
    command = [sys.executable, "-m", "indexer", "reindex", str(music), "--data-dir", str(data)]
    run = subprocess.run(
        ["bash", "-c", limited, "bash", *command, "--windows", "1"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    assert run.returncode == 1, run.stderr
    assert "Traceback" not in run.stderr
    assert (data / "CURRENT").read_text() == served
    assert main(["verify", "--data-dir", str(data)]) == 0


def test_paths_are_printed_as_one_harmless_line() -> None:
    assert printable(b"a\nb\x1b[31m\xff") == "a\\nb\\x1b[31m\\xff"
    assert printable("🎵é".encode()) == "🎵é"


def test_the_module_runs_as_a_command() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "indexer", "--help"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        env={"PATH": os.environ["PATH"]},
        check=True,
    )
    for command in ("reindex", "status", "verify", "generations", "rollback"):
        assert command in run.stdout


def test_spaces_stand_side_by_side(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index(music, data)
    answer(capsys, "reindex", str(music), "--data-dir", str(data), "--embedder", "mfcc")
    listed = answer(capsys, "spaces", "list", "--data-dir", str(data))
    assert [space["embedder"] for space in listed] == ["musicnn", "mfcc"]
    assert {space["tracks"] for space in listed} == {N_TRACKS}
    chosen = answer(capsys, "spaces", "default", "mfcc", "--data-dir", str(data))
    assert chosen == {"embedder": "mfcc", "default": "mfcc"}
    status = answer(capsys, "status", "--data-dir", str(data))
    assert [space["embedder"] for space in status["spaces"]] == ["mfcc", "musicnn"]
    answer(capsys, "spaces", "drop", "musicnn", "--data-dir", str(data))
    assert main(["spaces", "drop", "mfcc", "--data-dir", str(data)]) == 2
    assert "only one that is served" in capsys.readouterr().err
    index(music, data)
    assert f"{N_TRACKS} unchanged" in capsys.readouterr().out
    listed = answer(capsys, "spaces", "list", "--data-dir", str(data))
    assert [space["embedder"] for space in listed] == ["mfcc", "musicnn"]


def test_a_run_says_what_other_spaces_lack(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = tracks_in(music)[0].rename(music.parent / "away.ogg")
    answer(capsys, "reindex", str(music), "--data-dir", str(data), "--embedder", "mfcc")
    away.rename(music / "back.ogg")
    report = answer(capsys, "reindex", str(music), "--data-dir", str(data))
    assert report["lacking"] == {"mfcc": 1}
    index(music, data)
    assert "lacks 1 track; to add them, run reindex over their folders" in capsys.readouterr().out


def test_rollback_leaves_other_spaces_alone(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index(music, data)
    answer(capsys, "reindex", str(music), "--data-dir", str(data), "--embedder", "mfcc")
    tracks_in(music)[0].unlink()
    index(music, data)
    before = (data / "CURRENT").read_text().split()[::2]
    capsys.readouterr()
    moved = answer(capsys, "rollback", "--data-dir", str(data))
    after = (data / "CURRENT").read_text().split()[::2]
    assert moved == {"from": before[0], "to": after[0]}
    assert after[1] == before[1]
    assert main(["rollback", "--data-dir", str(data)]) == 2


def test_spaces_before_the_first_run_say_what_to_do(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["list"], ["default", "mfcc"], ["drop", "mfcc"]):
        assert main(["spaces", *command, "--data-dir", str(data)]) == 1
        assert "reindex MUSIC_DIR" in capsys.readouterr().err
    assert not data.exists()


def test_windows_pooling_and_projection_stay_as_they_are_served(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--windows", "all", "--pooling", "max", "--projection", "none"]
    run = ("reindex", str(music), "--data-dir", str(data), "--embedder", "mfcc")
    first = answer(capsys, *run, *options)
    assert answer(capsys, *run)["space"] == first["space"]
    assert answer(capsys, *run, "--dry-run")["space"] == first["space"]
    [space] = answer(capsys, "spaces", "list", "--data-dir", str(data))
    assert [space[key] for key in ("windows", "pooling", "projection")] == ["all", "max", "none"]
    assert answer(capsys, *run, "--windows", "2")["space"] != first["space"]
    [space] = answer(capsys, "status", "--data-dir", str(data))["spaces"]
    assert [space[key] for key in ("windows", "pooling", "projection")] == [2, "max", "none"]


def test_verify_misses_what_is_served_and_not_there(
    music: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index(music, data)
    answer(capsys, "reindex", str(music), "--data-dir", str(data), "--embedder", "mfcc")
    name = (data / "CURRENT").read_text().split()[2]
    shutil.rmtree(generations_dir(data) / name)
    assert main(["verify", "--data-dir", str(data)]) == 65
    assert f"{name}: it is served, and is not there" in capsys.readouterr().out
    (data / "CURRENT").write_text("a\na\n")
    assert main(["verify", "--data-dir", str(data)]) == 65
    assert "CURRENT is damaged" in capsys.readouterr().out
