"""Spectra and mel banks against their definitions."""

from typing import Literal

import numpy as np
import pytest

from recommender.frontend import (
    audioset_log_mel,
    dct_matrix,
    decibels,
    hann_window,
    htk_mel,
    htk_mel_to_hz,
    hz_to_mel,
    kaldi_log_mel,
    log_compress,
    mel_filterbank,
    mel_space_filterbank,
    mel_to_hz,
    power_spectrogram,
    stacked_frames,
)
from tests.signals import SIGNALS


def test_power_is_the_squared_magnitude_of_the_fourier_transform() -> None:
    windows = np.random.default_rng(1).standard_normal((2, 40)).astype(np.float32)
    taper = hann_window(16)
    power = power_spectrogram(windows, taper, hop=8)
    assert power.shape == (2, 4, 9)
    assert power.dtype == np.float32
    frame = windows[1, 24:40].astype(np.float64) * taper
    basis = np.exp(-2j * np.pi * np.outer(np.arange(9), np.arange(16)) / 16)
    np.testing.assert_allclose(power[1, 3], np.abs(basis @ frame) ** 2, rtol=1e-4, atol=1e-5)


def test_the_hann_window_is_periodic() -> None:
    np.testing.assert_allclose(hann_window(4), [0.0, 0.5, 1.0, 0.5], atol=1e-7)


@pytest.mark.parametrize(("hz", "mel"), [(0, 0), (200, 3), (1000, 15), (6400, 42)])
def test_the_slaney_scale_has_its_known_points(hz: float, mel: float) -> None:
    assert hz_to_mel(hz) == pytest.approx(mel)
    assert mel_to_hz(mel) == pytest.approx(hz)


def test_the_bank_is_the_one_that_musicnn_was_trained_on() -> None:
    bank = mel_filterbank(16_000, 512, 96, 0.0, 8_000.0)
    assert bank.shape == (257, 96)
    assert bank.dtype == np.float32
    # values of the reference implementation
    reference = {
        (1, 0): 0.03199922,
        (31, 30): 0.02724205,
        (81, 60): 0.01093231,
        (153, 80): 0.006173853,
        (248, 95): 0.00398456,
    }
    for (row, column), value in reference.items():
        assert bank[row, column] == pytest.approx(value, rel=1e-5)
    np.testing.assert_allclose(bank.sum(), 3.0719139, rtol=1e-6)


def test_a_bank_on_the_htk_scale_is_the_one_that_openl3_was_trained_on() -> None:
    bank = mel_filterbank(48_000, 2048, 256, 0.0, 24_000.0, "htk")
    # values of librosa.filters.mel(sr=48000, n_fft=2048, n_mels=256, htk=True), librosa 0.11.0
    reference = {
        (2, 4): 0.06470688,
        (255, 162): 0.006990802,
        (508, 208): 0.002779106,
        (761, 236): 0.0011302,
        (1020, 255): 0.0008160386,
    }
    for (row, column), value in reference.items():
        assert bank[row, column] == pytest.approx(value, rel=1e-5)
    np.testing.assert_allclose(bank.sum(), 10.892889, rtol=1e-6)
    # the lowest filters lie between the bins
    assert np.flatnonzero(~bank.any(axis=0)).tolist() == [0, 7]


def test_the_htk_scale_has_its_inverse() -> None:
    for hz in (0.0, 100.0, 1000.0, 24_000.0):
        assert htk_mel_to_hz(htk_mel(hz)) == pytest.approx(hz)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_filters_have_unit_area(scale: Literal["slaney", "htk"]) -> None:
    bank = mel_filterbank(16_000, 8192, 40, 0.0, 8_000.0, scale)
    np.testing.assert_allclose(bank.sum(axis=0) * 16_000 / 8192, 1.0, rtol=1e-3)


