"""What is chosen of what is similar, against numpy over the whole catalog."""

from pathlib import Path

import numpy as np
import pytest

from recommender.choosing import POOL_FACTOR
from recommender.engine import Recommender
from recommender.generation import Generation
from recommender.neighbours import CROWD, LISTED
from recommender.questions import Answer, Options
from recommender.ranking import corrected, similarity
from tests.builders import entry, generation_of, random_entries


def ids(answer: Answer) -> list[str]:
    return [match.track.id for match in answer.matches]


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Generation:
    return generation_of(tmp_path_factory.mktemp("catalog"), random_entries(300))


def similarities(generation: Generation) -> np.ndarray:
    vectors = generation.index.vectors(np.arange(generation.manifest.n_rows)).astype(np.float64)
    found = similarity(vectors @ vectors.T)
    np.fill_diagonal(found, -1.0)
    return found


def test_how_crowded_a_track_is_is_the_mean_similarity_to_its_nearest(
    generation: Generation,
) -> None:
    nearest = -np.sort(-similarities(generation), axis=1)[:, :CROWD]
    crowding = generation.arrays.crowding
    assert crowding is not None
    np.testing.assert_allclose(crowding, nearest.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("limit", [1, 5, 10, 40])
def test_hubs_are_put_back_among_twice_as_many_as_are_wanted(
    generation: Generation, limit: int
) -> None:
    recommender, every = Recommender(generation), similarities(generation)
    crowding = -np.sort(-every, axis=1)[:, :CROWD].mean(axis=1)
    for row, id_ in enumerate(generation.track_ids[:25]):
        pool = np.argsort(-every[row], kind="stable")[: POOL_FACTOR * limit]
        scores = corrected(every[row][pool], crowding[pool])
        expected = pool[np.argsort(-scores, kind="stable")][:limit]
        found = recommender.similar(id_, Options(limit=limit, corrects_hubs=True))
        assert ids(found) == [generation.track_ids[other] for other in expected]
        assert [m.similarity for m in found.matches] == every[row][expected].tolist()


def test_hubs_are_on_fewer_lists_when_they_are_corrected_for(generation: Generation) -> None:
    recommender = Recommender(generation)

    def most_listed(corrects_hubs: bool) -> int:
        options = Options(corrects_hubs=corrects_hubs)
        listed = [
            id_ for seed in generation.track_ids for id_ in ids(recommender.similar(seed, options))
        ]
        return int(np.unique(listed, return_counts=True)[1].max())

    assert most_listed(True) < most_listed(False)


def test_a_catalog_of_a_few_tracks_has_no_hubs(tmp_path: Path) -> None:
    assert generation_of(tmp_path, random_entries(LISTED)).arrays.crowding is None


def test_a_cap_on_albums_tells_albums_of_one_title_apart(tmp_path: Path) -> None:
    catalog = [
        entry(
            f"t{i:02}", [1, i / 100, 0, 0], album="Greatest Hits", artist="Ada" if i % 2 else "Bob"
        )
        for i in range(12)
    ]
    catalog += [entry(f"u{i}", [1, 0.5 + i / 10, 0, 0]) for i in range(3)]
    recommender = Recommender(generation_of(tmp_path, catalog))
    found = ids(recommender.similar("t00", Options(limit=8, max_per_album=2)))
    assert found == ["t01", "t02", "t03", "t04", "u0", "u1", "u2"]


def spread(generation: Generation, found: list[str]) -> float:
    rows, _ = generation.rows_of(found)
    return float(similarities(generation)[np.ix_(rows, rows)].sum())


def test_diversity_makes_lists_of_what_is_less_alike(generation: Generation) -> None:
    recommender = Recommender(generation)
    lists = [
        [ids(recommender.similar(seed, Options(diversity=d))) for seed in generation.track_ids[:20]]
        for d in (0.0, 0.3, 0.9)
    ]
    alike = [sum(spread(generation, found) for found in some) for some in lists]
    assert alike[0] > alike[1] > alike[2]
    assert all(len(found) == 10 for some in lists for found in some)
    # the first is the best at any diversity
    assert [found[0] for found in lists[0]] == [found[0] for found in lists[1]]


def test_a_diverse_list_keeps_caps_and_is_full(tmp_path: Path) -> None:
    catalog = [
        *random_entries(100, artist="Same"),
        *[entry(f"u{i:02}", [i / 20, 1, 0, 0], artist=f"Other {i}") for i in range(20)],
    ]
    recommender = Recommender(generation_of(tmp_path, catalog))
    options = Options(limit=10, max_per_artist=2, diversity=0.5)
    matches = recommender.similar("t000", options).matches
    assert len(matches) == 10
    assert sum(match.track.metadata.artist == "Same" for match in matches) == 2
