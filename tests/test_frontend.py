"""Spectra and mel banks against their definitions."""

import numpy as np
import pytest

from recommender.frontend import (
    dct_matrix,
    decibels,
    hann_window,
    hz_to_mel,
    log_compress,
    mel_filterbank,
    mel_to_hz,
    power_spectrogram,
)


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


def test_filters_have_unit_area() -> None:
    bank = mel_filterbank(16_000, 8192, 40, 0.0, 8_000.0)
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
