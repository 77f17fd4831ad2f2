"""Metrics by hand, by trec_eval, scikit-learn and SciPy, and by what must hold for all of them."""

from collections.abc import Callable
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
import pytrec_eval
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial.distance import pdist
from scipy.stats import skew
from sklearn.metrics import average_precision_score, ndcg_score

from recommender.arrays import Rows
from recommender.errors import InvalidParameterError
from recommender.evaluation import (
    Flags,
    Scores,
    Values,
    anti_hub_share,
    average_precision,
    capped_recall,
    coverage,
    hit_rate,
    hub_skewness,
    intra_list_diversity,
    k_occurrence,
    ndcg,
    novelty,
    precision,
    ranked_hits,
    ranking,
    recall,
    reciprocal_rank,
)

KS = (1, 3, 5, 30)
CUT: dict[str, Callable[[Flags, Rows, int], Values]] = {
    "recall": recall,
    "capped_recall": capped_recall,
    "precision": lambda hits, n_relevant, k: precision(hits, k),
    "hit_rate": lambda hits, n_relevant, k: hit_rate(hits, k),
    "ndcg": ndcg,
}
WHOLE: dict[str, Callable[[Flags, Rows], Values]] = {
    "average_precision": average_precision,
    "reciprocal_rank": lambda hits, n_relevant: reciprocal_rank(hits),
}
TREC_CUT = {
    "recall": "recall",
    "precision": "P",
    "hit_rate": "success",
    "ndcg": "ndcg_cut",
}
TREC_WHOLE = {"average_precision": "map", "reciprocal_rank": "recip_rank"}

# right at ranks 2 and 4 of four, and a third one that was not listed; then nothing right
HITS = np.array([[False, True, False, True], [False, False, False, False]])
N_RELEVANT = np.array([3, 0])

Case = tuple[Scores, Flags, Flags]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Scores with many ties, what is right and what is allowed, alike in shape."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 12)))
    scores = draw(arrays.arrays(np.float32, shape, elements=st.integers(-2, 2)))
    flags = arrays.arrays(np.bool_, shape)
    return scores, draw(flags), draw(flags)


def every_metric(hits: Flags, n_relevant: Rows) -> dict[str, Values]:
    cut = {f"{name}@{k}": CUT[name](hits, n_relevant, k) for name in CUT for k in KS}
    return cut | {name: metric(hits, n_relevant) for name, metric in WHOLE.items()}


def trec_eval(scores: Scores, right: Flags, allowed: Flags) -> list[dict[str, float]]:
    """What the reference says of each query; equal scores it orders by name, last name first."""
    names = np.array([f"{99_999 - row}" for row in range(scores.shape[1])])
    judged, answered = {}, {}
    for query in range(len(scores)):
        listed = np.flatnonzero(allowed[query])
        judged[str(query)] = {"unlisted": 0} | {
            str(names[row]): int(right[query, row]) for row in listed
        }
        answered[str(query)] = {str(names[row]): float(scores[query, row]) for row in listed}
    cuts = ",".join(map(str, KS))
    measures = {f"{name}.{cuts}" for name in TREC_CUT.values()} | set(TREC_WHOLE.values())
    found = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate(answered)
    return [found[str(query)] for query in range(len(scores))]


@given(cases())
def test_rank_metrics_are_those_of_trec_eval(case: Case) -> None:
    scores, right, allowed = case
    ours = every_metric(ranked_hits(*case), (right & allowed).sum(axis=1))
    for query, theirs in enumerate(trec_eval(scores, right, allowed)):
        for name, trec_name in TREC_CUT.items():
            for k in KS:
                expected = theirs[f"{trec_name}_{k}"]
                assert ours[f"{name}@{k}"][query] == pytest.approx(expected, abs=1e-9)
        for name, trec_name in TREC_WHOLE.items():
            assert ours[name][query] == pytest.approx(theirs[trec_name], abs=1e-9)


@given(cases(), st.integers(1, 15))
def test_ndcg_is_that_of_scikit_learn(case: Case, k: int) -> None:
    scores, right, _ = case
    assume(scores.shape[1] > 1)
    # scikit-learn has its own order of equal scores
    distinct = scores * 100 - np.arange(scores.shape[1])
    mean = ndcg(ranked_hits(distinct, right), right.sum(axis=1), k).mean()
    assert mean == pytest.approx(ndcg_score(right, distinct, k=k, ignore_ties=True), abs=1e-9)


