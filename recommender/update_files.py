"""The files of an update: those that are others now are written, the rest are linked."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import write_arrays
from recommender.catalog_tables import update_catalog
from recommender.changes import Changes
from recommender.current import generations_dir
from recommender.duplicates import Recordings
from recommender.generation import Generation
from recommender.index.faiss import FaissIndex
from recommender.index.grown import GrownIndex, is_same_base, parts
from recommender.library import Library
from recommender.manifest import (
    ADDED,
    CATALOG,
    CATALOG_FILES,
    CENTRE,
    CHANGED_NEIGHBOURS,
    COMPONENTS,
    DESCRIPTORS,
    DOCUMENTS,
    IDS,
    MAP,
    NEIGHBOURS,
    RECORDINGS,
    SONGS,
    TAGS,
    SegmentsRecord,
)
from recommender.maps import Places
from recommender.neighbours import Lists, Neighbours
from recommender.segment_update import update_segments
from recommender.slices import RowFile
from recommender.update_rows import UpdatedRows


class UpdatedFiles:
    """Writes the files of an update, but for the manifest.

    Parameters
    ----------
    folder
        Where to; beside that of the generation before.
    before
        What is updated.
    changes
        How.

    Attributes
    ----------
    source
        Where the files of the generation before are.
    linked
        Size and digest, by name, of the files that are its own.
    """

    def __init__(self, folder: Path, before: Generation, changes: Changes):
        self._folder, self._before, self._changes = folder, before, changes
        self._manifest = before.manifest
        self.source = generations_dir(folder.parents[1]) / self._manifest.generation
        self.linked = dict[str, Any]()

    def write_index(self, index: FaissIndex | GrownIndex) -> None:
        """Write the index, and the rows beside it."""
        if is_same_base(index, self._before.index):
            self._link(*self._manifest.index.recipe.files)
        else:
            parts(index)[0].save(self._folder)
        if self._changes.added:
            write_arrays(self._folder, {ADDED: parts(index)[1]})
        else:
            self._link(ADDED)

    def write_catalog(self) -> None:
        """Write the catalog and its documents."""
        changes, path = self._changes, self._folder / CATALOG
        self._link(DOCUMENTS)
        for name in set(CATALOG_FILES) - {DOCUMENTS}:
            shutil.copyfile(self.source / name, self._folder / name)
        new = enumerate(changes.added, start=self._manifest.n_rows)
        update_catalog(path, changes.removed.tolist(), [*changes.kept.items(), *new])
        if not (self.source / DOCUMENTS).samefile(self._folder / DOCUMENTS):
            # too little of it was in use, and it was written anew
            del self.linked[DOCUMENTS]

    def write_rows(self, rows: UpdatedRows) -> None:
        """Write what is known of each row; after the catalog."""
        written = rows.changed(self._folder / CATALOG)
        write_arrays(self._folder, written)
        fitted = (CENTRE, COMPONENTS) if COMPONENTS in self._manifest.files else (CENTRE,)
        self._link(*fitted, *{IDS, TAGS, DESCRIPTORS, SONGS}.difference(written))

    def write_lists(self, lists: Neighbours) -> None:
        """Write the lists of neighbours."""
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

    def write_recordings(self, recordings: Recordings) -> None:
        """Write which rows are copies of one recording."""
        if np.array_equal(recordings, self._before.arrays.recordings):
            self._link(RECORDINGS)
        else:
            write_arrays(self._folder, {RECORDINGS: recordings})

    def write_segments(
        self, wanted: Mapping[str, int], library: Library, n_rows: int, most_beside: int
    ) -> SegmentsRecord | None:
        """Write the windows of tracks; see :func:`recommender.segment_update.update_segments`."""
        homes = self._folder, self.source
        written = update_segments(*homes, self._before, wanted, library, n_rows, most_beside)
        self._link(*written[1])
        return written[0]

    def write_map(self, places: Places) -> None:
        """Write where each row lies on the map."""
        if self._changes.added:
            write_arrays(self._folder, {MAP: places})
        else:
            self._link(MAP)

    def _link(self, *names: str) -> None:
        for name in names:
            try:
                os.link(self.source / name, self._folder / name)
            except OSError:
                # not every file system has links
                shutil.copyfile(self.source / name, self._folder / name)
            self.linked[name] = self._manifest.files[name]
