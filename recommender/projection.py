"""From pooled vectors to those that are compared: fitted on the catalog, stored with the index.

What comes out has no fixed length; it is made one where an index is built or searched.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.errors import GenerationError, InvalidParameterError

CENTRED, UNCHANGED = "corpus-centred", "none"
DEFAULT_PROJECTION = CENTRED
PROJECTIONS = (CENTRED, UNCHANGED, "pca:N")
"""What there is to choose from, the default first; N is a number, for example ``"pca:64"``."""
CENTRING_PRIOR_TRACKS = 10
ROUNDING = 1e-6
_ROWS = 4096
# without leading zeros: two names of one projection would be two spaces
_PCA = re.compile(r"pca:([1-9][0-9]{0,5})", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A projection that was fitted; two arrays say all of it.

    Attributes
    ----------
    centre
        What is subtracted from a pooled vector, float32, shape (dimension,).
    components
        Orthonormal directions that are kept of the rest, those that tell most first: float32,
        shape (n_components, dimension). None keeps the rest as it is.
    """

    centre: FloatArray
    components: FloatArray | None

    @property
    def dimension(self) -> int:
        """Length of the vectors that come out."""
        return len(self.centre if self.components is None else self.components)

    def apply(self, vectors: FloatArray) -> FloatArray:
        """Project pooled vectors, float32, shape (n, dimension); they are not normalised."""
        if self.components is None:
            centred: FloatArray = vectors - self.centre
            return centred
        directions = self.components.astype(np.float64).T
        result = np.empty((len(vectors), self.dimension), np.float32)
        for first in range(0, len(vectors), _ROWS):
            rows = slice(first, first + _ROWS)
            centred_rows = _centred(vectors[rows], self.centre)
            kept = centred_rows @ directions
            length = np.linalg.norm(centred_rows, axis=1, keepdims=True)
            # what is left of a vector at right angles to all components is rounding, no direction
            nothing = np.linalg.norm(kept, axis=1, keepdims=True) < ROUNDING * length
            result[rows] = np.where(nothing, 0.0, kept)
        return result


def require_projection(projection: str) -> str:
    """The projection as it was given.

    Raises
    ------
    InvalidParameterError
        It is none of `PROJECTIONS`.
    """
    if projection not in (CENTRED, UNCHANGED) and not _PCA.fullmatch(projection):
        raise InvalidParameterError(
            f"projection={projection} is unknown; choose {CENTRED}, {UNCHANGED} or pca:N, where N "
            "is the number of components to keep, for example pca:64"
        )
    return projection


def projected_dimension(projection: str, dimension: int) -> int:
    """Length of the vectors that a projection makes of vectors of length `dimension`.

    Raises
    ------
    InvalidParameterError
        `projection` is none of `PROJECTIONS`, or keeps more components than there are dimensions.
    """
    match = _PCA.fullmatch(require_projection(projection))
    n_components = int(match[1]) if match else dimension
    if n_components > dimension:
        raise InvalidParameterError(
            f"projection={projection} is beyond the dimension={dimension} of the vectors; "
            f"choose at most pca:{dimension}"
        )
    return n_components


def fit(projection: str, vectors: FloatArray) -> Projection:
    """Fit a projection on a catalog.

    Parameters
    ----------
    projection
        ``"corpus-centred"`` subtracts :func:`fit_centre`. ``"none"`` changes nothing. ``"pca:N"``
        subtracts the same centre and keeps the `N` principal components of what is left, as they
        are (not whitened). Their memory grows with the square of the dimension, not with the
        number of tracks.
    vectors
        Pooled vectors, float32, shape (n_tracks, dimension).

    Raises
    ------
    InvalidParameterError
        As of :func:`projected_dimension`.
    GenerationError
        There are fewer tracks than components.
    """
    n_tracks, dimension = vectors.shape
    n_components = projected_dimension(projection, dimension)
    if projection == UNCHANGED:
        return Projection(np.zeros(dimension, np.float32), None)
    centre = fit_centre(vectors)
    if projection == CENTRED:
        return Projection(centre, None)
    if n_components > n_tracks:
        raise GenerationError(
            f"projection={projection} needs at least {n_components} tracks, tracks={n_tracks}; "
            f"index more music, or choose a smaller number or {CENTRED}"
        )
    return Projection(centre, _principal_components(vectors, centre, n_components))


def fit_centre(vectors: FloatArray) -> FloatArray:
    """Centre of the catalog: the mean, drawn towards zero for small catalogs.

    The mean of very few tracks is mostly those tracks themselves; subtracting it whole would turn
    a catalog of one into a zero vector. `CENTRING_PRIOR_TRACKS` imagined tracks at zero prevent it.

    Parameters
    ----------
    vectors
        Pooled vectors, float32, shape (n_tracks, dimension).
    """
    total = vectors.sum(axis=0, dtype=np.float64)
    centre: FloatArray = (total / (len(vectors) + CENTRING_PRIOR_TRACKS)).astype(np.float32)
    return centre


def _principal_components(vectors: FloatArray, centre: FloatArray, count: int) -> FloatArray:
    """Directions that the centred vectors extend most in, float32, shape (count, dimension).

    About `centre`, not about their mean: it is what they are compared about.
    """
    n_tracks, dimension = vectors.shape
    if n_tracks <= dimension:
        _, _, directions = np.linalg.svd(_centred(vectors, centre), full_matrices=False)
    else:
        _, ascending = np.linalg.eigh(_scatter(vectors, centre))
        directions = ascending.T[::-1]
    leading = directions[:count]
    # either sign will do, but the same catalog must have the same arrays
    largest = np.take_along_axis(leading, np.abs(leading).argmax(axis=1)[:, np.newaxis], axis=1)
    components: FloatArray = (leading * np.sign(largest)).astype(np.float32)
    return components


def _scatter(vectors: FloatArray, centre: FloatArray) -> npt.NDArray[np.float64]:
    scatter = np.zeros((len(centre), len(centre)))
    for first in range(0, len(vectors), _ROWS):
        part = _centred(vectors[first : first + _ROWS], centre)
        scatter += part.T @ part
    return scatter


def _centred(vectors: FloatArray, centre: FloatArray) -> npt.NDArray[np.float64]:
    exact: npt.NDArray[np.float64] = vectors.astype(np.float64) - centre
    return exact
