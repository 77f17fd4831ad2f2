"""From audio to one vector: what is silent, and what is pooled with which weights."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.embedding import BATCH_WINDOWS, read_in_batches, spread
from recommender.errors import AudioTooShortError, InvalidParameterError, SilentAudioError
from recommender.frames import embed_frames
from recommender.hearing import embed, embed_at_levels
from recommender.levels import SILENCE_DBFS
from recommender.pooling import POOLINGS, pooled, pooled_dimension
from tests.builders import COVERED, SPEC, TAILS, FakeEmbedder, MemorySource, length_of


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, n_samples).astype(np.float32)


@pytest.mark.parametrize(("amplitude", "dbfs"), [(1.0, 0.0), (0.1, -20.0), (1e30, 600.0)])
def test_the_level_of_a_constant_is_its_amplitude(amplitude: float, dbfs: float) -> None:
    result = embed(MemorySource(np.full(500, amplitude)), FakeEmbedder(), None)
    assert result.level_dbfs == pytest.approx(dbfs, abs=1e-5)


def test_the_level_of_a_sine_is_three_decibels_below_its_peak() -> None:
    sine = np.sin(2 * np.pi * np.arange(1000) / 50)
    result = embed(MemorySource(sine), FakeEmbedder(), None)
    assert result.level_dbfs == pytest.approx(-3.0103, abs=1e-3)


def test_the_vector_is_the_mean_over_windows() -> None:
    samples = np.repeat(np.array([0.1, 0.2, 0.3, 0.4, 0.5], np.float32), 100)
    result = embed(MemorySource(samples), FakeEmbedder(), None)
    # windows are (.1 .2 .3), (.2 .3 .4), (.3 .4 .5): means .2 .3 .4, least .1 .2 .3, and so on
    np.testing.assert_allclose(result.vector, [0.3, np.sqrt(0.02 / 3), 0.2, 0.4], atol=1e-6)
    np.testing.assert_allclose(result.tags, [0.25, 0.5, 0.75])
    assert result.n_windows == 3
    power = np.mean([0.14 / 3, 0.29 / 3, 0.5 / 3])
    assert result.level_dbfs == pytest.approx(10 * np.log10(power), abs=1e-4)
    assert {result.vector.dtype, result.tags.dtype} == {np.dtype(np.float32)}


def test_silent_windows_are_left_out() -> None:
    loud, silence = np.full(600, 0.25, np.float32), np.zeros(600, np.float32)
    embedder = FakeEmbedder()
    result = embed(MemorySource(np.concatenate([silence, loud])), embedder, None)
    # of the ten windows, those that start at 400 to 900 hold some of the sound
    assert result.n_windows == 6
    assert all((np.abs(batch).max(axis=1) > 0).all() for batch in embedder.batches)


def test_silence_between_does_not_lower_the_level() -> None:
    spec = replace(SPEC, hop_samples=300)
    loud, silence = np.full(300, 0.1, np.float32), np.zeros(300, np.float32)
    result = embed(MemorySource(np.concatenate([loud, silence, loud])), FakeEmbedder(spec), None)
    assert result.level_dbfs == pytest.approx(-20.0, abs=1e-4)
    assert result.n_windows == 2


@pytest.mark.parametrize("amplitude", [0.0, 1e-9, 10 ** ((SILENCE_DBFS - 0.1) / 20)])
def test_audio_that_is_silent_throughout_is_refused(amplitude: float) -> None:
    embedder = FakeEmbedder()
    with pytest.raises(SilentAudioError, match="-70 dBFS"):
        embed(MemorySource(np.full(1000, amplitude)), embedder, 12)
    assert embedder.batches == []


def test_audio_just_above_silence_is_taken() -> None:
    amplitude = 10 ** ((SILENCE_DBFS + 0.1) / 20)
    assert embed(MemorySource(np.full(1000, amplitude)), FakeEmbedder(), 12).n_windows == 8


def test_samples_that_are_not_numbers_are_not_heard() -> None:
    with pytest.raises(SilentAudioError):
        embed(MemorySource(np.full(1000, np.nan)), FakeEmbedder(), 12)


@pytest.mark.parametrize("n_samples", [0, 1, 99])
def test_audio_below_a_second_is_refused(n_samples: int) -> None:
    with pytest.raises(AudioTooShortError, match=f"duration_seconds={n_samples / 100:.2f}"):
        embed(MemorySource(np.ones(n_samples)), FakeEmbedder(), 12)


def test_audio_shorter_than_a_window_is_repeated() -> None:
    once = noise(130)
    embedder = FakeEmbedder()
    result = embed(MemorySource(once), embedder, 12)
    expected = np.concatenate([once, once, once[:40]])
    np.testing.assert_array_equal(embedder.batches[0][0], expected)
    assert result.n_windows == 1


def test_repeated_audio_stands_behind_an_empty_context() -> None:
    embedder = FakeEmbedder(replace(SPEC, context_samples=50))
    once = noise(200)
    embed(MemorySource(once), embedder, 12)
    window = embedder.batches[0][0]
    np.testing.assert_array_equal(window[:50], 0)
    np.testing.assert_array_equal(window[50:], np.concatenate([once, once[:50]]))


def test_audio_of_exactly_one_window_is_not_repeated() -> None:
    once, embedder = noise(300), FakeEmbedder()
    embed(MemorySource(once), embedder, 12)
    np.testing.assert_array_equal(embedder.batches[0], [once])


def test_batches_give_what_one_pass_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    source = MemorySource(noise(length_of(3 * BATCH_WINDOWS + 5)))
    in_batches = FakeEmbedder()
    batched = embed(source, in_batches, None)
    monkeypatch.setattr("recommender.embedding.BATCH_WINDOWS", 10_000)
    at_once = FakeEmbedder()
    whole = embed(source, at_once, None)
    assert [len(b) for b in in_batches.batches] == [BATCH_WINDOWS] * 3 + [5]
    assert len(at_once.batches) == 1
    np.testing.assert_allclose(batched.vector, whole.vector, rtol=1e-6)
    assert batched.n_windows == whole.n_windows == 3 * BATCH_WINDOWS + 5
    assert batched.level_dbfs == pytest.approx(whole.level_dbfs)


def test_embedding_twice_gives_the_same_bytes() -> None:
    source = MemorySource(noise(5000))
    one, two = (embed(source, FakeEmbedder(), 12) for _ in range(2))
    assert one.vector.tobytes() == two.vector.tobytes()


def test_a_clip_is_heard_as_it_is_and_at_each_of_the_levels() -> None:
    source = MemorySource(noise(2000))
    as_it_is, *results = embed_at_levels(source, FakeEmbedder(), 12, [-30.0, -20.0, -10.0])
    assert as_it_is.level_dbfs == embed(source, FakeEmbedder(), 12).level_dbfs
    assert [r.level_dbfs for r in results] == pytest.approx([-30.0, -20.0, -10.0], abs=1e-3)
    # the fake's vector is linear in amplitude: 10 dB is a factor of 3.162
    np.testing.assert_allclose(results[1].vector, results[0].vector * 10**0.5, rtol=1e-4)


def test_the_level_of_the_clip_itself_does_not_matter() -> None:
    loud, quiet = noise(2000), noise(2000) * np.float32(0.01)
    of_loud, of_quiet = (
        embed_at_levels(MemorySource(s), FakeEmbedder(), 12, [-20.0])[1] for s in (loud, quiet)
    )
    np.testing.assert_allclose(of_loud.vector, of_quiet.vector, rtol=1e-4)


def test_without_levels_a_clip_is_taken_as_it_is() -> None:
    source = MemorySource(noise(2000))
    (result,) = embed_at_levels(source, FakeEmbedder(), 12, [])
    assert result.level_dbfs == embed(source, FakeEmbedder(), 12).level_dbfs


def test_what_is_silent_in_a_quiet_clip_stays_left_out_when_it_is_amplified() -> None:
    spec = replace(SPEC, hop_samples=300)
    music, hiss = np.full(300, 1e-3), np.full(300, 1e-4)
    clip = MemorySource(np.concatenate([music, hiss, music]))
    _, result = embed_at_levels(clip, FakeEmbedder(spec), None, [-10.0])
    assert result.n_windows == 2
    assert result.level_dbfs == pytest.approx(-10.0, abs=1e-3)


def test_what_is_heard_in_a_loud_clip_is_heard_when_it_is_lowered() -> None:
    spec = replace(SPEC, hop_samples=300)
    clip = MemorySource(np.concatenate([np.full(300, 0.5), np.full(300, 0.001)]))
    _, result = embed_at_levels(clip, FakeEmbedder(spec), None, [-40.0])
    assert result.n_windows == 2
    assert result.level_dbfs == pytest.approx(-40.0, abs=1e-3)


@pytest.mark.parametrize("n_windows", [1, 6, 12, None])
def test_pooling_the_frames_of_those_windows_is_what_embedding_does(n_windows: int | None) -> None:
    quiet_part = np.where(np.arange(length_of(40)) // 500 % 3 == 0, np.float32(1e-6), 1)
    source = MemorySource(noise(length_of(40)) * quiet_part)
    frames, audible, _ = embed_frames(source, FakeEmbedder(), None)
    assert 0 < audible.sum() < len(audible) == 40
    places = [place for place in spread(40, n_windows) if audible[place]]
    embedding = embed(source, FakeEmbedder(), n_windows)
    np.testing.assert_allclose(frames.vectors[places].mean(axis=0), embedding.vector, atol=1e-6)
    np.testing.assert_allclose(frames.tags[places].mean(axis=0), embedding.tags, atol=1e-6)
    assert embedding.n_windows == len(places)


def test_frames_of_some_windows_are_some_of_all_frames() -> None:
    source = MemorySource(noise(length_of(BATCH_WINDOWS + 7)))
    everything, some = (embed_frames(source, FakeEmbedder(), n).frames for n in (None, 12))
    places = spread(BATCH_WINDOWS + 7, 12)
    np.testing.assert_array_equal(some.vectors, everything.vectors[places])
    np.testing.assert_array_equal(some.tags, everything.tags[places])


def test_silence_has_frames_too_and_none_is_audible() -> None:
    frames, audible, _ = embed_frames(MemorySource(np.zeros(length_of(3))), FakeEmbedder(), None)
    assert frames.vectors.shape == (3, SPEC.frame_dimension)
    assert not audible.any()


def test_frames_of_audio_below_a_second_are_refused() -> None:
    with pytest.raises(AudioTooShortError):
        embed_frames(MemorySource(np.ones(99)), FakeEmbedder(), None)


def test_the_tail_counts_in_vector_and_level_for_what_it_adds() -> None:
    spec = replace(COVERED, hop_samples=300)
    # two windows of 0.1, and one of which 30 of 300 samples are new: a tenth of a window
    samples = np.concatenate([np.full(600, 0.1), np.full(30, 0.4)]).astype(np.float32)
    result = embed(MemorySource(samples), FakeEmbedder(spec), None)
    tail = samples[-300:].astype(np.float64)
    assert result.vector[0] == pytest.approx((0.2 + 0.1 * tail.mean()) / 2.1)
    power = (0.02 + 0.1 * np.square(tail).mean()) / 2.1
    assert result.level_dbfs == pytest.approx(10 * np.log10(power), abs=1e-4)
    assert result.n_windows == 3
    np.testing.assert_allclose(result.tags, [0.25, 0.5, 0.75])


def test_audio_of_which_only_the_tail_is_heard_is_the_tail() -> None:
    samples = np.concatenate([np.zeros(300), np.full(30, 0.4)]).astype(np.float32)
    spec = replace(COVERED, hop_samples=300)
    result = embed(MemorySource(samples), FakeEmbedder(spec), None)
    assert result.vector[0] == pytest.approx(0.04)
    assert result.n_windows == 1


@pytest.mark.parametrize("tail", ["dropped", "covered"])
def test_short_audio_is_repeated_whatever_the_tail(tail: str) -> None:
    once, embedder = noise(130), FakeEmbedder(TAILS[tail])
    embed(MemorySource(once), embedder, None)
    np.testing.assert_array_equal(embedder.batches, [[np.resize(once, 300)]])


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("n_windows", [1, 12, None])
@pytest.mark.parametrize("extra", [0, 70])
def test_pooling_is_of_the_frames_of_those_windows_with_their_weights(
    pooling: str, n_windows: int | None, extra: int
) -> None:
    quiet_part = np.where(np.arange(length_of(40) + extra) // 500 % 3 == 0, np.float32(1e-6), 1)
    source = MemorySource(noise(len(quiet_part)) * quiet_part)
    frames, audible, weights = embed_frames(source, FakeEmbedder(COVERED), n_windows)
    assert len(frames.vectors) == len(weights) == min(n_windows or 41, 40 + (extra > 0))
    result = embed(source, FakeEmbedder(COVERED), n_windows, pooling)
    expected = pooled(frames.vectors[audible], weights[audible], pooling)
    np.testing.assert_allclose(result.vector, expected, atol=1e-6)
    assert result.n_windows == audible.sum()
    assert result.vector.shape == (pooled_dimension(pooling, SPEC.frame_dimension),)


def test_the_mean_is_bit_for_bit_what_it_always_was() -> None:
    source = MemorySource(noise(length_of(2 * BATCH_WINDOWS + 5)))
    total, embedder = np.zeros(SPEC.frame_dimension), FakeEmbedder()
    for windows in read_in_batches(source, SPEC, None):
        total += embedder.embed(windows.samples).vectors.sum(axis=0, dtype=np.float64)
    expected = (total / (2 * BATCH_WINDOWS + 5)).astype(np.float32)
    assert embed(source, FakeEmbedder(), None).vector.tobytes() == expected.tobytes()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_clip_at_its_own_level_is_pooled_as_a_track_is(pooling: str) -> None:
    source = MemorySource(noise(2050))
    track = embed(source, FakeEmbedder(COVERED), 12, pooling)
    as_it_is, louder = embed_at_levels(source, FakeEmbedder(COVERED), 12, [-10.0], pooling)
    assert as_it_is.vector.tobytes() == track.vector.tobytes()
    # the fake's vector is linear in amplitude
    gain = 10 ** ((-10.0 - track.level_dbfs) / 20)
    np.testing.assert_allclose(louder.vector, track.vector * gain, rtol=1e-4, atol=1e-5)


def test_an_unknown_pooling_is_refused_before_anything_is_read() -> None:
    with pytest.raises(InvalidParameterError, match="pooling=average is unknown"):
        embed(MemorySource([]), FakeEmbedder(), 12, "average")


def test_long_audio_is_held_a_batch_at_a_time() -> None:
    embedder = FakeEmbedder(COVERED)
    embed(MemorySource(noise(length_of(1000) + 1)), embedder, None, "median")
    sizes = {len(batch) for batch in embedder.batches}
    assert max(sizes) == BATCH_WINDOWS
    assert sum(len(batch) for batch in embedder.batches) == 1001
