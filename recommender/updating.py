"""Update a generation: what changed in the library since, and nothing else.

New tracks are added to a copy of the index, those that left stay in it as dead rows which no search
returns, and files that do not change are the same files, linked. No vector is projected anew but
those that came, so the projection stays the one that was fitted when the index was built. When that
no longer describes the catalog, or too many rows are dead, or searches find too little, the index
is built as a whole again.
"""

import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.building import Built, check_sound, projected, write_arrays
from recommender.catalog_tables import artist_codes, update_catalog
from recommender.current import generations_dir
from recommender.errors import GenerationError
from recommender.generation import Generation
from recommender.index import VectorIndex
from recommender.index.faiss import FaissIndex
from recommender.index.measurement import Measurement
from recommender.index.recipes import IndexOptions, plan
from recommender.index.tuning import measure
from recommender.library import Library
from recommender.manifest import (
    ARTISTS,
    CATALOG,
    CATALOG_FILES,
    CENTRE,
    COMPONENTS,
    DOCUMENTS,
    IDS,
    MEANS,
    ORDER,
    TAGS,
    IndexRecord,
)
from recommender.records import LibraryTrack
from recommender.selection import Selection
from recommender.space import id_of, stored

_log = logging.getLogger(__name__)

# a vector that is kept in float16 comes back with errors of this size
SAME_VECTOR = 2e-4
MORE_EFFORTS = 3
QUERIES = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a generation is updated before its index is built as a whole again.

    Attributes
    ----------
    least_rows
        Below, all is built anew at once: it takes a second, and the projection fits exactly.
    most_dead
        Share of rows whose tracks left.
    most_growth
        Rows that were added since the index was built, for each row that it was built from.
    most_drift
        Distance that the mean of the unit vectors moved since the projection was fitted.
    """

    least_rows: int = 2_000
    most_dead: float = 0.1
    most_growth: float = 1.0
    most_drift: float = 0.05


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


def update(
    folder: Path,
    library: Library,
    space: Mapping[str, Any],
    options: IndexOptions,
    before: Generation,
    limits: Limits,
) -> Built | None:
    """Write all files of a generation but the manifest, as an update of another.

    Parameters
    ----------
    folder
        Empty, and nobody's yet; beside that of `before`.
    library
        What there is.
    space
        As `Space.describe` has it.
    options
        What the index would be planned from.
    before
        Verified, of the same space.
    limits
        When not to.

    Returns
    -------
    Built or None
        None when it has to be built as a whole; the log says why, and `folder` is still empty.

    Raises
    ------
    StorageError, OSError
        The disk is full or not writable.
    """
    try:
        return _updated(folder, library, space, options, before, limits)
    except _WholeBetterError as reason:
        _log.info("the index is built as a whole: %s", reason)
        return None


class _WholeBetterError(Exception):
    """Why an index is better built as a whole."""


def _updated(
    folder: Path,
    library: Library,
    space: Mapping[str, Any],
    options: IndexOptions,
    before: Generation,
    limits: Limits,
) -> Built:
    manifest = before.manifest
    changed = library.changed_since(manifest.library_revision, id_of(stored(space)))
    if changed is None:
        raise _WholeBetterError("the library is another one than it was built from")
    if manifest.space_id != id_of(space) or manifest.index.options != options:
        raise _WholeBetterError("it is to be made otherwise")
    if manifest.n_rows < limits.least_rows:
        raise _WholeBetterError(f"it is small, rows={manifest.n_rows}")
    update = _Update(folder, before, changes_of(changed, library, before))
    update.check(limits)
    return update.write()


class _Update:
    """One update on its way."""

    def __init__(self, folder: Path, before: Generation, changes: Changes):
        self._folder, self._before, self._changes = folder, before, changes
        self._manifest = before.manifest
        self._source = generations_dir(folder.parents[1]) / self._manifest.generation
        self._n_rows = self._manifest.n_rows + len(changes.added)
        self._n_tracks = self._manifest.n_tracks - len(changes.removed) + len(changes.added)
        self._linked = dict[str, Any]()

    def check(self, limits: Limits) -> None:
        """Raise _WholeBetterError when it would go too far."""
        record = self._manifest.index
        dead = 1 - self._n_tracks / self._n_rows
        growth = self._n_rows / max(record.n_built, 1) - 1
        fitted, now = self._means
        drift = float(np.linalg.norm(now - fitted))
        wanted = plan(self._n_tracks, self._manifest.dimension, record.options).kind
        reasons = {
            f"{dead:.1%} of its rows are dead": dead > limits.most_dead,
            f"it grew by {growth:.0%}": growth > limits.most_growth,
            f"the catalog drifted by {drift:.3f}": drift > limits.most_drift,
            f"its kind is {wanted} from now on": wanted != record.recipe.kind,
        }
        for reason, holds in reasons.items():
            if holds:
                raise _WholeBetterError(reason)

    def write(self) -> Built:
        """Write the files, unless searches would find too little."""
        record = self._manifest.index
        index = self._grown()
        order = self._order()
        live = Selection.of(order.astype(np.int64), self._n_rows)
        measured = _measured(index, live, record)
        self._write_index(index)
        self._write_catalog()
        self._write_arrays(order)
        return Built(
            self._n_tracks,
            self._n_rows,
            self._manifest.dimension,
            replace(record, measurement=measured),
            # as they were when the index was built
            self._manifest.level_quantiles_dbfs,
            parent=self._manifest.generation,
            linked=self._linked,
        )

    def _grown(self) -> VectorIndex:
        if not self._changes.added:
            return self._before.index
        record = self._manifest.index
        effort = record.measurement.effort
        index = FaissIndex.load(self._source, record.recipe, effort, mapped=False)
        try:
            index.add(self._changes.units)
        except GenerationError as error:
            raise _WholeBetterError(str(error)) from error
        return index

    def _write_index(self, index: VectorIndex) -> None:
        if isinstance(index, FaissIndex) and self._changes.added:
            index.save(self._folder)
        else:
            self._link(*self._manifest.index.recipe.files)

    def _write_catalog(self) -> None:
        changes, path = self._changes, self._folder / CATALOG
        self._link(DOCUMENTS)
        for name in set(CATALOG_FILES) - {DOCUMENTS}:
            shutil.copyfile(self._source / name, self._folder / name)
        new = enumerate(changes.added, start=self._manifest.n_rows)
        update_catalog(path, changes.removed.tolist(), [*changes.kept.items(), *new])
        if not (self._source / DOCUMENTS).samefile(self._folder / DOCUMENTS):
            # too little of it was in use, and it was written anew
            del self._linked[DOCUMENTS]

    def _write_arrays(self, order: np.ndarray[Any, np.dtype[np.int32]]) -> None:
        arrays, added = self._before.arrays, self._changes.added
        codes = artist_codes(self._folder / CATALOG, self._n_rows)
        written: dict[str, np.ndarray[Any, Any]] = {
            ORDER: order,
            ARTISTS: codes,
            MEANS: np.stack(self._means),
        }
        if added:
            written[IDS] = np.concatenate([arrays.ids, self._new_ids()])
        tags = self._tags()
        if len(tags) != len(arrays.tags) or not np.array_equal(tags, arrays.tags):
            written[TAGS] = tags
        write_arrays(self._folder, written)
        fitted = (CENTRE, COMPONENTS) if COMPONENTS in self._manifest.files else (CENTRE,)
        self._link(*fitted, *{IDS, TAGS}.difference(written))

    def _link(self, *names: str) -> None:
        for name in names:
            try:
                os.link(self._source / name, self._folder / name)
            except OSError:
                # not every file system has links
                shutil.copyfile(self._source / name, self._folder / name)
            self._linked[name] = self._manifest.files[name]

    def _new_ids(self) -> np.ndarray[Any, np.dtype[np.bytes_]]:
        ids = [entry.track.id.encode(errors="surrogatepass") for entry in self._changes.added]
        return np.array(ids, dtype=np.bytes_)

    def _order(self) -> np.ndarray[Any, np.dtype[np.int32]]:
        arrays, new = self._before.arrays, self._new_ids()
        kept = arrays.order[~np.isin(arrays.order, self._changes.removed)]
        by_id = np.argsort(new)
        places = np.searchsorted(arrays.ids[kept], new[by_id])
        return np.insert(kept, places, (self._manifest.n_rows + by_id).astype(np.int32))

    def _tags(self) -> np.ndarray[Any, np.dtype[np.float16]]:
        n_tags = self._before.arrays.tags.shape[1]
        new = np.array([entry.tags for entry in self._changes.added], np.float16)
        tags = np.concatenate([self._before.arrays.tags, new.reshape(-1, n_tags)])
        for row, entry in self._changes.kept.items():
            tags[row] = entry.tags
        return tags

    @cached_property
    def _means(self) -> tuple[FloatArray, FloatArray]:
        """Mean of the unit vectors when the projection was fitted, and from now on."""
        fitted, before = self._before.arrays.means
        total = before.astype(np.float64) * self._manifest.n_tracks
        total += self._changes.units.sum(axis=0, dtype=np.float64)
        total -= self._before.index.vectors(self._changes.removed).sum(axis=0, dtype=np.float64)
        return fitted, (total / max(self._n_tracks, 1)).astype(np.float32)


def _measured(index: VectorIndex, live: Selection, record: IndexRecord) -> Measurement:
    """What searches find now, with more effort if need be.

    What was published below its target already is held to what it was.
    """
    before = record.measurement
    if index.exact or not isinstance(index, FaissIndex):
        return before
    target = min(record.options.target_recall, before.recall_at_10)
    efforts = [effort for effort in index.efforts if effort > index.effort][:MORE_EFFORTS]
    for effort in [index.effort, *efforts]:
        found = measure(index.at_effort(effort), live, QUERIES)
        if found.recall_at_10 >= target:
            # the curve is of when the index was built
            return replace(found, curve=before.curve)
    raise _WholeBetterError(f"recall@10={found.recall_at_10:.4f} is below {target}")