def test_filters_stay_between_the_limits() -> None:
    bank = mel_filterbank(16_000, 512, 10, 500.0, 4_000.0)
    hz = np.arange(257) * 16_000 / 512
    assert not bank[(hz <= 500) | (hz >= 4_000)].any()
    assert bank.any(axis=0).all()


def test_compression_keeps_silence_at_zero() -> None:
    power = np.array([0.0, 9e-4, 0.9999], np.float32)
    np.testing.assert_allclose(log_compress(power, 10_000.0), [0.0, 1.0, 4.0], rtol=1e-6)


def test_the_cosine_transform_is_orthonormal_and_even_in_its_first_row() -> None:
    transform = dct_matrix(8, 8)
    np.testing.assert_allclose(transform.T @ transform, np.eye(8), atol=1e-6)
    np.testing.assert_allclose(transform[:, 0], 8**-0.5, rtol=1e-6)
    cosine = np.cos(np.pi * (np.arange(8) + 0.5) * 3 / 8)
    np.testing.assert_allclose(cosine @ transform, [0, 0, 0, 2, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_array_equal(dct_matrix(8, 3), transform[:, :3])


def test_decibels_do_not_fall_below_the_least_power() -> None:
    levels = decibels(np.array([1.0, 0.01, 0.0], np.float32), 1e-10)
    np.testing.assert_allclose(levels, [0.0, -20.0, -100.0])


def test_the_htk_scale_has_its_known_points() -> None:
    assert htk_mel(0.0) == 0.0
    assert htk_mel(700.0) == pytest.approx(1127 * np.log(2))
    assert htk_mel(1000.0) == pytest.approx(1000.0, abs=0.02)


def test_filters_in_mel_add_up_to_one_between_the_outermost_centres() -> None:
    bank = mel_space_filterbank(16_000, 4096, 20, 125.0, 7_500.0)
    assert bank.shape == (2049, 20)
    assert bank.dtype == np.float32
    sums = bank.sum(axis=1)
    first, last = bank.argmax(axis=0)[[0, -1]]
    np.testing.assert_allclose(sums[first + 1 : last], 1.0, atol=1e-6)
    hz = np.arange(2049) * 16_000 / 4096
    assert not bank[(hz <= 125) | (hz >= 7_500)].any()


def test_the_sides_of_a_filter_in_mel_are_straight_in_mel() -> None:
    bank = mel_space_filterbank(16_000, 512, 1, 0.0, 700 * np.expm1(1000 / 1127))
    mel = 1127 * np.log1p(np.arange(257) * 31.25 / 700)
    np.testing.assert_allclose(bank[:, 0], np.clip(1 - np.abs(mel - 500) / 500, 0, 1), atol=1e-6)


def test_no_filter_in_mel_takes_the_constant_part() -> None:
    bank = mel_space_filterbank(16_000, 512, 3, -50.0, 7_500.0)
    assert not bank[0].any()
    assert bank[1, 0] > 0


# deviation, and every ninth band of frame 100, by the front-end that Google published
AUDIOSET_GOLDEN = {
    "chords": (
        0.7772012,
        [-0.94185, 0.07425, -0.03150, 0.28047, 0.40785, 0.95630, 1.47064, 1.82967],
    ),
    "hiss": (
        1.5705361,
        [-0.55480, 0.01047, 0.00161, 0.56401, 0.66253, 1.40514, 1.76305, 1.53262],
    ),
    "sweep": (
        1.6506866,
        [1.68137, -3.66164, -4.42097, -4.55019, -4.58166, -4.59524, -4.60107, -4.60418],
    ),
}


@pytest.mark.parametrize("signal", AUDIOSET_GOLDEN)
def test_the_audioset_front_end_is_the_published_one(signal: str) -> None:
    deviation, bands = AUDIOSET_GOLDEN[signal]
    log_mel = audioset_log_mel(SIGNALS[signal]()[None], 0.01)[0]
    assert log_mel.dtype == np.float32
    assert log_mel.std() == pytest.approx(deviation, rel=1e-5)
    np.testing.assert_allclose(log_mel[100, ::9], bands, atol=1e-4)


def test_three_seconds_of_a_tone_have_their_known_mean() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(48_000) / 16_000).astype(np.float32)
    log_mel = audioset_log_mel(tone[None], 0.01)
    assert log_mel.shape == (1, 298, 64)
    assert log_mel.mean(dtype=np.float64) == pytest.approx(-3.429619, abs=2e-5)


@pytest.mark.parametrize(("n_samples", "n_frames"), [(400, 1), (15_599, 95), (15_600, 96)])
def test_audioset_frames_are_complete_ones_only(n_samples: int, n_frames: int) -> None:
    windows = np.zeros((2, n_samples), np.float32)
    log_mel = audioset_log_mel(windows, 0.001)
    assert log_mel.shape == (2, n_frames, 64)
    np.testing.assert_allclose(log_mel, np.log(0.001), rtol=1e-6)


# of the first 3 s: rows 0, 50, 100, 200 and 297 at bands 0, 10, 40, 60 and 79, then the mean of
# all; fbank of torchaudio 2.11's compliance/kaldi.py, without dither, with a Hamming window
KALDI_GOLDEN = {
    "chords": ([14.84553, 19.79240, 20.17521, 22.35907, 18.71686], 18.459896),
    "sweep": ([20.98385, 10.39898, 8.94788, 8.00688, 8.67702], 9.912835),
    "hiss": ([11.16789, 14.21353, 19.09992, 18.52189, 19.68756], 16.693828),
}


@pytest.mark.parametrize("signal", KALDI_GOLDEN)
def test_kaldis_filter_bank_is_the_reference_s(signal: str) -> None:
    samples = SIGNALS[signal]()[: 3 * 16_000]
    numbers, mean = KALDI_GOLDEN[signal]
    (log_mel,) = kaldi_log_mel(samples[None], 80)
    assert (log_mel.shape, log_mel.dtype) == ((298, 80), np.float32)
    found = log_mel[[0, 50, 100, 200, 297], [0, 10, 40, 60, 79]]
    np.testing.assert_allclose(found, numbers, rtol=0, atol=1e-3)
    assert log_mel.mean(dtype=np.float64) == pytest.approx(mean, abs=1e-5)


def test_kaldis_frames_are_complete_and_silence_is_finite() -> None:
    silent = kaldi_log_mel(np.zeros((2, 719), np.float32), 23)
    assert silent.shape == (2, 2, 23)
    np.testing.assert_allclose(silent, np.log(1.1920929e-7), rtol=1e-6)
    assert kaldi_log_mel(np.zeros((1, 720), np.float32), 23).shape == (1, 3, 23)


def test_a_constant_is_not_heard_by_kaldi() -> None:
    samples = np.full((1, 400), 0.25, np.float32)
    np.testing.assert_array_equal(kaldi_log_mel(samples, 80), kaldi_log_mel(0 * samples, 80))


@pytest.mark.parametrize(
    ("n_frames", "stacked"),
    [
        (1, [[0] * 7]),
        (6, [[0, 0, 0, 0, 1, 2, 3]]),
        (7, [[0, 0, 0, 0, 1, 2, 3], [3, 4, 5, 6, 6, 6, 6]]),
        (12, [[0, 0, 0, 0, 1, 2, 3], [3, 4, 5, 6, 7, 8, 9]]),
    ],
)
def test_stacked_frames_overlap_by_one_and_repeat_the_ends(
    n_frames: int, stacked: list[list[int]]
) -> None:
    frames = np.arange(n_frames, dtype=np.float32)[None, :, None] + np.array([0, 0.5], np.float32)
    expected = np.repeat(np.array(stacked, np.float32), 2, axis=1)
    expected[:, 1::2] += 0.5
    np.testing.assert_array_equal(stacked_frames(frames, width=7, step=6), expected[None])
