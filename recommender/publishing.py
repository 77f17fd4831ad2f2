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
    last_known,
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
    served are brought up to date as well, see :func:`refresh`; all change in one step.

    Returns
    -------
    str
        Name of the generation.

    Raises
    ------
    GenerationError
        What was built fails its own checks; the old generation of this space stays.
    StorageError, OSError
        The disk is full or not writable; the old generations stay.
    """
    sweep(data_dir)
    embedder, manifests = space.embedder.name, served_manifests(data_dir)
    own = [m for m in manifests if m.space_id == space.id and _is_up_to_date(data_dir, m, library)]
    if own:
        _serve_new(data_dir, library, {}, without=embedder)
        return own[0].generation
    try:
        built = {embedder: _write(data_dir, library, space.describe())}
    except GenerationError:
        _serve_new(data_dir, library, {}, without=embedder)
        raise
    _serve_new(data_dir, library, built, without=embedder)
    return built[embedder]


def refresh(data_dir: Path, library: Library) -> None:
    """Build the served spaces anew of which the library holds something else by now.

    They are built from the vectors in it. A space that cannot be built, or that would lose tracks
    which nothing says are gone, stays as it was, and the log says so.

    Raises
    ------
    StorageError, OSError
        As of :func:`publish`.
    """
    sweep(data_dir)
    _serve_new(data_dir, library, {}, without="")


def held(data_dir: Path, embedder: str) -> set[str]:
    """Ids of the tracks in the space that is served for an embedder; of an older one if damaged."""
    manifest = last_known(data_dir, embedder)
    if manifest is None:
        return set()
    path = generations_dir(data_dir) / manifest.generation / IDS
    try:
        return set(np.load(path, allow_pickle=False).tolist())
    except (FileNotFoundError, ValueError, EOFError):
        return set()


def leaving(library: Library, tracks: set[str], space: Mapping[str, Any]) -> set[str]:
    """Tracks that a space would lose if it were published, though nothing says that they are gone.

    Gone is what the library knows, and what no file of it holds any more.

    Parameters
    ----------
    library
        What there is.
    tracks
        What the space holds that is replaced, see :func:`held`.
    space
        What takes its place, as `Space.describe` has it.
    """
    lost = tracks - library.embedded(id_of(stored(space)))
    if not lost:
        return lost
    in_files = {track_id for _, track_id in library.files().values()}
    return lost - (library.track_ids() - in_files)


def _serve_new(data_dir: Path, library: Library, built: dict[str, str], without: str) -> None:
    """Serve what was built, and with it whatever else is out of date but for one embedder."""
    try:
        for manifest in served_manifests(data_dir):
            if embedder_of(manifest) != without and not _is_up_to_date(data_dir, manifest, library):
                built |= _rebuilt(data_dir, library, manifest)
        serve(data_dir, built)
    except BaseException:
        # what nobody ever served, nobody may roll back to
        for name in set(built.values()).difference(line.generation for line in serving(data_dir)):
            _remove(generations_dir(data_dir) / name)
        raise
    # what cannot be removed now is published over next time; the new ones are served already
    with suppress(OSError):
        prune(data_dir)


def _rebuilt(data_dir: Path, library: Library, manifest: Manifest) -> dict[str, str]:
    """The generation that takes the place of another of the same space, by embedder; {} if none."""
    embedder = embedder_of(manifest)
    lost = leaving(library, held(data_dir, embedder), manifest.space)
    try:
        if lost:
            raise GenerationError(
                f"{len(lost)} of its tracks have no vector in the library any more"
            )
        if manifest.n_tracks and not library.count_publishable(id_of(stored(manifest.space))):
            raise GenerationError("none of its tracks has a file that can be read any more")
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
