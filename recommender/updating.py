"""Update a generation: what changed in the library since, and nothing else.

New tracks lie beside the index until they are many, and are then added to a copy of it; those that
left stay in it as dead rows which no search returns; and files that do not change, the index nearly
always among them, are the same files, linked. No vector is projected anew but
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

from recommender.arrays import FloatArray
from recommender.building import Built, write_arrays
from recommender.catalog_tables import update_catalog, updated_artist_codes
from recommender.changes import Changes, changes_of
from recommender.current import generations_dir
from recommender.errors import GenerationError
from recommender.generation import Generation
from recommender.index import VectorIndex
from recommender.index.faiss import FaissIndex
from recommender.index.grown import GrownIndex, grown, parts
from recommender.index.measurement import Measurement
from recommender.index.recipes import IndexOptions, plan
from recommender.index.truth import Truth
from recommender.index.tuning import measure
from recommender.library import Library
from recommender.manifest import (
    ADDED,
    ARTISTS,
    CATALOG,
    CATALOG_FILES,
    CENTRE,
    CHANGED_NEIGHBOURS,
    COMPONENTS,
    DOCUMENTS,
    IDS,
    MEANS,
    NEIGHBOURS,
    ORDER,
    TAGS,
    IndexRecord,
)
from recommender.neighbours import Lists, Neighbours, listed_recall, updated
from recommender.selection import Selection
from recommender.slices import RowFile
from recommender.space import id_of, stored

_log = logging.getLogger(__name__)

MORE_EFFORTS = 3
# recall of so few questions may be lower by this without anything being wrong
BY_CHANCE = 0.01
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
    most_beside
        Rows beside the index. Every search compares all of them: so many of 200 values take as long
        as a search of a graph of a million, and fewer next to nothing.
    """

    least_rows: int = 2_000
    most_dead: float = 0.1
    most_growth: float = 1.0
    most_drift: float = 0.05
    most_beside: int = 2_000


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
    update = _Update(folder, before, changes_of(changed, library, before), limits)
    update.check()
    return update.write()


