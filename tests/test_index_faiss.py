"""The kinds of index in catalogs large enough that each is truly itself."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.arrays import FloatArray
from recommender.index.building import build_index
from recommender.index.exact import ExactIndex
from recommender.index.faiss import DROPPED, FaissIndex
from recommender.index.native import threads
from recommender.index.recipes import KINDS, IndexOptions
from recommender.selection import Selection
from tests.contracts_index import NONE

ROWS, WIDTH = 5_000, 32
CUSTOM = ("IVF16,Flat", "OPQ8_16,IVF16,PQ8x4fs", "NSG8", "HNSW8,SQ8", "PQ16x4", "PCA16,HNSW16")
APPROXIMATE = [kind for kind in (*KINDS, *CUSTOM) if kind not in ("flat", "flat-fp16")]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threads(1):
        yield


@cache
def catalog() -> FloatArray:
    """Vectors in groups, as tracks are; shape (ROWS, WIDTH)."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(60, WIDTH))
    vectors = centres[random.integers(60, size=ROWS)] + 0.7 * random.normal(size=(ROWS, WIDTH))
    units: FloatArray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("f4")
    return units


@cache
def built(kind: str) -> tuple[FaissIndex, ExactIndex]:
    index, recipe = build_index(catalog(), IndexOptions(kind))
    assert (recipe.kind, recipe.warnings) == (kind, ())
    return index, ExactIndex(index.vectors(np.arange(ROWS)))


def random_selection(share: float, seed: int = 0) -> Selection:
    return Selection(np.random.default_rng(seed).random(ROWS) < share)


@pytest.mark.parametrize("kind", [*KINDS, *CUSTOM])
@settings(deadline=None, max_examples=12)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 2 * ROWS),
    share=st.one_of(st.none(), st.sampled_from([0.0, 0.001, 0.05, 0.3, 0.7, 0.99, 1.0])),
    n_excluded=st.sampled_from([0, 1, 3, 60, DROPPED, DROPPED + 1, ROWS]),
)
def test_every_kind_gives_as_many_allowed_rows_as_it_can(
    kind: str, seed: int, k: int, share: float | None, n_excluded: int
) -> None:
    index, exact = built(kind)
    random = np.random.default_rng(seed)
    excluded = random.integers(ROWS, size=n_excluded)
    allowed = None if share is None else random_selection(share, seed)
    query = catalog()[seed % ROWS]
    rows, cosines = index.nearest(query, k, excluded, allowed)
    wanted_rows, wanted_cosines = exact.nearest(query, k, excluded, allowed)
    assert len(rows) == len(cosines) == len(wanted_rows)
    assert len(set(rows.tolist())) == len(rows)
    assert not np.isin(rows, excluded).any()
    assert allowed is None or allowed.holds(rows).all()
    np.testing.assert_allclose(cosines, index.vectors(rows) @ query, atol=1e-6)
    assert (np.diff(cosines) <= 0).all()
    if index.exact:
        np.testing.assert_allclose(cosines, wanted_cosines, atol=1e-6)


def recall(
    ask: Callable[[FloatArray], tuple[np.ndarray, np.ndarray]],
    exact: ExactIndex,
    allowed: Selection | None,
) -> float:
    shares = []
    for row in range(0, ROWS, 50):
        query = catalog()[row]
        wanted, _ = exact.nearest(query, 10, NONE, allowed)
        shares.append(np.isin(wanted, ask(query)[0]).mean())
    return float(np.mean(shares))


@pytest.mark.parametrize("kind", APPROXIMATE)
@pytest.mark.parametrize("share", [None, 0.9, 0.75])
def test_every_kind_finds_most_of_what_is_nearest(kind: str, share: float | None) -> None:
    index, exact = built(kind)
    allowed = None if share is None else random_selection(share)
    found = recall(lambda query: index.nearest(query, 10, NONE, allowed), exact, allowed)
    assert found >= 0.95


@pytest.mark.parametrize("kind", ["hnsw", "hnsw-fp16", "hnsw-sq8", "ivf-rabitq"])
def test_more_effort_finds_more(kind: str) -> None:
    index, exact = built(kind)
    least, most = index.at_effort(index.efforts[0]), index.at_effort(index.efforts[-1])
    few = recall(lambda query: least.nearest(query, 10, NONE), exact, None)
    many = recall(lambda query: most.nearest(query, 10, NONE), exact, None)
    assert few < many
    assert many >= 0.99
    assert (least.effort, most.effort) == (index.efforts[0], index.efforts[-1])


@pytest.mark.parametrize("kind", [*KINDS, *CUSTOM])
def test_rows_far_from_all_others_are_found(kind: str) -> None:
    """A graph may not reach them, and lists are cut by what is common."""
    index, _ = built(kind)
    lonely = Selection.of(np.arange(5), ROWS)
    rows, _ = index.nearest(-catalog()[0], 5, NONE, lonely)
    assert sorted(rows.tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["hnsw", "hnsw-sq8", "ivf-rabitq"])
def test_what_lies_together_is_found_from_afar(kind: str) -> None:
    index, exact = built(kind)
    # so little that trying as hard as the share of the region asks for does not reach it
    index = index.at_effort(index.efforts[1])
    vectors = catalog()
    towards = vectors @ vectors[0]
    region = Selection(towards > np.quantile(towards, 0.5))
    outside = np.argsort(towards)[:60]
    shares = list[float]()
    for row in outside:
        wanted, _ = exact.nearest(vectors[row], 10, NONE, region)
        found, _ = index.nearest(vectors[row], 10, NONE, region)
        assert region.holds(found).all()
        shares.append(len(set(wanted.tolist()) & set(found.tolist())) / 10)
    assert np.mean(shares) > 0.97
