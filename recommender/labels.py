"""Tags by name: what several taggers say of a track, as one strength a name (pure)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.track import TagStrength

SHARED_TAGS = 3
TAG_THRESHOLD = 0.05
DECIMALS = 3

Tags = npt.NDArray[np.floating]


class Strengths(NamedTuple):
    """Tags that count.

    Attributes
    ----------
    places
        Of their names among :attr:`Labels.names`, ascending, shape (n,).
    values
        How strong each of them is, shape (n,).
    """

    places: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


class Labels:
    """The names of an embedder's tags.

    Parameters
    ----------
    tag_names
        Such as ``"msd:jazz"``: the tagger before the colon is dropped. Where two taggers know the
        same tag, the stronger one counts.

    Attributes
    ----------
    names
        All names, in alphabetical order.
    """

    def __init__(self, tag_names: Sequence[str]):
        columns = dict[str, list[int]]()
        for column, name in enumerate(tag_names):
            columns.setdefault(name.rpartition(":")[2], []).append(column)
        self._columns = dict(sorted(columns.items()))
        self.names = list(self._columns)
        # columns in the order of the names, and the first of each name where taggers share some
        counts = [len(some) for some in self._columns.values()]
        self._order = np.array([c for some in self._columns.values() for c in some], np.int64)
        self._firsts = None if max(counts, default=1) == 1 else np.cumsum([0, *counts[:-1]])

    def columns_of(self, name: str) -> list[int]:
        """Columns of the probabilities that speak of a tag; [] for one that is not known."""
        return self._columns.get(name, [])

    def strong(self, probabilities: Tags) -> Strengths:
        """The tags that count, those of `TAG_THRESHOLD` and above.

        Parameters
        ----------
        probabilities
            One for each of the tag names, shape (n_tag_names,).
        """
        values = self._by_name(probabilities[np.newaxis], None)[0]
        places = (values >= TAG_THRESHOLD).nonzero()[0]
        return Strengths(places, values.take(places))

    def strongest(self, probabilities: Tags) -> npt.NDArray[np.int64]:
        """Place among the names of each track's strongest tag, -1 where none counts.

        Parameters
        ----------
        probabilities
            Of some tracks, shape (n, n_tag_names).
        """
        if not probabilities.size:
            return np.full(len(probabilities), -1, np.int64)
        values = self._by_name(probabilities, None)
        return np.where(values.max(axis=1) >= TAG_THRESHOLD, values.argmax(axis=1), -1)

    def shared(self, one: Strengths, others: Tags) -> list[tuple[TagStrength, ...]]:
        """Tags that are strong in both, at the weaker of the two strengths, strongest first.

        Parameters
        ----------
        one
            What :meth:`strong` gave; among equals the first in the alphabet comes first.
        others
            Probabilities of some tracks, shape (n, n_tag_names).
        """
        places, values = one
        if not (len(places) and others.size):
            return [()] * len(others)
        weaker = np.minimum(self._by_name(others, places), values)
        weaker *= weaker >= TAG_THRESHOLD
        # stable: in the order of the names where they are equal
        best = (-weaker).argsort(axis=1, kind="stable")[:, :SHARED_TAGS]
        starts = np.arange(0, weaker.size, len(places))[:, np.newaxis]
        strongest = weaker.take(best + starts).round(DECIMALS)
        # of all rows in one go: a loop in a loop takes twice as long
        n_each, names = best.shape[1], self.names
        tags: list[TagStrength] = [
            {"name": names[place], "strength": strength}
            for place, strength in zip(
                places.take(best).ravel().tolist(), strongest.ravel().tolist(), strict=True
            )
        ]
        shared = [tuple(tags[first : first + n_each]) for first in range(0, len(tags), n_each)]
        if strongest[:, -1].all():
            return shared
        return [tuple(tag for tag in some if tag["strength"]) for some in shared]

    def _by_name(
        self, probabilities: Tags, places: npt.NDArray[np.int64] | None
    ) -> npt.NDArray[np.float64]:
        """Strengths by row and name, of the names at some places or of all."""
        if self._firsts is None:
            columns = self._order if places is None else self._order.take(places)
            return probabilities.take(columns, axis=1).astype(np.float64)
        ordered = probabilities.take(self._order, axis=1).astype(np.float64)
        strengths: npt.NDArray[np.float64] = np.maximum.reduceat(ordered, self._firsts, axis=1)
        return strengths if places is None else strengths.take(places, axis=1)
