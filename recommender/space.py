"""The identity of vectors: only vectors of one space may be compared."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recommender.embedding import DEFAULT_WINDOWS, EmbedderSpec

RESAMPLER = "soxr-hq"
POOLING = "mean"
PROJECTION = "corpus-centred"


@dataclass(frozen=True, slots=True)
class Space:
    """What makes vectors comparable.

    Attributes
    ----------
    embedder
        The embedder's specification, its weights' digest included.
    n_windows
        Windows spread over a track; None for all.
    """

    embedder: EmbedderSpec
    n_windows: int | None

    @property
    def id(self) -> str:
        """Name of the embedder and a digest of the whole description."""
        return id_of(self.describe())

    @property
    def clip_windows(self) -> int:
        """Windows of a clip: those of a track, but never more than a caller can wait for."""
        return DEFAULT_WINDOWS if self.n_windows is None else min(self.n_windows, DEFAULT_WINDOWS)

    def describe(self) -> dict[str, Any]:
        """Everything that the id is a digest of, as plain values for a manifest."""
        return {
            "embedder": asdict(self.embedder),
            "n_windows": "all" if self.n_windows is None else self.n_windows,
            "resampler": RESAMPLER,
            "pooling": POOLING,
            "projection": PROJECTION,
        }


def id_of(description: Mapping[str, Any]) -> str:
    """The id of the space that :meth:`Space.describe` describes, here or in a manifest.

    It names files and stands in addresses, so the embedder's options are in the digest alone.
    """
    canonical = json.dumps(description, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return f"{description['embedder']['name'].partition(':')[0]}-{digest[:12]}"