@given(st.permutations(range(9)), st.sets(st.integers(0, 8), min_size=1))
def test_average_precision_is_that_of_scikit_learn(scores: list[int], relevant: set[int]) -> None:
    right = np.isin(np.arange(9), list(relevant))
    hits = ranked_hits(np.array([scores], np.float64), right[np.newaxis])
    expected = average_precision_score(right, scores)
    assert average_precision(hits, np.array([len(relevant)])) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "k", "expected"),
    [
        ("recall", 2, 1 / 3),
        ("recall", 9, 2 / 3),
        ("capped_recall", 1, 0.0),
        ("capped_recall", 2, 1 / 2),
        ("capped_recall", 9, 2 / 3),
        ("precision", 2, 1 / 2),
        ("precision", 4, 2 / 4),
        ("precision", 8, 2 / 8),
        ("hit_rate", 1, 0.0),
        ("hit_rate", 2, 1.0),
        ("ndcg", 2, (1 / np.log2(3)) / (1 + 1 / np.log2(3))),
        ("ndcg", 4, (1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3) + 1 / 2)),
    ],
)
def test_cut_metrics_by_hand_and_0_without_a_relevant_item(
    name: str, k: int, expected: float
) -> None:
    assert CUT[name](HITS, N_RELEVANT, k) == pytest.approx([expected, 0.0])


def test_whole_list_metrics_by_hand_and_0_without_a_relevant_item() -> None:
    assert average_precision(HITS, N_RELEVANT) == pytest.approx([(1 / 2 + 2 / 4) / 3, 0.0])
    assert reciprocal_rank(HITS) == pytest.approx([1 / 2, 0.0])


@given(st.integers(1, 8), st.integers(0, 8))
def test_the_best_order_scores_1_and_the_worst_less(n_right: int, n_wrong: int) -> None:
    right = np.arange(n_right + n_wrong)[np.newaxis] < n_right
    best, n_relevant = every_metric(right, right.sum(axis=1)), right.sum(axis=1)
    for name in ("average_precision", "reciprocal_rank", "capped_recall@30", "recall@30"):
        assert best[name].tolist() == [1.0]
    for k in KS:
        assert best[f"ndcg@{k}"] == pytest.approx([1.0])
        assert best[f"capped_recall@{k}"].tolist() == [1.0]
        assert best[f"precision@{k}"].tolist() == [min(k, n_right) / k]
    worst = average_precision(right[:, ::-1], n_relevant)
    assert (worst[0] < 1.0) == (n_wrong > 0)


@given(cases(), st.randoms(use_true_random=False))
def test_each_query_is_scored_for_itself_within_0_and_1(case: Case, random: Random) -> None:
    order = list(range(len(case[0])))
    random.shuffle(order)
    hits, n_relevant = ranked_hits(*case), (case[1] & case[2]).sum(axis=1)
    shuffled = every_metric(hits[order], n_relevant[order])
    for name, values in every_metric(hits, n_relevant).items():
        assert values.dtype == np.float64
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()
        assert shuffled[name] == pytest.approx(values[order], abs=1e-12)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (3, 0)])
def test_no_queries_and_empty_lists_have_values(shape: tuple[int, int]) -> None:
    n_relevant = np.full(shape[0], 2)
    for values in every_metric(np.zeros(shape, np.bool_), n_relevant).values():
        assert values.tolist() == [0.0] * shape[0]


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("k", [0, -1])
def test_a_cut_below_1_is_refused(name: str, k: int) -> None:
    with pytest.raises(InvalidParameterError, match=f"k={k} must be at least 1"):
        CUT[name](HITS, N_RELEVANT, k)


def test_rows_are_ranked_by_score_then_row_without_what_is_not_allowed() -> None:
    scores = np.array([0.5, 0.9, 0.5, np.nan, 0.5, -np.inf])
    allowed = np.array([True, True, True, False, False, True])
    assert ranking(scores, allowed).tolist() == [1, 0, 2, 5]
    assert ranking(scores, allowed, depth=2).tolist() == [1, 0]
    assert ranking(scores[:3]).tolist() == [1, 0, 2]
    with pytest.raises(InvalidParameterError, match="scores=nan"):
        ranking(scores)


