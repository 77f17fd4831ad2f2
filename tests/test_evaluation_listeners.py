"""Recommenders for listeners: known answers, controls, and what must not be given away."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.evaluation.figures import Figure
from indexer.evaluation.listeners import (
    ALL,
    HISTORY_LENGTHS,
    OTHER_ARTISTS,
    Listening,
    evaluate_listeners,
    groups_of,
    paired_difference,
)
from indexer.evaluation.rankers import (
    NEAREST,
    POPULARITY,
    RANDOM,
    SAME_ARTIST,
    SAME_ARTIST_POPULAR,
    SERVED,
    SINGLE_MEAN,
)
from indexer.evaluation.splits import Audience, Split, simulated_listeners
from indexer.evaluation.subject import Subject
from recommender.arrays import FloatArray
from tests.builders import SPACE, STATE, Entry, entry, generation_of, library_track

SEED = 11


def subject_of(
    folder: Path, entries: list[Entry], served: bool = True, vectors: FloatArray | None = None
) -> Subject:
    generation = generation_of(folder, entries)
    by_id = sorted(entries, key=lambda e: e.id)
    own = generation.index.vectors(np.arange(len(by_id)))
    return Subject(
        generation=generation,
        space_id=SPACE.id if served else "another",
        tracks=[library_track(e) for e in by_id],
        states=[STATE] * len(by_id),
        vectors=own if vectors is None else vectors,
    )


def artists(n_artists: int, n_tracks: int, spread: float = 0.0, seed: int = 0) -> list[Entry]:
    """Track t of artist a has row a * n_tracks + t; each artist a direction, with some noise."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(n_artists, 4)) if n_artists > 4 else np.eye(4)[:n_artists]
    return [
        entry(f"a{a:02}t{t:02}", (d + spread * rng.normal(size=4)).tolist(), artist=f"Artist {a}")
        for a, d in enumerate(directions)
        for t in range(n_tracks)
    ]


def split(name: str, history: list[int], held_out: list[int], world: int = 0) -> Split:
    return Split(name, np.array(history, np.int64), np.array(held_out, np.int64), world)


def audience_of(splits: list[Split]) -> Audience:
    """Listeners of whose worlds no more is known than their own histories."""
    worlds = range(1 + max(one.world for one in splits))
    pasts = [[row for s in splits if s.world == world for row in s.history] for world in worlds]
    return Audience(splits, [np.array(past, np.int64) for past in pasts])


def found(listening: Listening, subject: str, condition: str, metric: str) -> Figure:
    (one,) = (
        f
        for f in listening.figures
        if (f.subject, f.condition, f.metric) == (subject, condition, metric)
    )
    return one


def values(listening: Listening, subject: str, condition: str = ALL) -> dict[str, float]:
    return {
        f.metric.partition("@")[0]: round(f.value, 9)
        for f in listening.figures
        if (f.subject, f.condition) == (subject, condition)
    }


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """15 artists of 12 tracks, who sound somewhat alike."""
    return subject_of(tmp_path_factory.mktemp("catalog"), artists(15, 12, spread=0.6))


@pytest.fixture(scope="module")
def audience(catalog: Subject) -> Audience:
    return simulated_listeners(groups_of(catalog), SEED, 12, 5)


@pytest.fixture(scope="module")
def listening(catalog: Subject, audience: Audience) -> Listening:
    return evaluate_listeners(catalog, audience, SEED)


def test_an_artist_with_a_sound_of_their_own_is_found_wholly(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(2, 26, spread=0.01))
    halves = [split("ann", list(range(6)), [6, 9]), split("bob", list(range(26, 32)), [40])]
    result = evaluate_listeners(subject, audience_of(halves), SEED)
    for name in (SERVED, NEAREST, SAME_ARTIST):
        assert values(result, name)["recall"] == 1.0
        assert values(result, name)["artist share"] == 1.0
        assert values(result, name)["hit rate"] == 1.0
    # two lists of 20, of 52 tracks
    assert found(result, SERVED, ALL, "coverage@20").value == 40 / 52


