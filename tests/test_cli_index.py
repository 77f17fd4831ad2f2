"""The command line and the index: flags, what is said of it, and what is not published."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.__main__ import main
from indexer.commands import OLD
from indexer.index_facts import curve_lines, index_facts, index_lines
from recommender import building
from recommender.current import generations_dir, list_generations
from recommender.index.measurement import Measurement, Point
from recommender.index.recipes import IndexOptions, Recipe
from recommender.index.tuning import tune
from recommender.manifest import IDS, MANIFEST, IndexRecord, Manifest, _sealed
from tests.builders import (
    as_before_copies_were_found,
    as_before_neighbours_were_listed,
    folder_of,
    generation_of,
    random_entries,
)
from tests.music import N_TRACKS, tracks_in


@pytest.fixture
def run(music: Path, tmp_path: Path) -> list[str]:
    """A run of the indexer, with the embedder that is the quickest."""
    return ["reindex", str(music), "--data-dir", str(tmp_path / "data"), "--embedder", "mfcc"]


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def low(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every index that is built find half of what it should."""

    def tuned(*arguments: Any) -> Any:
        index, measured = tune(*arguments)
        return index, replace(measured, recall_at_10=0.5)

    monkeypatch.setattr(building, "tune", tuned)


def test_a_run_says_how_vectors_are_searched(
    run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(run) == 0
    printed = capsys.readouterr()
    assert f"index flat, {N_TRACKS} rows; recall@10 1.0000" in printed.out
    assert "built as a whole" in printed.out
    assert f"building the index: flat over {N_TRACKS} tracks" in printed.err
    assert main(run) == 0
    assert "index flat" not in capsys.readouterr().out


def test_another_index_is_made_of_what_was_heard_and_stays(
    run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    first = answer(capsys, *run)
    assert (first["index"]["kind"], first["index"]["recall_at_10"]) == ("flat", 1.0)
    options = ("--index", "hnsw", "--memory-budget", "512MiB", "--target-recall", "0.9")
    other = answer(capsys, *run, *options)
    assert (other["published"], other["audio_seconds"]) == (True, 0.0)
    assert other["index"]["kind"] == "hnsw"
    limits = {"memory_budget": 512 * 2**20, "target_recall": 0.9}
    asked = {"index": "hnsw", "segments": False, **limits}
    assert other["index"]["options"] == asked
    again = answer(capsys, *run)
    assert (again["published"], again["generation"]) == (False, other["generation"])
    assert again["index"]["options"] == asked
    back = answer(capsys, *run, "--index", "auto")
    assert (back["published"], back["index"]["kind"]) == (True, "flat")
    assert back["index"]["options"] == {**asked, "index": "auto"}


def test_a_factory_string_of_faiss_is_an_index(
    run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    report = answer(capsys, *run, "--index", "HNSW8,Flat", "--target-recall", "0.5")
    assert report["index"]["factory"] == "HNSW8,Flat"
    assert answer(capsys, "verify", *run[2:4]) == {report["generation"]: "", "library.db": ""}


@pytest.mark.parametrize("index", ["", "nonesuch", "IVF99999999999,Flat"])
def test_what_is_no_index_is_refused_before_anything_is_listened_to(
    run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], index: str
) -> None:
    for arguments in (run, [*run, "--dry-run"]):
        assert main([*arguments, "--index", index]) == 2
        assert f"index={index}" in capsys.readouterr().err.replace("'", "")
    assert not (tmp_path / "data").exists()


def test_an_index_that_so_few_cannot_train_gives_way_with_a_warning(
    run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    report = answer(capsys, *run, "--index", "ivf-pq")
    [warning] = report["index"]["warnings"]
    assert "index=ivf-pq needs" in warning
    assert report["index"]["kind"] != "ivf-pq"
    capsys.readouterr()
    assert main(["status", *run[2:4]]) == 0
    assert f"    warning: {warning}" in capsys.readouterr().out.splitlines()


def test_an_index_that_finds_too_little_is_not_published_unless_that_is_said(
    run: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served = answer(capsys, *run)["generation"]
    low(monkeypatch)
    assert main([*run, "--index", "flat-fp16"]) == 1
    assert "recall@10=0.5000" in (error := capsys.readouterr().err)
    assert "--allow-low-recall" in error
    assert list_generations(tmp_path / "data") == [served]
    report = answer(capsys, *run, "--index", "flat-fp16", "--allow-low-recall")
    assert (report["published"], report["audio_seconds"]) == (True, 0.0)
    assert report["index"]["recall_at_10"] == 0.5


def test_status_and_generations_say_what_is_searched(
    run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(capsys, *run, "--index", "hnsw", "--target-recall", "0.5")
    [space] = answer(capsys, "status", *run[2:4])["spaces"]
    manifest = Manifest.read(folder_of(tmp_path / "data", space["name"]))
    assert space["index"] == json.loads(json.dumps(index_facts(manifest)))
    [generation] = answer(capsys, "generations", *run[2:4])
    assert generation["index"] == space["index"]
    for command in ("status", "generations"):
        capsys.readouterr()
        assert main([command, *run[2:4]]) == 0
        lines = capsys.readouterr().out.splitlines()
        [line] = [line for line in lines if line.startswith("    index hnsw, 6 rows; recall@10 ")]
        assert " at effort " in line


def facts_of(
    tmp_path: Path, n_dead: int, measurement: Measurement, *warnings: str, parent: str = ""
) -> dict[str, Any]:
    """Of an index of 8 rows, 6 of which it was built from."""
    recipe = Recipe("hnsw", "HNSW16", refined=False, warnings=warnings)
    manifest = replace(
        generation_of(tmp_path, random_entries(8 - n_dead)).manifest,
        n_rows=8,
        parent=parent,
        index=IndexRecord(IndexOptions(), recipe, measurement, n_built=6),
    )
    return index_facts(manifest)


CURVE = (Point(16, 0.91, 0.83, 0.03), Point(32, 0.991, 0.962, 0.0501))
MEASURED = Measurement(200, 32, 0.9912, 0.9634, 0.0523, 944.4, CURVE, 0.9951)


def test_an_update_says_of_what_and_how_many_rows_are_dead(tmp_path: Path) -> None:
    fact = facts_of(tmp_path, 3, MEASURED, "it is slow", parent="20260101")
    assert (fact["rows"], fact["dead_rows"], fact["added_rows"]) == (8, 3, 2)
    assert list(index_lines(fact)) == [
        "index hnsw, 8 rows, 3 dead; recall@10 0.9912, @100 0.9634 at effort 32, "
        "lists of neighbours @10 0.9951, 0.052 ms a query, 944 bytes of the index for a vector of "
        "4 numbers; an update of 20260101",
        "warning: it is slow",
    ]


def test_the_curve_is_a_table_with_what_is_served_marked(tmp_path: Path) -> None:
    assert list(curve_lines(facts_of(tmp_path, 0, MEASURED))) == [
        "  effort  recall@10  recall@100       ms",
        "      16     0.9100      0.8300    0.030",
        "*     32     0.9910      0.9620    0.050",
    ]
    assert not list(curve_lines(facts_of(tmp_path, 0, replace(MEASURED, curve=CURVE[:1]))))


def test_an_empty_index_is_not_measured(
    run: list[str], music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(capsys, *run)
    for path in tracks_in(music):
        path.unlink()
    assert main([*run, "--allow-empty"]) == 0
    assert "index flat, 0 rows; not measured; built as a whole" in capsys.readouterr().out


def test_a_damaged_file_of_vectors_is_found(
    run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = answer(capsys, *run, "--index", "SQ4", "--target-recall", "0.1")
    folder = generations_dir(tmp_path / "data") / report["generation"]
    content = bytearray((folder / "vectors.faiss").read_bytes())
    content[-1] ^= 1
    (folder / "vectors.faiss").write_bytes(content)
    assert main(["verify", *run[2:4]]) == 65
    assert "vectors.faiss is damaged" in capsys.readouterr().out


def as_before_indexes_were_measured(folder: Path) -> None:
    """Have a generation say what an earlier version wrote, as far as this one reads it."""
    ids = np.load(folder / IDS).astype(str)
    np.save(folder / IDS, ids, allow_pickle=False)
    content = json.loads((folder / MANIFEST).read_text())
    for name in ("seal", "parent", "n_rows", "index"):
        del content[name]
    content |= {"schema_version": 1, "index_kind": "flat"}
    sha256 = hashlib.sha256((folder / IDS).read_bytes()).hexdigest()
    content["files"][IDS] = {"size": (folder / IDS).stat().st_size, "sha256": sha256}
    (folder / MANIFEST).write_text(_sealed(content))


@pytest.mark.parametrize(
    "aged",
    [
        as_before_indexes_were_measured,
        as_before_neighbours_were_listed,
        as_before_copies_were_found,
    ],
)
def test_a_generation_of_an_earlier_version_is_whole_and_made_anew(
    run: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    aged: Callable[[Path], None],
) -> None:
    old = answer(capsys, *run)["generation"]
    aged(folder_of(tmp_path / "data", old))
    assert main(["verify", *run[2:4]]) == 65
    verified = capsys.readouterr().out
    assert f"{old}: whole, but of an earlier version, which the service refuses" in verified
    assert f"reindex MUSIC_DIR --embedder mfcc {' '.join(run[2:4])} (" in verified
    assert main(["status", *run[2:4]]) == 0
    assert "of an earlier version: run reindex" in capsys.readouterr().out
    report = answer(capsys, *run)
    assert (report["published"], report["audio_seconds"]) == (True, 0.0)
    verified = answer(capsys, "verify", *run[2:4])
    assert verified == {old: OLD, report["generation"]: "", "library.db": ""}
    assert main(["rollback", old, *run[2:4]]) == 65
    assert "made by an earlier version" in capsys.readouterr().err


def test_damage_of_a_generation_of_an_earlier_version_is_found(
    run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path / "data", answer(capsys, *run)["generation"])
    as_before_neighbours_were_listed(folder)
    answer(capsys, *run)
    (folder / IDS).write_bytes((folder / IDS).read_bytes()[:-1])
    assert main(["verify", *run[2:4]]) == 65
    assert f"file={IDS} is missing or cut" in capsys.readouterr().out
