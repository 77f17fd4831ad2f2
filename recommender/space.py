"""The identity of vectors: only vectors of one space may be compared."""

import hashlib
import json
from dataclasses import asdict, dataclass

from recommender.embedding import EmbedderSpec

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
        canonical = json.dumps(self.describe(), sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        return f"{self.embedder.name}-{digest[:12]}"

    def describe(self) -> dict[str, object]:
        """Everything that the id is a digest of, as plain values for a manifest."""
        return {
            "embedder": asdict(self.embedder),
            "n_windows": "all" if self.n_windows is None else self.n_windows,
            "resampler": RESAMPLER,
            "pooling": POOLING,
            "projection": PROJECTION,
        }
