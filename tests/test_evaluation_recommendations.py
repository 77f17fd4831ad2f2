"""Settings of recommendations: worlds in which the answer is known, controls, seeds, the shape."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from api.personal_question import PersonalQuestion
from indexer.evaluation import disliking
from indexer.evaluation.choices import NO_FANS, NO_STYLES, NOT_SERVED, measure_choices
from indexer.evaluation.crowding import CORRECTED, PLAIN, SIMILAR, crowding_figures
from indexer.evaluation.disliking import DISLIKED, dislike_figures
from indexer.evaluation.figures import Figure
from indexer.evaluation.recommendations import (
    DEFAULT,
    DRIFTING,
    MEAN,
    RANDOM,
    RECALL,
    SERVED,
    STEADY,
    STYLES,
    Way,
    audience_of,
    compare_ways,
    difference_figures,
    ways,
)
from indexer.evaluation.styles import LEAST_STYLE, PERIOD_DAYS, fans, style_codes
from indexer.evaluation.subject import Subject
from recommender.questions import Options
from recommender.ranking import similarity
from recommender.taste import HALF_LIFE_DAYS, Division
from tests.builders import SPACE, STATE, Entry, entry, generation_of, library_track

SEED = 5
# in the middle between any two of these, nothing is near
CORNERS = np.array([[1, 1, 1, 1], [1, -1, -1, 1], [-1, 1, -1, 1], [-1, -1, 1, 1]]) / 2.0


def subject_of(folder: Path, entries: list[Entry], space: str = SPACE.id) -> Subject:
    generation = generation_of(folder, entries)
    by_id = sorted(entries, key=lambda e: e.id)
    tracks, states = [library_track(e) for e in by_id], [STATE] * len(by_id)
    vectors = generation.index.vectors(np.arange(len(by_id)))
    return Subject(generation, space, tracks, states, vectors)


def world(folder: Path, spread: float, middles: int = 0, shuffled: bool = False) -> Subject:
    """Four albums of 30 tracks, each around a corner; and tracks of none in their middle."""
    rng = np.random.default_rng(0)
    albums = np.repeat(np.arange(4), 30)
    vectors = CORNERS[albums] + spread * rng.normal(size=(120, 4))
    if shuffled:
        vectors = rng.permutation(vectors)
    styled = [
        entry(f"a{number:03}", vector.tolist(), album=f"Album {album}")
        for number, (album, vector) in enumerate(zip(albums, vectors, strict=True))
    ]
    centre = CORNERS.mean(axis=0) + 0.02 * rng.normal(size=(middles, 4))
    return subject_of(
        folder, [*styled, *(entry(f"m{i:03}", v.tolist()) for i, v in enumerate(centre))]
    )


def values(figures: list[Figure], condition: str) -> dict[tuple[str, str], float]:
    return {(f.subject, f.metric): f.value for f in figures if f.condition == condition}


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return world(tmp_path_factory.mktemp("apart"), spread=0.05, middles=60)


@pytest.fixture(scope="module")
def all_choices(apart: Subject) -> list[Figure]:
    figures, notes = measure_choices(apart, 6, SEED)
    assert notes == []
    return figures


def test_interests_win_where_nothing_that_is_liked_lies_in_the_middle(apart: Subject) -> None:
    audience = audience_of(apart, 25, SEED)
    plain = Options(limit=20)
    eight = Way(SERVED, plain, division=Division(1.0, 8))
    found = compare_ways(audience, STEADY, [eight, Way(MEAN, plain, by_mean=True)])
    by_name = {(f.subject, f.metric): f for f in found}
    for metric in (RECALL, STYLES):
        assert by_name[SERVED, metric].low > by_name[MEAN, metric].high
        assert by_name[MEAN, f"{metric} less {SERVED}"].high < 0
        assert by_name[MEAN, f"{metric} p"].value < 0.01
    assert by_name[SERVED, STYLES].value == 1.0


def test_vectors_of_the_wrong_tracks_find_no_more_than_chance(tmp_path: Path) -> None:
    audience = audience_of(world(tmp_path, spread=0.05, shuffled=True), 120, SEED)
    found = compare_ways(audience, STEADY, [DEFAULT])
    ours, random = (
        next(f for f in found if (f.subject, f.metric) == (name, RECALL))
        for name in (SERVED, RANDOM)
    )
    expected = np.mean([20 / (120 - len(np.unique(one.played))) for one in audience.listeners])
    assert ours.low < expected < ours.high
    assert random.low < expected < random.high


def test_a_style_goes_after_three_dislikes_and_comes_back_without_them(apart: Subject) -> None:
    found = values(dislike_figures(audience_of(apart, 12, SEED)), DISLIKED)
    places = [found[f"dislikes: {n}", disliking.PLACES] for n in range(disliking.DISLIKES + 1)]
    assert places[0] > 5
    assert places[3] == 0
    assert found["dislikes: 3", disliking.GONE] == 1.0
    assert found["dislikes: deleted", "list as before"] == 1.0
    assert found["dislikes: 3", disliking.OTHERS] >= found["dislikes: 0", disliking.OTHERS]


def test_nobody_dislikes_what_has_no_places(apart: Subject) -> None:
    assert dislike_figures(audience_of(apart, 0, SEED)) == []


def test_every_setting_is_in_the_report_and_compared_with_the_default(
    all_choices: list[Figure],
) -> None:
    found = values(all_choices, STEADY)
    names = [way.name for way in ways()]
    assert len(set(names)) == len(names)
    assert {name for name, metric in found if metric == RECALL} == {*names, RANDOM}
    for metric in (RECALL, STYLES):
        for what in (f"{metric} less {SERVED}", f"{metric} p"):
            assert {name for name, one in found if one == what} == set(names) - {SERVED}
    assert {f.condition for f in all_choices} >= {STEADY, DRIFTING, SIMILAR, DISLIKED}
    assert len({f.key for f in all_choices}) == len(all_choices)
    heard = {f.condition: f.value for f in all_choices if f.subject == "novelty"}
    assert heard["exclude"] == 0.0
    assert heard["only"] == 1.0


def test_the_default_is_what_the_service_does_when_nothing_is_said() -> None:
    asked = PersonalQuestion.model_validate({})
    assert DEFAULT.options == replace(asked.options(), limit=20)
    assert asked.options() == PersonalQuestion.model_validate({"hub_correction": True}).options()
    assert DEFAULT.mood == asked.mood()
    assert DEFAULT.half_life_days == asked.half_life_days == HALF_LIFE_DAYS
    assert DEFAULT.division == Division()


def test_the_same_seed_gives_the_same_figures_and_another_others(
    apart: Subject, all_choices: list[Figure]
) -> None:
    assert measure_choices(apart, 6, SEED)[0] == all_choices
    assert measure_choices(apart, 6, SEED + 1)[0] != all_choices


def test_what_cannot_be_asked_is_noted(apart: Subject, tmp_path: Path) -> None:
    few = subject_of(tmp_path, [entry(f"t{i}", [1.0, i, 0.0, 0.0], album="A") for i in range(9)])
    figures, notes = measure_choices(few, 3, SEED)
    assert notes == [NO_STYLES]
    assert {f.condition for f in figures} == {SIMILAR}
    assert measure_choices(apart, 0, SEED)[1] == [NO_FANS]
    elsewhere = Subject(apart.generation, "another", apart.tracks, apart.states, apart.vectors)
    assert measure_choices(elsewhere, 3, SEED) == ([], [NOT_SERVED])


def test_a_difference_of_nothing_is_certain_and_p_values_are_of_all_comparisons() -> None:
    ours = {metric: np.linspace(0.0, 1.0, 12) for metric in (RECALL, STYLES)}
    better = {metric: of + 0.1 for metric, of in ours.items()}
    found = {
        (f.subject, f.metric): f
        for f in difference_figures("c", {SERVED: ours, "same": ours, "better": better})
    }
    same, more = (found[name, f"{RECALL} less {SERVED}"] for name in ("same", "better"))
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert more.value == pytest.approx(0.1)
    assert found["same", f"{RECALL} p"].value == 1.0
    # of 2 ** 12 choices of signs two are as far out; and there are two comparisons
    assert found["better", f"{RECALL} p"].value == pytest.approx(2 * 2 / 2**12)


def test_a_hub_loses_places_when_corrected_for_and_its_lists_are_counted(tmp_path: Path) -> None:
    # around one track that is as near to all as their own neighbours are
    rng = np.random.default_rng(1)
    around = rng.normal(size=(80, 4)) + np.array([2.0, 0.0, 0.0, 0.0])
    entries = [
        entry(f"t{i:02}", vector.tolist(), album=f"Album {i % 8}")
        for i, vector in enumerate(around)
    ]
    subject = subject_of(tmp_path, [*entries, entry("t99", [1.0, 0.0, 0.0, 0.0])])
    found = {(f.subject, f.metric): f for f in crowding_figures(subject, SEED)}
    cosines = subject.vectors @ subject.vectors.T
    np.fill_diagonal(cosines, -1.0)
    counts = np.bincount(np.argsort(-similarity(cosines), kind="stable")[:, :10].ravel())
    skewness = ((counts - counts.mean()) ** 3).mean() / counts.std() ** 3
    plain = found[PLAIN, "hub skewness@10"]
    assert plain.value == pytest.approx(skewness)
    assert plain.low < plain.value < plain.high
    assert found[PLAIN, "most lists@10"].value == counts.max()
    less = found[CORRECTED, f"hub skewness@10 less {PLAIN}"]
    corrected = found[CORRECTED, "hub skewness@10"]
    assert less.value == pytest.approx(corrected.value - plain.value)


def test_styles_are_genres_where_they_are_known_and_albums_elsewhere() -> None:
    albums = ["a"] * LEAST_STYLE + ["b"] * LEAST_STYLE + ["c"]
    unknown = [""] * len(albums)
    assert style_codes(albums, unknown).tolist() == [0] * 8 + [1] * 8 + [-1]
    genres = ["x", "y"] * LEAST_STYLE + [""]
    by_genre = style_codes(albums, genres)
    assert by_genre[-1] == -1
    assert by_genre[0] == by_genre[2] != by_genre[1] == by_genre[3]
    assert (style_codes(albums, ["x"] * 17) == style_codes(albums, unknown)).all()
    assert style_codes([], []).tolist() == []


def test_fans_never_play_what_is_held_out_and_leave_half_of_their_styles() -> None:
    codes = np.repeat(np.arange(6), 12)
    for drifting in (False, True):
        drawn = fans(codes, 40, SEED, drifting)
        assert [one.number for one in drawn] == list(range(1, 41))
        for one in drawn:
            assert not np.isin(one.held_out, one.played).any()
            assert set(codes[one.held_out]) == set(one.styles)
            assert ((one.days >= 0) & (one.days <= PERIOD_DAYS)).all()
            assert len(one.moments()) == len(one.played) == len(one.days)
        sizes = {len(one.styles) for one in drawn}
        assert sizes == ({1, 2} if drifting else {2, 3, 4})
    few, more = fans(codes, 3, SEED), fans(codes, 5, SEED)
    for one, same in zip(few, more, strict=False):
        assert one.played.tolist() == same.played.tolist()
    assert fans(np.zeros(9, np.int64), 3, SEED) == []