def test_shorter_lists_are_padded_and_what_pads_them_is_never_right() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0]])
    allowed = np.array([[True, False, True], [True, False, False], [False, False, False]])
    assert ranking(scores, allowed).tolist() == [[0, 2], [0, -1], [-1, -1]]
    everything = np.ones((3, 3), np.bool_)
    assert ranked_hits(scores, everything, allowed).tolist() == [
        [True, True],
        [True, False],
        [False, False],
    ]
    assert ranking(scores[:0], allowed[:0]).shape == (0, 0)
    assert ranked_hits(scores[:, :0], allowed[:, :0]).shape == (3, 0)


@given(cases(), st.integers(0, 13))
def test_a_shallower_ranking_is_the_beginning_of_the_whole(case: Case, depth: int) -> None:
    scores, right, allowed = case
    whole = ranking(scores, allowed)
    assert ranking(scores, allowed, depth).tolist() == whole[:, :depth].tolist()
    for rows, may in zip(whole, allowed, strict=True):
        assert sorted(rows[rows >= 0]) == np.flatnonzero(may).tolist()
    hits = ranked_hits(scores, right, allowed, depth)
    assert hits.tolist() == ranked_hits(scores, right, allowed)[:, :depth].tolist()


def test_coverage_is_the_share_of_the_catalog_on_any_list() -> None:
    assert coverage(np.array([[0, 3], [3, -1]]), 8) == 2 / 8
    assert coverage(np.empty((0, 5), np.int64), 8) == 0.0
    assert coverage(np.empty((0, 0), np.int64), 0) == 0.0


def test_novelty_is_the_mean_information_with_one_added_to_each_count() -> None:
    # with one added: 1, 1, 2 and 4 of 8 events, so 3, 3, 2 and 1 bits
    popularity = np.array([0, 0, 1, 3])
    lists = np.array([[0, 3], [2, -1], [-1, -1]])
    assert novelty(lists, popularity) == pytest.approx([2.0, 2.0, 0.0])
    assert novelty(np.array([[0]]), np.array([7])).tolist() == [0.0]
    assert novelty(np.empty((2, 0), np.int64), np.empty(0, np.int64)).tolist() == [0.0, 0.0]


def test_diversity_by_hand() -> None:
    east, north, none = [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]
    lists = [
        [east, east, east],
        [east, north, none],
        [east, [-1.0, 0.0], none],
        [east, east, north],
        [east, none, none],
        [none, none, none],
    ]
    expected = [0.0, 1.0, 2.0, 2 / 3, 0.0, 0.0]
    assert intra_list_diversity(np.array(lists, np.float32)) == pytest.approx(expected)
    assert float(intra_list_diversity(np.array([east, north]))) == 1.0
    assert intra_list_diversity(np.empty((2, 0, 5), np.float32)).tolist() == [0.0, 0.0]


@given(st.integers(2, 20), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_diversity_is_the_mean_cosine_distance_of_scipy(n: int, size: int, seed: int) -> None:
    vectors: npt.NDArray[np.float64] = np.random.default_rng(seed).standard_normal((2, n, size))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    expected = [pdist(of_list, "cosine").mean() for of_list in vectors]
    assert intra_list_diversity(vectors) == pytest.approx(expected, abs=1e-9)


def test_hubs_and_anti_hubs_by_hand() -> None:
    counts = k_occurrence(np.array([[1, 2], [0, 2], [0, -1]]), n_items=5)
    assert counts.tolist() == [2, 1, 2, 0, 0]
    assert anti_hub_share(counts) == 2 / 5
    # mean 1, deviations 3, -1, -1, -1: mean cube 6, mean square 3
    assert hub_skewness(np.array([4, 0, 0, 0])) == pytest.approx(6 / 3**1.5)


@pytest.mark.parametrize("counts", [[], [0, 0, 0], [7, 7, 7, 7, 7, 7]])
def test_equal_occurrences_have_no_skewness(counts: list[int]) -> None:
    assert hub_skewness(np.array(counts, np.int64)) == 0.0
    assert anti_hub_share(np.array(counts, np.int64)) == float(counts == [0, 0, 0])


@given(arrays.arrays(np.int64, st.integers(2, 60), elements=st.integers(0, 1000)))
def test_skewness_is_that_of_scipy(counts: Rows) -> None:
    assume(np.ptp(counts) > 0)
    assert hub_skewness(counts) == pytest.approx(skew(counts), abs=1e-9)
