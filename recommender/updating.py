"""Update a generation: what changed in the library since, and nothing else.

New tracks lie beside the index until they are many, and are then added to a copy of it; those that
left stay in it as dead rows which no search returns; and files that do not change, the index nearly
always among them, are the same files, linked. No vector is projected anew but
those that came, so the projection stays the one that was fitted when the index was built. When that
no longer describes the catalog, or too many rows are dead, or searches find too little, the index
is built as a whole again.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from recommender.building import Built
from recommender.changes import Changes, changes_of
from recommender.duplicates import updated_recordings
from recommender.errors import GenerationError
from recommender.generation import Generation
from recommender.index.faiss import FaissIndex
from recommender.index.grown import GrownIndex, grown_by
from recommender.index.recipes import IndexOptions
from recommender.library import Library
from recommender.manifest import Manifest, SegmentsRecord
from recommender.neighbours import Neighbours, updated
from recommender.space import id_of, stored
from recommender.update_files import UpdatedFiles
from recommender.update_limits import Limits, WholeBetterError, measured
from recommender.update_rows import UpdatedRows

_log = logging.getLogger(__name__)


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
        changed = _changed(library, space, options, before.manifest, limits)
        return _written(folder, library, before, changes_of(changed, library, before), limits)
    except WholeBetterError as reason:
        _log.info("the index is built as a whole: %s", reason)
        return None


def _changed(
    library: Library,
    space: Mapping[str, Any],
    options: IndexOptions,
    manifest: Manifest,
    limits: Limits,
) -> set[str]:
    """Tracks that may have changed since a generation, if it is one that can be updated."""
    changed = library.changed_since(manifest.library_revision, id_of(stored(space)))
    if changed is None:
        raise WholeBetterError("the library is another one than it was built from")
    if manifest.space_id != id_of(space) or manifest.index.options != options:
        raise WholeBetterError("it is to be made otherwise")
    if manifest.n_rows < limits.least_rows:
        raise WholeBetterError(f"it is small, rows={manifest.n_rows}")
    return changed


def _written(
    folder: Path, library: Library, before: Generation, changes: Changes, limits: Limits
) -> Built:
    """Write the files, unless that goes too far or searches would find too little."""
    manifest, rows = before.manifest, UpdatedRows(before, changes)
    limits.check(manifest, rows.n_tracks, rows.n_rows, rows.drift)
    files, live = UpdatedFiles(folder, before, changes), rows.live
    index, arrays = _grown(before, changes, limits.most_beside, files.source), before.arrays
    lists = Neighbours(*updated(arrays.neighbours, index, rows.new, live, rows.ids))
    found = measured(before, index, lists, live, len(changes.removed))
    recordings = updated_recordings(
        arrays.recordings, rows.songs, index, lists, live, rows.other_songs
    )
    files.write_index(index)
    files.write_catalog()
    files.write_rows(rows)
    files.write_lists(lists)
    files.write_recordings(recordings)
    segments = _segments(files, library, before, changes, rows, limits.most_beside)
    files.write_map(rows.places(index, lists))
    return Built(
        rows.n_tracks,
        rows.n_rows,
        manifest.dimension,
        replace(manifest.index, measurement=found, segments=segments),
        # as they were when the index was built
        manifest.level_quantiles_dbfs,
        parent=manifest.generation,
        linked=files.linked,
    )


def _grown(
    before: Generation, changes: Changes, most_beside: int, source: Path
) -> FaissIndex | GrownIndex:
    """The index with the rows that are new, beside it or in a copy of it."""
    record = before.manifest.index

    def reload() -> FaissIndex:
        return FaissIndex.load(source, record.recipe, record.measurement.effort, mapped=False)

    try:
        return grown_by(before.index, changes.units, most_beside, reload)
    except GenerationError as error:
        raise WholeBetterError(str(error)) from error


def _segments(
    files: UpdatedFiles,
    library: Library,
    before: Generation,
    changes: Changes,
    rows: UpdatedRows,
    most_beside: int,
) -> SegmentsRecord | None:
    """Write the windows of tracks that have some by now, and none in the generation before."""
    if before.segments is None:
        return None
    # a track whose vector stays has the windows that it had
    known = before.segments.spans[:, 1]
    wanted = {entry.track.id: row for row, entry in changes.kept.items() if not known[row]}
    new = zip(changes.added, rows.new.tolist(), strict=True)
    wanted |= {entry.track.id: row for entry, row in new}
    return files.write_segments(wanted, library, rows.n_rows, most_beside)
