"""Tags by name: what several taggers say of a track, as one strength a name (pure).

In plain Python: a question looks at the few tags that are strong in what it asks about, of ten
tracks, and for so few numbers the calls of an array library take longer than the numbers.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from recommender.track import TagStrength

SHARED_TAGS = 3
TAG_THRESHOLD = 0.05
DECIMALS = 3

Tags = npt.NDArray[np.float16]
Strengths = Mapping[str, float]


class Labels:
    """The names of an embedder's tags.

    Parameters
    ----------
    tag_names
        Such as ``"msd:jazz"``: the tagger before the colon is dropped. Where two taggers know the
        same tag, the stronger one counts.
    """

    def __init__(self, tag_names: Sequence[str]):
        columns = dict[str, list[int]]()
        for column, name in enumerate(tag_names):
            columns.setdefault(name.rpartition(":")[2], []).append(column)
        self._columns = dict(sorted(columns.items()))

    @property
    def names(self) -> list[str]:
        """All of them, in alphabetical order."""
        return list(self._columns)

    def columns_of(self, name: str) -> list[int]:
        """Columns of the probabilities that speak of a tag; [] for one that is not known."""
        return self._columns.get(name, [])

    def strong(self, probabilities: Sequence[float]) -> dict[str, float]:
        """Strength by name of the tags that count, those of `TAG_THRESHOLD` and above.

        Parameters
        ----------
        probabilities
            One for each of the tag names.
        """
        found = dict[str, float]()
        for name, columns in self._columns.items():
            strength = max([probabilities[column] for column in columns])
            if strength >= TAG_THRESHOLD:
                found[name] = strength
        return found

    def shared(
        self, one: Strengths, others: Iterable[Sequence[float]]
    ) -> list[tuple[TagStrength, ...]]:
        """Tags that are strong in both, at the weaker of the two strengths, strongest first.

        Parameters
        ----------
        one
            What :meth:`strong` gave; among equals the first in the alphabet comes first.
        others
            Probabilities of some tracks.
        """
        wanted = [(name, one[name], self._columns[name]) for name in one]
        return [_strongest(wanted, probabilities) for probabilities in others]


def _strongest(
    wanted: Sequence[tuple[str, float, list[int]]], probabilities: Sequence[float]
) -> tuple[TagStrength, ...]:
    weaker = list[tuple[float, str]]()
    for name, strength, columns in wanted:
        for column in columns:
            other = probabilities[column]
            if other >= TAG_THRESHOLD:
                weaker.append((-min(other, strength), name))
    weaker.sort()
    best = dict[str, float]()
    for negative, name in weaker:
        # of several taggers the surest comes first
        best.setdefault(name, -negative)
        if len(best) == SHARED_TAGS:
            break
    return tuple([TagStrength(name, round(value, DECIMALS)) for name, value in best.items()])
