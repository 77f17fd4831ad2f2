"""Build the files of a generation from the library, as a whole."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray, write_arrays
from recommender.catalog_tables import artist_codes, write_catalog
from recommender.descriptors import UNKNOWN, WIDTH, described
from recommender.duplicates import recordings_of
from recommender.errors import GenerationError
from recommender.generation import normalised
from recommender.index.building import build_index
from recommender.index.recipes import IndexOptions
from recommender.index.truth import Truth
from recommender.index.tuning import tune
from recommender.library import Library
from recommender.manifest import (
    ADDED,
    ARTISTS,
    CATALOG,
    CENTRE,
    CHANGED_NEIGHBOURS,
    COMPONENTS,
    DESCRIPTORS,
    IDS,
    MAP,
    MEANS,
    NEIGHBOURS,
    ORDER,
    RECORDINGS,
    SONGS,
    TAGS,
    IndexRecord,
)
from recommender.maps import Near, laid_out
from recommender.memory import bytes_beside, bytes_of_segments
from recommender.neighbours import Neighbours, listed_recall, neighbours_of, no_lists
from recommender.projection import Projection, fit
from recommender.records import LibraryTrack
from recommender.segment_building import build_segments
from recommender.songs import SONG, song_of
from recommender.space import dimension_of, id_of, stored

_log = logging.getLogger(__name__)

LEVEL_QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
_ROWS = 65_536
# rows whose lists are compared with exact search
_LISTS_LOOKED_AT = 400


@dataclass(frozen=True, slots=True)
class Built:
    """What was built, for the manifest.

    Attributes
    ----------
    n_tracks, n_rows, dimension
        Tracks that can be found, and the shape of the index.
    index
        How it was made.
    level_quantiles_dbfs
        Of the tracks' levels.
    parent
        Name of the generation that was updated, "" for one that was built as a whole.
    linked
        Size and digest, by name, of the files that are the parent's own.
    """

    n_tracks: int
    n_rows: int
    dimension: int
    index: IndexRecord
    level_quantiles_dbfs: list[float]
    parent: str = ""
    linked: Mapping[str, dict[str, Any]] = field(default_factory=dict)


class Gathered:
    """What the library says of its tracks, row by row, as far as it is not metadata."""

    def __init__(self, n_tracks: int, dimension: int, n_tags: int):
        self.ids = list[bytes]()
        self.vectors = np.zeros((n_tracks, dimension), np.float32)
        self.tags = np.zeros((n_tracks, n_tags), np.float16)
        self.levels = np.zeros(n_tracks)
        self.songs = np.zeros(n_tracks, SONG)
        self.descriptors = np.full((n_tracks, WIDTH), UNKNOWN, np.int16)

    def passing(self, tracks: Iterable[LibraryTrack]) -> Iterator[LibraryTrack]:
        """Hand tracks on, and keep what belongs here.

        Raises
        ------
        GenerationError
            A vector is damaged.
        """
        for row, entry in enumerate(tracks):
            check_sound(entry, self.vectors.shape[1], self.tags.shape[1])
            self.ids.append(entry.track.id.encode(errors="surrogatepass"))
            self.vectors[row], self.tags[row] = entry.vector, entry.tags
            self.levels[row] = entry.level_dbfs
            self.songs[row] = song_of(entry.track)
            self.descriptors[row] = described(entry.level_dbfs, entry.track.metadata)
            yield entry


def build(folder: Path, library: Library, space: Mapping[str, Any], options: IndexOptions) -> Built:
    """Write all files of a generation but the manifest.

    Parameters
    ----------
    folder
        Empty, and nobody's yet.
    library
        What there is.
    space
        As `Space.describe` has it.
    options
        What the index is planned from.

    Raises
    ------
    GenerationError
        A vector in the library is damaged.
    StorageError, OSError
        The disk is full or not writable.
    """
    _log.info("reading the tracks of the library")
    rows = gathered(folder / CATALOG, library, space)
    projection = fit(space["projection"], rows.vectors)
    units = projected(projection, rows.vectors)
    n_tracks = len(units)
    segments = build_segments(folder, library, space, rows.ids, options)
    beside = bytes_beside(n_tracks, rows.tags.shape[1]) + bytes_of_segments(segments, n_tracks)
    index, recipe = build_index(units, options, beside)
    _log.info("measuring what searches of the index find")
    index, measurement = tune(index, units, options.target_recall)
    _log.info("listing the neighbours of every track")
    truth = Truth.within(index, None, _LISTS_LOOKED_AT) if index.lists_neighbours else None
    # lists may lose a little with every update
    lists = neighbours_of(index, truth, (1 + options.target_recall) / 2)
    changed = no_lists()[1]
    if truth is not None:
        found = listed_recall(Neighbours(lists, changed), truth, index.vectors, None)
        measurement = replace(measurement, listed_recall_at_10=found)
    index.save(folder)
    _log.info("laying out the map")
    places = laid_out(units, Near(lists[:, 0], lists[:, 1]))
    mean = units.mean(axis=0, dtype=np.float64) if n_tracks else np.zeros(units.shape[1])
    write_arrays(
        folder,
        {
            IDS: np.array(rows.ids, dtype=np.bytes_),
            ORDER: np.arange(n_tracks, dtype=np.int32),
            TAGS: rows.tags,
            DESCRIPTORS: rows.descriptors,
            ARTISTS: artist_codes(folder / CATALOG, n_tracks),
            MEANS: np.stack([mean, mean]).astype(np.float32),
            ADDED: units[:0],
            NEIGHBOURS: lists,
            CHANGED_NEIGHBOURS: changed,
            SONGS: rows.songs,
            RECORDINGS: recordings_of(rows.songs, index, Neighbours(lists, changed)),
            MAP: places,
            CENTRE: projection.centre,
        }
        | ({} if projection.components is None else {COMPONENTS: projection.components}),
    )
    return Built(
        n_tracks,
        n_tracks,
        units.shape[1],
        IndexRecord(options, recipe, measurement, n_tracks, segments),
        np.quantile(rows.levels, LEVEL_QUANTILES).tolist() if n_tracks else [],
    )


def check_sound(entry: LibraryTrack, dimension: int, n_tags: int) -> None:
    """Check what the library holds of a track.

    Raises
    ------
    GenerationError
        Its vector or its tags are damaged.
    """
    shapes = entry.vector.shape, entry.tags.shape
    if shapes != ((dimension,), (n_tags,)) or not np.isfinite(entry.vector).all():
        raise GenerationError(
            f"track_id={entry.track.id} has a damaged vector in the library; "
            "run reindex --full to embed everything again"
        )


def gathered(catalog: Path, library: Library, space: Mapping[str, Any]) -> Gathered:
    """Write the catalog of every track that can be published, and gather the rest by row."""
    kept = stored(space)
    space_id, n_tags = id_of(kept), len(space["embedder"]["tag_names"])
    n_tracks = library.count_publishable(space_id)
    rows = Gathered(n_tracks, dimension_of(kept), n_tags)
    write_catalog(catalog, rows.passing(library.publishable(space_id)), range(n_tracks))
    return rows


def projected(projection: Projection, vectors: FloatArray) -> FloatArray:
    """Unit vectors that can be compared, shape (n, dimension), in pieces for the memory's sake."""
    units = np.empty((len(vectors), projection.dimension), np.float32)
    for first in range(0, len(vectors), _ROWS):
        piece = slice(first, first + _ROWS)
        units[piece] = normalised(projection.apply(vectors[piece]))
    return units
