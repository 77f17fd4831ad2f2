"""An embedder whose weights are somewhere else, in the shape of those that the project has."""

from collections.abc import Mapping

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.options import complete, full_name
from recommender.embedding import EmbedderSpec, Frames
from recommender.weights_store import installed
from tests.published_weights import SOURCE

NAME = "fake"
CHOICES = {"size": ("200", "300")}
WEIGHTS = (SOURCE,)
FITNESS = "fit for nothing but tests"


class Weighted:
    """Says the same of every window."""

    def __init__(self, options: Mapping[str, str] | None = None):
        self._options = complete(NAME, CHOICES, options or {})

    @property
    def spec(self) -> EmbedderSpec:
        return EmbedderSpec(
            name=full_name(NAME, CHOICES, self._options),
            version="1",
            sample_rate=8000,
            window_samples=8000,
            hop_samples=4000,
            context_samples=0,
            least_samples=8000,
            frame_dimension=int(self._options["size"]),
            tag_names=(),
            front_end="none",
            layer="none",
            weights_sha256=installed(SOURCE).sha256,
        )

    def embed(self, windows: FloatArray) -> Frames:
        vectors = np.repeat(installed(SOURCE).load()["dense/bias"][None], len(windows), axis=0)
        return Frames(vectors, np.empty((len(windows), 0), np.float32))
