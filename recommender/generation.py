"""Generations: published, immutable sets of index, catalog and manifest.

::

    generations/<UTC>-<8 hex>/   index.faiss [vectors.faiss]  catalog.db  manifest.json
                                 ids  order  tags  artists  descriptors  means  added  centre
                                 neighbours  neighbours.changed  songs  recordings  map
                                 [components]  .npy
    CURRENT                      the names of those that are served

Rows are those of the index. A track keeps its row from one generation to the next; new ones are
added at the end, and the rows of tracks that left stay, dead, until the index is built anew.

Every file is verified by digest before anything opens it: FAISS reads most damaged files without
a word and answers wrongly. A published folder is never written again, so that what is large can be
mapped into memory and shared by processes.
"""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from recommender.allowed import AllowedRows
from recommender.arrays import FloatArray, Rows
from recommender.catalog import Catalog
from recommender.current import generations_dir
from recommender.embedders import create_embedder
from recommender.errors import (
    GenerationError,
    InvalidParameterError,
    OutdatedGenerationError,
    SpaceMismatchError,
)
from recommender.index import VectorIndex
from recommender.index.faiss import FaissIndex
from recommender.index.grown import grown
from recommender.labels import Labels
from recommender.manifest import (
    ADDED,
    CATALOG,
    CATALOG_FILES,
    CENTRE,
    COMPONENTS,
    Manifest,
)
from recommender.projection import Projection
from recommender.row_arrays import RowArrays, check_arrays, load_array
from recommender.segment_index import SegmentIndex
from recommender.space import Space, dimension_of, stored
from recommender.verifying import verify_files

NORM_TOLERANCE = 1e-3
PROBES = 20
# neighbours among which a row must find itself
PROBED = 10


@dataclass(frozen=True, slots=True)
class Generation:
    """An open, verified generation.

    Attributes
    ----------
    manifest
        What it says of itself.
    index
        Unit vectors by row.
    catalog
        Metadata by row.
    arrays
        The rest by row.
    labels
        What the tags are called.
    allowed
        Rows that filters leave.
    projection
        What is done to a pooled vector before it is normalised.
    segments
        Single windows of its tracks; None when it was published without.
    """

    manifest: Manifest
    index: VectorIndex
    catalog: Catalog
    arrays: RowArrays
    labels: Labels
    allowed: AllowedRows
    projection: Projection
    segments: SegmentIndex | None = None

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        index: VectorIndex,
        catalog: Catalog,
        arrays: RowArrays,
        projection: Projection,
        segments: SegmentIndex | None = None,
    ) -> Self:
        """Put the parts of a generation together."""
        labels = Labels(manifest.space["embedder"]["tag_names"])
        allowed = AllowedRows(catalog, arrays.tags, labels, arrays.live)
        return cls(manifest, index, catalog, arrays, labels, allowed, projection, segments)

    @property
    def track_ids(self) -> list[str]:
        """Ids of all tracks, in order."""
        return self.arrays.names(self.arrays.order.astype(np.int64))

    def rows_of(self, track_ids: Sequence[str]) -> tuple[Rows, list[str]]:
        """Rows of the known ids, in their order, and the ids that are not known."""
        return self.arrays.rows_of(track_ids)

    def project(self, vector: FloatArray) -> FloatArray:
        """Turn a pooled vector into a unit vector that can be compared with the index."""
        unit: FloatArray = normalised(self.projection.apply(vector[np.newaxis]))[0]
        return unit


def normalised(vectors: FloatArray) -> FloatArray:
    """Unit-length rows; a row of zeros stays as it is.

    Parameters
    ----------
    vectors
        float32, shape (n, dimension).
    """
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    unit: FloatArray = (vectors / np.where(norms > 0, norms, 1.0)).astype(np.float32)
    return unit


def space_of(manifest: Manifest) -> Space:
    """The space of a generation, made anew from the embedder of this version.

    Raises
    ------
    SpaceMismatchError
        The embedder of this version makes other vectors.
    """
    said = manifest.space
    n_windows = None if said["n_windows"] == "all" else said["n_windows"]
    try:
        spec = create_embedder(said["embedder"]["name"]).spec
        space = Space(spec, n_windows, said["pooling"], said["projection"])
    except InvalidParameterError as error:
        raise SpaceMismatchError(f"{error}; clips need the embedder of the index") from error
    if space.id != manifest.space_id:
        raise SpaceMismatchError(
            f"space={manifest.space_id} of the index is not space={space.id} of this version; "
            "run reindex"
        )
    return space


def open_generation(
    data_dir: Path, name: str, others: Iterable[Manifest] = (), *, patient: bool = False
) -> Generation:
    """Verify and open a generation; for the parameters see `recommender.verifying.verify_files`.

    Raises
    ------
    GenerationError
        A file is missing or damaged, or the parts do not fit together.
    OutdatedGenerationError
        An earlier version made it.
    """
    folder = generations_dir(data_dir) / name
    manifest = _servable(data_dir, name)
    verify_files(folder, manifest, others, patient=patient)
    return open_verified(folder, manifest)


