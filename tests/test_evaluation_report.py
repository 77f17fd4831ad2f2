"""Reports: kept, read again, printed, and held against an earlier one."""

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.evaluation import report
from indexer.evaluation.baseline import MARGIN, floor_of, regressions
from indexer.evaluation.figures import Figure, figure
from indexer.evaluation.report import SIMULATED, Origin, Report, read_report
from indexer.evaluation.tables import report_lines
from recommender.errors import InvalidParameterError

MAP = Figure("retrieval", "served", "same album", "MAP", 0.4, 0.3, 0.5, 90)
RANDOM = replace(MAP, subject="random", value=0.05, low=0.04, high=0.06)
NDCG = replace(MAP, metric="nDCG@10")
RECALL = Figure("index", "served", "", "recall@10", 1.0, 1.0, 1.0, 90)
LATENCY = Figure("index", "served", "", "latency (ms)", 0.2, 0.1, 0.3, 90)

ORIGIN = Origin(catalog="0123456789ab", seed=0, listened=60, listeners=SIMULATED)
REPORT = Report(
    origin=ORIGIN,
    generation="20260101T000000Z-00000000",
    space="fake-0123456789ab",
    tracks=90,
    dimension=4,
    figures=[RECALL, LATENCY, MAP, RANDOM, NDCG],
    notes=["no two tracks share a known composer"],
)


def with_figures(*figures: Figure) -> Report:
    return replace(REPORT, figures=list(figures))


def test_a_figure_is_the_mean_with_its_interval() -> None:
    made = figure("retrieval", "served", "same album", "MAP", np.linspace(0, 1, 101))
    assert made.value == pytest.approx(0.5)
    assert 0.42 < made.low < 0.46 < 0.54 < made.high < 0.58
    assert made.n == 101
    assert made.key == ("retrieval", "served", "same album", "MAP")


def test_all_right_or_all_wrong_is_no_certainty() -> None:
    hits = figure("s", "x", "", "hit rate@10", [1.0] * 8)
    # Clopper and Pearson: 0.631 to 1
    assert [hits.low, hits.high] == pytest.approx([0.6306, 1.0], abs=1e-4)
    misses = figure("s", "x", "", "hit rate@10", [0.0] * 8)
    assert [misses.low, misses.high] == pytest.approx([0.0, 0.3694], abs=1e-4)
    together = figure("s", "x", "", "hit rate@10", [1.0] * 8, clusters=[1, 1, 1, 1, 2, 2, 2, 2])
    assert together.low == pytest.approx(0.1581, abs=1e-4)
    assert together.groups == 2


def test_of_a_single_label_there_is_no_interval() -> None:
    alone = figure("s", "x", "", "MAP", [0.2, 0.4], clusters=[5, 5])
    assert (alone.low, alone.high, alone.groups) == (alone.value, alone.value, 1)
    assert report_lines(with_figures(alone))[-1].endswith("0.300 (one label)")
    assert floor_of(replace(alone, n=1000)) < alone.value


def test_queries_of_one_cluster_widen_the_interval() -> None:
    values = np.repeat([0.0, 1.0], 50)
    alone = figure("s", "x", "", "m", values)
    together = figure("s", "x", "", "m", values, clusters=np.repeat([7, 9], 50))
    assert together.value == alone.value == 0.5
    assert (together.low, together.high) == (0.0, 1.0)
    assert alone.high - alone.low < 0.25


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(REPORT.to_json(), encoding="utf-8")
    assert read_report(path) == REPORT


def said(path: Path) -> str:
    with pytest.raises(
        InvalidParameterError, match=r"report=.* cannot be read .* evaluate --json"
    ) as caught:
        read_report(path)
    return str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"schema_version": 1}', "[" * 100_000, '{"figures": []}']
)
def test_what_is_no_report_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    assert "\n" not in said(path)


@pytest.mark.parametrize(
    "change",
    [
        {"value": math.nan},
        {"low": -math.inf},
        {"value": "0.5"},
        {"value": None},
        {"n": 0},
        {"n": "5"},
        {"n": 1.5},
        {"condition": 3},
        {"metric": None},
    ],
)
def test_a_report_with_a_figure_that_is_none_is_said(
    tmp_path: Path, change: dict[str, object]
) -> None:
    facts = json.loads(REPORT.to_json())
    facts["figures"][0] |= change
    path = tmp_path / "report.json"
    path.write_text(json.dumps(facts), encoding="utf-8")
    said(path)


@pytest.mark.parametrize("change", [{"schema_version": 2}, {"figures": {}}, {"origin": {}}])
def test_a_report_of_another_form_is_said(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(json.loads(REPORT.to_json()) | change), encoding="utf-8")
    said(path)


