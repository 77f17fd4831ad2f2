"""Build a generation from the library, check it, and publish it in one step.

A crash at any moment leaves `CURRENT` pointing to a complete generation: everything is written to
a temporary folder and pushed to the disk before the folder gets its name, and `CURRENT` is
replaced last. Leftovers of a crash are swept by the next run.
"""

import logging
import secrets
import shutil
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray
from recommender.catalog import write_catalog
from recommender.current import generations_dir, list_generations
from recommender.errors import GenerationError
from recommender.files import sha256_of, sync
from recommender.generation import normalised, open_generation
from recommender.index.faiss import FaissIndex
from recommender.library import Library
from recommender.manifest import (
    CATALOG,
    CENTRE,
    COMPONENTS,
    IDS,
    INDEX,
    MANIFEST,
    SCHEMA_VERSION,
    Manifest,
    data_files,
)
from recommender.projection import fit
from recommender.records import LibraryTrack
from recommender.served import (
    embedder_of,
    made_by,
    read_manifest,
    serve,
    served_manifests,
    serving,
)
from recommender.space import Space, dimension_of, id_of, stored

_log = logging.getLogger(__name__)

KEEP_GENERATIONS = 3
LEVEL_QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
_TEMPORARY = ".tmp-"


def published(data_dir: Path, library: Library, space: Space) -> str:
    """Name of the generation that serves a space; "" when something is to be published.

    That is so unless the space is served, and every generation that is served is whole and was
    built from the library as it stands.
    """
    manifests = [read_manifest(data_dir, line.generation) for line in serving(data_dir)]
    if not all(one and _is_up_to_date(data_dir, one, library) for one in manifests):
        return ""
    names = (one.generation for one in manifests if one and one.space_id == space.id)
    return next(names, "")


def publish(data_dir: Path, library: Library, space: Space) -> str:
    """Have a space served as the library stands; answers are drawn from it from then on.

    It takes the place of the one that the same embedder made before. The other spaces that are
    served are built anew when the library holds something else by now, from the vectors in it;
    all change in one step. One that cannot be built stays as it was, and the log says so.

    Returns
    -------
    str
        Name of the generation.

    Raises
    ------
    GenerationError
        What was built fails its own checks; the old generations stay.
    StorageError, OSError
        The disk is full or not writable; the old generations stay.
    """
    sweep(data_dir)
    stale = [
        manifest
        for manifest in served_manifests(data_dir)
        if not _is_up_to_date(data_dir, manifest, library)
    ]
    current = [m for m in served_manifests(data_dir) if m.space_id == space.id and m not in stale]
    names = {space.embedder.name: current[0].generation} if current else {}
    built = dict[str, str]()
    try:
        if not current:
            built[space.embedder.name] = _write(data_dir, library, space.describe())
        for manifest in stale:
            if embedder_of(manifest) != space.embedder.name:
                built |= _rebuilt(data_dir, library, manifest)
    except BaseException:
        # nobody ever served them, so nobody may roll back to them
        for name in built.values():
            _remove(generations_dir(data_dir) / name)
        raise
    serve(data_dir, names | built)
    # what cannot be removed now is published over next time; this generation is served already
    with suppress(OSError):
        prune(data_dir)
    return (names | built)[space.embedder.name]


def _rebuilt(data_dir: Path, library: Library, manifest: Manifest) -> dict[str, str]:
    """The generation that takes the place of another of the same space, by embedder; {} if none."""
    embedder = embedder_of(manifest)
    try:
        return {embedder: _write(data_dir, library, manifest.space)}
    except GenerationError as error:
        _log.warning(
            "the space of %s stays as it was: %s; run reindex with --embedder %s, or: "
            "python -m indexer spaces drop %s",
            *(embedder, error, embedder, embedder),
        )
        return {}


def _is_up_to_date(data_dir: Path, manifest: Manifest, library: Library) -> bool:
    """Whether a generation is whole, and of this state of the library."""
    if manifest.library_revision != library.revision(id_of(stored(manifest.space))):
        return False
    try:
        open_generation(data_dir, manifest.generation)
    except GenerationError:
        return False
    return True


def _write(data_dir: Path, library: Library, space: Mapping[str, Any]) -> str:
    """Build the generation of a space and check it, without having it served; its name."""
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}"
    home = generations_dir(data_dir)
    home.mkdir(parents=True, exist_ok=True)
    temporary = home / (_TEMPORARY + name)
    try:
        temporary.mkdir()
        _build(temporary, name, now, library, space)
        for file in (*data_files(space), MANIFEST):
            sync(temporary / file)
        sync(temporary)
        temporary.rename(home / name)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync(home)
    _check_or_remove(data_dir, name)
    return name


def sweep(data_dir: Path) -> None:
    """Remove what a run that was stopped left half built."""
    for leftover in generations_dir(data_dir).glob(_TEMPORARY + "*"):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def prune(data_dir: Path) -> None:
    """Remove old generations; what is served and the newest of each embedder stay.

    Of every embedder the newest `KEEP_GENERATIONS` are kept.
    """
    by_embedder = defaultdict[str, list[str]](list)
    for name in list_generations(data_dir):
        by_embedder[made_by(data_dir, name)].append(name)
    kept = [line.generation for line in serving(data_dir)]
    for names in by_embedder.values():
        for name in set(names[:-KEEP_GENERATIONS]).difference(kept):
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


def _build(
    folder: Path, name: str, now: datetime, library: Library, space: Mapping[str, Any]
) -> None:
    kept = stored(space)
    revision = library.revision(id_of(kept))
    tracks = list(library.publishable(id_of(kept)))
    vectors = _stacked(tracks, dimension_of(kept))
    projection = fit(space["projection"], vectors)
    FaissIndex.build(normalised(projection.apply(vectors))).save(folder / INDEX)
    write_catalog(folder / CATALOG, tracks)
    np.save(folder / IDS, np.array([entry.track.id for entry in tracks], dtype=np.str_))
    np.save(folder / CENTRE, projection.centre)
    if projection.components is not None:
        np.save(folder / COMPONENTS, projection.components)
    levels = np.array([entry.level_dbfs for entry in tracks])
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        generation=name,
        created_at=now.isoformat(timespec="seconds"),
        space_id=id_of(space),
        space=dict(space),
        n_tracks=len(tracks),
        dimension=projection.dimension,
        library_revision=revision,
        level_quantiles_dbfs=np.quantile(levels, LEVEL_QUANTILES).tolist() if tracks else [],
        index_kind="flat inner product",
        faiss_version=version("faiss-cpu"),
        files={file: _fingerprint(folder / file) for file in data_files(space)},
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
