"""Build the index that a catalog is planned to have, or the nearest one that can be built."""

import logging
from dataclasses import replace

from recommender.arrays import FloatArray
from recommender.errors import InvalidParameterError
from recommender.index.faiss import FaissIndex
from recommender.index.native import check_factory
from recommender.index.recipes import KINDS, IndexOptions, Recipe, flat, plan

_log = logging.getLogger(__name__)


def build_index(
    vectors: FloatArray, options: IndexOptions, beside: int = 0
) -> tuple[FaissIndex, Recipe]:
    """Plan and build.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n, dimension).
    options
        What was asked for.
    beside
        See :func:`recommender.index.recipes.plan`.

    Returns
    -------
    index, recipe
        The recipe's warnings say what could not be had.

    Raises
    ------
    InvalidParameterError
        ``options.index`` is no kind, and FAISS does not understand it.
    """
    recipe = plan(len(vectors), vectors.shape[1], options, beside)
    if recipe.kind not in KINDS:
        check_factory(recipe.factory, vectors.shape[1])
    _log.info("building the index: %s over %s tracks", recipe.kind, f"{len(vectors):,}")
    try:
        index = FaissIndex.build(vectors, recipe)
    except InvalidParameterError as error:
        recipe = replace(flat(), warnings=(*recipe.warnings, f"{error}; it is flat"))
        index = FaissIndex.build(vectors, recipe)
    return index, recipe
