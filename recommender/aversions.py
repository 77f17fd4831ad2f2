"""What a listener wants nothing of any more: albums of which several tracks are disliked.

What sounds like a disliked track is pushed down, see :mod:`recommender.taste`; but an album holds
more than one sound, and who dislikes three of its tracks does not wait for the fourth.
"""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from recommender.arrays import Rows
from recommender.choosing import album_of
from recommender.filters import Filters
from recommender.generation import Generation
from recommender.taste import LIKE, Opinion

ENOUGH = 3
"""Tracks of an album that are disliked, and more than are liked, so that none comes any more."""


def shunned(generation: Generation, rows: Rows, opinions: Sequence[Opinion]) -> Rows:
    """Rows of the albums that a listener wants nothing of.

    Parameters
    ----------
    generation
        Theirs.
    rows
        Of the tracks of `opinions`, shape (n,).
    opinions
        What is thought of each.
    """
    disliked = rows[[one.disliked for one in opinions]] if len(rows) else rows
    if len(disliked) < ENOUGH:
        return disliked[:0]
    liked = rows[[not one.disliked and one.weight >= LIKE for one in opinions]]
    against, titles = _albums(generation, disliked)
    in_favour, _ = _albums(generation, liked)
    albums = {
        album for album, count in against.items() if count >= ENOUGH and count > in_favour[album]
    }
    if not albums:
        return disliked[:0]
    wanted = Filters(albums=tuple(titles[album] for album in albums))
    found = generation.catalog.tracks(generation.catalog.rows_matching(wanted))
    # other albums may have the same title
    of_these = [row for row, track in found.items() if album_of(track.metadata) in albums]
    return np.array(of_these, np.int64)


def _albums(generation: Generation, rows: Rows) -> tuple[Counter[Hashable], dict[Hashable, str]]:
    """How many of some rows are on each album, and its title."""
    counts, titles = Counter[Hashable](), dict[Hashable, str]()
    for track in generation.catalog.tracks(rows).values():
        album = album_of(track.metadata)
        if album and track.metadata.album:
            counts[album] += 1
            titles[album] = track.metadata.album
    return counts, titles
