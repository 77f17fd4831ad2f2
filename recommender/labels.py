"""Tags by name: what several taggers say of a track, as one strength a name (pure)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.track import TagStrength

SHARED_TAGS = 3
TAG_THRESHOLD = 0.05
DECIMALS = 3

Tags = npt.NDArray[np.float16]


class Labels:
    """The names of an embedder's tags, in alphabetical order.

    Parameters
    ----------
    tag_names
        Such as ``"msd:jazz"``: the tagger before the colon is dropped. Where two taggers know the
        same tag, the stronger one counts.
    """

    def __init__(self, tag_names: Sequence[str]):
        short = [name.rpartition(":")[2] for name in tag_names]
        self.names = sorted(set(short))
        self._columns = {name: list[int]() for name in self.names}
        for column, name in enumerate(short):
            self._columns[name].append(column)
        most = max(map(len, self._columns.values()), default=1)
        # a column for each tagger; who does not know a tag repeats what another says
        padded = [(columns * most)[:most] for columns in self._columns.values()]
        self._places = np.array(padded, dtype=np.intp).reshape(-1, most)

    def columns_of(self, name: str) -> list[int]:
        """Columns of the probabilities that speak of a tag; [] for one that is not known."""
        return self._columns.get(name, [])

    def strengths(self, probabilities: npt.NDArray[np.floating]) -> FloatArray:
        """Strength by name.

        Parameters
        ----------
        probabilities
            Shape (n, n_tag_names).

        Returns
        -------
        FloatArray
            float32, shape (n, n_names).
        """
        return _strongest(probabilities, self._places)

    def shared(
        self, one: FloatArray, others: npt.NDArray[np.floating]
    ) -> list[tuple[TagStrength, ...]]:
        """Tags that are strong in both, at the weaker of the two strengths, strongest first.

        Parameters
        ----------
        one
            Strengths by name, shape (n_names,).
        others
            Probabilities of n tracks, shape (n, n_tag_names).
        """
        # few tags of anything are strong enough to count
        columns = np.flatnonzero(one >= TAG_THRESHOLD)
        weaker = np.minimum(_strongest(others, self._places[columns]), one[columns])
        # stable: among equals the first in the alphabet
        best = np.argsort(-weaker, axis=1, kind="stable")[:, :SHARED_TAGS]
        strengths = weaker[np.arange(len(others))[:, np.newaxis], best]
        counts = np.count_nonzero(strengths >= TAG_THRESHOLD, axis=1)
        names = [self.names[column] for column in columns.tolist()]
        rounded = np.round(strengths.astype(np.float64), DECIMALS).tolist()
        return [
            tuple(map(TagStrength, [names[place] for place in places[:n]], values[:n]))
            for places, values, n in zip(best.tolist(), rounded, counts.tolist(), strict=True)
        ]


def _strongest(probabilities: npt.NDArray[np.floating], places: npt.NDArray[np.intp]) -> FloatArray:
    """The greatest of some columns, shape (n, len(places)), for each row of `places`."""
    strongest: FloatArray = probabilities[:, places].astype(np.float32).max(axis=2)
    return strongest
