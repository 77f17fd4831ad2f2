"""What correcting for hubs is worth to lists of similar tracks, as the service makes them."""

import json

import numpy as np
import numpy.typing as npt

from indexer.evaluation.figures import Figure, figure
from indexer.evaluation.index_recall import drawn
from indexer.evaluation.recommendations import SECTION, difference_figure
from indexer.evaluation.retrieval import coded
from indexer.evaluation.subject import Subject
from indexer.evaluation.variants import holm
from recommender.arrays import Rows
from recommender.engine import Recommender
from recommender.evaluation import hub_skewness, k_occurrence
from recommender.questions import Options
from recommender.significance import paired_permutation_test

SIMILAR = "similar tracks"
PLAIN, CORRECTED = "hubs as they are", "hubs corrected for"
K = 10
MOST_ASKED = 3_000
SKEWNESS, MOST_LISTS = f"hub skewness@{K}", f"most lists@{K}"
LABELS = ("album", "artist")

Values = npt.NDArray[np.float64]


def crowding_figures(subject: Subject, seed: int) -> list[Figure]:
    """Hubs, and whether neighbours share a label, without and with the correction.

    Every track is asked for once, or a random `MOST_ASKED`. Skewness of how often a track is listed
    has an interval by the jackknife over those who ask; figures by label are of tracks whose label
    another one shares, with intervals and tests over labels, and p values adjusted for all (Holm).
    """
    rows = drawn(len(subject.tracks), MOST_ASKED, seed)
    lists = {name: _lists(subject, rows, name == CORRECTED) for name in (PLAIN, CORRECTED)}
    return [
        *(one for name, found in lists.items() for one in hub_figures(name, found, subject)),
        skewness_figure(
            CORRECTED,
            f"{SKEWNESS} less {PLAIN}",
            _skewness(lists[CORRECTED], subject) - _skewness(lists[PLAIN], subject),
            _left_out(lists[CORRECTED], subject) - _left_out(lists[PLAIN], subject),
        ),
        *_by_labels(subject, rows, lists),
    ]


def hub_figures(name: str, lists: Rows, subject: Subject) -> list[Figure]:
    """How unevenly tracks are listed, of lists of shape (n_asked, K)."""
    most = float(k_occurrence(lists, len(subject.tracks)).max())
    value, without = _skewness(lists, subject), _left_out(lists, subject)
    return [
        skewness_figure(name, SKEWNESS, value, without),
        Figure(SECTION, name, SIMILAR, MOST_LISTS, most, most, most, len(lists)),
    ]


def skewness_figure(name: str, metric: str, value: float, without: Values) -> Figure:
    """A figure with the interval of the jackknife (Efron and Tibshirani 1993, chapter 11).

    Parameters
    ----------
    name, metric
        What it is called.
    value
        Of all who ask.
    without
        The same when each of them is left out, shape (n_asked,).
    """
    n = len(without)
    error = float(np.sqrt((n - 1) / n * np.square(without - without.mean()).sum()))
    return Figure(
        SECTION, name, SIMILAR, metric, value, value - 1.96 * error, value + 1.96 * error, n
    )


def _skewness(lists: Rows, subject: Subject) -> float:
    return hub_skewness(k_occurrence(lists, len(subject.tracks)))


def _left_out(lists: Rows, subject: Subject) -> Values:
    counts = k_occurrence(lists, len(subject.tracks))
    found = np.empty(len(lists))
    for place, one in enumerate(lists):
        listed = one[one >= 0]
        counts[listed] -= 1
        found[place] = hub_skewness(counts)
        counts[listed] += 1
    return found


def _lists(subject: Subject, rows: Rows, corrects: bool) -> Rows:
    """What the service answers, rows of shape (n_asked, K), -1 where a list is shorter."""
    recommender, options = Recommender(subject.generation), Options(limit=K, corrects_hubs=corrects)
    ids = [entry.track.id for entry in subject.tracks]
    row_of = {id_: row for row, id_ in enumerate(ids)}
    lists = np.full((len(rows), K), -1, np.int64)
    for place, row in enumerate(rows):
        matches = recommender.similar(ids[row], options).matches
        listed = [row_of[json.loads(match.document)["id"]] for match in matches]
        lists[place, : len(listed)] = listed
    return lists


def _by_labels(subject: Subject, rows: Rows, lists: dict[str, Rows]) -> list[Figure]:
    figures, p_values = list[Figure](), dict[str, float]()
    for label in LABELS:
        codes = coded(subject.labels(label))
        asked = np.flatnonzero(_shared(codes)[rows])
        if not len(asked):
            continue
        clusters = codes[rows[asked]]
        found = {name: _right(codes, rows[asked], of[asked], label) for name, of in lists.items()}
        for metric in found[PLAIN]:
            for name, of in found.items():
                figures.append(figure(SECTION, name, SIMILAR, metric, of[metric], clusters))
            less = found[CORRECTED][metric] - found[PLAIN][metric]
            metric_less = f"{metric} less {PLAIN}"
            figures.append(difference_figure(CORRECTED, SIMILAR, metric_less, less, clusters))
            sums = np.bincount(clusters, weights=less)
            p_values[metric] = paired_permutation_test(sums, np.zeros_like(sums))
    return figures + [
        Figure(SECTION, CORRECTED, SIMILAR, f"{metric} p", p, p, p, len(rows))
        for metric, p in holm(p_values).items()
    ]


def _shared(codes: Rows) -> npt.NDArray[np.bool_]:
    counts = np.bincount(codes[codes >= 0], minlength=int(codes.max(initial=0)) + 1)
    shared: npt.NDArray[np.bool_] = (codes >= 0) & (counts[codes] > 1)
    return shared


def _right(codes: Rows, rows: Rows, lists: Rows, label: str) -> dict[str, Values]:
    """Of each who asks, whether any, and what share of the list, is of the same label."""
    right = (lists >= 0) & (codes[lists] == codes[rows][:, np.newaxis])
    return {
        f"same {label}: hit rate@{K}": right.any(axis=1).astype(np.float64),
        f"same {label}: precision@{K}": right.mean(axis=1),
    }
