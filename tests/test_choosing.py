"""What is chosen of what is similar, against numpy over the whole catalog."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.choosing import POOL_FACTOR
from recommender.engine import Recommender
from recommender.generation import Generation
from recommender.neighbours import CROWD, LISTED
from recommender.questions import Answer, Options, Preference
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


def with_recordings(generation: Generation, groups: dict[int, int]) -> Generation:
    recordings = np.full(generation.manifest.n_rows, -1, np.int32)
    for row, group in groups.items():
        recordings[row] = group
    return replace(generation, arrays=replace(generation.arrays, recordings=recordings))


def test_of_one_recording_the_most_similar_copy_comes(generation: Generation) -> None:
    plain = Options(limit=299)
    found = ids(Recommender(generation).similar("t000", plain))
    rows = generation.rows_of(found)[0].tolist()
    groups = {rows[2]: 7, rows[3]: 7, rows[50]: 7, rows[5]: 9, rows[6]: 9}
    copies = Recommender(with_recordings(generation, groups))
    expected = [id_ for place, id_ in enumerate(found) if place not in (3, 50, 6)]
    assert ids(copies.similar("t000", plain)) == expected
    assert ids(copies.similar("t000", replace(plain, limit=10))) == expected[:10]
    kept = copies.similar("t000", replace(plain, collapses_duplicates=False))
    assert ids(kept) == found


def test_what_is_asked_about_or_left_out_is_not_wanted_in_another_copy(
    generation: Generation,
) -> None:
    first, second, third, *_ = ids(Recommender(generation).similar("t000", Options()))
    [seed, copy, next_], _ = generation.rows_of(["t000", first, second])
    own = Recommender(with_recordings(generation, {int(seed): 3, int(copy): 3}))
    assert ids(own.similar("t000", Options()))[:2] == [second, third]
    excluded = Recommender(with_recordings(generation, {int(next_): 3, int(copy): 3}))
    options = Options(exclude_ids=(second,))
    assert ids(excluded.similar("t000", options))[0] == third
    liked = excluded.recommend([Preference("t000"), Preference(first)], [], Options(limit=100))
    assert second not in ids(liked)


def test_lists_are_full_where_nearly_all_are_copies(generation: Generation) -> None:
    copies = with_recordings(generation, dict.fromkeys(range(290), 1))
    found = Recommender(copies).similar(generation.track_ids[295], Options(limit=10))
    assert len(found.matches) == 10


@given(
    st.lists(st.integers(-1, 30), min_size=300, max_size=300),
    st.integers(0, 299),
    st.sampled_from([1, 5, 10, 60]),
    st.booleans(),
    st.sampled_from([0.0, 0.5]),
    st.sets(st.integers(0, 299), max_size=3),
)
def test_no_recording_comes_twice_and_lists_are_as_long_as_they_can_be(
    generation: Generation,
    groups: list[int],
    seed: int,
    limit: int,
    corrects_hubs: bool,
    diversity: float,
    excluded: set[int],
) -> None:
    recommender = Recommender(with_recordings(generation, dict(enumerate(groups))))
    names = generation.track_ids
    options = Options(
        limit=limit,
        corrects_hubs=corrects_hubs,
        diversity=diversity,
        exclude_ids=tuple(names[row] for row in sorted(excluded)),
    )
    rows = generation.rows_of(ids(recommender.similar(names[seed], options)))[0].tolist()
    found = [groups[row] for row in rows if groups[row] >= 0]
    left_out = {seed, *excluded}
    spent = {groups[row] for row in left_out} - {-1}
    assert len(set(found)) == len(found)
    assert spent.isdisjoint(found)
    free = sum(groups[row] < 0 for row in range(300) if row not in left_out)
    available = free + len({*groups} - spent - {-1})
    assert len(rows) == min(limit, available)


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
