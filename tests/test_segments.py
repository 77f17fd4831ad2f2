"""Windows one by one: where they lie, what is heard, and what is left of them once kept."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.embedding import EmbedderSpec
from recommender.errors import AudioTooShortError, SilentAudioError
from recommender.frames import embed_frames
from recommender.hearing import embed, embed_in_time, embed_with_segments
from recommender.pooling import POOLINGS
from recommender.segments import (
    MOST_RUNS,
    PHASES,
    Codes,
    Segments,
    clip_grid,
    grid,
    step_samples,
)
from tests.builders import SPEC, TAILS, FakeEmbedder, MemorySource, length_of


def noise(n_samples: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-0.5, 0.5, n_samples).astype(np.float32)


@pytest.mark.parametrize(
    ("hop_seconds", "step_seconds"),
    [(1.0, 3.0), (0.48, 2.88), (2.992, 2.992), (4.0, 4.0), (5.0, 2.5), (10.0, 10 / 3)],
)
def test_windows_are_about_three_seconds_apart_whatever_the_embedder(
    hop_seconds: float, step_seconds: float
) -> None:
    spec = replace(SPEC, sample_rate=1000, hop_samples=round(1000 * hop_seconds))
    assert step_samples(spec) == round(1000 * step_seconds)


def test_the_grid_holds_the_windows_that_lie_within_a_track() -> None:
    assert grid(1199, SPEC) == [0, 300, 600]
    assert grid(1200, SPEC) == [0, 300, 600, 900]
    assert grid(100, SPEC) == [0]
    assert grid(900, replace(SPEC, context_samples=20)) == [-20, 280, 580]


def test_windows_of_a_clip_lie_in_every_phase_of_the_grid() -> None:
    assert clip_grid(1000, SPEC) == [(i, 100 * i) for i in range(8)]
    assert clip_grid(300, SPEC) == clip_grid(50, SPEC) == [(0, 0)]
    assert clip_grid(400, replace(SPEC, context_samples=20)) == [(0, -20), (1, 80)]


def test_of_a_long_clip_no_more_windows_are_heard_and_of_every_phase_as_many() -> None:
    places = np.array([place for place, _ in clip_grid(100_000, SPEC)])
    assert len(places) == PHASES * MOST_RUNS
    assert np.bincount(places % PHASES).tolist() == [MOST_RUNS] * PHASES
    assert places[0] < 0.1 * places[-1]


@pytest.mark.parametrize("spec", TAILS.values(), ids=TAILS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("n_windows", [1, 5, 12, None])
def test_the_pooled_vector_is_the_same_to_the_bit(
    spec: EmbedderSpec, pooling: str, n_windows: int | None
) -> None:
    source = MemorySource(noise(length_of(80) + 57))
    alone = embed(source, FakeEmbedder(spec), n_windows, pooling)
    beside, _ = embed_with_segments(source, FakeEmbedder(spec), n_windows, pooling)
    assert alone.vector.tobytes() == beside.vector.tobytes()
    assert alone.tags.tobytes() == beside.tags.tobytes()
    assert (alone.level_dbfs, alone.n_windows) == (beside.level_dbfs, beside.n_windows)


@pytest.mark.parametrize("n_windows", [1, 7, None])
def test_every_window_of_the_grid_is_kept_and_heard_once(n_windows: int | None) -> None:
    source, embedder = MemorySource(noise(length_of(100))), FakeEmbedder()
    _, segments = embed_with_segments(source, embedder, n_windows)
    all_windows = embed_frames(source, FakeEmbedder(), None).frames.vectors
    assert segments.places.tolist() == list(range(34))
    np.testing.assert_array_equal(segments.vectors, all_windows[::3])
    heard = np.concatenate(embedder.batches)
    assert len(np.unique(heard, axis=0)) == len(heard)


def test_silent_windows_are_left_out_and_keep_their_places() -> None:
    samples = np.concatenate([noise(600), np.zeros(900, np.float32), noise(600)])
    _, segments = embed_with_segments(MemorySource(samples), FakeEmbedder(), 2)
    assert segments.places.tolist() == [0, 1, 5, 6]
    with pytest.raises(SilentAudioError):
        embed_with_segments(MemorySource(np.zeros(900)), FakeEmbedder(), 2)


def test_what_is_shorter_than_a_window_has_one() -> None:
    source = MemorySource(noise(150))
    embedding, segments = embed_with_segments(source, FakeEmbedder(), 12)
    assert segments.places.tolist() == [0]
    np.testing.assert_array_equal(segments.vectors, embedding.vector[np.newaxis])
    _, clip = embed_in_time(source, FakeEmbedder(), [-6.0])
    np.testing.assert_array_equal(clip.vectors[0], segments.vectors)
    assert (clip.places.tolist(), clip.vectors.shape, clip.seconds) == ([0], (2, 1, 4), 1.5)


def test_a_clip_is_heard_at_every_level_without_its_silence() -> None:
    samples = np.concatenate([np.full(600, 0.1), np.zeros(600)])
    embeddings, clip = embed_in_time(MemorySource(samples), FakeEmbedder(), [-14.0, -40.0])
    level = embeddings[0].level_dbfs
    assert clip.places.tolist() == [0, 1, 2, 3, 4, 5]
    # of a constant the mean and the greatest sample are its amplitude
    gains = 10 ** ((np.array([level, -14.0, -40.0]) - level) / 20)
    np.testing.assert_allclose(clip.vectors[:, 0, 3], 0.1 * gains, rtol=1e-5)
    np.testing.assert_allclose(
        [embedding.vector for embedding in embeddings], clip.vectors.mean(axis=1), rtol=1e-5
    )
    assert (clip.seconds, embeddings[0].n_windows) == (12.0, 6)


def test_a_clip_that_is_silent_or_too_short_is_refused() -> None:
    with pytest.raises(SilentAudioError):
        embed_in_time(MemorySource(np.zeros(900)), FakeEmbedder(), [-14.0])
    with pytest.raises(AudioTooShortError):
        embed_in_time(MemorySource(noise(99)), FakeEmbedder(), [-14.0])


def test_what_is_kept_has_the_same_directions() -> None:
    vectors = np.random.default_rng(2).gamma(0.5, size=(50, 400)).astype(np.float32)
    vectors[7] = 0
    segments = Segments(np.arange(50, dtype=np.int32) * 2, vectors)
    codes = Codes.of(segments)
    assert len(codes.places + codes.scales + codes.codes) == 50 * (400 + 8)
    again = codes.segments()
    np.testing.assert_array_equal(again.places, segments.places)
    assert not again.vectors[7].any()
    cosines = (again.vectors * vectors).sum(axis=1)[vectors.any(axis=1)]
    norms = [np.linalg.norm(v[vectors.any(axis=1)], axis=1) for v in (again.vectors, vectors)]
    assert (cosines / (norms[0] * norms[1])).min() > 1 - 1e-3


def test_a_track_without_an_audible_window_of_the_grid_has_none() -> None:
    none = Segments(np.empty(0, np.int32), np.empty((0, 4), np.float32))
    assert Codes.of(none).segments().places.tolist() == []


@pytest.mark.parametrize(
    "codes",
    [
        Codes(bytes(4), bytes(8), bytes(8)),
        Codes(bytes(4), b"\xff\xff\xff\x7f", bytes(4)),
        Codes(bytes(3), bytes(4), bytes(4)),
        Codes(bytes(8), bytes(8), bytes(9)),
    ],
)
def test_damaged_codes_are_refused(codes: Codes) -> None:
    with pytest.raises(ValueError, match=r"."):
        codes.segments()
