"""What is measured or known of a track beside its vector: level, tempo, key (pure).

They lie by row in one small array of whole numbers, for every match of an answer is compared in
them with what was asked about.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recommender.keys import are_related, name_of, number_of
from recommender.track import Metadata, Reasons

Descriptors = npt.NDArray[np.int16]
"""Shape (n, 3): level in tenths of a dB relative to full scale, tempo in tenths of a beat a minute,
number of the key; `UNKNOWN` where tempo or key is not known."""

WIDTH = 3
UNKNOWN = -32_768
TENTHS = 10
CLOSE_TEMPO = 0.04
"""Share by which tempos may differ that are still close, half and double time included."""
_MOST = 32_767


def described(level_dbfs: float, metadata: Metadata) -> tuple[int, int, int]:
    """One row of :data:`Descriptors`."""
    key = number_of(metadata.key)
    return (
        max(-_MOST, min(round(TENTHS * level_dbfs), _MOST)),
        round(TENTHS * metadata.bpm) or UNKNOWN,
        UNKNOWN if key is None else key,
    )


def compared(asked: Sequence[int], found: Sequence[Sequence[int]]) -> list[Reasons]:
    """What tracks have in common with another one, each as reasons of a match.

    Parameters
    ----------
    asked
        Descriptors of the track that was asked about.
    found
        Those of some others.
    """
    level, tempo, key = asked
    reasons: list[Reasons] = [
        {"level": {"level_dbfs": its / TENTHS, "difference_db": (its - level) / TENTHS}}
        for its, _, _ in found
    ]
    # of most tracks neither is known, and every answer comes along here
    if tempo != UNKNOWN:
        for why, (_, its, _) in zip(reasons, found, strict=True):
            if its != UNKNOWN:
                close = tempos_are_close(its, tempo)
                why["tempo"] = {"bpm": its / TENTHS, "seed_bpm": tempo / TENTHS, "close": close}
    if key != UNKNOWN:
        for why, (_, _, its) in zip(reasons, found, strict=True):
            if its != UNKNOWN:
                names, related = (name_of(its), name_of(key)), are_related(its, key)
                why["key"] = {"key": names[0], "seed_key": names[1], "related": related}
    return reasons


def tempos_are_close(one: float, other: float) -> bool:
    """Whether two tempos are the same within `CLOSE_TEMPO`, at once, half or double time."""
    ratio = one / other
    return any(abs(ratio / times - 1.0) <= CLOSE_TEMPO for times in (0.5, 1.0, 2.0))
