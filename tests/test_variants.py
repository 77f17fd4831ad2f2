"""Variants of the default: pooling, projections, corrections for hubs, and their comparison."""

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from rich.console import Console
from safetensors.numpy import load, save

from indexer.evaluation.figures import Figure
from indexer.evaluation.hearing import PASSES, Heard, drawn, hear
from indexer.evaluation.hubness import csls, local_scaling, mutual_proximity
from indexer.evaluation.measurements import Arrays
from indexer.evaluation.pooling import POOLINGS, PROJECTIONS, cost_of, mean, pool, standardised
from indexer.evaluation.retrieval import Task, coded, cosine_scorer, tasks_of
from indexer.evaluation.subject import Subject, open_subject, projected
from indexer.evaluation.variants import (
    COST,
    DEFAULT,
    TASKS,
    YARDSTICKS,
    Variant,
    holm,
    measure_variants,
    variant_figures,
    variants_of,
)
from recommender import evaluation as metrics
from recommender.analysis import embed_file, embeddings_from, frames_of_file
from recommender.embedders import DEFAULT_EMBEDDER, create_embedder
from recommender.embedding import DEFAULT_WINDOWS
from recommender.generation import normalised
from recommender.records import FileState
from recommender.space import Space
from tests.builders import Entry, entry, publish_entries
from tests.music import tracks_in

Correction = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
CORRECTIONS: tuple[Correction, ...] = (csls, local_scaling, mutual_proximity)


def frames(
    vectors: Sequence[Sequence[float]], audible: Sequence[bool] | None = None, tags: int = 2
) -> Arrays:
    """What a child says of a track of 60 s that took 6 s."""
    return {
        "vectors": np.array(vectors, np.float32),
        "tags": np.full((len(vectors), tags), 0.5, np.float32),
        "audible": np.array(audible if audible is not None else [True] * len(vectors)),
        "cpu_seconds": np.array([6.0]),
        "audio_seconds": np.array([60.0]),
    }


