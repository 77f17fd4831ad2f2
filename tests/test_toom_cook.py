"""Fast convolution against the definition."""

import numpy as np
import pytest

from recommender.embedders.toom_cook import toom_cook


@pytest.mark.parametrize(("outputs", "taps"), [(1, 1), (2, 3), (4, 4), (6, 7), (8, 7)])
def test_tiles_give_the_convolution_in_single_precision(outputs: int, taps: int) -> None:
    random = np.random.default_rng(3)
    method = toom_cook(outputs, taps)
    series = random.uniform(0, 3, (5 * outputs + taps - 1, 9)).astype(np.float32)
    filters = random.standard_normal((taps, 9, 4))

    products = method.tiles(series) @ method.kernel(filters)
    results = np.einsum("mp,ptc->tmc", method.interpolate, products).reshape(-1, 4)

    windows = np.lib.stride_tricks.sliding_window_view(series.astype(np.float64), taps, axis=0)
    expected = np.einsum("tbk,kbc->tc", windows, filters)
    assert np.sqrt(np.mean((results - expected) ** 2)) < 1e-5 * expected.std()


def test_a_tile_of_eight_takes_fourteen_products() -> None:
    method = toom_cook(outputs=8, taps=7)
    assert method.n_points == 14
    assert method.interpolate.shape == (8, 14)
    assert method.evaluate.shape == (14, 14)
    assert method.evaluate_kernel.shape == (14, 7)
