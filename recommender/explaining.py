"""Why tracks are matches, beside the tags that they share with what was asked about."""

from collections.abc import Iterator

import numpy as np

from recommender.arrays import Rows
from recommender.descriptors import compared
from recommender.generation import Generation
from recommender.questions import Options
from recommender.ranking import similarity
from recommender.track import Reasons


def explained(
    generation: Generation, rows: Rows | list[int], examples: Rows | None, options: Options
) -> list[Reasons]:
    """The reasons of some rows.

    Parameters
    ----------
    generation
        Theirs.
    rows
        Of the matches.
    examples
        Rows of the tracks that were asked about. Of several, a match is compared with the one that
        it is nearest to; of None, with nothing.
    options
        What was wanted.
    """
    if examples is None:
        found = [Reasons() for _ in rows]
    elif len(examples) == 1:
        found = beside(generation, int(examples[0]), rows)
    else:
        found = list(_by_nearest(generation, np.asarray(rows, np.int64), examples))
    if corrects(generation, options):
        for reasons in found:
            reasons["hub_corrected"] = True
    return found


def corrects(generation: Generation, options: Options) -> bool:
    """Whether answers are corrected for hubs: where the catalog is too small, none are known."""
    return options.corrects_hubs and generation.arrays.crowding is not None


def beside(generation: Generation, row: int, rows: Rows | list[int]) -> list[Reasons]:
    """What some rows have in common with another one, as far as it is measured or known."""
    asked, *found = generation.arrays.descriptors.take([row, *rows], axis=0).tolist()
    return compared(asked, found)


def _by_nearest(generation: Generation, rows: Rows, examples: Rows) -> Iterator[Reasons]:
    vectors = generation.index.vectors
    cosines = vectors(rows).astype(np.float64) @ vectors(examples).T.astype(np.float64)
    nearest = cosines.argmax(axis=1)
    likeness = similarity(cosines.max(axis=1)).tolist()
    names = generation.arrays.names(examples[nearest])
    for row, example, name, alike in zip(
        rows.tolist(), examples[nearest].tolist(), names, likeness, strict=True
    ):
        (reasons,) = beside(generation, example, [row])
        reasons["seed"] = {"track_id": name, "similarity": alike}
        yield reasons
