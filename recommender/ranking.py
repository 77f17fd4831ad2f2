"""Order, caps and reasons: pure functions over rows, cosines and tags."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows
from recommender.track import TagStrength

SIMILARITY_DECIMALS = 6
SHARED_TAGS = 3
TAG_THRESHOLD = 0.05

_Track = TypeVar("_Track", int, str)
Similarities = npt.NDArray[np.float64]


def similarity(cosines: npt.NDArray[np.floating]) -> Similarities:
    """(1 + cosine) / 2, within [0, 1], rounded so that equal vectors are exactly equal.

    Cosines of the same two vectors differ in the seventh decimal with the size of the batch that
    they were computed in; rounding makes the order stable.
    """
    halves = np.clip((1.0 + cosines.astype(np.float64)) / 2.0, 0.0, 1.0)
    rounded: Similarities = np.round(halves, SIMILARITY_DECIMALS)
    return rounded


def ordered(rows: Rows, similarities: Similarities) -> tuple[Rows, Similarities]:
    """Most similar first; equal ones by row, which is by track id."""
    order = np.lexsort((rows, -similarities))
    return rows[order], similarities[order]


def capped(
    tracks: Sequence[_Track], artist_of: Callable[[_Track], str], max_per_artist: int | None
) -> list[_Track]:
    """The tracks, by row or id, without those beyond the cap; those without an artist stay."""
    if max_per_artist is None:
        return list(tracks)
    taken: Counter[str] = Counter()
    kept = []
    for track in tracks:
        artist = artist_of(track)
        if artist and taken[artist] >= max_per_artist:
            continue
        taken[artist] += 1
        kept.append(track)
    return kept


def tag_strengths(names: Sequence[str], probabilities: FloatArray) -> dict[str, float]:
    """Strength by tag name; where two taggers know the same tag, the stronger one counts.

    Names such as ``"msd:jazz"`` carry the tagger before the colon, which is dropped.
    """
    strengths: dict[str, float] = {}
    for name, probability in zip(names, probabilities, strict=True):
        label = name.rpartition(":")[2]
        strengths[label] = max(strengths.get(label, 0.0), float(probability))
    return strengths


def shared_tags(one: dict[str, float], other: dict[str, float]) -> tuple[TagStrength, ...]:
    """Tags that are strong in both, at the weaker of the two strengths, strongest first."""
    weaker = {name: min(one[name], other.get(name, 0.0)) for name in one}
    best = sorted(weaker.items(), key=lambda item: (-item[1], item[0]))[:SHARED_TAGS]
    return tuple(
        TagStrength(name, round(strength, 4))
        for name, strength in best
        if strength >= TAG_THRESHOLD
    )
