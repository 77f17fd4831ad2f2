"""What an update says of each row, beside its vector: old rows stay where they are."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows
from recommender.catalog_tables import updated_artist_codes
from recommender.changes import Changes
from recommender.descriptors import described
from recommender.generation import Generation
from recommender.index import VectorIndex
from recommender.manifest import ARTISTS, DESCRIPTORS, IDS, MEANS, ORDER, SONGS, TAGS
from recommender.maps import NEAR, Places, among
from recommender.neighbours import Neighbours
from recommender.records import LibraryTrack
from recommender.selection import Selection
from recommender.songs import SONG, Songs, song_of

_Ids = np.ndarray[Any, np.dtype[np.bytes_]]
_Order = np.ndarray[Any, np.dtype[np.int32]]


class UpdatedRows:
    """The rows of a generation after some changes; see `recommender.row_arrays.RowArrays`."""

    def __init__(self, before: Generation, changes: Changes):
        self._before, self._changes = before, changes
        manifest = before.manifest
        self.n_rows = manifest.n_rows + len(changes.added)
        self.n_tracks = manifest.n_tracks - len(changes.removed) + len(changes.added)

    @property
    def new(self) -> Rows:
        """Those that were added."""
        return np.arange(self._before.manifest.n_rows, self.n_rows)

    @property
    def live(self) -> Selection | None:
        """Rows whose tracks are still there, None when all are."""
        if self.n_tracks == self.n_rows:
            return None
        return Selection.of(self.order.astype(np.int64), self.n_rows)

    @cached_property
    def ids(self) -> _Ids:
        """Of all rows."""
        return np.concatenate([self._before.arrays.ids, self._new_ids()])

    def _new_ids(self) -> _Ids:
        ids = [entry.track.id.encode(errors="surrogatepass") for entry in self._changes.added]
        return np.array(ids, dtype=np.bytes_)

    @cached_property
    def order(self) -> _Order:
        """Live rows in the order of their ids."""
        arrays, new = self._before.arrays, self._new_ids()
        kept = arrays.order[~np.isin(arrays.order, self._changes.removed)]
        by_id = np.argsort(new)
        places = np.searchsorted(arrays.ids[kept], new[by_id])
        return np.insert(kept, places, (self._before.manifest.n_rows + by_id).astype(np.int32))

    @cached_property
    def means(self) -> tuple[FloatArray, FloatArray]:
        """Mean of the unit vectors when the projection was fitted, and from now on."""
        fitted, before = self._before.arrays.means
        total = before.astype(np.float64) * self._before.manifest.n_tracks
        total += self._changes.units.sum(axis=0, dtype=np.float64)
        total -= self._before.index.vectors(self._changes.removed).sum(axis=0, dtype=np.float64)
        return fitted, (total / max(self.n_tracks, 1)).astype(np.float32)

    @property
    def drift(self) -> float:
        """Distance between these means."""
        fitted, now = self.means
        return float(np.linalg.norm(now - fitted))

    @cached_property
    def songs(self) -> Songs:
        """Of all rows."""
        new = np.array([song_of(entry.track) for entry in self._changes.added], SONG)
        songs = np.concatenate([self._before.arrays.songs, new])
        for row, entry in self._changes.kept.items():
            songs[row] = song_of(entry.track)
        return songs

    @property
    def other_songs(self) -> Rows:
        """Rows that are new, that died, or whose song is another."""
        kept = np.fromiter(self._changes.kept, np.int64, len(self._changes.kept))
        other = kept[self.songs[kept] != self._before.arrays.songs[kept]]
        return np.concatenate([self._changes.removed, other, self.new])

    def changed(self, catalog: Path) -> dict[str, np.ndarray[Any, Any]]:
        """The arrays that are others than before, by the names of their files.

        Parameters
        ----------
        catalog
            The one of the update, written already.
        """
        arrays: dict[str, np.ndarray[Any, Any]] = {
            ORDER: self.order,
            ARTISTS: self._artists(catalog),
            MEANS: np.stack(self.means),
        }
        if self._changes.added:
            arrays[IDS] = self.ids
        if len(self.other_songs) > len(self._changes.removed):
            arrays[SONGS] = self.songs
        told = self._before.arrays
        for name, before, value in (
            (TAGS, told.tags, _tags),
            (DESCRIPTORS, told.descriptors, _descriptors),
        ):
            array = self._of_each(before, value)
            if array is not None:
                arrays[name] = array
        return arrays

    def places(self, index: VectorIndex, lists: Neighbours) -> Places:
        """Of all rows on the map: new ones lie in the midst of older ones that are near them."""
        before = self._before.arrays.places
        near = [self._older_near(row, index, lists) for row in self.new.tolist()]
        new = np.array([among(before, rows) for rows in near], np.float32)
        return np.concatenate([before, new.reshape(-1, 2)])

    def _older_near(self, row: int, index: VectorIndex, lists: Neighbours) -> Rows:
        """Rows of the generation before that are near one, closest first."""
        listed, first = lists.of(row), self._before.manifest.n_rows
        if listed is not None:
            older = listed[0][(listed[0] >= 0) & (listed[0] < first)]
            if len(older):
                return np.asarray(older, np.int64)
        found: Rows = index.nearest(index.vectors(np.array([row]))[0], NEAR, self.new)[0]
        return found

    def _artists(self, catalog: Path) -> np.ndarray[Any, np.dtype[np.int32]]:
        changed = [*self._changes.removed.tolist(), *self._changes.kept, *self.new.tolist()]
        before = self._before.arrays.artists
        return updated_artist_codes(catalog, before, changed, self.n_rows)

    def _of_each(
        self, before: np.ndarray[Any, Any], value: Callable[[LibraryTrack], npt.ArrayLike]
    ) -> np.ndarray[Any, Any] | None:
        """An array that the library tells row by row; None when it is what it was."""
        kept = self._changes.kept
        rows = np.fromiter(kept, np.int64, len(kept))
        of_kept, new = (
            np.array([value(entry) for entry in entries], before.dtype).reshape(-1, before.shape[1])
            for entries in (kept.values(), self._changes.added)
        )
        if not len(new) and np.array_equal(of_kept, before[rows]):
            return None
        array = np.concatenate([before, new])
        array[rows] = of_kept
        return array


def _tags(entry: LibraryTrack) -> npt.ArrayLike:
    return entry.tags


def _descriptors(entry: LibraryTrack) -> npt.ArrayLike:
    return described(entry.level_dbfs, entry.track.metadata)
