"""The embedders by name: a new one is a line in `EMBEDDERS`, and is imported when asked for.

The class of an embedder takes its options, checked by itself, as the keyword ``options``.
"""

import importlib

from recommender.embedders.options import base_name, parse_options
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError

DEFAULT_EMBEDDER = "musicnn"
EMBEDDERS = {
    "musicnn": "recommender.embedders.musicnn:Musicnn",
    "mfcc": "recommender.embedders.mfcc:Mfcc",
}


def create_embedder(name: str) -> Embedder:
    """Make the embedder called `name`; its weights are read at the first embedding.

    Parameters
    ----------
    name
        ``name[:key=value[,key=value]...]``, for example ``"musicnn:layer=mean_pool"``. The name in
        the embedder's specification makes the same embedder again.

    Raises
    ------
    InvalidParameterError
        No embedder has this name or these options; the message lists those there are.
    """
    base = base_name(name)
    if base not in EMBEDDERS:
        raise InvalidParameterError(
            f"embedder={name} is unknown; use one of {', '.join(EMBEDDERS)}"
        )
    module, class_name = EMBEDDERS[base].split(":")
    make = getattr(importlib.import_module(module), class_name)
    embedder: Embedder = make(options=parse_options(name))
    return embedder
