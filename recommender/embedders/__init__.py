"""The embedders by name: a new one is a line in `EMBEDDERS`, and is imported when asked for.

The class of an embedder takes its options, checked by itself, as the keyword ``options``.
"""

import importlib
from types import ModuleType

from recommender.embedders.options import base_name, parse_options
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError
from recommender.weights_store import Source

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
    module, class_name = _home(name).split(":")
    make = getattr(importlib.import_module(module), class_name)
    embedder: Embedder = make(options=parse_options(name))
    return embedder


def embedder_module(name: str) -> ModuleType:
    """The module of the embedder called `name`, options or not; it loads no network.

    Raises
    ------
    InvalidParameterError
        No embedder has this name.
    """
    return importlib.import_module(_home(name).partition(":")[0])


def weights_of(name: str) -> tuple[Source, ...]:
    """Every file of weights that the embedder called `name` may want; () when it needs none.

    Raises
    ------
    InvalidParameterError
        No embedder has this name.
    """
    weights = getattr(embedder_module(name), "WEIGHTS", ())
    # an embedder whose weights come with the package names their folder
    return weights if isinstance(weights, tuple) else ()


def sources() -> dict[str, Source]:
    """Every published file of weights by name; neither torch nor any weights are loaded."""
    return {source.name: source for name in EMBEDDERS for source in weights_of(name)}


def _home(name: str) -> str:
    base = base_name(name)
    if base not in EMBEDDERS:
        raise InvalidParameterError(
            f"embedder={name} is unknown; use one of {', '.join(EMBEDDERS)}"
        )
    return EMBEDDERS[base]