def test_two_figures_of_one_name_are_said(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(with_figures(MAP, MAP).to_json(), encoding="utf-8")
    assert "two figures have one name" in said(path)


def test_what_is_no_file_or_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert "no such file" in said(tmp_path / "fifo")
    assert "no such file" in said(tmp_path)
    monkeypatch.setattr(report, "MAX_BYTES", 10)
    (tmp_path / "large").write_text(REPORT.to_json(), encoding="utf-8")
    assert "larger than 10 bytes" in said(tmp_path / "large")


def test_a_report_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match="nowhere"):
        read_report(tmp_path / "nowhere.json")


def test_the_table_shows_headlines_beside_what_they_are_compared_with() -> None:
    lines = report_lines(REPORT)
    assert lines == [
        "90 tracks in space fake-0123456789ab; means, and 95 % intervals in brackets",
        "note: no two tracks share a known composer",
        "",
        "INDEX",
        "  n=90      recall@10               latency (ms)",
        "    served  1.000                   0.200 (0.100 0.300)",
        "",
        "RETRIEVAL",
        "  same album, n=90  MAP",
        "    served          0.400 (0.300 0.500)",
        "    random          0.050 (0.040 0.060)",
    ]


def test_the_same_report_is_no_regression() -> None:
    assert regressions(REPORT, REPORT) == []


def test_figures_within_the_interval_or_above_are_no_regression() -> None:
    now = with_figures(RECALL, LATENCY, replace(MAP, value=0.36), replace(NDCG, value=0.9))
    assert regressions(now, REPORT) == []


def test_a_figure_below_its_interval_is_a_regression() -> None:
    now = with_figures(replace(RECALL, value=0.99), replace(MAP, value=0.29), NDCG)
    assert regressions(now, REPORT) == [
        "index · served · recall@10: 0.990 now, 1.000 before, at least 1.000 wanted",
        "retrieval · served · same album · MAP: 0.290 now, 0.400 before, at least 0.350 wanted",
    ]


def test_the_narrowest_of_intervals_and_margin_counts() -> None:
    wide = replace(MAP, value=0.686, low=0.0, high=0.88, n=70)
    assert floor_of(wide) == pytest.approx(0.686 - MARGIN)
    assert floor_of(replace(wide, low=0.65)) == 0.65
    # over 700 queries: 0.686 +- 0.034
    assert floor_of(replace(wide, n=700)) == pytest.approx(
        0.686 - 1.96 * (0.686 * 0.314 / 700) ** 0.5
    )


def test_a_figure_that_is_not_measured_any_more_is_a_regression() -> None:
    assert regressions(with_figures(RECALL, MAP), REPORT) == [
        "retrieval · served · same album · nDCG@10: 0.400 before, not measured now"
    ]


def test_times_and_what_is_compared_with_are_not_gated() -> None:
    now = with_figures(RECALL, replace(LATENCY, value=0.0), MAP, NDCG, replace(RANDOM, value=0.0))
    assert regressions(now, REPORT) == []


@pytest.mark.parametrize(
    "change", [{"catalog": "other"}, {"seed": 1}, {"listened": 0}, {"listeners": "0123456789ab"}]
)
def test_reports_of_other_tracks_or_samples_are_not_compared(change: dict[str, object]) -> None:
    other = replace(REPORT, origin=replace(ORIGIN, **change))  # type: ignore[arg-type]
    with pytest.raises(InvalidParameterError, match=f"{next(iter(change))}=.* cannot be compared"):
        regressions(other, REPORT)


def test_a_baseline_without_anything_to_compare_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="nothing to compare"):
        regressions(REPORT, with_figures(RANDOM, LATENCY))


def test_a_figure_of_fewer_queries_is_a_regression() -> None:
    now = with_figures(RECALL, replace(MAP, value=1.0, n=89), NDCG)
    [complaint] = regressions(now, REPORT)
    assert complaint == "retrieval · served · same album · MAP: of n=89 now, of n=90 before"


def test_a_figure_that_is_not_a_number_is_a_regression() -> None:
    now = with_figures(RECALL, replace(MAP, value=math.nan), NDCG)
    assert len(regressions(now, REPORT)) == 1


def test_one_clip_may_be_lost_to_another_encoder() -> None:
    clip = Figure("clips", "served", "10 s, clean", "first", 1.0, 1.0, 1.0, 24)
    assert floor_of(clip) == pytest.approx(23 / 24)
    assert floor_of(replace(clip, section="retrieval")) == 1.0