def test_every_metric_has_its_known_answer(tmp_path: Path) -> None:
    # the history is nearest to row 1, then 2, then 3 …, in a plane
    angles = np.linspace(0.0, 1.5, 31)
    entries = [
        entry(f"t{i:02}", [np.cos(a), np.sin(a), 0, 0], artist="x" if i < 3 else f"y{i}")
        for i, a in enumerate(angles)
    ]
    audience = audience_of([split("ann", [0], [2, 4, 29])])
    result = evaluate_listeners(subject_of(tmp_path, entries), audience, SEED)
    # found at ranks 2 and 4 of 20, out of 3
    gained = 1 / np.log2(3) + 1 / np.log2(5)
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    step = 0.05
    pairs = [np.cos(step * (j - i)) for i in range(20) for j in range(i + 1, 20)]
    assert values(result, SERVED) == {
        "recall": round(2 / 3, 9),
        "nDCG": round(gained / ideal, 9),
        "hit rate": 1.0,
        "MRR": 0.5,
        # none of the 20 was played; 1 play and 31 tracks make 32
        "novelty": 5.0,
        "diversity": pytest.approx(1 - np.mean(pairs), abs=1e-6),
        "artist share": 0.1,
        "coverage": round(20 / 31, 9),
    }


def test_popularity_counts_histories_and_never_what_is_held_out(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(4, 20))
    told = [split(f"l{i}", [0, 1], [79]) for i in range(5)]
    result = evaluate_listeners(subject, audience_of([*told, split("ann", [40], [0])]), SEED)
    ranks = result.per_listener[POPULARITY, ALL, "MRR@20"]
    assert ranks[-1] in (0.5, 1.0)
    # 79 is in no history: it stands among 77 tracks that nobody played
    assert result.per_listener[POPULARITY, ALL, "recall@20"][:-1].mean() < 1.0


def test_tracks_of_the_history_are_never_listed(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(2, 12))
    # wrong on purpose: what is held out is in the history, and may not be found
    result = evaluate_listeners(subject, audience_of([split("ann", [0, 1, 2, 3], [0, 1])]), SEED)
    recalls = {f.value for f in result.figures if f.metric == "recall@20"}
    assert recalls == {0.0}


def test_a_history_cut_short_changes_the_question_and_not_the_candidates(tmp_path: Path) -> None:
    # nine of the first artist's 30 tracks, then one of the second's 20, of whom more is held out
    subject = subject_of(tmp_path, artists(2, 30, spread=0.01)[:50])
    ann = split("ann", [*range(9), 30], [31, 32])
    result = evaluate_listeners(subject, audience_of([ann]), SEED)
    assert values(result, SAME_ARTIST, "history of 1")["recall"] == 1.0
    assert values(result, SERVED, "history of 1")["artist share"] == 1.0
    assert values(result, SERVED, "history of 5")["recall"] == 0.0
    assert values(result, SERVED, "history of 10") == values(result, SERVED, ALL)
    for name in (POPULARITY, RANDOM):
        assert values(result, name, "history of 1") == values(result, name, ALL)


def test_listeners_with_less_than_the_length_are_left_out_of_it(listening: Listening) -> None:
    counts = [found(listening, SERVED, f"history of {n}", "recall@20").n for n in HISTORY_LENGTHS]
    assert counts[:2] == [found(listening, SERVED, ALL, "recall@20").n] * 2
    assert 0 < counts[2] < counts[1]


def test_without_the_artists_nothing_of_theirs_is_listed_or_counts(
    catalog: Subject, audience: Audience, listening: Listening
) -> None:
    for name in (SERVED, NEAREST, POPULARITY, RANDOM):
        assert values(listening, name, OTHER_ARTISTS)["artist share"] == 0.0
    groups = np.array(groups_of(catalog))
    left = [s for s in audience.splits if not np.isin(groups[s.held_out], groups[s.history]).all()]
    assert (
        found(listening, SERVED, OTHER_ARTISTS, "recall@20").n == len(left) < len(audience.splits)
    )


