"""The worst seeds, and what is taken for what."""

from pathlib import Path

import numpy as np

from indexer.evaluation.failures import confusions, described, worst_seeds
from indexer.evaluation.retrieval import Task, coded, cosine_scorer
from indexer.evaluation.subject import open_subject
from recommender.generation import normalised
from tests.builders import entry, publish_entries

LABELS = ["x", "x", "x", "y", "y"]
# 0, 1 and 4 lie together, and so do 2 and 3: track 2 is the odd one of its label, and so is 4
VECTORS = normalised(np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [1, 0.2]], np.float32))
TASK = Task("same label", coded(LABELS), (), np.arange(5, dtype=np.int64))


def test_the_worst_seeds_come_first_with_what_was_found_instead() -> None:
    worst = worst_seeds(cosine_scorer(VECTORS), TASK, 2)
    assert [failure.row for failure in worst] == [4, 2]
    # 4: 1 0 3 2, its only fellow being 3
    assert worst[0].neighbours.tolist() == [1, 0, 3, 2]
    assert worst[0].average_precision == 1 / 3
    # 2: 3 4 1 0, its fellows being 0 and 1
    assert worst[1].neighbours.tolist() == [3, 4, 1, 0]
    assert worst[1].average_precision == (1 / 3 + 2 / 4) / 2


def test_no_more_seeds_are_shown_than_there_are() -> None:
    assert len(worst_seeds(cosine_scorer(VECTORS), TASK, 100)) == 5


def test_confusions_are_shares_of_answers_by_label() -> None:
    names, shares = confusions(cosine_scorer(VECTORS), TASK, LABELS, most=2)
    assert names == ["x", "y"]
    # every seed is answered with all four others
    np.testing.assert_allclose(shares, [[6 / 12, 6 / 12, 0], [6 / 8, 2 / 8, 0]])


def test_rare_labels_are_all_others() -> None:
    names, shares = confusions(cosine_scorer(VECTORS), TASK, LABELS, most=1)
    assert names == ["x"]
    np.testing.assert_allclose(shares, [[6 / 12, 6 / 12]])


def test_a_track_without_title_is_called_by_its_file(tmp_path: Path) -> None:
    publish_entries(
        tmp_path,
        [
            entry("a", (1, 0, 0, 0), title="Song", artist="Ada", album="One"),
            entry("b", (0, 1, 0, 0), artist="Ada"),
        ],
    )
    subject = open_subject(tmp_path)
    assert described(subject, 0) == "Song · Ada · One"
    assert described(subject, 1) == "b.flac · Ada"
