"""From pooled vectors to those that are compared, against plain linear algebra."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import projection
from recommender.arrays import FloatArray
from recommender.errors import GenerationError, InvalidParameterError
from recommender.projection import (
    PROJECTIONS,
    Projection,
    fit,
    fit_centre,
    projected_dimension,
    require_projection,
)

Exact = npt.NDArray[np.float64]


def catalog(n_tracks: int, dimension: int, seed: int = 0) -> FloatArray:
    """Vectors far from zero, of which every direction has an extent of its own."""
    random = np.random.default_rng(seed)
    extents = np.linspace(3.0, 0.5, dimension)
    turned = np.linalg.qr(random.normal(size=(dimension, dimension)))[0]
    vectors = (random.normal(size=(n_tracks, dimension)) * extents) @ turned + 2.0
    return np.asarray(vectors, np.float32)


def components_of(fitted: Projection) -> Exact:
    assert fitted.components is not None
    return fitted.components.astype(np.float64)


def reference(vectors: FloatArray, count: int) -> tuple[Exact, Exact]:
    """Centred vectors, and squared lengths that the best `count` directions keep of them."""
    centred: Exact = vectors.astype(np.float64) - fit_centre(vectors)
    strengths = np.linalg.svd(centred, compute_uv=False)
    return centred, np.square(strengths[:count])


def test_the_default_comes_first() -> None:
    assert PROJECTIONS == ("corpus-centred", "none", "pca:N")


def test_the_centre_of_a_small_catalog_is_drawn_towards_zero() -> None:
    ones = np.ones((10_000, 4), np.float32)
    np.testing.assert_allclose(fit_centre(ones[:1]), 1 / 11, rtol=1e-6)
    np.testing.assert_allclose(fit_centre(ones), 10_000 / 10_010, rtol=1e-6)
    np.testing.assert_array_equal(fit_centre(ones[:0]), np.zeros(4))


def test_centring_subtracts_the_centre_to_the_bit() -> None:
    vectors = catalog(40, 6)
    fitted = fit("corpus-centred", vectors)
    assert fitted.components is None
    assert fitted.centre.tobytes() == fit_centre(vectors).tobytes()
    assert fitted.apply(vectors).tobytes() == (vectors - fit_centre(vectors)).tobytes()
    assert fitted.apply(vectors[3:4])[0].tobytes() == (vectors[3] - fitted.centre).tobytes()


def test_no_projection_changes_nothing() -> None:
    vectors = catalog(40, 6)
    fitted = fit("none", vectors)
    assert fitted.apply(vectors).tobytes() == vectors.tobytes()
    np.testing.assert_array_equal(fitted.centre, np.zeros(6, np.float32))


@pytest.mark.parametrize("n_tracks", [12, 20, 21, 5000], ids=lambda n: f"{n} tracks")
@pytest.mark.parametrize("count", [1, 5, 12])
def test_components_keep_as_much_as_can_be_kept(n_tracks: int, count: int) -> None:
    vectors = catalog(n_tracks, 20)
    fitted = fit(f"pca:{count}", vectors)
    components = components_of(fitted)
    assert components.shape == (count, 20)
    np.testing.assert_allclose(components @ components.T, np.eye(count), atol=1e-6)
    projected, (centred, kept) = fitted.apply(vectors), reference(vectors, count)
    np.testing.assert_allclose(np.square(projected).sum(axis=0), kept, rtol=1e-4)
    np.testing.assert_allclose(projected, centred @ components.T, atol=1e-5)


def test_all_components_keep_every_angle() -> None:
    vectors = catalog(50, 8)
    centred, projected = (fit(p, vectors).apply(vectors) for p in ("corpus-centred", "pca:8"))
    np.testing.assert_allclose(projected @ projected.T, centred @ centred.T, atol=1e-3)


def test_components_lie_along_the_axes_of_a_stretched_cloud() -> None:
    random = np.random.default_rng(3)
    vectors = (random.normal(size=(4000, 4)) * [1, 9, 0.1, 3]).astype(np.float32)
    components = components_of(fit("pca:2", vectors))
    np.testing.assert_allclose(components, np.eye(4)[[1, 3]], atol=0.02)


def test_few_and_many_tracks_are_fitted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = catalog(20, 20)
    few = fit("pca:6", vectors)
    # one track more than dimensions, which says nothing: it lies on the centre of all others
    monkeypatch.setattr(projection, "fit_centre", lambda _: few.centre)
    many = fit("pca:6", np.concatenate([vectors, few.centre[np.newaxis]]))
    np.testing.assert_allclose(components_of(few), components_of(many), atol=1e-5)


def test_large_catalogs_are_fitted_and_projected_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = catalog(100, 8)
    whole = fit("pca:3", vectors)
    monkeypatch.setattr(projection, "_ROWS", 7)
    parts = fit("pca:3", vectors)
    np.testing.assert_allclose(components_of(parts), components_of(whole), atol=1e-6)
    np.testing.assert_allclose(parts.apply(vectors), whole.apply(vectors), atol=1e-5)


def test_fitting_twice_gives_the_same_arrays_whatever_the_sign() -> None:
    vectors = catalog(60, 5)
    one, two = (components_of(fit("pca:3", copy)) for copy in (vectors, vectors.copy()))
    assert one.tobytes() == two.tobytes()
    largest = np.abs(one).argmax(axis=1)
    assert (one[np.arange(3), largest] > 0).all()


def test_a_catalog_of_one_track_is_no_zero_vector() -> None:
    vectors = catalog(1, 5)
    length = np.linalg.norm(fit("pca:1", vectors).apply(vectors))
    assert length == pytest.approx(np.linalg.norm(vectors) * 10 / 11, rel=1e-5)


@pytest.mark.parametrize("name", ["corpus-centred", "none", "pca:2"])
def test_what_is_stored_and_projected_is_float32(name: str) -> None:
    fitted = fit(name, catalog(9, 4))
    arrays = [fitted.centre, fitted.components, fitted.apply(catalog(9, 4))]
    assert {array.dtype for array in arrays if array is not None} == {np.dtype(np.float32)}
    assert fitted.apply(np.empty((0, 4), np.float32)).shape == (0, fitted.dimension)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_components_are_as_many_as_were_asked_for_or_refused(
    n_tracks: int, dimension: int, count: int
) -> None:
    vectors = catalog(n_tracks, dimension)
    if count > dimension:
        with pytest.raises(InvalidParameterError, match=f"choose at most pca:{dimension}$"):
            fit(f"pca:{count}", vectors)
    elif count > n_tracks:
        with pytest.raises(GenerationError, match=f"at least {count} tracks, tracks={n_tracks};"):
            fit(f"pca:{count}", vectors)
    else:
        fitted = fit(f"pca:{count}", vectors)
        assert fitted.dimension == count == projected_dimension(f"pca:{count}", dimension)
        assert fitted.apply(vectors).shape == (n_tracks, count)


@pytest.mark.parametrize("name", ["corpus-centred", "none"])
def test_other_projections_keep_the_dimension(name: str) -> None:
    assert projected_dimension(name, 400) == fit(name, catalog(3, 400)).dimension == 400


@pytest.mark.parametrize("name", ["pca:1", "pca:64", "pca:999999", "none", "corpus-centred"])
def test_valid_names_are_taken(name: str) -> None:
    assert require_projection(name) == name


NO_NAMES = ["", "pca", "pca:", "pca:N", "pca:64\n", "pca:６４", "None", "whitened"]
NO_NUMBERS = ["pca:0", "pca:064", "pca:-1", "pca:1.5", "pca:1000000"]


@pytest.mark.parametrize("name", NO_NAMES + NO_NUMBERS)
def test_other_names_are_refused_with_what_is_valid(name: str) -> None:
    with pytest.raises(InvalidParameterError, match="choose corpus-centred, none or pca:N"):
        require_projection(name)


def test_what_is_at_right_angles_to_the_components_has_no_direction() -> None:
    along = np.outer([-3.0, -1.0, 1.0, 3.0], [1, 0, 0, 0]).astype(np.float32)
    fitted = fit("pca:1", along)
    across = fitted.centre + np.array([[0, 5, 0, 0], [0, 0, -2, 1]], np.float32)
    assert not fitted.apply(across).any()
    assert fitted.apply(fitted.centre + np.array([[1e-3, 5, 0, 0]], np.float32)).all()
