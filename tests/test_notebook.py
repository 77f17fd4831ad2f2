"""The evaluation notebook, executed whole on a tiny catalog; and what its cells are made of."""

import ast
import io
import itertools
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from rich.console import Console
from scipy.stats import t as student

from indexer.evaluation.clips import AS_IT_IS, SERVED, Outcome
from indexer.evaluation.excerpts import write_excerpts
from indexer.evaluation.failures import Failure
from indexer.evaluation.figures import Figure
from indexer.evaluation.retrieval import Task, cosine_scorer, tasks_of
from indexer.evaluation.subject import Subject, open_subject
from indexer.reindex import reindex
from indexer.request import Request
from notebooks import facts, measures, table, verdicts, words
from notebooks.text import Log, listed
from tests.builders import entry, publish_entries
from tools import notebook as runner

MAX_BYTES = 2 * 2**20
# what would tell of the machine that the notebook was executed on
PATHS = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|work|usr|Users|var)/\w")


@pytest.fixture(scope="module")
def data(rendered_music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published catalog of six tracks of 5 s."""
    folder = tmp_path_factory.mktemp("notebook") / "data"
    request = Request((os.fsencode(rendered_music),), folder, "musicnn", 12, 2)
    reindex(request, Console(file=io.StringIO()))
    return folder


@pytest.fixture(scope="module")
def executed(data: Path) -> NotebookNode:
    """The notebook as the runner leaves it in the data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALUATION_MANY", "300")
        assert runner.main(["--data-dir", str(data), "--tracks", "3"]) == 0
    return nbformat.read(data / "evaluation" / "evaluation.ipynb", as_version=4)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the notebook of the project."""
    path = tmp_path / "small.ipynb"
    monkeypatch.setattr(runner, "NOTEBOOK", path)
    return path


def write(path: Path, *sources: str) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]


def check_is_complete(notebook: NotebookNode) -> None:
    """Every cell ran, in order, without an error or a warning, and names no place of a machine."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert {out.output_type for out in outputs(notebook)} == {"execute_result"}
    assert sum("image/png" in out.data for out in outputs(notebook)) >= 10
    assert not PATHS.search(nbformat.writes(notebook))


def test_the_whole_notebook_runs_on_a_tiny_catalog(executed: NotebookNode) -> None:
    check_is_complete(executed)
    said = "\n".join(out.data.get("text/markdown", "") for out in outputs(executed))
    assert "**6 tracks" in said
    assert "The copy came first for **all" in said


def test_a_page_is_written_that_loads_nothing_from_elsewhere(
    executed: NotebookNode, data: Path
) -> None:
    assert executed.cells
    page = (data / "evaluation" / "evaluation.html").read_text(encoding="utf-8")
    assert "Does a clip find its track?" in page
    sources = re.findall(r"src=\"([^\"]{0,40})", page)
    assert all(s.startswith(("data:image/png", "excerpts/")) for s in sources)
    assert "<script" not in page


def test_what_went_wrong_can_be_heard(data: Path, tmp_path: Path) -> None:
    subject, failure = open_subject(data), Failure(0, 0.25, np.array([1, 2]))
    audible = write_excerpts(subject, measures.rows_of([failure]), tmp_path, 1)
    sources = re.findall(r'src="([^"]+)"', table.failures(subject, [failure], audible).markup)
    assert [Path(source).stem for source in sources] == [e.track.id for e in subject.tracks[:3]]
    for source in sources:
        assert (tmp_path / Path(source).name).read_bytes().startswith(b"OggS")


def test_a_track_without_a_file_has_no_player_and_its_name_is_no_markup(data: Path) -> None:
    subject = open_subject(data)
    first, *others = subject.tracks
    hostile = replace(first.track.metadata, title="<script>alert(1)</script> it's \u202e")
    named = replace(first, track=replace(first.track, metadata=hostile))
    changed = replace(subject, tracks=[named, *others])
    markup = table.failures(changed, [Failure(0, 0.0, np.array([1]))], audible=()).markup
    assert "&lt;script&gt;alert(1)&lt;/script&gt; it's ·" in markup
    assert "<script" not in markup
    assert "<audio" not in markup


def test_the_notebook_of_the_project_was_executed() -> None:
    notebook = nbformat.read(runner.NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    check_is_complete(notebook)
    assert runner.NOTEBOOK.stat().st_size < MAX_BYTES
    assert runner.cleaned(notebook) == notebook


@pytest.mark.parametrize("flag", ["--seed", "--tracks", "--fans"])
def test_numbers_below_zero_are_refused(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        runner.main([flag, "-1"])
    assert "-1 is not a whole number of at least 0" in capsys.readouterr().err


def test_a_failing_cell_is_told_in_words(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(small, "1 + 1", "assert 1 == 2, 'one is not [b]two'", "'never'")
    assert runner.main(["--data-dir", str(tmp_path / "data")]) == 1
    assert "a cell failed with AssertionError: one is not [b]two" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_flags_reach_the_cells_and_save_keeps_outputs_without_traces_of_the_machine(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(small, "import os\n[v for k, v in sorted(os.environ.items()) if 'EVALUATION_' in k]")
    monkeypatch.chdir(tmp_path)
    flags = ["--data-dir", "data", "--seed", "7", "--tracks", "5", "--fans", "9"]
    assert runner.main([*flags, "--events", "plays.csv", "--save"]) == 0
    saved = json.loads(small.read_text())
    (cell,) = saved["cells"]
    assert ast.literal_eval("".join(cell["outputs"][0]["data"]["text/plain"])) == [
        str(tmp_path / "plays.csv"),
        "9",
        "7",
        "5",
    ]
    assert cell["metadata"] == {}
    assert saved["metadata"]["language_info"] == {"name": "python"}


def task(labels: list[int], *filters: list[int]) -> Task:
    label = np.array(labels)
    return Task("same label", label, tuple(map(np.array, filters)), np.flatnonzero(label >= 0))


def test_the_precision_of_chance_is_that_of_all_orders() -> None:
    right = [True, True, False, False, False]
    orders = np.array(list(set(itertools.permutations(right))))
    ranks = np.arange(1, 6)
    precisions = (orders.cumsum(axis=1) / ranks * orders).sum(axis=1) / 2
    # each of three seeds has two right ones among five others
    known = task([0, 0, 0, -1, -1, -1])
    assert measures.expected_precision(known) == pytest.approx(precisions.mean())


def test_a_check_fails_when_answers_are_better_than_chance() -> None:
    assert measures.Check("same artist", 0.30, 0.29, 0.01).passed
    assert not measures.Check("same artist", 0.50, 0.29, 0.01).passed


def test_a_check_fails_by_chance_once_in_a_million_times() -> None:
    errors = student.isf(0.5e-6, df=measures.SHUFFLES - 1)
    assert errors == pytest.approx(measures.CERTAIN, abs=0.15)
    assert errors < measures.CERTAIN


def test_twins_are_found_but_for_tracks_that_sound_alike_already() -> None:
    vectors = np.eye(4, dtype=np.float32)[[0, 1, 2, 2, 3]]
    assert measures.twins_found(vectors).tolist() == [1.0, 1.0, 1.0]


def test_a_hub_is_on_every_list_and_mutual_proximity_takes_it_down() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(60, 3)).astype(np.float32) + 1.0
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    counts = measures.hub_counts_of(vectors, seed=0)
    assert all(one.sum() == 60 * measures.HUB_DEPTH for one in counts.values())
    assert counts["mutual proximity"].std() < counts["served"].std()


def labelled(folder: Path, *albums: dict[str, str]) -> Subject:
    entries = [
        entry(f"t{i}", [1, i, 0, 0], **metadata)  # type: ignore[arg-type, unused-ignore]
        for i, metadata in enumerate(albums)
    ]
    publish_entries(folder, entries)
    return open_subject(folder)


def test_labels_have_names_that_can_be_read_and_told_apart(tmp_path: Path) -> None:
    queen = {"album": "Hits", "album_artist": "Queen"}
    albums = [
        {"album": "Live", "artist": "One"},
        {"album": "LIVE", "artist": "Two"},
        {"album": "Live", "artist": "One"},
        queen,
        {"album": "hits", "album_artist": "QUEEN", "artist": "Guest"},
        {"album": "Hits", "album_artist": "ABBA"},
        queen | {"musicbrainz_album_id": "00000000-0000-0000-0000-000000000001"},
        {"artist": "Nobody"},
    ]
    subject = labelled(tmp_path, *albums)
    names = ["Live"] * 3 + ["Hits (Queen)"] * 2 + ["Hits (ABBA)", "Hits (Queen) (2)", ""]
    assert measures.names_of(subject, "album") == names
    assert measures.names_of(subject, "artist")[:4] == ["One", "Two", "One", ""]
    (same_album,) = [task for task in tasks_of(subject) if task.name == "same album"]
    labels, shares = measures.confused(cosine_scorer(subject.vectors), same_album, subject)
    assert labels == ["Live", "Hits (Queen)"]
    assert shares.shape == (2, 3)


def known(
    subject: str,
    condition: str,
    metric: str,
    value: float,
    half: float = 0.0,
    groups: int | None = None,
) -> Figure:
    low, high = value - half, value + half
    return Figure("retrieval", subject, condition, metric, value, low, high, 9, groups)


def test_what_intervals_keep_apart_is_concluded_and_nothing_else() -> None:
    figures = [
        known("served", "same album", "MAP", 0.5, 0.1),
        known("random", "same album", "MAP", 0.1, 0.1),
        known("served", "same genre", "MAP", 0.2, 0.2),
        known("random", "same genre", "MAP", 0.1, 0.1),
    ]
    said = words.compared(figures, "served", "random", "MAP")
    assert "In 1 of 2 questions" in said
    assert "beyond both intervals: same album (0.50 (0.40 to 0.60), n = 9)." in said
    assert "Not to be told apart by this catalog: same genre" in said
    assert "Worse" not in said


def test_a_worse_figure_is_called_worse() -> None:
    figures = [
        known("served", "same album", "MAP", 0.1),
        known("random", "same album", "MAP", 0.5),
    ]
    assert "**Worse than random**: same album" in words.compared(figures, "served", "random", "MAP")


def test_nothing_is_concluded_from_few_labels() -> None:
    figures = [
        known(name, condition, "MAP", value, groups=groups)
        for name, value in (("served", 0.9), ("random", 0.1))
        for condition, groups in (("same artist", 5), ("same artist, without the album", 1))
    ]
    few = "same artist, without the album (1 artist, 0.90, n = 9)."
    said = words.compared(figures, "served", "random", "MAP")
    assert "In 1 of 1 questions" in said
    assert f"**Too few labels to conclude**: {few}" in said
    left = words.filtered(figures, "MAP")
    assert left == f"**Too few labels to conclude**: {few}"
    assert "above" not in words.compared(figures[1::2], "served", "random", "MAP")


def test_what_is_left_of_enough_labels_is_the_more_honest_figure() -> None:
    conditions = ("same artist", "same artist, without the album")
    figures = [known("served", c, "MAP", 0.5, groups=5) for c in conditions]
    assert "more honest" in words.filtered(figures, "MAP")


def test_a_metric_that_is_not_above_chance_is_named() -> None:
    figures = [
        known("served", "same album", "hit rate@10", 0.9, 0.1),
        known("random", "same album", "hit rate@10", 0.8, 0.1),
        known("served", "same genre", "hit rate@10", 0.9),
        known("random", "same genre", "hit rate@10", 0.1),
    ]
    said = words.not_above(figures, "served", "random", "hit rate@10")
    assert said.endswith("beyond both intervals: same album (0.90, random 0.80).")
    assert words.not_above(figures[2:], "served", "random", "hit rate@10") == ""


def test_a_list_as_long_as_the_catalog_says_nothing(tmp_path: Path) -> None:
    subject = labelled(tmp_path, *[{"album": "Live"}] * 11)
    assert "hit rate@10 says nothing here" in facts.saturated("hit rate@10", subject)
    assert facts.saturated("recall@9", subject) == ""


def test_extremes_are_told_apart_by_a_finer_metric_where_several_are_best() -> None:
    def clips(metric: str, *values: float) -> list[Figure]:
        return [known("served", f"clip {i}", metric, value) for i, value in enumerate(values)]

    def said(*figures: Figure) -> str:
        return words.extremes(figures, "served", "hit rate@10", "first")

    tied = clips("hit rate@10", 1.0, 1.0, 0.5)
    assert "Hardest: **clip 1** with first 0.20" in said(*tied, *clips("first", 0.9, 0.2, 0.4))
    assert "easiest: **clip 0** and **clip 1** with" in said(*tied, *clips("first", 1.0, 1.0, 0.4))
    assert "All conditions are equal: first 1.00" in said(*tied, *clips("first", 1.0, 1.0, 1.0))
    assert "Hardest: **clip 0** with hit rate@10" in said(*clips("hit rate@10", 0.1, 0.2))


def test_a_level_course_stays_where_it_is() -> None:
    figures = [known("served", f"{s} s, clean", "hit rate@10", 1.0) for s in (3, 10)]
    assert words.along(figures, "served", "hit rate@10").endswith("stays at 1.00.")


def test_a_course_of_few_worlds_leads_nowhere() -> None:
    figures = [known("served", f"history of {n}", "MAP", n / 10, groups=2) for n in (1, 5)]
    assert "too few to conclude (2 worlds)" in words.along(figures, "served", "MAP")


def test_only_simulated_listeners_excuse_the_system() -> None:
    assert "no system can do better" in verdicts.independence(["listeners are simulated from X"])
    assert verdicts.independence(["events=simulated.csv: 3 listeners"]) == ""


def test_notes_are_listed_as_text() -> None:
    assert listed(["<b>", "a*b"]) == "* &lt;b&gt;\n* a\\*b"


def test_the_failures_shown_are_of_the_question_of_most_seeds_that_fails() -> None:
    scorer = cosine_scorer(np.eye(4, dtype=np.float32)[[0, 0, 1, 1, 2, 2]])
    perfect, small = task([0, 0, 1, 1, 2, 2]), task([0, -1, 0, -1, -1, -1])
    large = task([0, 1, 0, 1, -1, -1])
    assert measures.failing_task(scorer, [perfect, small, large]) is large
    assert measures.failing_task(scorer, [perfect]) is None
    assert "Every answer to all 1 questions is perfect" in words.failing(None, [perfect])
    assert "No two tracks share a label" in words.failing(None, [])
    assert "**same label** (4 tracks asked)" in words.failing(large, [perfect, large])


def test_a_course_tells_whether_it_leads_anywhere() -> None:
    figures = [known("served", f"history of {n}", "MAP", n / 10, 0.1) for n in (1, 2, 5)]
    assert "0.10 (0.00 to 0.20) to 0.50 (0.40 to 0.60): **beyond both" in words.along(
        figures, "served", "MAP"
    )
    assert "the intervals overlap" in words.along(figures[:2], "served", "MAP")
    assert "no course" in words.along(figures[:1], "served", "MAP")


def test_levelling_is_judged_on_the_same_clips() -> None:
    outcomes = [
        Outcome(subject, "10 s, clean", f"track {i}", rank, 0.5)
        for i in range(20)
        for subject, rank in ((SERVED, 1), (AS_IT_IS, 1 + i % 2))
    ]
    said = verdicts.levelling(outcomes)
    assert "first in 100 % of 20 clips with levels, in 50 % without (paired, p = 0.002)" in said


def test_the_most_confused_labels_are_named() -> None:
    shares = np.array([[0.9, 0.1, 0.0], [0.6, 0.2, 0.2]])
    said = words.confused(["Bach", "Händel"], shares, [1.0, 0.4])
    assert "Best kept together: **Bach**, 90 %" in said
    assert "60 % of the answers to **Händel** are **Bach**" in said
    assert (
        "cannot fill every answer, however well it is kept together: Händel (40 % at most)" in said
    )


def test_labels_that_are_never_mistaken_are_not_accused() -> None:
    said = words.confused(["Bach", "Händel"], np.eye(2, 3), [1.0, 1.0])
    assert "None of them is mistaken" in said
    assert "at most" not in said
    full = np.array([[0.4, 0.6, 0.0], [0.6, 0.4, 0.0]])
    assert "None of them is mistaken" in words.confused(["Bach", "Händel"], full, [0.4, 0.4])
    assert "too few labels" in words.confused(["Bach"], np.ones((1, 2)), [1.0])


def test_controls_are_no_comparisons() -> None:
    figures = [
        known(name, "same artist", metric, value)
        for name in ("windows: 3", "control: random", "control: shuffled")
        for metric, value in (("MAP less default", -0.5), ("p adjusted", 0.01))
    ]
    said = verdicts.variants(figures)
    assert "Of 1 comparisons, 0 are better than the default and 1 worse" in said
    assert "**Worse**\n\n* same artist: *windows: 3* (-0.500)" in said
    assert "control:" not in said
    assert "within each question (Holm" in said


def test_the_classic_baseline_is_compared_on_every_question() -> None:
    figures = [
        known("classic: MFCC", condition, metric, value, groups=groups)
        for condition, groups in (("same artist", 9), ("same album", 1))
        for metric, value in (("MAP less default", -0.1), ("p adjusted", 0.2))
    ]
    said = verdicts.variants(figures)
    assert "* same artist: -0.100 (9 artists), not to be told apart from the default" in said
    assert "(adjusted p = 0.200)" in said
    assert "* same album: -0.100 (1 album), too few labels to conclude" in said


def test_controls_that_cannot_be_told_from_the_default_are_a_warning() -> None:
    def figures(p_value: float) -> list[Figure]:
        return [
            known("control: random", "same artist", "MAP less default", -0.5, groups=3),
            known("control: random", "same artist", "p adjusted", p_value),
        ]

    assert "on same artist (3 artists). More *labels* are needed" in verdicts.variants(figures(0.2))
    assert "Too few" not in verdicts.variants(figures(0.01))


def test_the_log_repeats_what_was_left_out_and_no_paths() -> None:
    log = Log()
    log.console.print("clips: 2 tracks are left out")
    log.console.print("  '/home/someone/a.ogg': it is gone")
    assert log.left_out() == r"* clips\: 2 tracks are left out"
