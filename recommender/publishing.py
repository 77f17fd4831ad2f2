"""Build a generation from the library, check it, and publish it in one step.

A crash at any moment leaves `CURRENT` pointing to a complete generation: everything is written to
a temporary folder and pushed to the disk before the folder gets its name, and `CURRENT` is
replaced last. Leftovers of a crash are swept by the next run.
"""

import secrets
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from recommender.arrays import FloatArray
from recommender.catalog import write_catalog
from recommender.errors import GenerationError, IndexUnavailableError
from recommender.files import sha256_of, sync
from recommender.generation import (
    current_generation,
    generations_dir,
    list_generations,
    make_current,
    normalised,
    open_generation,
)
from recommender.index.faiss import FaissIndex
from recommender.library import Library
from recommender.manifest import (
    CATALOG,
    CENTRE,
    DATA_FILES,
    IDS,
    INDEX,
    MANIFEST,
    SCHEMA_VERSION,
    Manifest,
)
from recommender.records import LibraryTrack
from recommender.space import Space

KEEP_GENERATIONS = 3
CENTRING_PRIOR_TRACKS = 10
LEVEL_QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
_TEMPORARY = ".tmp-"


def is_published(data_dir: Path, library: Library, space: Space) -> bool:
    """Whether the served generation is whole and was built from the library as it stands."""
    try:
        name = current_generation(data_dir)
        manifest = Manifest.read(generations_dir(data_dir) / name)
        if (manifest.library_revision, manifest.space_id) != (library.revision(), space.id):
            return False
        open_generation(data_dir, name)
    except (GenerationError, IndexUnavailableError):
        return False
    return True


def publish(data_dir: Path, library: Library, space: Space) -> str:
    """Build, check and publish a generation; answers are drawn from it from then on.

    Returns
    -------
    str
        Name of the new generation.

    Raises
    ------
    GenerationError
        What was built fails its own checks; the old generation stays.
    StorageError, OSError
        The disk is full or not writable; the old generation stays.
    """
    sweep(data_dir)
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}"
    home = generations_dir(data_dir)
    home.mkdir(parents=True, exist_ok=True)
    temporary = home / (_TEMPORARY + name)
    try:
        temporary.mkdir()
        _build(temporary, name, now, library, space)
        for file in (*DATA_FILES, MANIFEST):
            sync(temporary / file)
        sync(temporary)
        temporary.rename(home / name)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync(home)
    _check_or_remove(data_dir, name)
    make_current(data_dir, name)
    # what cannot be removed now is published over next time; this generation is served already
    with suppress(OSError):
        prune(data_dir)
    return name


def sweep(data_dir: Path) -> None:
    """Remove what a run that was stopped left half built."""
    for leftover in generations_dir(data_dir).glob(_TEMPORARY + "*"):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def prune(data_dir: Path) -> None:
    """Remove old generations; the served one and the newest `KEEP_GENERATIONS` stay."""
    keep = {current_generation(data_dir), *list_generations(data_dir)[-KEEP_GENERATIONS:]}
    for name in set(list_generations(data_dir)) - keep:
        _remove(generations_dir(data_dir) / name)


def _check_or_remove(data_dir: Path, name: str) -> None:
    """Verify what was written as a reader does; what fails must not pass for a generation."""
    try:
        open_generation(data_dir, name)
    except BaseException:
        _remove(generations_dir(data_dir) / name)
        raise


def _remove(folder: Path) -> None:
    """Remove a generation; the next run sweeps what a crash in between leaves."""
    doomed = folder.with_name(_TEMPORARY + folder.name)
    folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def fit_centre(vectors: FloatArray) -> FloatArray:
    """Centre of the catalog: the mean, drawn towards zero for small catalogs.

    The mean of very few tracks is mostly those tracks themselves; subtracting it whole would turn
    a catalog of one into a zero vector. `CENTRING_PRIOR_TRACKS` imagined tracks at zero prevent it.

    Parameters
    ----------
    vectors
        Pooled vectors, float32, shape (n_tracks, dimension).
    """
    total = vectors.sum(axis=0, dtype=np.float64)
    centre: FloatArray = (total / (len(vectors) + CENTRING_PRIOR_TRACKS)).astype(np.float32)
    return centre


def _build(folder: Path, name: str, now: datetime, library: Library, space: Space) -> None:
    revision = library.revision()
    tracks = list(library.publishable(space.id))
    vectors = _stacked(tracks, space.embedder.frame_dimension)
    centre = fit_centre(vectors)
    FaissIndex.build(normalised(vectors - centre)).save(folder / INDEX)
    write_catalog(folder / CATALOG, tracks)
    np.save(folder / IDS, np.array([entry.track.id for entry in tracks], dtype=np.str_))
    np.save(folder / CENTRE, centre)
    levels = np.array([entry.level_dbfs for entry in tracks])
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        generation=name,
        created_at=now.isoformat(timespec="seconds"),
        space_id=space.id,
        space=space.describe(),
        n_tracks=len(tracks),
        dimension=space.embedder.frame_dimension,
        library_revision=revision,
        level_quantiles_dbfs=np.quantile(levels, LEVEL_QUANTILES).tolist() if tracks else [],
        index_kind="flat inner product",
        faiss_version=version("faiss-cpu"),
        files={file: _fingerprint(folder / file) for file in DATA_FILES},
    )
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")


def _stacked(tracks: list[LibraryTrack], dimension: int) -> FloatArray:
    vectors = np.zeros((len(tracks), dimension), np.float32)
    for row, entry in enumerate(tracks):
        if entry.vector.shape != (dimension,) or not np.isfinite(entry.vector).all():
            raise GenerationError(
                f"track_id={entry.track.id} has a damaged vector in the library; "
                "run reindex --full to embed everything again"
            )
        vectors[row] = entry.vector
    return vectors


def _fingerprint(path: Path) -> dict[str, object]:
    return {"size": path.stat().st_size, "sha256": sha256_of(path)}
