"""A map of a catalog: tracks that sound alike lie close together in the plane (pure).

Two principal components show little of some hundred dimensions, so they are only where it begins.
From there tracks are drawn to those that are listed as nearest to them, and pushed away from others
that are picked by chance, as UMAP has it (L. McInnes, J. Healy, J. Melville, arXiv:1802.03426,
2018), with the curve of t-SNE (L. van der Maaten, G. Hinton, JMLR 9, 2008) in place of one that is
fitted. All tracks move at once, by one neighbour each, which is a matter of a few sums in numpy.

The same vectors and lists give the same map: chance is seeded, and signs are chosen.
"""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows

Places = npt.NDArray[np.float32]
"""Shape (n_rows, 2), in [-1, 1]."""

# neighbours that a track is drawn to: with more of them, fewer of the nearest are near in the plane
NEAR = 10
# of these the middle one says where a new track is put
_AROUND = 5
_EPOCHS = 100
# tracks up to which all epochs are gone through; of more, each moves less often
_UNHURRIED = 200_000
_LEAST_EPOCHS = 50
# tracks that one is pushed away from, for each that it is drawn to
_OTHERS = 5
# the plane at the beginning, and the farthest that one track moves another at once
_EXTENT, _FARTHEST = 10.0, 4.0
_SOFTENING = 1e-3
# directions looked for to have the first two exactly, how often, and rows at a time
_DIRECTIONS, _TURNS, _ROWS = 8, 10, 65_536
# tracks that may lie outside what is drawn, were they not brought to its edge
_STRAY = 0.001


class Near(NamedTuple):
    """The rows nearest to each row.

    Attributes
    ----------
    rows
        Closest first, integers of shape (n_rows, k); -1 where there are fewer.
    similarities
        Theirs, in any unit, shape (n_rows, k).
    """

    rows: npt.NDArray[np.int32]
    similarities: npt.NDArray[np.int32]


def method_for(n_listed: int) -> Literal["neighbours", "pca"]:
    """How the map of a catalog is made, of which so many rows have lists of neighbours."""
    return "neighbours" if n_listed > NEAR else "pca"


def laid_out(units: FloatArray, near: Near) -> Places:
    """Where each track of a catalog lies.

    Parameters
    ----------
    units
        Unit vectors, float32, shape (n_rows, dimension).
    near
        Of each of them; of no row when nobody knows, and principal components are all there is.
    """
    places = principal(units)
    if method_for(len(near.rows)) == "neighbours":
        places = _drawn_together(places, near)
    return fitted(places)


def principal(units: FloatArray) -> Places:
    """The two principal components of some vectors, float32, shape (n_rows, 2).

    By subspace iteration, whose time and memory do not grow with the square of the dimension. Of
    each component the largest weight is positive.
    """
    n_rows, dimension = units.shape
    if n_rows < 2:
        return np.zeros((n_rows, 2), np.float32)
    centre = units.mean(axis=0, dtype=np.float64).astype(np.float32)
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(dimension, min(_DIRECTIONS, dimension)))
    for _ in range(_TURNS):
        basis, _ = np.linalg.qr(_scattered(units, centre, basis))
    _, within = np.linalg.eigh(basis.T @ _scattered(units, centre, basis))
    axes = np.zeros((dimension, 2))
    leading = basis @ within[:, ::-1][:, :2]
    axes[:, : leading.shape[1]] = leading
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[np.newaxis], axis=0)
    directions = (axes * np.where(largest < 0, -1.0, 1.0)).astype(np.float32)
    places: Places = units @ directions - centre @ directions
    return places


def fitted(places: Places) -> Places:
    """Places moved and scaled, both axes alike, to fill [-1, 1]; strays come to its edge."""
    if not len(places):
        return places
    low = np.quantile(places, _STRAY, axis=0, method="lower")
    high = np.quantile(places, 1.0 - _STRAY, axis=0, method="higher")
    half = float((high - low).max()) / 2.0
    if half <= 0.0:
        return np.zeros_like(places)
    inside: Places = ((places - (low + high) / 2.0) / half).clip(-1.0, 1.0).astype(np.float32)
    return inside


def among(places: Places, rows: Rows) -> Places:
    """Where a new track lies, shape (2,): in the middle of the rows nearest to it, closest first.

    The median, and not the mean: between two crowds there is nobody.
    """
    if not len(rows):
        return np.zeros(2, np.float32)
    middle: Places = np.median(places[rows[:_AROUND]], axis=0).astype(np.float32)
    return middle


def _scattered(
    units: FloatArray, centre: FloatArray, basis: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The scatter matrix of vectors, about their centre, times a basis."""
    narrow = basis.astype(np.float32)
    total = np.zeros(basis.shape)
    for first in range(0, len(units), _ROWS):
        piece = units[first : first + _ROWS]
        along = piece @ narrow - centre @ narrow
        total += piece.T @ along - np.outer(centre, along.sum(axis=0))
    return total


def _drawn_together(places: Places, near: Near) -> Places:
    """Places after tracks were drawn to their neighbours and pushed away from others."""
    n_rows, rng = len(places), np.random.default_rng(0)
    extent = float(np.abs(places).max()) or 1.0
    # no two on one spot: there is no direction between them
    places = places * (_EXTENT / extent) + rng.normal(0, 1e-3, places.shape).astype(np.float32)
    rows = np.where(near.rows < 0, np.arange(n_rows)[:, np.newaxis], near.rows)[:, :NEAR]
    strengths = _strengths(near)
    n_epochs = max(_LEAST_EPOCHS, min(_EPOCHS, _EPOCHS * _UNHURRIED // n_rows))
    for epoch in range(n_epochs):
        pace = np.float32(1.0 - epoch / n_epochs)
        for column in rng.permutation(rows.shape[1]):
            others = rng.integers(n_rows, size=n_rows)
            places = places + pace * _moves(places, rows[:, column], strengths[:, column], others)
    return places


def _strengths(near: Near) -> FloatArray:
    """How strongly each row is drawn to those near it: 1 to the nearest, 0 where there is none."""
    rows, similarities = near.rows[:, :NEAR], near.similarities[:, :NEAR].astype(np.float32)
    behind = np.where(rows < 0, 0.0, similarities[:, :1] - similarities)
    usual = behind.mean(axis=1, keepdims=True, dtype=np.float32)
    drawn = np.exp(-behind / np.maximum(usual, 1e-6))
    strengths: FloatArray = np.where(rows < 0, 0.0, drawn).astype(np.float32)
    return strengths


def _moves(
    places: Places, rows: npt.NDArray[np.int32], strengths: FloatArray, others: Rows
) -> Places:
    """How each row moves: towards one neighbour, which comes to meet it, and away from another."""
    apart = places - places[rows]
    pull = -2.0 * strengths / (1.0 + np.einsum("ij,ij->i", apart, apart))
    towards = (apart * pull[:, np.newaxis]).clip(-_FARTHEST, _FARTHEST)
    met = [np.bincount(rows, axis, len(places)) for axis in towards.T]
    apart = places - places[others]
    square = np.einsum("ij,ij->i", apart, apart)
    push = 2.0 * _OTHERS * strengths / ((_SOFTENING + square) * (1.0 + square))
    away = (apart * push[:, np.newaxis]).clip(-_FARTHEST, _FARTHEST)
    moves: Places = towards + away - np.stack(met, axis=1).astype(np.float32)
    return moves
