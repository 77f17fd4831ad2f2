"""What is known of each row of a generation beside its vector, in arrays that are mapped."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.descriptors import WIDTH, Descriptors
from recommender.errors import GenerationError
from recommender.manifest import (
    ARTISTS,
    CHANGED_NEIGHBOURS,
    DESCRIPTORS,
    IDS,
    MAP,
    MEANS,
    NEIGHBOURS,
    ORDER,
    RECORDINGS,
    SONGS,
    TAGS,
    Manifest,
)
from recommender.maps import Places
from recommender.neighbours import LISTED, Neighbours
from recommender.ranking import Similarities
from recommender.selection import Selection
from recommender.slices import RowFile
from recommender.songs import Songs

_Array = TypeVar("_Array")

# rows that are looked at in one go: what takes longer keeps a service from answering meanwhile
_CHECKED = 8_192
_FENCED = 64


@dataclass(frozen=True)
class RowArrays:
    """What is known of each row beside its vector; mapped from files when it was published.

    Attributes
    ----------
    ids
        Track ids in UTF-8, dead rows included, shape (n_rows,).
    order
        Live rows in the order of their ids, int32, shape (n_tracks,).
    tags
        Tag probabilities, float16, shape (n_rows, n_tag_names).
    artists
        A number for each artist, -1 for none, int32, shape (n_rows,).
    descriptors
        Level, tempo and key, see :data:`recommender.descriptors.Descriptors`.
    means
        Mean of the unit vectors when the projection was fitted, and now; shape (2, dimension).
    neighbours
        Rows near each row.
    songs
        What tells copies of one recording, see :mod:`recommender.songs`, shape (n_rows,).
    recordings
        The number of the recording that a row is a copy of, -1 where no other row is one, int32,
        shape (n_rows,).
    places
        Where each row lies on the map, float32, shape (n_rows, 2), in [-1, 1].
    """

    ids: np.ndarray[Any, np.dtype[np.bytes_]]
    order: np.ndarray[Any, np.dtype[np.int32]]
    tags: np.ndarray[Any, np.dtype[np.float16]]
    artists: np.ndarray[Any, np.dtype[np.int32]]
    descriptors: Descriptors
    means: FloatArray
    neighbours: Neighbours
    songs: Songs
    recordings: np.ndarray[Any, np.dtype[np.int32]]
    places: Places

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map the arrays of a generation, verified before."""
        ids, order, tags, artists, descriptors, changed, songs, recordings, places = (
            load_array(folder / name, mapped=True)
            for name in (
                *(IDS, ORDER, TAGS, ARTISTS, DESCRIPTORS),
                *(CHANGED_NEIGHBOURS, SONGS, RECORDINGS, MAP),
            )
        )
        near = Neighbours(_read_array(folder / NEIGHBOURS, RowFile.of), changed)
        means = load_array(folder / MEANS)
        rows = ids, order, tags, artists, descriptors
        return cls(*rows, means, near, songs, recordings, places)

    @cached_property
    def crowding(self) -> Similarities | None:
        """How similar each row is to those nearest to it, shape (n_rows,); None if not known."""
        return self.neighbours.crowding(len(self.ids))

    @cached_property
    def has_copies(self) -> bool:
        """Whether any two rows are of one recording."""
        return bool((self.recordings >= 0).any())

    @cached_property
    def recording_of_row(self) -> memoryview | None:
        """The same as `recordings`, None where no two rows are of one recording."""
        # single numbers come out of a view much quicker than out of an array
        return memoryview(self.recordings.data) if self.has_copies else None

    @property
    def live(self) -> Selection | None:
        """Rows whose tracks are still there, None when all are."""
        if len(self.order) == len(self.ids):
            return None
        return Selection.of(self.order.astype(np.int64), len(self.ids))

    def rows_of(self, track_ids: Sequence[str]) -> tuple[Rows, list[str]]:
        """Rows of the known ids, in their order, and the ids that are not known."""
        found, unknown = list[int](), list[str]()
        for id_ in track_ids:
            row = self.row_of(id_)
            if row is None:
                unknown.append(id_)
            else:
                found.append(row)
        return np.array(found, dtype=np.int64), unknown

    @cached_property
    def _fences(self) -> list[bytes]:
        """Ids here and there: a search among all would go all over the memory."""
        fences: list[bytes] = self.ids[self.order[::_FENCED]].tolist()
        return fences

    def row_of(self, track_id: str) -> int | None:
        """The row of a track, None when it is not known."""
        wanted = track_id.encode(errors="surrogatepass")
        end = bisect_right(self._fences, wanted) * _FENCED
        order = self.order[max(0, end - _FENCED) : end]
        place = bisect_left(order, wanted, key=self.ids.__getitem__)
        if place == len(order):
            return None
        row = int(order[place])
        return row if self.ids[row] == wanted else None

    def names(self, rows: Rows) -> list[str]:
        """Ids of some rows."""
        return [id_.decode(errors="surrogatepass") for id_ in self.ids[rows].tolist()]


