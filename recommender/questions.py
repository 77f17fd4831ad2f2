"""What can be asked, and what an answer is made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows
from recommender.errors import InvalidParameterError
from recommender.filters import NO_FILTERS, Filters
from recommender.labels import Strengths
from recommender.segments import ClipWindows
from recommender.track import Match

MAX_LIMIT = 100


class Restrictions(Protocol):
    """What tracks an answer may have, for the fields see :class:`Options`."""

    @property
    def exclude_ids(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def exclude_artists(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def filters(self) -> Filters: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may ask of any recommending call.

    Attributes
    ----------
    limit
        Matches wanted, 1 to `MAX_LIMIT`.
    exclude_ids, exclude_artists
        Tracks and artists (compared without case and accents) that must not be in the answer.
    max_per_artist, max_per_album
        Most matches by one artist, or on one album; None for no cap. Tracks whose artist or album
        is not known are not capped.
    min_similarity
        In [0, 1]; matches below are left out.
    filters
        What a match must be like.
    diversity
        0 to 1: how much matches should be unlike each other, see
        :func:`recommender.ranking.diversified`.
    corrects_hubs
        Whether tracks that are near to everything are put back, see
        :func:`recommender.ranking.corrected`.
    collapses_duplicates
        Whether of several copies of one recording one comes at most, and none of what is asked
        about or left out, see :mod:`recommender.duplicates`.
    """

    limit: int = 10
    exclude_ids: tuple[str, ...] = ()
    exclude_artists: tuple[str, ...] = ()
    max_per_artist: int | None = None
    min_similarity: float = 0.0
    filters: Filters = NO_FILTERS
    max_per_album: int | None = None
    diversity: float = 0.0
    corrects_hubs: bool = False
    collapses_duplicates: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether the answer is what is most similar, nothing chosen of that but copies."""
        return not (
            self.corrects_hubs or self.diversity or self.max_per_artist or self.max_per_album
        )


@dataclass(frozen=True, slots=True)
class Preference:
    """A track that a caller likes or dislikes, and how much (weight > 0)."""

    track_id: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Matches, and what they were drawn from."""

    generation: str
    space: str
    matches: tuple[Match, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one generation.

    Attributes
    ----------
    vectors
        Unit vectors, float32, shape (n_queries, dimension); a track is as similar as the best of
        them makes it. None for those of the seeds, which need not be read when lists know the
        answer.
    tags
        Those that are strong in what is asked about, for the reasons.
    seeds
        Rows that cannot be an answer: the tracks that are asked about.
    about
        The row of the only one of them when nothing else is asked about.
    examples
        Rows of the tracks that are liked: a match is compared with the nearest of them. None for a
        clip.
    clip
        Windows to be looked for in time, beside the vectors.
    """

    vectors: FloatArray | None
    tags: Strengths
    seeds: Rows
    about: int | None = None
    examples: Rows | None = None
    clip: ClipWindows | None = None


def relative_weights(preferences: Sequence[Preference]) -> npt.NDArray[np.float64]:
    """Weights relative to the largest one, so that sums of very large ones stay finite."""
    for preference in preferences:
        if not 0 < preference.weight < math.inf:
            raise InvalidParameterError(
                f"weight={preference.weight} of track_id={preference.track_id} must be above 0"
            )
    weights = np.array([preference.weight for preference in preferences])
    return weights / weights.max() if len(weights) else weights