class _Update:
    """One update on its way."""

    def __init__(self, folder: Path, before: Generation, changes: Changes, limits: Limits):
        self._folder, self._before, self._changes = folder, before, changes
        self._limits = limits
        self._manifest = before.manifest
        self._source = generations_dir(folder.parents[1]) / self._manifest.generation
        self._n_rows = self._manifest.n_rows + len(changes.added)
        self._n_tracks = self._manifest.n_tracks - len(changes.removed) + len(changes.added)
        self._linked = dict[str, Any]()

    def check(self) -> None:
        """Raise _WholeBetterError when it would go too far."""
        record, limits = self._manifest.index, self._limits
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
        live = self._live(order)
        new = np.arange(self._manifest.n_rows, self._n_rows)
        lists = Neighbours(*updated(self._before.arrays.neighbours, index, new, live, self._ids))
        measured = self._measured(index, lists, live)
        self._write_index(index)
        self._write_catalog()
        self._write_arrays(order)
        self._write_lists(lists)
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

    def _grown(self) -> FaissIndex | GrownIndex:
        """The index with the rows that are new, beside it or in it."""
        base, beside = parts(self._before.index)
        # as they will be in the index one day: similarities must not change when they get there
        beside = np.concatenate([beside, base.as_kept(self._changes.units)])
        if not self._changes.added or len(beside) <= self._limits.most_beside:
            return grown(base, beside)
        record = self._manifest.index
        effort = record.measurement.effort
        index = FaissIndex.load(self._source, record.recipe, effort, mapped=False)
        try:
            index.add(beside)
        except GenerationError as error:
            raise _WholeBetterError(str(error)) from error
        return index

    def _measured(
        self, index: FaissIndex | GrownIndex, lists: Neighbours, live: Selection | None
    ) -> Measurement:
        record = self._manifest.index
        truth = Truth.within(index, live, QUERIES)
        if truth is None:
            return record.measurement
        listed = _listed(lists, index, live, truth, record)
        measured = record.measurement
        if len(self._changes.removed) or not self._is_same(index):
            measured = _measured(index, live, truth, record)
        return replace(measured, listed_recall_at_10=listed)

    def _is_same(self, index: FaissIndex | GrownIndex) -> bool:
        """Whether only what lies beside it differs.

        Such an index misses no row that it found before: those beside are all compared, and none of
        the rest takes the place of a closer one.
        """
        return parts(index)[0] is parts(self._before.index)[0]

    def _live(self, order: np.ndarray[Any, np.dtype[np.int32]]) -> Selection | None:
        if self._n_tracks == self._n_rows:
            return None
        return Selection.of(order.astype(np.int64), self._n_rows)

    def _write_index(self, index: FaissIndex | GrownIndex) -> None:
        if self._is_same(index):
            self._link(*self._manifest.index.recipe.files)
        else:
            parts(index)[0].save(self._folder)
        if self._changes.added:
            write_arrays(self._folder, {ADDED: parts(index)[1]})
        else:
            self._link(ADDED)

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
        added = self._changes.added
        written: dict[str, np.ndarray[Any, Any]] = {
            ORDER: order,
            ARTISTS: self._artists(),
            MEANS: np.stack(self._means),
        }
        if added:
            written[IDS] = self._ids
        written |= self._tags()
        write_arrays(self._folder, written)
        fitted = (CENTRE, COMPONENTS) if COMPONENTS in self._manifest.files else (CENTRE,)
        self._link(*fitted, *{IDS, TAGS}.difference(written))

    def _write_lists(self, lists: Neighbours) -> None:
        before = self._before.arrays.neighbours
        files: dict[str, tuple[Lists | RowFile, Lists | RowFile]] = {
            NEIGHBOURS: (lists.lists, before.lists),
            CHANGED_NEIGHBOURS: (lists.changed, before.changed),
        }
        for name, (array, was) in files.items():
            if array is was:
                self._link(name)
            else:
                write_arrays(self._folder, {name: np.asarray(array)})

    def _link(self, *names: str) -> None:
        for name in names:
            try:
                os.link(self._source / name, self._folder / name)
            except OSError:
                # not every file system has links
                shutil.copyfile(self._source / name, self._folder / name)
            self._linked[name] = self._manifest.files[name]

    @cached_property
    def _ids(self) -> np.ndarray[Any, np.dtype[np.bytes_]]:
        """Of all rows from now on."""
        return np.concatenate([self._before.arrays.ids, self._new_ids()])

    def _new_ids(self) -> np.ndarray[Any, np.dtype[np.bytes_]]:
        ids = [entry.track.id.encode(errors="surrogatepass") for entry in self._changes.added]
        return np.array(ids, dtype=np.bytes_)

    def _order(self) -> np.ndarray[Any, np.dtype[np.int32]]:
        arrays, new = self._before.arrays, self._new_ids()
        kept = arrays.order[~np.isin(arrays.order, self._changes.removed)]
        by_id = np.argsort(new)
        places = np.searchsorted(arrays.ids[kept], new[by_id])
        return np.insert(kept, places, (self._manifest.n_rows + by_id).astype(np.int32))

    def _artists(self) -> np.ndarray[Any, np.dtype[np.int32]]:
        new = range(self._manifest.n_rows, self._n_rows)
        changed = [*self._changes.removed.tolist(), *self._changes.kept, *new]
        before = self._before.arrays.artists
        return updated_artist_codes(self._folder / CATALOG, before, changed, self._n_rows)

    def _tags(self) -> dict[str, np.ndarray[Any, Any]]:
        """The tags of all rows, unless they are what they were."""
        before, kept = self._before.arrays.tags, self._changes.kept
        rows = np.fromiter(kept, np.int64, len(kept))
        of_kept, new = (
            np.array([entry.tags for entry in entries], np.float16).reshape(-1, before.shape[1])
            for entries in (kept.values(), self._changes.added)
        )
        if not len(new) and np.array_equal(of_kept, before[rows]):
            return {}
        tags = np.concatenate([before, new])
        tags[rows] = of_kept
        return {TAGS: tags}

    @cached_property
    def _means(self) -> tuple[FloatArray, FloatArray]:
        """Mean of the unit vectors when the projection was fitted, and from now on."""
        fitted, before = self._before.arrays.means
        total = before.astype(np.float64) * self._manifest.n_tracks
        total += self._changes.units.sum(axis=0, dtype=np.float64)
        total -= self._before.index.vectors(self._changes.removed).sum(axis=0, dtype=np.float64)
        return fitted, (total / max(self._n_tracks, 1)).astype(np.float32)


def _measured(
    index: FaissIndex | GrownIndex,
    live: Selection | None,
    truth: Truth | None,
    record: IndexRecord,
) -> Measurement:
    """What searches find now, with more effort if need be.

    What was published below its target already is held to what it was.
    """
    before = record.measurement
    if index.exact:
        return before
    target = min(record.options.target_recall, before.recall_at_10)
    efforts = [effort for effort in index.efforts if effort > index.effort][:MORE_EFFORTS]
    for effort in [index.effort, *efforts]:
        found = measure(index.at_effort(effort), live, truth)
        if found.recall_at_10 >= target:
            # the curve is of when the index was built
            return replace(found, curve=before.curve)
    raise _WholeBetterError(f"recall@10={found.recall_at_10:.4f} is below {target}")


def _listed(
    lists: Neighbours, index: VectorIndex, live: Selection | None, truth: Truth, record: IndexRecord
) -> float | None:
    """Recall of the lists, held to what it was as that of searches is."""
    before, options = record.measurement.listed_recall_at_10, record.options
    found = listed_recall(lists, truth, index.vectors, live)
    if found is None or before is None:
        return found
    if found < min(options.target_recall, before) - BY_CHANCE:
        raise _WholeBetterError(f"recall@10={found:.4f} of the lists is too low")
    return found