def load_array(path: Path, *, mapped: bool = False) -> np.ndarray[Any, Any]:
    """An array of a generation, of which the digest has been verified.

    Raises
    ------
    GenerationError
        The file holds none.
    """
    mode: Any = "r" if mapped else None
    # the plain type: a memmap's own is slower at every step
    return _read_array(path, lambda file: np.asarray(np.load(file, mode, allow_pickle=False)))


def _read_array(path: Path, read: Callable[[Path], _Array]) -> _Array:
    try:
        return read(path)
    except (ValueError, EOFError) as error:
        raise GenerationError(
            f"generation={path.parent.name} file={path.name} is no array"
        ) from error


def check_arrays(manifest: Manifest, arrays: RowArrays) -> None:
    """Check that the arrays of a generation have the shapes that its manifest says.

    Raises
    ------
    GenerationError
        Naming the file that has another.
    """
    n_rows, n_tags = manifest.n_rows, len(manifest.space["embedder"]["tag_names"])
    lists, changed = arrays.neighbours.lists, arrays.neighbours.changed
    expected: dict[str, tuple[Any, str, tuple[int, ...]]] = {
        IDS: (arrays.ids, "S", (n_rows,)),
        ORDER: (arrays.order, "i", (manifest.n_tracks,)),
        TAGS: (arrays.tags, "f", (n_rows, n_tags)),
        ARTISTS: (arrays.artists, "i", (n_rows,)),
        DESCRIPTORS: (arrays.descriptors, "i", (n_rows, WIDTH)),
        MEANS: (arrays.means, "f", (2, manifest.dimension)),
        NEIGHBOURS: (lists, "i", (len(lists), 2, LISTED)),
        CHANGED_NEIGHBOURS: (changed, "i", (len(changed), 1 + 2 * LISTED)),
        SONGS: (arrays.songs, "V", (n_rows,)),
        RECORDINGS: (arrays.recordings, "i", (n_rows,)),
        MAP: (arrays.places, "f", (n_rows, 2)),
    }
    for file, (array, kind, shape) in expected.items():
        if array.dtype.kind != kind or array.shape != shape:
            raise GenerationError(
                f"generation={manifest.generation} file={file} is not of shape {shape}"
            )
    if not (np.abs(arrays.places) <= 1.0).all():
        raise GenerationError(f"generation={manifest.generation} file={MAP} is not in [-1, 1]")
    order = arrays.order
    if len(order) and not (order.min() >= 0 and order.max() < n_rows):
        raise GenerationError(f"generation={manifest.generation} file={ORDER} names no row")
    if not all(
        _ascending(arrays.ids[order[first : first + _CHECKED + 1]])
        for first in range(0, len(order), _CHECKED)
    ):
        raise GenerationError(f"generation={manifest.generation} ids are not unique and in order")


def _ascending(ids: np.ndarray[Any, np.dtype[np.bytes_]]) -> bool:
    return bool((ids[:-1] < ids[1:]).all())