def subject_of(folder: Path, entries: Sequence[Entry]) -> Subject:
    publish_entries(folder, entries)
    return open_subject(folder)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Four artists of two albums of two tracks each."""
    entries = [
        entry(f"t{i:02}", vector.tolist(), artist=f"artist {i // 4}", album=f"album {i // 2}")
        for i, vector in enumerate(np.random.default_rng(1).normal(size=(16, 4)))
    ]
    return subject_of(tmp_path_factory.mktemp("data"), entries)


@pytest.fixture(scope="module")
def heard(catalog: Subject) -> Heard:
    """Artists are clusters for the default embedder; the other ones hear noise."""
    random = np.random.default_rng(2)
    places = random.normal(size=(4, 6)) * 3

    def track(row: int, *, knows: bool) -> Arrays:
        found = frames(random.normal(size=(30, 6)) + knows * places[row // 4])
        return found | {"tags": random.random((30, 4), dtype=np.float32)}

    rows = range(len(catalog.tracks))
    passes = {name: [track(row, knows=name == DEFAULT_EMBEDDER) for row in rows] for name in PASSES}
    return Heard(catalog, passes)


@pytest.fixture(scope="module")
def figures(heard: Heard) -> list[Figure]:
    tasks = [task for task in tasks_of(heard.subject) if task.name in TASKS]
    return variant_figures(list(variants_of(heard, 0)), tasks, len(heard.subject.tracks))


def value(figures: Sequence[Figure], subject: str, condition: str, metric: str) -> float:
    (found,) = [f for f in figures if f.key == ("variants", subject, condition, metric)]
    return found.value


def test_the_mean_of_the_windows_there_would_have_been() -> None:
    track = frames([[1], [2], [4], [8], [16], [32]])
    # of six windows, the middle one is the fourth; of two, the second and the fifth
    assert pool([track], "vectors", 1, mean).tolist() == [[8]]
    assert pool([track], "vectors", 2, mean).tolist() == [[9]]
    assert pool([track], "vectors", None, mean).tolist() == [[10.5]]
    assert pool([track], "vectors", 100, mean).tolist() == [[10.5]]
    assert pool([track], "tags", 2, mean).tolist() == [[0.5, 0.5]]


def test_silent_windows_are_left_out_unless_there_are_no_others() -> None:
    track = frames([[1], [2], [4]], [True, False, True])
    assert pool([track], "vectors", None, mean).tolist() == [[2.5]]
    assert pool([track], "vectors", 1, mean).tolist() == [[2]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mean and deviation", [2, 20, 2**0.5, 200**0.5]), ("maximum", [4, 40]), ("median", [1, 10])],
)
def test_other_ways_to_pool(name: str, expected: list[float]) -> None:
    track = frames([[1, 10], [1, 10], [4, 40]])
    np.testing.assert_allclose(
        pool([track], "vectors", None, POOLINGS[name]), [expected], rtol=1e-6
    )


def test_the_cost_is_that_of_the_windows_that_are_used() -> None:
    track = frames(np.zeros((30, 1)).tolist())
    assert cost_of([track], None).tolist() == [6.0]
    assert cost_of([track], 10).tolist() == [2.0]
    assert cost_of([track], 100, share=0.5).tolist() == [3.0]


@pytest.mark.parametrize("name", PROJECTIONS)
def test_projections_make_unit_vectors_and_do_not_mind_a_dead_dimension(name: str) -> None:
    vectors = np.random.default_rng(3).normal(size=(20, 5)).astype(np.float32) * [1, 10, 100, 1, 0]
    projected_vectors = PROJECTIONS[name](vectors.astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(projected_vectors, axis=1), 1, rtol=1e-5)


def test_standardising_makes_every_dimension_count_alike() -> None:
    corners = np.array([[1, 1000], [1, -1000], [-1, 1000], [-1, -1000]], np.float32)
    np.testing.assert_allclose(standardised(corners), np.sign(corners) / 2**0.5, rtol=1e-6)


def test_whitening_makes_every_direction_count_alike() -> None:
    random = np.random.default_rng(4)
    skewed = (random.normal(size=(500, 3)) * [1, 10, 100]) @ random.normal(size=(3, 3)) + 5
    whitened = PROJECTIONS["whitened"](skewed.astype(np.float32))
    assert whitened.shape == (500, 3)
    spread = np.linalg.eigvalsh(whitened.T @ whitened / 500)
    np.testing.assert_allclose(spread, 1 / 3, atol=0.05)


def test_csls_is_the_cosine_less_how_crowded_both_sides_are() -> None:
    cosines = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.1], [0.2, 0.1, 1.0]])
    crowded = np.array([0.35, 0.3, 0.15])
    expected = 2 * cosines - crowded[:, None] - crowded
    np.testing.assert_allclose(csls(cosines), expected)


def test_local_scaling_measures_in_units_of_the_neighbourhoods() -> None:
    cosines = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, -1.0], [0.0, -1.0, 1.0]])
    # squared distances 1, 2 and 4; the farthest near neighbours are at 2, 4 and 4
    np.testing.assert_allclose(local_scaling(cosines)[0, 1:], [-1 / 8**0.5, -2 / 8**0.5])
    np.testing.assert_allclose(local_scaling(cosines)[1, 2], -1)


def test_mutual_proximity_is_the_share_of_tracks_that_are_farther_for_both() -> None:
    cosines = np.array(
        [[1, 0.9, 0.5, 0.1], [0.9, 1, 0.8, 0.7], [0.5, 0.8, 1, 0.2], [0.1, 0.7, 0.2, 1]]
    )
    # the first is the second's nearest of three, and the other way round
    scores = mutual_proximity(cosines)
    assert scores[0, 1] == scores[1, 0] == (3 / 4) ** 2
    assert scores[0, 3] == (1 / 4) ** 2


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_corrections_take_hubs_off_the_lists(correction: Correction) -> None:
    # in many dimensions, what is near the centre is near to everything
    points = np.random.default_rng(5).normal(size=(200, 50)) + 1.0
    points[:10] *= 0.3
    unit = normalised(points.astype(np.float32)).astype(np.float64)
    cosines = unit @ unit.T
    others = ~np.eye(200, dtype=bool)

    def skewness(scores: npt.NDArray[np.float64]) -> float:
        return metrics.hub_skewness(metrics.k_occurrence(metrics.ranking(scores, others, 10), 200))

    corrected = correction(cosines)
    assert np.isfinite(corrected[others]).all()
    assert skewness(corrected) < 0.7 * skewness(cosines)


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_corrections_bear_copies_and_very_small_catalogs(correction: Correction) -> None:
    for n in (2, 3, 30):
        scores = correction(np.ones((n, n)))
        assert np.isfinite(scores[~np.eye(n, dtype=bool)]).all()


def test_adjusted_p_values_are_those_of_holms_procedure() -> None:
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert adjusted == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_a_few_tracks_of_each_artist_are_drawn(catalog: Subject) -> None:
    rows = drawn(catalog, 8, seed=0)
    artists = catalog.labels("artist")
    assert rows == sorted(rows)
    assert len(rows) == 8
    assert len({artists[row] for row in rows}) == 2


def test_a_larger_draw_holds_the_smaller_and_another_seed_draws_others(catalog: Subject) -> None:
    draws = [set(drawn(catalog, n, seed=0)) for n in (1, 6, 12, 16, 100)]
    assert [len(draw) for draw in draws] == [1, 6, 12, 16, 16]
    assert all(small <= large for small, large in pairwise(draws))
    assert len({tuple(drawn(catalog, 8, seed)) for seed in range(10)}) > 1


def test_tracks_without_an_artist_are_drawn_by_album(tmp_path: Path) -> None:
    entries = [entry(f"t{i}", [1, i, 0, 0], album=f"album {i % 2}") for i in range(6)]
    rows = drawn(subject_of(tmp_path, entries), 3, seed=0)
    assert rows in ([0, 2, 4], [1, 3, 5])


def test_the_default_is_the_mean_of_twelve_windows_centred(heard: Heard) -> None:
    default, *_ = variants_of(heard, 0)
    vectors = projected(pool(heard.passes[DEFAULT_EMBEDDER], "vectors", 12, mean))
    rows = np.arange(16)
    assert default.name == DEFAULT
    np.testing.assert_array_equal(default.scorer(rows), cosine_scorer(vectors)(rows))


def test_variants_have_names_of_their_own_and_score_every_track(heard: Heard) -> None:
    variants = list(variants_of(heard, 0))
    assert len({variant.name for variant in variants}) == len(variants)
    for variant in variants:
        assert variant.scorer(np.array([3, 5])).shape == (2, 16)
        assert len(variant.cost) in (0, 16)


def test_what_knows_the_artists_beats_what_hears_noise(figures: list[Figure]) -> None:
    task = "same artist, without the album"
    known, noise, chance = (
        value(figures, name, task, "MAP")
        for name in (DEFAULT, "classic: MFCC", "control: shuffled")
    )
    assert known > 0.8
    assert max(noise, chance) < 0.6


def test_differences_are_those_of_the_means(figures: list[Figure]) -> None:
    for task in TASKS:
        difference = value(figures, "windows: 1", task, "MAP less default")
        one, default = (value(figures, name, task, "MAP") for name in ("windows: 1", DEFAULT))
        assert difference == pytest.approx(one - default)


def test_more_windows_cost_more_and_one_model_costs_half(figures: list[Figure]) -> None:
    names = ("windows: 1", "windows: 3", "windows: 6", DEFAULT, "windows: 24", "windows: all")
    costs = [value(figures, name, "all tracks", COST) for name in names]
    assert costs == pytest.approx([0.2, 0.6, 1.2, 2.4, 4.8, 6.0])
    assert value(figures, "layer: penultimate of MSD", "all tracks", COST) == pytest.approx(1.2)
    assert not [f for f in figures if f.subject.startswith("control") and f.metric == COST]


def test_one_label_alone_is_no_evidence_however_many_seeds_it_has() -> None:
    alone = Task("same artist", np.repeat([0, -1], 8), (), np.arange(8))
    right = np.where(np.arange(16) < 8, 1.0, 0.0)
    variants = [
        Variant("wrong", lambda seeds: np.tile(-right, (len(seeds), 1)), np.empty(0)),
        Variant("right", lambda seeds: np.tile(right, (len(seeds), 1)), np.empty(0)),
    ]
    figures = variant_figures(variants, [alone], 16)
    assert value(figures, "right", "same artist", "MAP less wrong") > 0.3
    assert value(figures, "right", "same artist", "p") == 1.0


def test_labels_that_agree_are_evidence() -> None:
    labels = coded([f"artist {i // 2}" for i in range(24)])
    task = Task("same artist", labels, (), np.arange(24))
    right = (labels[:, None] == labels).astype(np.float64)
    variants = [
        Variant("wrong", (-right).__getitem__, np.empty(0)),
        Variant("right", right.__getitem__, np.empty(0)),
    ]
    figures = variant_figures(variants, [task], 24)
    # twelve artists: all of 2 ** 12 choices of signs are tried, and two are as extreme
    assert value(figures, "right", task.name, "p") == pytest.approx(2 / 2**12)


@pytest.fixture
def real(rendered_music: Path, tmp_path: Path) -> Subject:
    """Real files of two artists."""
    files = tracks_in(rendered_music)
    entries = [
        replace(entry(f"{i:032x}", [1, i, 0, 0], artist=f"artist {i // 3}"), path=os.fsencode(file))
        for i, file in enumerate(files)
    ]
    subject = subject_of(tmp_path / "data", entries)
    return replace(subject, states=[FileState.of(file.stat()) for file in files])


def test_files_are_heard_and_compared_and_not_heard_again(real: Subject, tmp_path: Path) -> None:
    console = Console(file=io.StringIO())
    figures = measure_variants(real, tmp_path / "kept", 6, 0, 2, console)
    assert {f.condition for f in figures} == {*TASKS[1:], "all tracks"}
    assert value(figures, "classic: MFCC", "all tracks", COST) > 0
    silent = Console(file=io.StringIO())
    assert measure_variants(real, tmp_path / "kept", 6, 0, 2, silent) == figures
    assert isinstance(silent.file, io.StringIO)
    assert silent.file.getvalue() == ""


def test_what_was_kept_and_does_not_fit_is_heard_anew(real: Subject, tmp_path: Path) -> None:
    def heard_again() -> Heard:
        return hear(real, tmp_path, 1, 0, 1, Console(file=io.StringIO()))

    expected = heard_again().passes["mfcc"][0]
    (kept,) = (tmp_path / Space(create_embedder("mfcc").spec, DEFAULT_WINDOWS).id).iterdir()
    kept.write_bytes(save(expected | {"vectors": expected["vectors"][:-1]}))
    found = heard_again().passes["mfcc"][0]
    np.testing.assert_array_equal(found["vectors"], expected["vectors"])
    np.testing.assert_array_equal(load(kept.read_bytes())["vectors"], expected["vectors"])


def test_every_task_is_asked_of_the_yardsticks_and_the_usual_ones_of_all(heard: Heard) -> None:
    variants = list(variants_of(heard, 0))
    usual, *_ = tasks_of(heard.subject)
    unusual = replace(usual, name="same mood")
    figures = variant_figures(variants, [usual, unusual], 16)
    asked = {
        t.name: {f.subject for f in figures if f.condition == t.name} for t in (usual, unusual)
    }
    assert usual.name in TASKS
    assert asked == {usual.name: {v.name for v in variants}, unusual.name: set(YARDSTICKS)}


def test_tracks_that_cannot_be_heard_any_more_are_left_out(real: Subject, tmp_path: Path) -> None:
    changed = replace(real, states=[FileState(1, 1), *real.states[1:2], *[FileState(1, 1)] * 4])
    heard = hear(changed, tmp_path / "kept", 6, 0, 1, Console(file=io.StringIO()))
    assert [e.track.id for e in heard.subject.tracks] == [real.tracks[1].track.id]
    assert {name: len(arrays) for name, arrays in heard.passes.items()} == dict.fromkeys(PASSES, 1)
    nothing = replace(real, states=[FileState(1, 1)] * 6)
    console = Console(file=io.StringIO())
    assert measure_variants(nothing, tmp_path / "none", 6, 0, 1, console) == []


def test_frames_of_a_file_pool_to_its_embedding(rendered_music: Path) -> None:
    file = tracks_in(rendered_music)[0]
    path, state = os.fsencode(file), FileState.of(file.stat())
    space = Space(create_embedder("mfcc").spec, 12)
    (embedding,) = embeddings_from(embed_file(path, state, space.listening), space)
    arrays = load(frames_of_file(path, state, "mfcc", None))
    np.testing.assert_allclose(pool([arrays], "vectors", 12, mean)[0], embedding.vector, rtol=1e-6)
    assert arrays["audio_seconds"][0] == pytest.approx(5.0, abs=0.1)
    assert arrays["cpu_seconds"][0] > 0


def test_few_tracks_are_whitened_to_few_components() -> None:
    vectors = np.random.default_rng(6).normal(size=(20, 100)).astype(np.float32)
    assert PROJECTIONS["whitened"](vectors).shape == (20, 5)
    assert PROJECTIONS["whitened"](vectors[:1]).shape[0] == 1
