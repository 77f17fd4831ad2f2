"""`python -m indexer evaluate`, as a user calls it, on music that is really listened to."""

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.__main__ import main
from indexer.evaluation.protocols import FOLDER, REPORT, evaluation_dir
from indexer.evaluation.report import read_report
from recommender.current import current_generation
from tests.builders import publish_entries, random_entries
from tests.music import N_TRACKS

TIMES = ("latency (ms)", "CPU seconds per minute of audio")


@pytest.fixture(scope="module")
def data(rendered_music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with rendered music, evaluated once."""
    folder = tmp_path_factory.mktemp("evaluated")
    assert main(["reindex", str(rendered_music), "--data-dir", str(folder), "--windows", "1"]) == 0
    assert main(["evaluate", "--data-dir", str(folder), "--tracks", "4"]) == 0
    return folder


def evaluate(data: Path, *arguments: str) -> int:
    return main(["evaluate", "--data-dir", str(data), "--tracks", "4", *arguments])


def figures_of(report: dict[str, Any]) -> dict[tuple[str, ...], float]:
    return {
        (f["section"], f["subject"], f["condition"], f["metric"]): f["value"]
        for f in report["figures"]
        if f["metric"] not in TIMES
    }


def test_every_protocol_is_in_the_report(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(data, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    sections = {figure["section"] for figure in report["figures"]}
    assert sections == {"index", "retrieval", "recommendations", "clips", "variants"}
    assert report["tracks"] == N_TRACKS
    assert report["origin"]["listened"] == 4
    assert report["origin"]["listeners"] == "simulated"
    assert report["generation"] == current_generation(data)
    assert any("no listeners" in note for note in report["notes"])
    found = figures_of(report)
    assert found["index", "served", "", "recall@1"] == 1.0
    assert found["index", "service", "", "same answers@10"] == 1.0
    assert found["clips", "chance", "any clip", "first"] == 1 / N_TRACKS
    assert 0 <= found["variants", "classic: MFCC", "same album", "MAP"] <= 1


def test_the_same_seed_gives_the_same_figures(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = json.loads((evaluation_dir(data) / REPORT).read_text(encoding="utf-8"))
    assert evaluate(data, "--json") == 0
    assert figures_of(json.loads(capsys.readouterr().out)) == figures_of(kept)


def test_the_text_shows_each_section(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(data) == 0
    out = capsys.readouterr().out
    for heading in ("INDEX", "RETRIEVAL", "RECOMMENDATIONS", "CLIPS", "VARIANTS"):
        assert f"\n{heading}\n" in out


def test_what_was_measured_is_not_measured_again(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(data) == 0
    assert "measured already" not in capsys.readouterr().err


def test_a_report_is_a_baseline_for_the_next(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(data, "--json") == 0
    baseline = tmp_path / "baseline.json"
    baseline.write_text(capsys.readouterr().out, encoding="utf-8")
    assert evaluate(data, "--baseline", str(baseline)) == 0
    facts = json.loads(baseline.read_text(encoding="utf-8"))
    for figure in facts["figures"]:
        if figure["metric"] == "same answers@10":
            figure |= {"value": 1.5, "low": 1.4}
    baseline.write_text(json.dumps(facts), encoding="utf-8")
    assert evaluate(data, "--baseline", str(baseline)) == 1
    err = capsys.readouterr().err
    assert "worse: index · service · same answers@10: 1.000 now, 1.500 before" in err
    assert read_report(baseline).figures != read_report(evaluation_dir(data) / REPORT).figures


def test_a_baseline_that_cannot_be_read_is_said_before_anything_is_measured(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(data, "--baseline", str(tmp_path / "none.json")) == 2
    assert "none.json cannot be read" in capsys.readouterr().err


def test_a_baseline_of_other_tracks_is_not_compared(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "data"
    publish_entries(other, random_entries(5))
    assert main(["evaluate", "--data-dir", str(other), "--tracks", "0"]) == 0
    baseline = str(other / FOLDER / REPORT)
    assert evaluate(data, "--baseline", baseline) == 2
    assert "cannot be compared" in capsys.readouterr().err


def test_a_baseline_of_another_sample_is_refused_before_anything_is_measured(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = str(evaluation_dir(data) / REPORT)
    assert evaluate(data, "--seed", "1", "--baseline", baseline) == 2
    err = capsys.readouterr().err
    assert "seed=1, but seed=0 in the baseline" in err
    assert "measured already" not in err


def test_events_of_real_listeners_take_the_place_of_simulated_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_entries(tmp_path, random_entries(20))
    events = tmp_path / "events.csv"
    plays = [f"ada,t{i:03},{1_700_000_000 + i}" for i in range(10)]
    events.write_text("\n".join(["listener,track_id,time", *plays]), encoding="utf-8")
    arguments = ["--data-dir", str(tmp_path), "--tracks", "0", "--events", str(events)]
    assert main(["evaluate", *arguments]) == 0
    out = capsys.readouterr().out
    assert "events=events.csv: 1 listeners" in out
    assert "\nLISTENERS\n" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--events", "/nowhere/events.csv"], "events=/nowhere/events.csv is no file"),
        (["--space", "musicnn-000000000000"], "space=musicnn-000000000000 has no tracks"),
    ],
)
def test_what_is_not_there_is_said(
    data: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(data, *arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--seed", "--tracks", "--fans"])
def test_numbers_are_whole_and_not_below_zero(
    data: Path, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        evaluate(data, flag, "-1")
    with pytest.raises(SystemExit, match="2"):
        evaluate(data, flag, "many")
    assert "is not a whole number of at least 0" in capsys.readouterr().err


def test_two_tracks_are_too_few(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish_entries(tmp_path, random_entries(2))
    assert main(["evaluate", "--data-dir", str(tmp_path)]) == 2
    assert "tracks=2 are too few" in capsys.readouterr().err


def test_nothing_published_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--data-dir", str(tmp_path)]) == 1
    assert "holds no published index" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