def test_tracks_without_artist_or_album_do_not_count_as_by_another_artist(tmp_path: Path) -> None:
    unknown = [entry(f"b{i}", [0, 0, 1, 0]) for i in range(4)]
    subject = subject_of(tmp_path, artists(2, 6) + unknown)
    ann = split("ann", list(range(5)), [5, 12, 13])
    of_ann = evaluate_listeners(subject, audience_of([ann]), SEED)
    assert OTHER_ARTISTS not in {f.condition for f in of_ann.figures}
    bob = split("bob", list(range(5)), [6, 12])
    result = evaluate_listeners(subject, audience_of([ann, bob]), SEED)
    assert values(result, RANDOM, OTHER_ARTISTS)["recall"] == 1.0
    assert found(result, RANDOM, OTHER_ARTISTS, "recall@20").n == 1


def test_the_album_stands_in_for_an_unknown_artist(tmp_path: Path) -> None:
    entries = [
        entry("a", [1, 0, 0, 0], artist="Ánna", album="Red"),
        entry("b", [1, 0, 0, 0], album="red"),
        entry("c", [1, 0, 0, 0], album="anna"),
        entry("d", [1, 0, 0, 0]),
    ]
    groups = groups_of(subject_of(tmp_path, entries))
    assert groups[0] == "anna"
    assert groups[1].strip() == "red"
    assert groups[2] not in (groups[0], groups[1], "")
    assert groups[3] == ""


def test_same_artist_prefers_whoever_was_played_most_and_then_the_popular(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(3, 30))
    crowd = [split(f"l{i}", [50, 80], [0]) for i in range(3)]
    ann = split("ann", [0, 30, 31], [50])
    result = evaluate_listeners(subject, audience_of([*crowd, ann]), SEED)
    assert result.per_listener[SAME_ARTIST_POPULAR, ALL, "MRR@20"][-1] == 1.0
    assert result.per_listener[SAME_ARTIST, ALL, "artist share@20"][-1] == 1.0
    assert result.per_listener[POPULARITY, ALL, "MRR@20"][-1] in (0.5, 1.0)


def test_the_service_answers_as_the_mean_of_the_history_does(
    tmp_path: Path, audience: Audience, listening: Listening
) -> None:
    entries = artists(15, 12, spread=0.6)
    mean = evaluate_listeners(subject_of(tmp_path, entries, served=False), audience, SEED)
    for (name, condition, metric), of_mean in mean.per_listener.items():
        other = SERVED if name == SINGLE_MEAN else name
        np.testing.assert_array_equal(
            of_mean, listening.per_listener[other, condition, metric], strict=True
        )
    assert SINGLE_MEAN not in {f.subject for f in listening.figures}
    assert SERVED not in {f.subject for f in mean.figures}


def test_likes_that_cancel_out_are_answered_with_nothing(tmp_path: Path) -> None:
    opposite = [entry("a", [1, 0, 0, 0]), entry("b", [-1, 0, 0, 0]), entry("c", [0, 1, 0, 0])]
    audience = audience_of([split("ann", [0, 1], [2])])
    result = evaluate_listeners(subject_of(tmp_path, opposite), audience, SEED)
    assert set(values(result, SERVED).values()) == {0.0}
    assert values(result, RANDOM)["recall"] == 1.0


def test_sound_beats_chance_where_artists_sound_alike(listening: Listening) -> None:
    difference, p = paired_difference(listening, SERVED, RANDOM, ALL, "recall@20")
    assert difference > 0.1
    assert p < 0.05
    same, p_same = paired_difference(listening, SERVED, SERVED, ALL, "recall@20")
    assert (same, p_same) == (0.0, 1.0)


