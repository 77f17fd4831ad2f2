"""Generations: published, immutable sets of index, catalog and manifest.

::

    generations/<UTC>-<8 hex>/   index.faiss  catalog.db  ids.npy  centre.npy  manifest.json
    CURRENT                      the names of those that are served

Every file is verified by digest before anything opens it: FAISS reads most damaged files without
a word and answers wrongly. A published folder is never written again.
"""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.catalog import Catalog
from recommender.current import generations_dir
from recommender.embedders import create_embedder
from recommender.errors import (
    GenerationError,
    InvalidParameterError,
    SpaceMismatchError,
)
from recommender.files import sha256_of
from recommender.index import VectorIndex
from recommender.index.faiss import FaissIndex
from recommender.manifest import CATALOG, CENTRE, COMPONENTS, IDS, INDEX, Manifest
from recommender.projection import Projection
from recommender.space import Space, dimension_of, stored

NORM_TOLERANCE = 1e-3
PROBES = 20


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
    ids
        Track ids by row, in ascending order.
    projection
        What is done to a pooled vector before it is normalised.
    """

    manifest: Manifest
    index: VectorIndex
    catalog: Catalog
    ids: np.ndarray[Any, np.dtype[np.str_]]
    projection: Projection

    @property
    def tag_names(self) -> list[str]:
        """Names of the tag probabilities that the catalog holds."""
        return list(self.manifest.space["embedder"]["tag_names"])

    def rows_of(self, track_ids: list[str]) -> tuple[Rows, list[str]]:
        """Rows of the known ids, in their order, and the ids that are not known."""
        # of the type of the ids: one long text would have numpy widen a copy of all of them
        rows = np.searchsorted(self.ids, np.array(track_ids, dtype=self.ids.dtype))
        found, unknown = list[int](), list[str]()
        for id_, row in zip(track_ids, rows.tolist(), strict=True):
            # as Python text, because numpy's own was cut, and drops NULs at its end
            if row < len(self.ids) and str(self.ids[row]) == id_:
                found.append(row)
            else:
                unknown.append(id_)
        return np.array(found, dtype=np.int64), unknown

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


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Check size and digest of every file of a generation.

    Raises
    ------
    GenerationError
        Naming the first file that is missing or not what was published.
    """
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != expected["size"]:
            raise GenerationError(f"generation={folder.name} file={name} is missing or cut")
        if sha256_of(path) != expected["sha256"]:
            raise GenerationError(f"generation={folder.name} file={name} is damaged (sha256)")


def open_generation(data_dir: Path, name: str) -> Generation:
    """Verify and open a generation.

    Raises
    ------
    GenerationError
        A file is missing or damaged, or the parts do not fit together.
    """
    folder = generations_dir(data_dir) / name
    manifest = Manifest.read(folder)
    verify_files(folder, manifest)
    generation = Generation(
        manifest=manifest,
        index=FaissIndex.load(folder / INDEX),
        catalog=Catalog.open(folder / CATALOG),
        ids=_load_array(folder / IDS),
        projection=_load_projection(folder, manifest.files),
    )
    check_fit(generation)
    return generation


def _load_projection(folder: Path, files: Container[str]) -> Projection:
    components = _load_array(folder / COMPONENTS) if COMPONENTS in files else None
    return Projection(_load_array(folder / CENTRE), components)


def _load_array(path: Path) -> np.ndarray[Any, Any]:
    try:
        array: np.ndarray[Any, Any] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise GenerationError(
            f"generation={path.parent.name} file={path.name} is no array"
        ) from error
    return array


def check_fit(generation: Generation) -> None:
    """Check that the parts of a generation belong together and can be searched.

    Raises
    ------
    GenerationError
        Naming what does not fit.
    """
    manifest, ids = generation.manifest, generation.ids
    name = manifest.generation
    shape = (manifest.n_tracks, manifest.dimension)
    if (len(generation.index), generation.index.dimension) != shape:
        raise GenerationError(f"generation={name} index does not have the shape {shape}")
    if len(generation.catalog) != manifest.n_tracks or len(ids) != manifest.n_tracks:
        raise GenerationError(f"generation={name} catalog and index differ in their tracks")
    if ids.ndim != 1 or ids.dtype.kind != "U" or not (ids[:-1] < ids[1:]).all():
        raise GenerationError(f"generation={name} ids are not unique and in order")
    _check_projection(generation)
    probes = np.linspace(0, len(ids) - 1, min(PROBES, len(ids))).astype(np.int64)
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
    name, n_tags = generation.manifest.generation, len(generation.tag_names)
    tracks, tags = generation.catalog.tracks(probes), generation.catalog.tags(probes)
    for row in probes.tolist():
        if row not in tracks or tracks[row].id != generation.ids[row]:
            raise GenerationError(f"generation={name} row={row} of catalog and ids differ")
        if tags[row].shape != (n_tags,):
            raise GenerationError(f"generation={name} row={row} does not have {n_tags} tags")


def _check_vectors(generation: Generation, probes: Rows) -> None:
    name = generation.manifest.generation
    none = np.empty(0, np.int64)
    vectors = generation.index.vectors(probes)
    # a track exactly at the centre of the catalog has no direction, but never all of them
    directed = vectors.any(axis=1)
    if len(probes) > 1 and not directed.any():
        raise GenerationError(f"generation={name} has an index of zeros")
    for row, vector in zip(probes[directed].tolist(), vectors[directed], strict=True):
        if not abs(float(np.linalg.norm(vector)) - 1.0) < NORM_TOLERANCE:
            raise GenerationError(f"generation={name} row={row} is not a unit vector")
        _, cosines = generation.index.nearest(vector, 1, none)
        if not cosines[0] > 1.0 - NORM_TOLERANCE:
            raise GenerationError(f"generation={name} row={row} does not find itself")
