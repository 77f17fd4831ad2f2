"""Order and caps: pure functions over rows and cosines."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows

SIMILARITY_DECIMALS = 6
MILLIONTHS = 10**SIMILARITY_DECIMALS

_Track = TypeVar("_Track", int, str)
_Artist = TypeVar("_Artist", int, str)
Similarities = npt.NDArray[np.float64]


def similarity(cosines: npt.NDArray[np.floating]) -> Similarities:
    """(1 + cosine) / 2, within [0, 1], rounded so that equal vectors are exactly equal.

    Cosines of the same two vectors differ in the seventh decimal with the size of the batch that
    they were computed in; rounding makes the order stable.
    """
    halves = (1.0 + cosines.astype(np.float64, copy=False)) / 2.0
    rounded: Similarities = halves.clip(0.0, 1.0).round(SIMILARITY_DECIMALS)
    return rounded


def ordered(
    rows: Rows, similarities: Similarities, ids: npt.NDArray[np.bytes_]
) -> tuple[Rows, Similarities]:
    """Most similar first; equal ones by track id.

    Parameters
    ----------
    rows
        Shape (n,).
    similarities
        Of each row, shape (n,).
    ids
        Track ids of all rows of the index.
    """
    # as an index gives them, nearly always
    if (similarities[1:] < similarities[:-1]).all():
        return rows, similarities
    order = np.lexsort((ids[rows], -similarities))
    return rows[order], similarities[order]


def capped(
    tracks: Iterable[_Track], artist_of: Callable[[_Track], _Artist | None], max_per_artist: int
) -> tuple[list[_Track], set[_Artist]]:
    """The tracks, by row or id, without those beyond the cap, and the artists that reached it.

    Tracks whose artist is None, which is not known, all stay.
    """
    taken: Counter[_Artist] = Counter()
    kept = []
    for track in tracks:
        artist = artist_of(track)
        if artist is not None:
            if taken[artist] >= max_per_artist:
                continue
            taken[artist] += 1
        kept.append(track)
    return kept, {artist for artist, count in taken.items() if count >= max_per_artist}
