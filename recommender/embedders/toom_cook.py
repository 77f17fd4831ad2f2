"""Convolution along time with far fewer multiplications (Toom and Cook; Winograd 1980).

A polynomial of degree n - 1 is known from n values. So `outputs` neighbouring results of a filter
with `taps` coefficients need only n = outputs + taps - 1 products: evaluate input and filter at n
points, multiply, interpolate. With many channels each product becomes a matrix product, and the
two evaluations cost next to nothing beside it.

The points decide the rounding error. Small fractions in pairs of x, -x and 1/x keep it below
1e-5 of the result in float32 for the sizes used here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray

DoubleArray = npt.NDArray[np.float64]

# the point at infinity comes last and is not listed
POINTS = (0, 1, -1, 1 / 2, -1 / 2, 2, -2, 3 / 4, -4 / 3, -1 / 4, 4, -3 / 4, 4 / 3)


@dataclass(frozen=True, slots=True)
class ToomCook:
    """The three linear maps of a fast convolution; n is ``outputs + taps - 1``.

    Attributes
    ----------
    outputs, taps
        Results of one tile, and coefficients of the filter.
    evaluate
        float32, shape (n, n): a tile of n inputs to its values at the points.
    evaluate_kernel
        float64, shape (n, taps): a filter to its values at the points.
    interpolate
        float32, shape (outputs, n): products to results.
    """

    outputs: int
    taps: int
    evaluate: FloatArray
    evaluate_kernel: DoubleArray
    interpolate: FloatArray

    @property
    def n_points(self) -> int:
        """Products that one tile takes, which is also its length in inputs."""
        return self.outputs + self.taps - 1

    def tiles(self, series: FloatArray) -> FloatArray:
        """Cut a series into overlapping tiles and evaluate them.

        Parameters
        ----------
        series
            Shape (outputs * n_tiles + taps - 1, channels).

        Returns
        -------
        numpy.ndarray
            Shape (n_points, n_tiles, channels).
        """
        view = np.lib.stride_tricks.sliding_window_view(series, self.n_points, axis=0)
        tiles = view[:: self.outputs].transpose(2, 0, 1)
        return (self.evaluate @ tiles.reshape(self.n_points, -1)).reshape(tiles.shape)

    def kernel(self, coefficients: npt.NDArray[np.floating]) -> FloatArray:
        """Evaluate filters, shape (taps, ...), at the points: float32, shape (n_points, ...)."""
        values = np.tensordot(self.evaluate_kernel, coefficients.astype(np.float64), axes=1)
        return values.astype(np.float32)


def toom_cook(outputs: int, taps: int) -> ToomCook:
    """Build the maps for tiles of `outputs` results of a filter with `taps` coefficients."""
    n = outputs + taps - 1
    interpolation = np.linalg.inv(_evaluation(n, n))
    return ToomCook(
        outputs=outputs,
        taps=taps,
        evaluate=interpolation.T.astype(np.float32),
        evaluate_kernel=_evaluation(n, taps),
        interpolate=_evaluation(n, outputs).T.astype(np.float32),
    )


def _evaluation(n: int, coefficients: int) -> DoubleArray:
    """Values of a polynomial at n - 1 points and infinity, from its coefficients."""
    points = np.array(POINTS[: n - 1], dtype=np.float64)
    at_infinity = np.zeros((1, coefficients))
    at_infinity[0, -1] = 1.0
    return np.vstack([np.vander(points, coefficients, increasing=True), at_infinity])
