"""Write the windows of a generation that is built as a whole."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray, Rows, write_arrays
from recommender.embedding import EmbedderSpec
from recommender.errors import GenerationError
from recommender.generation import normalised
from recommender.index.faiss import FaissIndex
from recommender.index.recipes import QUICK_SCAN_BYTES, IndexOptions, Recipe, index_bytes, plan
from recommender.index.tuning import tune
from recommender.library import Library
from recommender.manifest import (
    ADDED,
    CENTRE,
    COMPONENTS,
    PLACES,
    ROWS,
    SEGMENTS,
    SPANS,
    SegmentsRecord,
)
from recommender.projection import CENTRED, Projection, fit
from recommender.segments import Segments, step_samples
from recommender.space import id_of, stored

_log = logging.getLogger(__name__)

DIMENSION = 128
"""Principal components that are kept of a window: see docs/recommendation.md for what they lose."""
# fewer would make components of noise
LEAST_FITTED = 8 * DIMENSION
# of windows: each of a clip finds many, and alignment ranks what they are of
TARGET_RECALL = 0.95
# windows that a projection is fitted on
MOST_FITTED = 65_536
_FITTED_A_TRACK = 16


class Timeline:
    """Windows row by row, as they are written.

    Parameters
    ----------
    spans
        As of :class:`recommender.segment_index.SegmentIndex`, changed in place.
    n_before
        Windows that there are before these.

    Attributes
    ----------
    n_windows
        Windows so far, those before included.
    """

    def __init__(self, spans: Rows, n_before: int = 0):
        self.spans, self.n_windows = spans, n_before
        self._rows, self._places = [np.empty(0, np.int32)], [np.empty(0, np.int32)]

    def add(self, row: int, segments: Segments) -> slice:
        """Note the windows of a row that has none so far, and say which these are."""
        count = len(segments.places)
        span = slice(self.n_windows, self.n_windows + count)
        self.spans[row], self.n_windows = (span.start, count), span.stop
        self._rows.append(np.full(count, row, np.int32))
        self._places.append(segments.places)
        return span

    @property
    def n_tracks(self) -> int:
        """Rows with windows."""
        return int(np.count_nonzero(self.spans[:, 1]))

    @property
    def arrays(self) -> dict[str, "np.ndarray[Any, Any]"]:
        """The arrays of the windows that were noted, by name of their files."""
        return {ROWS: np.concatenate(self._rows), PLACES: np.concatenate(self._places)}


def build_segments(
    folder: Path,
    library: Library,
    space: Mapping[str, Any],
    ids: Sequence[bytes],
    options: IndexOptions,
) -> SegmentsRecord | None:
    """Write the windows of all tracks, unless none are wanted.

    Parameters
    ----------
    folder
        Of the generation.
    library
        Holds them.
    space
        As `Space.describe` has it.
    ids
        The track of each row, in the order of ids.
    options
        What the index of the tracks is planned from; that of windows takes half its memory at most.

    Raises
    ------
    GenerationError
        A vector in the library is damaged.
    StorageError, OSError
        The disk is full or not writable.
    """
    if not options.segments:
        return None
    names = [id_.decode(errors="surrogatepass") for id_ in ids]
    space_id, spec = id_of(stored(space)), _spec(space)
    _log.info("reading the windows of the library")
    projection = _fitted(library, space_id, names, spec.frame_dimension)
    timeline = Timeline(np.zeros((len(ids), 2), np.int64))
    units = np.empty((library.count_windows(space_id), projection.dimension), np.float32)
    rows = {name: row for row, name in enumerate(names)}
    for name, segments in sound(library, space_id, names, spec.frame_dimension):
        span = timeline.add(rows[name], segments)
        units[span] = units_of(projection, segments)
    units = units[: timeline.n_windows]
    recipe = _recipe(len(units), projection.dimension, options)
    _log.info("building the index of windows: %s over %s", recipe.kind, f"{len(units):,}")
    target = min(options.target_recall, TARGET_RECALL)
    index, measurement = tune(FaissIndex.build(units, recipe), units, target)
    home = folder / SEGMENTS
    home.mkdir()
    index.save(home)
    arrays = timeline.arrays | {SPANS: timeline.spans, ADDED: units[:0]}
    arrays |= {CENTRE: projection.centre}
    if projection.components is not None:
        arrays[COMPONENTS] = projection.components
    write_arrays(home, arrays)
    return SegmentsRecord(
        n_windows=len(units),
        n_tracks=timeline.n_tracks,
        dimension=projection.dimension,
        reduced=projection.components is not None,
        step_seconds=step_samples(spec) / spec.sample_rate,
        window_seconds=spec.window_samples / spec.sample_rate,
        recipe=recipe,
        measurement=measurement,
    )


def sound(
    library: Library, space_id: str, track_ids: Collection[str], dimension: int
) -> Iterator[tuple[str, Segments]]:
    """Tracks that have windows, and these."""
    for track_id, segments in library.segments(space_id, track_ids):
        if not len(segments.places):
            continue
        if segments.vectors.shape != (len(segments.places), dimension):
            raise GenerationError(
                f"track_id={track_id} has damaged segments in the library; "
                "run reindex --segments --full to listen to everything again"
            )
        yield track_id, segments


def _fitted(
    library: Library, space_id: str, track_ids: Sequence[str], dimension: int
) -> Projection:
    """Principal components of windows of tracks here and there; all dimensions of few windows."""
    tracks = track_ids[:: 1 + len(track_ids) * _FITTED_A_TRACK // MOST_FITTED]
    windows = [np.empty((0, dimension), np.float32)]
    for _, segments in sound(library, space_id, tracks, dimension):
        every = 1 + len(segments.vectors) // _FITTED_A_TRACK
        windows.append(segments.vectors[::every])
    vectors = np.concatenate(windows)
    reduces = dimension > DIMENSION and len(vectors) >= LEAST_FITTED
    return fit(f"pca:{DIMENSION}" if reduces else CENTRED, vectors)


def units_of(projection: Projection, segments: Segments) -> FloatArray:
    """Windows as they are searched."""
    return normalised(projection.apply(segments.vectors))


def _recipe(n_windows: int, dimension: int, options: IndexOptions) -> Recipe:
    """Half the bytes of a number whatever the kind: cosines are right to 1e-4, which is enough."""
    kind, budget = "ivf-rabitq", options.memory_budget // 2
    if index_bytes("flat-fp16", n_windows, dimension) <= min(QUICK_SCAN_BYTES, budget):
        kind = "flat-fp16"
    elif index_bytes("hnsw-fp16", n_windows, dimension) <= budget:
        kind = "hnsw-fp16"
    return plan(n_windows, dimension, IndexOptions(kind))


def _spec(space: Mapping[str, Any]) -> EmbedderSpec:
    """The embedder of a space as `Space.describe` has it, or a manifest."""
    described = space["embedder"]
    return EmbedderSpec(**described | {"tag_names": tuple(described["tag_names"])})
