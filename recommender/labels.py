"""Tags by name: what several taggers say of a track, as one strength a name (pure)."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from recommender.track import TagStrength

SHARED_TAGS = 3
TAG_THRESHOLD = 0.05
DECIMALS = 3

Tags = npt.NDArray[np.floating]
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
        self._pairs = [(name, column) for name in self._columns for column in self._columns[name]]

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
        said = [
            (name, strength)
            for name, column in self._pairs
            if (strength := probabilities[column]) >= TAG_THRESHOLD
        ]
        found = dict(said)
        if len(found) < len(said):
            for name, strength in said:
                found[name] = max(found[name], strength)
        return found

    def shared(self, one: Strengths, others: Tags) -> list[tuple[TagStrength, ...]]:
        """Tags that are strong in both, at the weaker of the two strengths, strongest first.

        Parameters
        ----------
        one
            What :meth:`strong` gave; among equals the first in the alphabet comes first.
        others
            Probabilities of some tracks, shape (n, n_tag_names).
        """
        if not (one and others.size):
            return [()] * len(others)
        names = list(one)
        weaker = np.minimum(self._strengths(names, others), list(one.values()))
        weaker *= weaker >= TAG_THRESHOLD
        # stable: in the order of the names where they are equal
        best = (-weaker).argsort(axis=1, kind="stable")[:, :SHARED_TAGS]
        starts = np.arange(0, weaker.size, len(names))[:, np.newaxis]
        strongest = weaker.take(best + starts).round(DECIMALS)
        # of all rows in one go: a loop in a loop takes twice as long
        n_each = best.shape[1]
        tags: list[TagStrength] = [
            {"name": names[at], "strength": strength}
            for at, strength in zip(best.ravel().tolist(), strongest.ravel().tolist(), strict=True)
        ]
        shared = [tuple(tags[first : first + n_each]) for first in range(0, len(tags), n_each)]
        if strongest[:, -1].all():
            return shared
        return [tuple(tag for tag in some if tag["strength"]) for some in shared]

    def _strengths(self, names: Sequence[str], probabilities: Tags) -> npt.NDArray[np.float64]:
        """Of tags that are known, by row and name."""
        columns = [self._columns[name] for name in names]
        of_all = probabilities.take([column for some in columns for column in some], axis=1)
        strengths = of_all.astype(np.float64)
        if strengths.shape[1] == len(names):
            return strengths
        firsts = np.cumsum([0, *map(len, columns[:-1])])
        surest: npt.NDArray[np.float64] = np.maximum.reduceat(strengths, firsts, axis=1)
        return surest