def open_catalog(data_dir: Path, name: str) -> tuple[Catalog, int]:
    """Verify and open the metadata of a generation alone, with the number of its rows.

    Raises
    ------
    GenerationError
        A file of it is missing or damaged.
    OutdatedGenerationError
        An earlier version made it.
    """
    folder = generations_dir(data_dir) / name
    manifest = _servable(data_dir, name)
    files = {file: manifest.files[file] for file in CATALOG_FILES}
    verify_files(folder, replace(manifest, files=files))
    return Catalog.open(folder / CATALOG), manifest.n_rows


def _servable(data_dir: Path, name: str) -> Manifest:
    """The manifest of a generation, unless an earlier version made it."""
    manifest = Manifest.read(generations_dir(data_dir) / name)
    if manifest.outdated:
        raise OutdatedGenerationError(
            f"generation={name} was made by an earlier version, and this one does not serve it; "
            f"{how_to_renew(data_dir, manifest)}",
            manifest.space["embedder"]["name"],
        )
    return manifest


def how_to_renew(data_dir: Path, manifest: Manifest) -> str:
    """What to do about a generation of an earlier version: a command, ready to be run."""
    embedder, folder = manifest.space["embedder"]["name"], shlex.quote(str(data_dir))
    return (
        "run, over the same folders: python -m indexer reindex MUSIC_DIR "
        f"--embedder {embedder} --data-dir {folder} (nothing is heard again)"
    )


def open_verified(folder: Path, manifest: Manifest) -> Generation:
    """Open a generation whose files are known to be what was published, and check it.

    Raises
    ------
    GenerationError
        The parts do not fit together.
    """
    arrays = RowArrays.load(folder)
    check_arrays(manifest, arrays)
    generation = Generation.of(
        manifest,
        _load_index(folder, manifest),
        Catalog.open(folder / CATALOG),
        arrays,
        _load_projection(folder),
        SegmentIndex.load(folder, manifest),
    )
    check_fit(generation)
    return generation


def _load_index(folder: Path, manifest: Manifest) -> VectorIndex:
    record, beside = manifest.index, load_array(folder / ADDED)
    index = FaissIndex.load(folder, record.recipe, record.measurement.effort)
    shape = (manifest.n_rows - len(index), manifest.dimension)
    if beside.dtype != np.float32 or beside.shape != shape:
        raise GenerationError(
            f"generation={manifest.generation} file={ADDED} is not of shape {shape}"
        )
    return grown(index, beside)


def _load_projection(folder: Path) -> Projection:
    components = folder / COMPONENTS
    return Projection(
        load_array(folder / CENTRE), load_array(components) if components.exists() else None
    )


def check_fit(generation: Generation) -> None:
    """Check that the parts of a generation belong together and can be searched.

    Raises
    ------
    GenerationError
        Naming what does not fit.
    """
    manifest = generation.manifest
    name = manifest.generation
    shape = (manifest.n_rows, manifest.dimension)
    if (len(generation.index), generation.index.dimension) != shape:
        raise GenerationError(f"generation={name} index does not have the shape {shape}")
    if len(generation.catalog) != manifest.n_tracks:
        raise GenerationError(f"generation={name} catalog and index differ in their tracks")
    _check_projection(generation)
    order = generation.arrays.order
    places = np.linspace(0, len(order) - 1, min(PROBES, len(order))).astype(np.int64)
    probes = order[places].astype(np.int64)
    _check_catalog(generation, probes)
    _check_vectors(generation, probes)


def _check_projection(generation: Generation) -> None:
    manifest, projection = generation.manifest, generation.projection
    pooled = dimension_of(stored(manifest.space))
    arrays: dict[str, tuple[FloatArray, tuple[int, ...]]] = {CENTRE: (projection.centre, (pooled,))}
    if projection.components is not None:
        arrays[COMPONENTS] = projection.components, (manifest.dimension, pooled)
    for file, (array, shape) in arrays.items():
        right = array.dtype == np.float32 and array.shape == shape
        if not right or not np.isfinite(array).all():
            raise GenerationError(
                f"generation={manifest.generation} file={file} is not finite, of shape {shape}"
            )


def _check_catalog(generation: Generation, probes: Rows) -> None:
    rows = np.sort(probes)
    names, tracks = generation.arrays.names(rows), generation.catalog.tracks(rows)
    documented = [track.id for track in tracks.values()]
    if not names == documented == generation.catalog.ids(rows.tolist()):
        raise GenerationError(
            f"generation={generation.manifest.generation} rows of catalog and ids differ"
        )


def _check_vectors(generation: Generation, probes: Rows) -> None:
    name = generation.manifest.generation
    none = np.empty(0, np.int64)
    vectors = generation.index.vectors(probes)
    # a track exactly at the centre of the catalog has no direction, but never all of them
    directed = vectors.any(axis=1)
    if len(probes) > 1 and not directed.any():
        raise GenerationError(f"generation={name} has an index of zeros")
    lost = list[int]()
    for row, vector in zip(probes[directed].tolist(), vectors[directed], strict=True):
        if not abs(float(np.linalg.norm(vector)) - 1.0) < NORM_TOLERANCE:
            raise GenerationError(f"generation={name} row={row} is not a unit vector")
        found, cosines = generation.index.nearest(vector, PROBED, none)
        if row not in found and not cosines[0] > 1.0 - NORM_TOLERANCE:
            lost.append(row)
    # approximate search may miss one or another
    if len(lost) > (0 if generation.index.exact else len(probes) // 2):
        raise GenerationError(f"generation={name} row={lost[0]} does not find itself")
