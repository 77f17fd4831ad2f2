"""What became of the tracks of a generation since it was made."""

from dataclasses import dataclass

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.building import check_sound, projected
from recommender.generation import Generation
from recommender.library import Library
from recommender.records import LibraryTrack
from recommender.space import id_of, stored

# a vector that is kept in float16 comes back with errors of this size
SAME_VECTOR = 2e-4


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update does to a generation.

    Attributes
    ----------
    removed
        Rows that are dead from now on.
    kept
        Rows whose vector stays, and what else is known of their tracks now.
    added
        Tracks that get a new row each, in this order.
    units
        Their unit vectors, shape (len(added), dimension).
    """

    removed: Rows
    kept: dict[int, LibraryTrack]
    added: list[LibraryTrack]
    units: FloatArray


def changes_of(changed: set[str], library: Library, before: Generation) -> Changes:
    """What became of tracks that may have changed.

    Raises
    ------
    GenerationError
        A vector in the library is damaged.
    """
    space_id = id_of(stored(before.manifest.space))
    entries = list(library.publishable(space_id, changed))
    for entry in entries:
        check_sound(entry, len(before.projection.centre), before.arrays.tags.shape[1])
    pooled = np.array([entry.vector for entry in entries], dtype=np.float32)
    units = projected(before.projection, pooled.reshape(-1, len(before.projection.centre)))
    rows = _rows_by_id(before, changed)
    old = before.index.vectors(np.array([rows.get(e.track.id, 0) for e in entries], np.int64))
    same = np.abs(units - old).max(axis=1, initial=0.0) < SAME_VECTOR
    kept, new = dict[int, LibraryTrack](), list[int]()
    for place, entry in enumerate(entries):
        row = rows.get(entry.track.id)
        if row is not None and same[place]:
            kept[row] = entry
        else:
            new.append(place)
    removed = sorted(set(rows.values()).difference(kept))
    return Changes(np.array(removed, np.int64), kept, [entries[p] for p in new], units[new])


def _rows_by_id(generation: Generation, ids: set[str]) -> dict[str, int]:
    wanted = sorted(ids)
    rows, unknown = generation.rows_of(wanted)
    missing = set(unknown)
    return dict(zip((id_ for id_ in wanted if id_ not in missing), rows.tolist(), strict=True))