def test_shuffled_vectors_do_as_chance_does(
    tmp_path: Path, catalog: Subject, audience: Audience
) -> None:
    shuffled = np.random.default_rng(5).permutation(catalog.vectors)
    entries = artists(15, 12, spread=0.6)
    subject = subject_of(tmp_path, entries, served=False, vectors=shuffled)
    result = evaluate_listeners(subject, audience, SEED)
    for name in (SINGLE_MEAN, NEAREST):
        by_chance = found(result, RANDOM, ALL, "recall@20")
        by_sound = found(result, name, ALL, "recall@20")
        assert by_sound.low < by_chance.high
        assert by_chance.low < by_sound.high


def test_random_finds_the_share_of_the_candidates_that_it_lists(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(6, 10), served=False)
    drawn = [np.random.default_rng(i).permutation(60)[:8].tolist() for i in range(100)]
    audience = audience_of([split(f"l{i}", r[:5], r[5:]) for i, r in enumerate(drawn)])
    recalls = evaluate_listeners(subject, audience, SEED).per_listener[RANDOM, ALL, "recall@20"]
    assert recalls.mean() == pytest.approx(20 / 55, abs=4 * recalls.std() / 100**0.5)


def test_the_same_seed_gives_the_same_figures(catalog: Subject, audience: Audience) -> None:
    few = Audience(audience.splits[:10], audience.pasts)
    one, again = (evaluate_listeners(catalog, few, SEED).figures for _ in range(2))
    assert one == again


def test_another_seed_of_the_same_listeners_lies_within_the_interval(
    catalog: Subject, audience: Audience, listening: Listening
) -> None:
    other = evaluate_listeners(catalog, audience, SEED + 1)
    for name in (SERVED, NEAREST):
        assert values(other, name) == values(listening, name)
    for name in (RANDOM, POPULARITY, SAME_ARTIST):
        one = found(listening, name, ALL, "recall@20")
        again = found(other, name, ALL, "recall@20")
        assert one.low <= again.value <= one.high
    assert values(other, RANDOM) != values(listening, RANDOM)


def test_figures_are_means_of_the_values_of_each_listener(listening: Listening) -> None:
    assert len({f.key for f in listening.figures}) == len(listening.figures)
    for (name, condition, metric), per_listener in listening.per_listener.items():
        one = found(listening, name, condition, metric)
        assert one.value == pytest.approx(per_listener.mean())
        assert one.low <= one.value <= one.high
        assert one.n == len(per_listener)


def test_coverage_of_one_world_claims_no_interval(
    catalog: Subject, audience: Audience, listening: Listening
) -> None:
    single = evaluate_listeners(catalog, Audience(audience.splits[:5], audience.pasts), SEED)
    one = found(single, SERVED, ALL, "coverage@20")
    assert one.low == one.value == one.high
    assert one.n == 5
    several = found(listening, SERVED, ALL, "coverage@20")
    assert several.low < several.value < several.high
    assert several.n == len(audience.splits)
    assert not any("coverage" in metric for *_, metric in listening.per_listener)


def test_without_listeners_there_are_no_figures(catalog: Subject) -> None:
    for pasts in ([], [np.arange(4)]):
        assert evaluate_listeners(catalog, Audience([], pasts), SEED) == Listening([], {}, {})


