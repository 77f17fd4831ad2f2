"""Write the windows of a generation that is an update of another."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray, write_arrays
from recommender.generation import Generation
from recommender.index.faiss import FaissIndex
from recommender.index.grown import grown_by, is_same_base, parts
from recommender.library import Library
from recommender.manifest import ADDED, PLACES, ROWS, SEGMENTS, SPANS, SegmentsRecord
from recommender.segment_building import Timeline, sound, units_of
from recommender.space import id_of, stored


def update_segments(
    folder: Path,
    source: Path,
    before: Generation,
    wanted: Mapping[str, int],
    library: Library,
    n_rows: int,
    most_beside: int,
) -> tuple[SegmentsRecord | None, list[str]]:
    """Write the windows of an update; those of rows that died stay.

    Parameters
    ----------
    folder, source
        Of the update, and of the generation before.
    before
        What is updated.
    wanted
        The rows, by track, that may have windows by now and had none before.
    library
        Holds them.
    n_rows
        Rows of the update.
    most_beside
        Windows that may lie beside the index.

    Returns
    -------
    record, linked
        The names of files that are to be those of the generation before.

    Raises
    ------
    GenerationError
        A vector in the library is damaged, or the index takes no more.
    StorageError, OSError
        The disk is full or not writable.
    """
    known = before.segments
    if known is None:
        return None, []
    record, projection = known.record, known.projection
    spans = np.concatenate([known.spans, np.zeros((n_rows - len(known.spans), 2), np.int64)])
    timeline, units = Timeline(spans, record.n_windows), list[FloatArray]()
    space_id = id_of(stored(before.manifest.space))
    for name, segments in sound(library, space_id, wanted, len(projection.centre)):
        timeline.add(wanted[name], segments)
        units.append(units_of(projection, segments))
    new = np.concatenate([np.empty((0, record.dimension), np.float32), *units])
    home = folder / SEGMENTS
    home.mkdir()
    arrays: dict[str, np.ndarray[Any, Any]] = {SPANS: spans}
    unchanged = set(record.files)
    if len(new):
        index = grown_by(known.index, new, most_beside, lambda: _reloaded(source, record))
        arrays[ADDED] = parts(index)[1]
        if not is_same_base(index, known.index):
            parts(index)[0].save(home)
            unchanged -= {f"{SEGMENTS}/{name}" for name in record.recipe.files}
        old = {ROWS: known.rows, PLACES: known.places}
        arrays |= {name: np.concatenate([old[name], a]) for name, a in timeline.arrays.items()}
    write_arrays(home, arrays)
    linked = sorted(unchanged - {f"{SEGMENTS}/{name}" for name in arrays})
    return replace(record, n_windows=timeline.n_windows, n_tracks=timeline.n_tracks), linked


def _reloaded(source: Path, record: SegmentsRecord) -> FaissIndex:
    effort = record.measurement.effort
    return FaissIndex.load(source / SEGMENTS, record.recipe, effort, mapped=False)
