"""Years and seconds of tracks by row, as blobs of a catalog: ranges are a matter of numpy (pure).

An index of SQLite takes a hundred times as long to give the rows of a broad range.
"""

from array import array
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from recommender.filters import Filters
from recommender.track import Track

_NO_YEAR = 0
_NO_TRACK = float("nan")

Mask = npt.NDArray[np.bool_]


class Figures:
    """Year and length in seconds of each row; rows without a track have NaN seconds.

    Parameters
    ----------
    years
        int32 by row.
    durations
        float64 by row.
    """

    def __init__(self, years: bytes = b"", durations: bytes = b""):
        self._years, self._durations = array("i", years), array("d", durations)

    def put(self, row: int, track: Track) -> None:
        """Take in the track of a row."""
        missing = row + 1 - len(self._years)
        if missing > 0:
            self._years.extend([_NO_YEAR] * missing)
            self._durations.extend([_NO_TRACK] * missing)
        self._years[row], self._durations[row] = track.metadata.year, track.rounded_seconds

    def forget(self, rows: Iterable[int]) -> None:
        """Leave out tracks."""
        for row in rows:
            if row < len(self._years):
                self._durations[row] = _NO_TRACK

    def blobs(self) -> tuple[bytes, bytes]:
        """Years and durations, as they are kept."""
        return self._years.tobytes(), self._durations.tobytes()


def rows_in_ranges(years: bytes, durations: bytes, filters: Filters) -> Mask:
    """Whether there is a track in a row, and its year and its length fit; shape (n_rows,)."""
    seconds = np.frombuffer(durations, np.float64)
    fits = ~np.isnan(seconds)
    for values, least, most in (
        (np.frombuffer(years, np.int32), filters.year_from, filters.year_to),
        (seconds, filters.duration_min, filters.duration_max),
    ):
        if least is not None or most is not None:
            # 0 stands for what is not known
            fits &= values > 0
        if least is not None:
            fits &= values >= least
        if most is not None:
            fits &= values <= most
    return fits