def test_popularity_is_that_of_the_own_world(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(4, 20))
    # what is held out is what the own world knows best, and the other not at all
    ann, bob = split("ann", [0], [70], world=0), split("bob", [1], [79], world=1)
    pasts = [np.array([*known, *range(20, 40)]) for known in ([0, 70, 70], [1, 79, 79, 79])]
    result = evaluate_listeners(subject, Audience([ann, bob], pasts), SEED)
    assert result.per_listener[POPULARITY, ALL, "MRR@20"].tolist() == [1.0, 1.0]
    # 70 carries 3 of 103 counts and the 19 others listed 2; in the other world 79 has 4 of 104
    bits = [
        (np.log2(103 / 3) + 19 * np.log2(103 / 2)) / 20,
        (np.log2(104 / 4) + 19 * np.log2(104 / 2)) / 20,
    ]
    novelty = result.per_listener[POPULARITY, ALL, "novelty@20"]
    np.testing.assert_allclose(novelty, bits, rtol=1e-12)
    swapped = evaluate_listeners(subject, Audience([ann, bob], pasts[::-1]), SEED)
    assert swapped.per_listener[POPULARITY, ALL, "recall@20"].tolist() == [0.0, 0.0]


def test_popularity_counts_listeners_who_are_not_asked(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(4, 20))
    ann = split("ann", [0], [50])
    told = Audience([ann], [np.array([0, 50, 50, 51, *range(1, 30)])])
    result = evaluate_listeners(subject, told, SEED)
    assert values(result, POPULARITY)["MRR"] == 1.0
    crowd = Audience([ann], [np.array([0, 50, *range(1, 30), *range(1, 30)])])
    assert values(evaluate_listeners(subject, crowd, SEED), POPULARITY)["recall"] == 0.0


def test_intervals_and_p_values_are_over_worlds_where_there_are_several(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(2, 25, spread=0.01))
    # by sound the rest of the first artist is listed: right in two worlds, wrong in the others;
    # by popularity 20 of the second artist, wrong in all
    popular = np.array([*range(25, 34), *range(36, 47)])
    drawn = [(world, right) for world, right in enumerate([6, 6, 35, 35]) for _ in range(10)]
    four, one = (
        [
            split(f"l{i}", [*range(5)], [right], world if several else 0)
            for i, (world, right) in enumerate(drawn)
        ]
        for several in (True, False)
    )
    by_world = evaluate_listeners(subject, Audience(four, [popular] * 4), SEED)
    by_listener = evaluate_listeners(subject, Audience(one, [popular]), SEED)
    wide, narrow = (found(r, SERVED, ALL, "recall@20") for r in (by_world, by_listener))
    assert (wide.low, wide.value, wide.high) == (0.0, 0.5, 1.0)
    assert 0.3 < narrow.low < narrow.value == 0.5 < narrow.high < 0.7
    assert wide.n == narrow.n == 40
    compared = (SERVED, POPULARITY, ALL, "recall@20")
    # of four ways to choose the signs of two worlds, two are as far from 0
    assert paired_difference(by_world, *compared) == (0.5, 0.5)
    difference, p = paired_difference(by_listener, *compared)
    assert difference == 0.5
    assert p < 0.001


def test_a_random_choice_of_many_listeners_is_asked_and_popularity_is_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.evaluation.listeners.MAX_LISTENERS", 20)
    subject = subject_of(tmp_path, artists(4, 20))
    # worlds tell who was asked; only by the pasts of those who are not is 79 popular
    splits = [split(f"l{i}", [0], [79], world=i) for i in range(60)]
    audience = Audience(splits, [np.array([0, 79])] * 60)
    asked = [evaluate_listeners(subject, audience, seed) for seed in (SEED, SEED, SEED + 1)]
    one, again, other = (result.worlds[ALL].tolist() for result in asked)
    assert one == again == sorted(set(one)) != list(range(20))
    assert len(one) == len(other) == found(asked[0], SERVED, ALL, "recall@20").n == 20
    assert one != other
    assert values(asked[0], POPULARITY)["MRR"] == 1.0
    told = [replace(s, world=0) for s in splits]
    of_all = evaluate_listeners(subject, Audience(told, [np.array([0, 79] * 60)]), SEED)
    # 60 of 200 counts are for 79, one each for the 78 others and 61 for the history
    expected = (np.log2(200 / 61) + 19 * np.log2(200)) / 20
    assert found(of_all, POPULARITY, ALL, "novelty@20").value == pytest.approx(expected)
