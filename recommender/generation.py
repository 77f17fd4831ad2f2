"""Generations: published, immutable sets of index, catalog and manifest.

::

    generations/<UTC>-<8 hex>/   index.faiss  catalog.db  ids.npy  centre.npy  manifest.json
    CURRENT                      the name of the one that is served

Every file is verified by digest before anything opens it: FAISS reads most damaged files without
a word and answers wrongly. A published folder is never written again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommender.catalog import Catalog
from recommender.embedding import FloatArray, Rows
from recommender.errors import GenerationError, IndexUnavailableError
from recommender.files import replace_durably, sha256_of
from recommender.index import VectorIndex
from recommender.index.faiss import FaissIndex
from recommender.manifest import CATALOG, CENTRE, IDS, INDEX, MANIFEST, Manifest

NORM_TOLERANCE = 1e-3


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
    centre
        float32, shape (dimension,): what is subtracted from a vector before it is normalised.
    """

    manifest: Manifest
    index: VectorIndex
    catalog: Catalog
    ids: np.ndarray[Any, np.dtype[np.str_]]
    centre: FloatArray

    @property
    def tag_names(self) -> list[str]:
        """Names of the tag probabilities that the catalog holds."""
        return list(self.manifest.space["embedder"]["tag_names"])

    def rows_of(self, track_ids: list[str]) -> tuple[Rows, list[str]]:
        """Rows of the known ids, in their order, and the ids that are not known."""
        wanted = np.array(track_ids, dtype=np.str_)
        rows = np.searchsorted(self.ids, wanted)
        rows[rows == len(self.ids)] = 0
        known = self.ids[rows] == wanted if len(self.ids) else np.zeros(len(wanted), dtype=bool)
        unknown = [id_ for id_, found in zip(track_ids, known, strict=True) if not found]
        return rows[known].astype(np.int64), unknown

    def project(self, vector: FloatArray) -> FloatArray:
        """Turn a pooled vector into a unit vector that can be compared with the index."""
        unit: FloatArray = normalised((vector - self.centre)[np.newaxis])[0]
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


def generations_dir(data_dir: Path) -> Path:
    """Where generations are kept."""
    return data_dir / "generations"


def list_generations(data_dir: Path) -> list[str]:
    """Names of the finished generations, oldest first."""
    return sorted(path.parent.name for path in generations_dir(data_dir).glob(f"[!.]*/{MANIFEST}"))


def current_generation(data_dir: Path) -> str:
    """Name of the generation that is served.

    Raises
    ------
    IndexUnavailableError
        Nothing is published yet.
    """
    try:
        name = (data_dir / "CURRENT").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        name = ""
    if not name or Path(name).name != name:
        raise IndexUnavailableError(
            f"data_dir={data_dir} holds no published index; "
            "run: python -m indexer reindex MUSIC_DIR"
        )
    return name


def make_current(data_dir: Path, name: str) -> None:
    """Point `CURRENT` to a generation, in one step that survives a crash."""
    replace_durably(data_dir / "CURRENT", name + "\n")


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
        ids=np.load(folder / IDS, allow_pickle=False),
        centre=np.load(folder / CENTRE, allow_pickle=False),
    )
    check_fit(generation)
    return generation


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
    if not (ids[:-1] < ids[1:]).all():
        raise GenerationError(f"generation={name} ids are not unique and in order")
    centre = generation.centre
    if centre.shape != (manifest.dimension,) or not np.isfinite(centre).all():
        raise GenerationError(f"generation={name} file={CENTRE} is not a finite vector")
    _check_vectors(generation)


def _check_vectors(generation: Generation) -> None:
    name, n_tracks = generation.manifest.generation, generation.manifest.n_tracks
    none = np.empty(0, np.int64)
    for row in np.linspace(0, n_tracks - 1, min(20, n_tracks)).astype(np.int64):
        vector = generation.index.vectors(np.array([row]))[0]
        if not abs(float(np.linalg.norm(vector)) - 1.0) < NORM_TOLERANCE:
            raise GenerationError(f"generation={name} row={row} is not a unit vector")
        _, cosines = generation.index.nearest(vector, 1, none)
        if not cosines[0] > 1.0 - NORM_TOLERANCE:
            raise GenerationError(f"generation={name} row={row} does not find itself")
