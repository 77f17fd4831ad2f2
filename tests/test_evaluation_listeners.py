"""Recommenders for listeners: known answers, controls, and what must not be given away."""

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
from indexer.evaluation.splits import Split, simulated_listeners
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


def split(name: str, history: list[int], held_out: list[int]) -> Split:
    return Split(name, np.array(history, np.int64), np.array(held_out, np.int64))


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
def splits(catalog: Subject) -> list[Split]:
    return simulated_listeners(groups_of(catalog), SEED, 60)


@pytest.fixture(scope="module")
def listening(catalog: Subject, splits: list[Split]) -> Listening:
    return evaluate_listeners(catalog, splits, SEED)


def test_an_artist_with_a_sound_of_their_own_is_found_wholly(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(2, 26, spread=0.01))
    halves = [split("ann", list(range(6)), [6, 9]), split("bob", list(range(26, 32)), [40])]
    result = evaluate_listeners(subject, halves, SEED)
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
    result = evaluate_listeners(
        subject_of(tmp_path, entries), [split("ann", [0], [2, 4, 29])], SEED
    )
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
    result = evaluate_listeners(subject, [*told, split("ann", [40], [0])], SEED)
    ranks = result.per_listener[POPULARITY, ALL, "MRR@20"]
    assert ranks[-1] in (0.5, 1.0)
    # 79 is in no history: it stands among 77 tracks that nobody played
    assert result.per_listener[POPULARITY, ALL, "recall@20"][:-1].mean() < 1.0


def test_tracks_of_the_history_are_never_listed(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(2, 12))
    # wrong on purpose: what is held out is in the history, and may not be found
    result = evaluate_listeners(subject, [split("ann", [0, 1, 2, 3], [0, 1])], SEED)
    recalls = {f.value for f in result.figures if f.metric == "recall@20"}
    assert recalls == {0.0}


def test_a_history_cut_short_changes_the_question_and_not_the_candidates(tmp_path: Path) -> None:
    # nine of the first artist's 30 tracks, then one of the second's 20, of whom more is held out
    subject = subject_of(tmp_path, artists(2, 30, spread=0.01)[:50])
    result = evaluate_listeners(subject, [split("ann", [*range(9), 30], [31, 32])], SEED)
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
    catalog: Subject, splits: list[Split], listening: Listening
) -> None:
    for name in (SERVED, NEAREST, POPULARITY, RANDOM):
        assert values(listening, name, OTHER_ARTISTS)["artist share"] == 0.0
    groups = np.array(groups_of(catalog))
    left = [s for s in splits if not np.isin(groups[s.held_out], groups[s.history]).all()]
    assert found(listening, SERVED, OTHER_ARTISTS, "recall@20").n == len(left) < len(splits)


def test_tracks_without_artist_or_album_do_not_count_as_by_another_artist(tmp_path: Path) -> None:
    unknown = [entry(f"b{i}", [0, 0, 1, 0]) for i in range(4)]
    subject = subject_of(tmp_path, artists(2, 6) + unknown)
    ann = split("ann", list(range(5)), [5, 12, 13])
    assert OTHER_ARTISTS not in {f.condition for f in evaluate_listeners(subject, [ann], 0).figures}
    bob = split("bob", list(range(5)), [6, 12])
    result = evaluate_listeners(subject, [ann, bob], SEED)
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
    result = evaluate_listeners(subject, [*crowd, ann], SEED)
    assert result.per_listener[SAME_ARTIST_POPULAR, ALL, "MRR@20"][-1] == 1.0
    assert result.per_listener[SAME_ARTIST, ALL, "artist share@20"][-1] == 1.0
    assert result.per_listener[POPULARITY, ALL, "MRR@20"][-1] in (0.5, 1.0)


def test_the_service_answers_as_the_mean_of_the_history_does(
    tmp_path: Path, splits: list[Split], listening: Listening
) -> None:
    entries = artists(15, 12, spread=0.6)
    mean = evaluate_listeners(subject_of(tmp_path, entries, served=False), splits, SEED)
    for (name, condition, metric), of_mean in mean.per_listener.items():
        other = SERVED if name == SINGLE_MEAN else name
        np.testing.assert_array_equal(
            of_mean, listening.per_listener[other, condition, metric], strict=True
        )
    assert SINGLE_MEAN not in {f.subject for f in listening.figures}
    assert SERVED not in {f.subject for f in mean.figures}


def test_likes_that_cancel_out_are_answered_with_nothing(tmp_path: Path) -> None:
    opposite = [entry("a", [1, 0, 0, 0]), entry("b", [-1, 0, 0, 0]), entry("c", [0, 1, 0, 0])]
    result = evaluate_listeners(subject_of(tmp_path, opposite), [split("ann", [0, 1], [2])], SEED)
    assert set(values(result, SERVED).values()) == {0.0}
    assert values(result, RANDOM)["recall"] == 1.0


def test_sound_beats_chance_where_artists_sound_alike(listening: Listening) -> None:
    difference, p = paired_difference(listening, SERVED, RANDOM, ALL, "recall@20")
    assert difference > 0.1
    assert p < 0.01
    same, p_same = paired_difference(listening, SERVED, SERVED, ALL, "recall@20")
    assert (same, p_same) == (0.0, 1.0)


def test_shuffled_vectors_do_as_chance_does(
    tmp_path: Path, catalog: Subject, splits: list[Split]
) -> None:
    shuffled = np.random.default_rng(5).permutation(catalog.vectors)
    entries = artists(15, 12, spread=0.6)
    subject = subject_of(tmp_path, entries, served=False, vectors=shuffled)
    result = evaluate_listeners(subject, splits, SEED)
    for name in (SINGLE_MEAN, NEAREST):
        by_chance = found(result, RANDOM, ALL, "recall@20")
        by_sound = found(result, name, ALL, "recall@20")
        assert by_sound.low < by_chance.high
        assert by_chance.low < by_sound.high


def test_random_finds_the_share_of_the_candidates_that_it_lists(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, artists(6, 10), served=False)
    drawn = [np.random.default_rng(i).permutation(60)[:8].tolist() for i in range(200)]
    splits = [split(f"l{i}", rows[:5], rows[5:]) for i, rows in enumerate(drawn)]
    recalls = evaluate_listeners(subject, splits, SEED).per_listener[RANDOM, ALL, "recall@20"]
    assert recalls.mean() == pytest.approx(20 / 55, abs=4 * recalls.std() / 200**0.5)


def test_the_same_seed_gives_the_same_figures(catalog: Subject, splits: list[Split]) -> None:
    one, again = (evaluate_listeners(catalog, splits[:10], SEED).figures for _ in range(2))
    assert one == again


def test_another_seed_lies_within_the_interval(
    catalog: Subject, splits: list[Split], listening: Listening
) -> None:
    other = evaluate_listeners(catalog, splits, SEED + 1)
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


def test_coverage_claims_no_interval(listening: Listening) -> None:
    one = found(listening, SERVED, ALL, "coverage@20")
    assert one.low == one.value == one.high
    assert not any("coverage" in metric for *_, metric in listening.per_listener)


def test_without_listeners_there_are_no_figures(catalog: Subject) -> None:
    assert evaluate_listeners(catalog, [], SEED) == Listening([], {})
