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
number of the key; `UNKNOWN` where it is not known."""

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
    reasons = list[Reasons]()
    for its_level, its_tempo, its_key in found:
        more = Reasons()
        if tempo != UNKNOWN != its_tempo:
            more["tempo"] = {
                "bpm": its_tempo / TENTHS,
                "seed_bpm": tempo / TENTHS,
                "close": tempos_are_close(its_tempo, tempo),
            }
        if key != UNKNOWN != its_key:
            more["key"] = {
                "key": name_of(its_key),
                "seed_key": name_of(key),
                "related": are_related(its_key, key),
            }
        if level != UNKNOWN != its_level:
            more["level"] = {
                "level_dbfs": its_level / TENTHS,
                "difference_db": (its_level - level) / TENTHS,
            }
        reasons.append(more)
    return reasons


def tempos_are_close(one: float, other: float) -> bool:
    """Whether two tempos are the same within `CLOSE_TEMPO`, at once, half or double time."""
    ratio = one / other
    return any(abs(ratio / times - 1.0) <= CLOSE_TEMPO for times in (0.5, 1.0, 2.0))
