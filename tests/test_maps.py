"""Where tracks are put on the map."""

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.generation import normalised
from recommender.maps import NEAR, Near, Places, among, fitted, laid_out, method_for, principal


def crowds(sizes: tuple[int, ...], dimension: int = 12, seed: int = 3) -> FloatArray:
    """Unit vectors in crowds that point in directions of their own."""
    rng = np.random.default_rng(seed)
    middles = np.eye(dimension)[: len(sizes)]
    noise = [rng.normal(0, 0.1, (size, dimension)) for size in sizes]
    vectors = [middle + part for middle, part in zip(middles, noise, strict=True)]
    return normalised(np.concatenate(vectors).astype(np.float32))


def near_of(units: FloatArray, k: int = 24) -> Near:
    cosines = units.astype(np.float64) @ units.T.astype(np.float64)
    np.fill_diagonal(cosines, -2.0)
    rows = np.argsort(-cosines, axis=1, kind="stable")[:, : min(k, len(units) - 1)]
    similarities = (1.0 + np.take_along_axis(cosines, rows, axis=1)) / 2.0
    return Near(rows.astype(np.int32), np.rint(similarities * 1e6).astype(np.int32))


def kept_near(units: FloatArray, places: Places, k: int = 10) -> float:
    """Share of the nearest that are among the nearest in the plane."""
    apart = np.linalg.norm(places[:, np.newaxis] - places, axis=2)
    np.fill_diagonal(apart, np.inf)
    found, wanted = np.argsort(apart, axis=1)[:, :k], near_of(units, k).rows
    shares = [len(set(a) & set(b)) / k for a, b in zip(found, wanted, strict=True)]
    return float(np.mean(shares))


NO_LISTS = Near(np.empty((0, 24), np.int32), np.empty((0, 24), np.int32))


def test_principal_components_are_those_of_a_decomposition() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(500, 30)) * np.linspace(3.0, 0.1, 30)).astype(np.float32)
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    places = principal(vectors)
    for axis in (0, 1):
        expected = centred @ directions[axis]
        sign = np.sign(directions[axis][np.abs(directions[axis]).argmax()])
        np.testing.assert_allclose(places[:, axis], sign * expected, atol=0.05)


def test_a_line_stays_a_line() -> None:
    along = np.linspace(-1.0, 1.0, 9, dtype=np.float32)
    places = laid_out(np.stack([np.zeros(9, np.float32), along], axis=1), NO_LISTS)
    np.testing.assert_allclose(places[:, 0], along, atol=1e-5)
    np.testing.assert_allclose(places[:, 1], 0.0, atol=1e-5)


def test_crowds_lie_apart_and_hold_together() -> None:
    units = crowds((40, 60, 50))
    places = laid_out(units, near_of(units))
    of = np.repeat([0, 1, 2], (40, 60, 50))
    middles = np.stack([places[of == crowd].mean(axis=0) for crowd in range(3)])
    nearest = np.linalg.norm(places[:, np.newaxis] - middles, axis=2).argmin(axis=1)
    assert (nearest == of).all()


def test_neighbours_in_the_plane_are_neighbours_in_sound_more_often_than_by_components() -> None:
    units = crowds((60,) * 6)
    places = laid_out(units, near_of(units))
    assert kept_near(units, places) > 1.5 * kept_near(units, laid_out(units, NO_LISTS))


def test_the_same_catalog_has_the_same_map() -> None:
    units = crowds((40, 30))
    one, other = (laid_out(units, near_of(units)) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_maps_fill_the_plane_and_stay_in_it() -> None:
    units = crowds((40, 30))
    places = laid_out(units, near_of(units))
    assert places.dtype == np.float32
    assert places.shape == (70, 2)
    assert np.abs(places).max() == pytest.approx(1.0)


@pytest.mark.parametrize("count", [0, 1, 2, 3, NEAR, NEAR + 1])
def test_a_catalog_of_a_few_tracks_has_a_map(count: int) -> None:
    units = crowds((count,))
    places = laid_out(units, near_of(units) if count > 1 else NO_LISTS)
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


def test_tracks_that_sound_the_same_do_not_upset_the_map() -> None:
    units = np.repeat(crowds((1,)), 30, axis=0)
    places = laid_out(units, near_of(units))
    assert np.isfinite(places).all()


def test_lists_may_be_shorter_for_some() -> None:
    units = crowds((20, 20))
    near = near_of(units)
    near.rows[3, 2:] = near.similarities[3, 2:] = -1
    near.rows[4] = near.similarities[4] = -1
    assert np.isfinite(laid_out(units, near)).all()


def test_strays_come_to_the_edge_and_do_not_make_all_others_small() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(-1, 1, (4000, 2)).astype(np.float32)
    places[0] = (1000.0, 0.0)
    inside = fitted(places)
    assert inside[0, 0] == 1.0
    assert np.ptp(inside[1:, 0]) > 1.9


def test_a_new_track_lies_in_the_middle_of_those_near_it_and_not_between_crowds() -> None:
    places = np.array([(0, 0), (0.1, 0), (0.05, 0.1), (0.9, 0.9), (1, 1)], np.float32)
    np.testing.assert_allclose(among(places, np.arange(5)), (0.1, 0.1))
    assert among(places, np.empty(0, np.int64)).tolist() == [0.0, 0.0]


def test_what_has_lists_is_laid_out_by_neighbours() -> None:
    assert (method_for(0), method_for(NEAR), method_for(NEAR + 1)) == ("pca", "pca", "neighbours")
