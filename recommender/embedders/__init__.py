"""The embedders by name: a new one is a line in `EMBEDDERS`, and is imported when asked for."""

import importlib

from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError

DEFAULT_EMBEDDER = "musicnn"
EMBEDDERS = {
    "musicnn": "recommender.embedders.musicnn:Musicnn",
}


def create_embedder(name: str) -> Embedder:
    """Make the embedder called `name`; its weights are read at the first embedding.

    Raises
    ------
    InvalidParameterError
        No embedder has this name.
    """
    if name not in EMBEDDERS:
        raise InvalidParameterError(
            f"embedder={name} is unknown; use one of {', '.join(EMBEDDERS)}"
        )
    module, class_name = EMBEDDERS[name].split(":")
    embedder: Embedder = getattr(importlib.import_module(module), class_name)()
    return embedder
