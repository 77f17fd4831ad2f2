"""The questions: each answer is held against brute force over the whole catalog."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recommender.arrays import FloatArray, Rows
from recommender.catalog_search import Page
from recommender.choosing import POOL_FACTOR
from recommender.engine import DISLIKE_WEIGHT, Recommender
from recommender.errors import InvalidParameterError, SpaceMismatchError, UnknownTrackError
from recommender.index import VectorIndex
from recommender.index.exact import ExactIndex
from recommender.questions import Answer, Options, Preference
from recommender.retrieval import SPARE
from recommender.selection import Selection
from recommender.text import folded
from recommender.track import TagStrength, Track
from tests.builders import (
    DIMENSION,
    Entry,
    embedding,
    entry,
    generation_of,
    opened,
    publish_entries,
    random_entries,
    recommender_of,
)

X, Y = [1.0, 0, 0, 0], [0, 1.0, 0, 0]


def ids(answer: Answer) -> list[str]:
    return [match.track.id for match in answer.matches]


def brute_force(
    recommender: Recommender, queries: FloatArray, seeds: Sequence[str], options: Options
) -> list[tuple[str, float]]:
    """What the answer must be, looked up track by track."""
    generation = recommender.generation
    units = generation.index.vectors(np.arange(len(generation.index))).astype(np.float64)
    best = (units @ queries.astype(np.float64).T).max(axis=1)
    tracks = generation.catalog.tracks(np.arange(len(units)))
    banned = {folded(artist) for artist in options.exclude_artists} - {""}
    scored = sorted(
        (-round(min(1.0, max(0.0, (1 + cosine) / 2)), 6), tracks[row].id, row)
        for row, cosine in enumerate(best.tolist())
    )
    answer: list[tuple[str, float]] = []
    counts: dict[str, int] = {}
    for negative, id_, row in scored:
        artist = folded(tracks[row].metadata.artist)
        left_out = id_ in seeds or id_ in options.exclude_ids or artist in banned
        if left_out or -negative < options.min_similarity or len(answer) == options.limit:
            continue
        if artist and options.max_per_artist is not None:
            if counts.get(artist, 0) >= options.max_per_artist:
                continue
            counts[artist] = counts.get(artist, 0) + 1
        answer.append((id_, -negative))
    return answer


def check(answer: Answer, expected: list[tuple[str, float]]) -> None:
    assert [(m.track.id, m.similarity) for m in answer.matches] == expected
    assert [m.rank for m in answer.matches] == list(range(1, len(expected) + 1))


# few directions, so that equal vectors and equal similarities are the rule
directions = st.tuples(*[st.integers(-2, 2)] * DIMENSION).filter(any)
artists = st.sampled_from(["", "Kitto", "KITTO", "Mara", "Ínes"])
catalogs = st.lists(st.tuples(directions, artists), min_size=1, max_size=60).map(
    lambda rows: [
        entry(f"t{(i * 37) % 101:03}", [float(x) for x in vector], artist=artist)
        for i, (vector, artist) in enumerate(rows)
    ]
)
options = st.builds(
    Options,
    limit=st.integers(1, 12),
    exclude_ids=st.lists(st.sampled_from([f"t{i:03}" for i in range(101)]), max_size=5).map(tuple),
    exclude_artists=st.lists(artists, max_size=2).map(tuple),
    max_per_artist=st.none() | st.integers(1, 3),
    min_similarity=st.sampled_from([0.0, 0.0, 0.4, 0.5, 0.75, 0.9, 1.0]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engine")


@settings(max_examples=80)
@given(entries=catalogs, wanted=options, seed=st.integers(0, 59))
def test_similar_tracks_are_those_of_brute_force(
    folder: Path, entries: list[Entry], wanted: Options, seed: int
) -> None:
    recommender = recommender_of(folder, entries)
    id_ = entries[seed % len(entries)].id
    rows, _ = recommender.generation.rows_of([id_])
    answer = recommender.similar(id_, wanted)
    queries = recommender.generation.index.vectors(rows)
    check(answer, brute_force(recommender, queries, [id_], wanted))
    assert id_ not in ids(answer)
    assert answer == recommender.similar(id_, wanted)
    longer = recommender.similar(id_, replace(wanted, limit=wanted.limit + 5))
    assert longer.matches[: len(answer.matches)] == answer.matches


@settings(max_examples=40)
@given(entries=catalogs, wanted=options, clips=st.lists(directions, min_size=1, max_size=4))
def test_a_clip_is_as_similar_as_the_best_of_its_levels(
    folder: Path, entries: list[Entry], wanted: Options, clips: list[tuple[int, ...]]
) -> None:
    recommender = recommender_of(folder, entries)
    answer = recommender.similar_to_clip([embedding(clip) for clip in clips], wanted)
    projected = [recommender.generation.project(np.array(c, np.float32)) for c in clips]
    check(answer, brute_force(recommender, np.stack(projected), [], wanted))


@settings(max_examples=40)
@given(
    entries=catalogs,
    wanted=options,
    picks=st.lists(st.tuples(st.integers(0, 59), st.floats(0.01, 100)), min_size=1, max_size=6),
    n_liked=st.integers(1, 6),
)
def test_recommendations_are_those_of_rocchio_and_brute_force(
    folder: Path,
    entries: list[Entry],
    wanted: Options,
    picks: list[tuple[int, float]],
    n_liked: int,
) -> None:
    recommender = recommender_of(folder, entries)
    preferences = [Preference(entries[i % len(entries)].id, weight) for i, weight in picks]
    liked, disliked = preferences[:n_liked], preferences[n_liked:]

    def mean(of: list[Preference]) -> FloatArray:
        rows, _ = recommender.generation.rows_of([p.track_id for p in of])
        vectors = recommender.generation.index.vectors(rows).astype(np.float64)
        weights = np.array([p.weight for p in of])
        average: FloatArray = (vectors * weights[:, np.newaxis]).sum(axis=0) / weights.sum()
        return average

    query = mean(liked) - (DISLIKE_WEIGHT * mean(disliked) if disliked else 0)
    assume(np.linalg.norm(query) > 1e-3)
    query = (query / np.linalg.norm(query))[np.newaxis]
    seeds = [p.track_id for p in preferences]
    answer = recommender.recommend(liked, disliked, wanted)
    # the query is rounded to float32 in another order than here: the sixth decimal may differ
    expected = brute_force(recommender, query, seeds, replace(wanted, limit=60))
    similarity_of = dict(expected)
    assert not {*ids(answer)} & {*seeds}
    for match in answer.matches:
        cosine_like = similarity_of.get(match.track.id, wanted.min_similarity)
        assert match.similarity == pytest.approx(cosine_like, abs=3e-6)
    keys = [(-m.similarity, m.track.id) for m in answer.matches]
    assert keys == sorted(keys)
    if wanted.max_per_artist is None and wanted.min_similarity == 0:
        assert len(answer.matches) == min(wanted.limit, len(expected))


@pytest.mark.parametrize("n_twins", [2, 50])
@pytest.mark.parametrize("limit", [1, 10, 49, 100])
def test_tracks_that_sound_the_same_come_by_id(tmp_path: Path, n_twins: int, limit: int) -> None:
    vector = np.random.default_rng(n_twins).normal(size=DIMENSION).tolist()
    twins = [entry(f"t{i:03}", vector) for i in range(n_twins)]
    recommender = recommender_of(tmp_path, [*twins, *random_entries(0)])
    others = [e.id for e in twins if e.id != "t001"]
    for _ in range(20):
        answer = recommender.similar("t001", Options(limit=limit))
        assert ids(answer) == others[:limit]
        assert {m.similarity for m in answer.matches} == {1.0}


@pytest.mark.parametrize("seed", range(40))
def test_twins_far_from_the_query_are_equally_similar_and_come_by_id(
    tmp_path: Path, seed: int
) -> None:
    random = np.random.default_rng(seed)
    twin = random.normal(size=DIMENSION).tolist()
    entries = [entry(f"t{i:03}", twin) for i in range(37)]
    entries += [entry("seed", random.normal(size=DIMENSION).tolist())]
    recommender = recommender_of(tmp_path, entries)
    for limit in (1, 3, 9, 37):
        answer = recommender.similar("seed", Options(limit=limit))
        assert ids(answer) == [f"t{i:03}" for i in range(limit)]
        assert len({m.similarity for m in answer.matches}) == 1


def test_known_similarities(tmp_path: Path) -> None:
    entries = [
        entry("seed", X),
        entry("same", [2.0, 0, 0, 0]),
        entry("near", [0.6, 0.8, 0, 0]),
        entry("right angle", Y),
        entry("opposite", [-1.0, 0, 0, 0]),
    ]
    answer = recommender_of(tmp_path, entries).similar("seed", Options())
    assert [(m.track.id, m.similarity) for m in answer.matches] == [
        ("same", 1.0),
        ("near", 0.8),
        ("right angle", 0.5),
        ("opposite", 0.0),
    ]


@pytest.mark.parametrize("index_class", [ExactIndex])
def test_every_engine_gives_the_same_answers(tmp_path: Path, index_class: type) -> None:
    entries = random_entries(200)
    one = recommender_of(tmp_path, entries)
    other = Recommender(generation_of(tmp_path, entries, index_class))
    for original in entries[:30]:
        # lists, which tell hubs from others, are of FAISS's indexes only
        wanted = Options(limit=20, corrects_hubs=False)
        assert one.similar(original.id, wanted) == other.similar(original.id, wanted)


@pytest.mark.parametrize("n_tracks", [0, 1, 2, 10, 11])
def test_small_catalogs_give_short_lists(tmp_path: Path, n_tracks: int) -> None:
    recommender = recommender_of(tmp_path, random_entries(n_tracks))
    clip = recommender.similar_to_clip([embedding(X)], Options(limit=10))
    assert len(clip.matches) == min(10, n_tracks)
    if n_tracks:
        assert len(recommender.similar("t000", Options()).matches) == min(10, n_tracks - 1)


def test_a_cap_on_artists_still_fills_the_list(tmp_path: Path) -> None:
    crowd = [entry(f"a{i:03}", [1, i / 1000, 0, 0], artist="Crowd") for i in range(300)]
    far = [entry(f"b{i}", [0, 1, i / 10, 0], artist=f"Solo {i}") for i in range(5)]
    recommender = recommender_of(tmp_path, [*crowd, *far])
    answer = recommender.similar("a000", Options(limit=5, max_per_artist=1, corrects_hubs=False))
    assert ids(answer) == ["a001", "b0", "b1", "b2", "b3"]


def test_an_artist_is_the_same_whatever_its_case(tmp_path: Path) -> None:
    names = ["Beyoncé", "BEYONCE", "beyonce", "Other"]
    entries = [entry(f"t{i}", [1, i / 10, 0, 0], artist=n) for i, n in enumerate(names)]
    recommender = recommender_of(tmp_path, entries)
    assert ids(recommender.similar("t3", Options(max_per_artist=1))) == ["t2"]
    assert ids(recommender.similar("t3", Options(exclude_artists=("bEyOnCé",)))) == []


def test_the_least_similarity_is_itself_similar_enough(tmp_path: Path) -> None:
    entries = [entry("a", X), entry("b", [0.6, 0.8, 0, 0]), entry("c", Y)]
    recommender = recommender_of(tmp_path, entries)
    assert ids(recommender.similar("a", Options(min_similarity=0.8))) == ["b"]
    assert ids(recommender.similar("a", Options(min_similarity=0.800001))) == []


def test_unknown_ids_to_leave_out_are_warned_of(tmp_path: Path) -> None:
    answer = recommender_of(tmp_path, random_entries(3)).similar(
        "t000", Options(exclude_ids=("nope", "t001"))
    )
    assert ids(answer) == ["t002"]
    assert answer.warnings == ("exclude_id=nope is not in the catalog",)


def test_the_answer_names_its_generation_and_space(tmp_path: Path) -> None:
    name = publish_entries(tmp_path, random_entries(5))
    recommender = opened(tmp_path, name)
    answer = recommender.similar("t000", Options())
    assert answer.generation == name
    assert answer.space == recommender.generation.manifest.space_id


def test_an_unknown_seed_is_refused(tmp_path: Path) -> None:
    recommender = recommender_of(tmp_path, random_entries(3))
    for ask in (recommender.document, recommender.tags, recommender.audio_path):
        with pytest.raises(UnknownTrackError, match="track_id=nope"):
            ask("nope")
    with pytest.raises(UnknownTrackError, match="track_id=nope"):
        recommender.similar("nope", Options())


def test_every_unknown_preference_is_listed(tmp_path: Path) -> None:
    recommender = recommender_of(tmp_path, random_entries(3))
    with pytest.raises(UnknownTrackError) as raised:
        recommender.recommend(
            [Preference("t000"), Preference("x")], [Preference("y"), Preference("x")], Options()
        )
    assert raised.value.track_ids == ("x", "y", "x")


def test_likes_are_averaged_and_dislikes_count_half(tmp_path: Path) -> None:
    entries = [
        entry("like 1", X),
        entry("like 2", Y),
        entry("dislike", [0, 0, 1.0, 0]),
        # the query is (3/4, 1/4, -1/2, 0)
        entry("query", [3.0, 1.0, -2.0, 0]),
        entry("without dislike", [3.0, 1.0, 0, 0]),
        entry("without weights", [1.0, 1.0, -1.0, 0]),
    ]
    answer = recommender_of(tmp_path, entries).recommend(
        [Preference("like 1", 3.0), Preference("like 2", 1.0)], [Preference("dislike")], Options()
    )
    assert ids(answer) == ["query", "without weights", "without dislike"]
    cosines = [1.0, 6 / np.sqrt(14 * 3), 10 / np.sqrt(14 * 10)]
    assert [m.similarity for m in answer.matches] == pytest.approx(
        [(1 + c) / 2 for c in cosines], abs=1e-6
    )


def test_one_liked_track_is_the_same_question_as_similar(tmp_path: Path) -> None:
    recommender = recommender_of(tmp_path, random_entries(50))
    liked = recommender.recommend([Preference("t007", 5.0)], [], Options())
    assert liked == recommender.similar("t007", Options())


def test_likes_that_cancel_out_are_refused(tmp_path: Path) -> None:
    recommender = recommender_of(tmp_path, [entry("a", X), entry("b", [-1.0, 0, 0, 0])])
    with pytest.raises(InvalidParameterError, match="cancel out"):
        recommender.recommend([Preference("a"), Preference("b")], [], Options())


def test_nothing_liked_is_refused(tmp_path: Path) -> None:
    recommender = recommender_of(tmp_path, random_entries(3))
    with pytest.raises(InvalidParameterError, match=r"positive=\[\]"):
        recommender.recommend([], [Preference("t000")], Options())


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_no_weight_is_refused(tmp_path: Path, weight: float) -> None:
    recommender = recommender_of(tmp_path, random_entries(3))
    with pytest.raises(InvalidParameterError, match=f"weight={weight}"):
        recommender.recommend([Preference("t000", weight)], [], Options())
    with pytest.raises(InvalidParameterError, match=f"weight={weight}"):
        recommender.recommend([Preference("t000")], [Preference("t001", weight)], Options())


@pytest.mark.parametrize("weight", [1e-320, 1e308])
def test_weights_of_any_size_are_weights(tmp_path: Path, weight: float) -> None:
    recommender = recommender_of(tmp_path, random_entries(30))
    extreme = recommender.recommend(
        [Preference("t000", weight), Preference("t001", weight)], [], Options()
    )
    assert extreme == recommender.recommend([Preference("t000"), Preference("t001")], [], Options())


@pytest.mark.parametrize("dimension", [0, DIMENSION - 1, DIMENSION + 1])
def test_a_clip_of_another_space_is_refused(tmp_path: Path, dimension: int) -> None:
    recommender = recommender_of(tmp_path, random_entries(3))
    with pytest.raises(SpaceMismatchError, match="dimension=4"):
        recommender.similar_to_clip([embedding(X), embedding(np.ones(dimension))], Options())


def test_a_clip_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    recommender = recommender_of(tmp_path, random_entries(3))
    with pytest.raises(InvalidParameterError, match="NaN"):
        recommender.similar_to_clip([embedding([np.nan] * DIMENSION)], Options())


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(tmp_path: Path, limit: int) -> None:
    recommender = recommender_of(tmp_path, random_entries(3))
    with pytest.raises(InvalidParameterError, match=f"limit={limit}"):
        recommender.similar("t000", Options(limit=limit))


def test_reasons_are_the_tags_shared_with_the_query(tmp_path: Path) -> None:
    entries = [
        entry("seed", X, tags=[0.5, 0.25, 0.125]),
        entry("both", X, tags=[0.25, 0.5, 0.75]),
        entry("none", Y, tags=[0.0, 0.0, 0.0]),
    ]
    recommender = recommender_of(tmp_path, entries)
    both, none = recommender.similar("seed", Options()).matches
    assert both.shared_tags == (
        TagStrength(name="jazz", strength=0.5),
        TagStrength(name="rock", strength=0.25),
    )
    assert none.shared_tags == ()
    assert recommender.tags("both") == (
        TagStrength(name="jazz", strength=0.75),
        TagStrength(name="rock", strength=0.5),
    )
    clip = recommender.similar_to_clip(
        [embedding(X, [1, 0, 0]), embedding(X, [0, 0, 0])], Options()
    )
    assert clip.matches[0].shared_tags == (TagStrength(name="jazz", strength=0.5),)


def test_a_track_its_file_and_its_words_are_found(tmp_path: Path) -> None:
    recommender = recommender_of(
        tmp_path, [replace(entry("a", X, title="Undertow"), path=b"/m/\xff.mp3")]
    )
    document = recommender.document("a")
    assert Track.from_document(document).metadata.title == "Undertow"
    assert recommender.audio_path("a") == b"/m/\xff.mp3"
    assert recommender.search("under", 10) == Page([document], 1, None)


class CountingIndex:
    """Notes how many neighbours are asked for."""

    def __init__(self, index: VectorIndex):
        self.index, self.asked = index, list[int]()
        self.dimension, self.exact = index.dimension, index.exact

    def __len__(self) -> int:
        return len(self.index)

    def nearest(
        self, query: FloatArray, k: int, excluded: Rows, allowed: Selection | None = None
    ) -> tuple[Rows, FloatArray]:
        self.asked.append(k)
        return self.index.nearest(query, k, excluded, allowed)

    def vectors(self, rows: Rows) -> FloatArray:
        return self.index.vectors(rows)


def test_no_more_is_fetched_than_needed(tmp_path: Path) -> None:
    generation = generation_of(tmp_path, random_entries(500))
    index = CountingIndex(generation.index)
    recommender = Recommender(replace(generation, index=index))
    for corrects_hubs, factor in ((False, 1), (True, POOL_FACTOR)):
        ten, thirty = (Options(limit=n, corrects_hubs=corrects_hubs) for n in (10, 30))
        index.asked.clear()
        recommender.similar("t000", ten)
        assert index.asked == []  # lists know it
        recommender.similar("t000", thirty)
        recommender.recommend([Preference("t000")], [], ten)
        assert index.asked == [30 * factor + SPARE, 10 * factor + SPARE]


def test_many_threads_get_the_answers_of_one(tmp_path: Path) -> None:
    recommender = recommender_of(tmp_path, random_entries(60, artist="Same"))
    wanted = Options(limit=5, max_per_artist=3)
    alone = [recommender.similar(f"t{i:03}", wanted) for i in range(60)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda i: recommender.similar(f"t{i:03}", wanted), range(60))) == alone


def test_similarities_never_rise_along_a_list(tmp_path: Path) -> None:
    options = Options(limit=79, corrects_hubs=False)
    answer = recommender_of(tmp_path, random_entries(80)).similar("t000", options)
    assert all(a.similarity >= b.similarity for a, b in pairwise(answer.matches))
    assert all(0 <= m.similarity <= 1 for m in answer.matches)
