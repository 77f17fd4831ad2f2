"""The windows of a generation: searched one by one, and told by the row of their track."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows
from recommender.errors import GenerationError
from recommender.index import VectorIndex
from recommender.index.faiss import FaissIndex
from recommender.index.grown import grown
from recommender.manifest import (
    ADDED,
    CENTRE,
    COMPONENTS,
    PLACES,
    ROWS,
    SEGMENTS,
    SPANS,
    Manifest,
    SegmentsRecord,
)
from recommender.projection import Projection

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class SegmentIndex:
    """Windows of tracks as unit vectors, those of one track side by side.

    Attributes
    ----------
    record
        How they were made.
    index
        By window. It may hold windows of tracks that left.
    spans
        First window of each row and how many it has, int64, shape (n_rows, 2).
    rows
        The row of each window, int32, shape (n_windows,).
    places
        Its place on the grid of tracks, see :mod:`recommender.segments`; int32, shape (n_windows,).
    projection
        What is done to the vector of a window before it is normalised.
    """

    record: SegmentsRecord
    index: VectorIndex
    spans: Rows
    rows: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    projection: Projection

    @classmethod
    def load(cls, generation: Path, manifest: Manifest) -> Self | None:
        """Open those of a generation, verified before; None when it has none.

        Raises
        ------
        GenerationError
            The parts do not fit together.
        """
        record, folder = manifest.index.segments, generation / SEGMENTS
        if record is None:
            return None
        index = FaissIndex.load(folder, record.recipe, record.measurement.effort)
        spans, rows, places = (_read(folder / name, "r") for name in (SPANS, ROWS, PLACES))
        components = _read(folder / COMPONENTS) if record.reduced else None
        projection = Projection(_read(folder / CENTRE), components)
        beside = _read(folder / ADDED)
        expected: dict[str, tuple[Array, str, tuple[int, ...]]] = {
            SPANS: (spans, "int64", (manifest.n_rows, 2)),
            ROWS: (rows, "int32", (record.n_windows,)),
            PLACES: (places, "int32", (record.n_windows,)),
            ADDED: (beside, "float32", (record.n_windows - len(index), record.dimension)),
        }
        for name, (array, kind, shape) in expected.items():
            if (array.dtype.name, array.shape) != (kind, shape):
                raise GenerationError(
                    f"generation={manifest.generation} file={SEGMENTS}/{name} is not of shape "
                    f"{shape}"
                )
        if {index.dimension, projection.dimension} != {record.dimension}:
            raise GenerationError(
                f"generation={manifest.generation} {SEGMENTS} are not of one dimension"
            )
        return cls(record, grown(index, beside), spans, rows, places, projection)

    def of(self, row: int) -> tuple[npt.NDArray[np.int32], FloatArray]:
        """Places and unit vectors of the windows of a row; none for a track without segments."""
        first, count = self.spans[row].tolist()
        windows = np.arange(first, first + count)
        return self.places[first : first + count], self.index.vectors(windows)


def _read(path: Path, mode: Any = None) -> Array:
    try:
        return np.asarray(np.load(path, mode, allow_pickle=False))
    except (ValueError, EOFError) as error:
        raise GenerationError(
            f"generation={path.parent.parent.name} file={SEGMENTS}/{path.name} is no array"
        ) from error
