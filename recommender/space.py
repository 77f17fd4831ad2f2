"""The identity of vectors: only vectors of one space may be compared."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from recommender.embedding import DEFAULT_WINDOWS, EmbedderSpec
from recommender.pooling import DEFAULT_POOLING, pooled_dimension
from recommender.projection import DEFAULT_PROJECTION, projected_dimension

RESAMPLER = "soxr-hq"


@dataclass(frozen=True, slots=True)
class Listening:
    """What a child has to know of a space to embed audio for it.

    Attributes
    ----------
    embedder, n_windows, pooling
        As of :class:`Space`.
    """

    embedder: EmbedderSpec
    n_windows: int | None
    pooling: str = DEFAULT_POOLING


@dataclass(frozen=True, slots=True)
class Space:
    """What makes vectors comparable.

    Attributes
    ----------
    embedder
        The embedder's specification, its weights' digest included.
    n_windows
        Windows spread over a track; None for all.
    pooling
        How they become one vector, one of :data:`recommender.pooling.POOLINGS`.
    projection
        What is done to that vector, one of :data:`recommender.projection.PROJECTIONS`.

    Raises
    ------
    InvalidParameterError
        There is no such pooling or projection, or it keeps more components than there are.
    """

    embedder: EmbedderSpec
    n_windows: int | None
    pooling: str = DEFAULT_POOLING
    projection: str = DEFAULT_PROJECTION

    def __post_init__(self) -> None:
        projected_dimension(self.projection, self.dimension)

    @property
    def id(self) -> str:
        """Name of the embedder and a digest of the whole description."""
        return id_of(self.describe())

    @property
    def stored(self) -> "Space":
        """The space that the library keeps its vectors under; see :func:`stored`."""
        return replace(self, projection=DEFAULT_PROJECTION)

    @property
    def dimension(self) -> int:
        """Length of a pooled vector, before the projection."""
        return pooled_dimension(self.pooling, self.embedder.frame_dimension)

    @property
    def listening(self) -> Listening:
        """How tracks are embedded."""
        return Listening(self.embedder, self.n_windows, self.pooling)

    @property
    def clip_listening(self) -> Listening:
        """How clips are: as tracks, but with no more windows than a caller can wait for."""
        most = DEFAULT_WINDOWS if self.n_windows is None else min(self.n_windows, DEFAULT_WINDOWS)
        return replace(self.listening, n_windows=most)

    def describe(self) -> dict[str, Any]:
        """Everything that the id is a digest of, as plain values for a manifest."""
        return {
            "embedder": _described(self.embedder),
            "n_windows": "all" if self.n_windows is None else self.n_windows,
            "resampler": RESAMPLER,
            "pooling": self.pooling,
            "projection": self.projection,
        }


def _described(spec: EmbedderSpec) -> dict[str, Any]:
    described = asdict(spec)
    # spaces were named before there were other tails, and must keep their names
    if spec.tail == "dropped":
        del described["tail"]
    return described


def stored(description: Mapping[str, Any]) -> dict[str, Any]:
    """The space whose vectors a projection is fitted on, as :meth:`Space.describe` would have it.

    What is kept of a track is pooled but not projected: to choose another projection, nothing has
    to be listened to again.
    """
    return {**description, "projection": DEFAULT_PROJECTION}


def dimension_of(description: Mapping[str, Any]) -> int:
    """Length of the vectors that are compared, of a space as :meth:`Space.describe` has it.

    Raises
    ------
    InvalidParameterError
        There is no such pooling or projection.
    """
    frame_dimension = description["embedder"]["frame_dimension"]
    pooled = pooled_dimension(description["pooling"], frame_dimension)
    return projected_dimension(description["projection"], pooled)


def id_of(description: Mapping[str, Any]) -> str:
    """The id of the space that :meth:`Space.describe` describes, here or in a manifest.

    It names files and stands in addresses, so the embedder's options are in the digest alone.
    """
    canonical = json.dumps(description, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return f"{description['embedder']['name'].partition(':')[0]}-{digest[:12]}"
