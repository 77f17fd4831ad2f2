"""What is evaluated after updates, when rows are neither in the order of ids nor all live."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.evaluation.index_recall import index_figures
from indexer.evaluation.listed import ListedIndex
from indexer.evaluation.listeners import ALL, evaluate_listeners, groups_of
from indexer.evaluation.rankers import SERVED, SINGLE_MEAN
from indexer.evaluation.splits import simulated_listeners
from indexer.evaluation.subject import Subject, open_subject
from recommender.generation import normalised
from recommender.index.exact import ExactIndex
from recommender.index.recipes import IndexOptions
from recommender.press import How
from recommender.publishing import publish
from recommender.selection import Selection
from recommender.update_limits import Limits
from tests.builders import SPACE, Entry, indexed, open_library, random_entries

KEPT, LEFT, NEW = 150, 9, 12
NO_LIMITS = Limits(least_rows=1, most_dead=1.0, most_growth=10.0, most_drift=10.0)


@pytest.fixture(params=["flat", "flat-fp16", "hnsw"])
def updated(tmp_path: Path, request: pytest.FixtureRequest) -> Subject:
    """A subject whose generation lost some tracks and got others, with ids in between."""
    how = How(IndexOptions(request.param), limits=NO_LIMITS)
    named = [replace(e.metadata, artist=f"Artist {i % 12}") for i, e in enumerate(entries())]
    tracks = [replace(e, metadata=m) for e, m in zip(entries(), named, strict=True)]
    with open_library(tmp_path) as library:
        library.store([indexed(e) for e in tracks[NEW:]], SPACE)
        publish(tmp_path, library, SPACE, how)
        library.forget_files([e.file for e in tracks[-LEFT:]])
        library.store([indexed(e) for e in tracks[:NEW]], SPACE)
        publish(tmp_path, library, SPACE, how)
    subject = open_subject(tmp_path)
    assert subject.generation.manifest.parent
    return subject


def entries() -> list[Entry]:
    """Ids in an order of their own, so that new ones lie between old ones."""
    drawn = random_entries(KEPT + NEW + LEFT, seed=4)
    order = np.random.default_rng(5).permutation(len(drawn))
    return [replace(e, id=f"t{place:03}") for e, place in zip(drawn, order, strict=True)]


def test_tracks_have_their_own_vectors(updated: Subject) -> None:
    generation = updated.generation
    assert len(generation.index) == KEPT + NEW + LEFT
    assert [e.track.id for e in updated.tracks] == generation.track_ids
    assert len(updated.tracks) == KEPT + NEW
    assert generation.arrays.order.tolist() != sorted(generation.arrays.order.tolist())
    vectors = normalised(generation.projection.apply(updated.pooled))
    np.testing.assert_allclose(updated.vectors, vectors, atol=1e-3)


def test_the_index_finds_what_exact_search_over_the_tracks_finds(updated: Subject) -> None:
    figures = {(f.subject, f.metric): f.value for f in index_figures(updated, seed=0)}
    for depth in (1, 10, 100):
        assert figures["served", f"recall@{depth}"] > 0.98
    assert figures["service", "same answers@10"] > 0.9


def test_listeners_are_served_what_is_near_their_mean(updated: Subject) -> None:
    audience = simulated_listeners(groups_of(updated), 11, 12, 5)
    listening = evaluate_listeners(updated, audience, 11)
    served = listening.per_listener[SERVED, ALL, "recall@20"]
    other = replace(updated, space_id="another")
    same = evaluate_listeners(other, audience, 11).per_listener[SINGLE_MEAN, ALL, "recall@20"]
    assert served.max() > 0.0
    np.testing.assert_allclose(served, same, atol=0.2)
    assert served.mean() == pytest.approx(same.mean(), abs=0.01)


def test_places_stand_for_rows(updated: Subject) -> None:
    index, exact = ListedIndex(updated.generation), ExactIndex(updated.vectors)
    assert (len(index), index.dimension) == (len(exact), exact.dimension)
    assert index.exact == updated.generation.index.exact
    places = np.array([5, 0, 3])
    np.testing.assert_allclose(index.vectors(places), updated.vectors[places], atol=1e-6)
    allowed = Selection.of(np.arange(0, len(exact), 2), len(exact))
    for choice in (None, allowed):
        rows, cosines = index.nearest(updated.vectors[7], 5, places, choice)
        wanted, near = exact.nearest(updated.vectors[7], 5, places, choice)
        assert rows.tolist() == wanted.tolist()
        np.testing.assert_allclose(cosines, near, atol=1e-6)
