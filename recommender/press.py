"""Make one generation: update the one that is served or build it, check it, give it its name.

Everything is written to a hidden folder and pushed to the disk before the folder gets its name, so
that a crash at any moment leaves either no generation or a whole one.
"""

import logging
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from recommender.building import Built, build
from recommender.current import generations_dir
from recommender.errors import GenerationError, RecallError
from recommender.files import sha256_of_all, sync
from recommender.generation import Generation, open_generation, open_verified
from recommender.housekeeping import TEMPORARY
from recommender.index.recipes import IndexOptions
from recommender.library import Library
from recommender.manifest import MANIFEST, SCHEMA_VERSION, Manifest, data_files
from recommender.served import last_known, served_manifests
from recommender.space import id_of, stored
from recommender.update_limits import BY_CHANCE, Limits
from recommender.updating import update

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class How:
    """How an index is made.

    Attributes
    ----------
    options
        What it is planned from.
    accept_low_recall
        Publish it although searches find less than the options want.
    limits
        When an update gives way to a new index.
    """

    options: IndexOptions = field(default_factory=IndexOptions)
    accept_low_recall: bool = False
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(cls, manifest: Manifest) -> "How":
        """As an index was made that is served."""
        record, found = manifest.index, manifest.index.measurement
        target, listed = record.options.target_recall, found.listed_recall_at_10
        low = listed is not None and listed < target - BY_CHANCE
        return cls(record.options, low or found.recall_at_10 < target)


class Press:
    """Makes generations of one data folder; each that is there is verified once at most."""

    def __init__(self, data_dir: Path, library: Library):
        self.data_dir, self.library = data_dir, library
        self._opened = dict[str, Generation | None]()

    def how_as_served(self, embedder: str) -> How:
        """How the index of an embedder was made last."""
        manifest = last_known(self.data_dir, embedder)
        return How.of(manifest) if manifest else How()

    def is_up_to_date(self, manifest: Manifest, options: IndexOptions | None = None) -> bool:
        """Whether a generation is whole, of this state of the library, and made in this way."""
        if options not in (None, manifest.index.options):
            return False
        revision = self.library.revision(id_of(stored(manifest.space)))
        return manifest.library_revision == revision and self._whole(manifest) is not None

    def make(self, space: Mapping[str, Any], how: How) -> str:
        """Make the generation of a space and check it, without having it served; its name.

        Raises
        ------
        RecallError
            Searches find too little.
        GenerationError
            What was made fails its own checks.
        StorageError, OSError
            The disk is full or not writable.
        """
        now = datetime.now(UTC)
        home = generations_dir(self.data_dir)
        home.mkdir(parents=True, exist_ok=True)
        name = f"{now:%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}"
        folder = home / (TEMPORARY + name)
        try:
            folder.mkdir()
            revision = self.library.revision(id_of(stored(space)))
            built = self._updated(folder, space, how) or self._built(folder, space, how)
            manifest = _manifest(folder, name, now, space, revision, built)
            _write_durably(folder, manifest, built)
            open_verified(folder, manifest)
            folder.rename(home / name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        sync(home)
        return name

    def _updated(self, folder: Path, space: Mapping[str, Any], how: How) -> Built | None:
        same = (m for m in served_manifests(self.data_dir) if m.space_id == id_of(space))
        manifest = next(same, None)
        before = self._whole(manifest) if manifest else None
        if before is None:
            return None
        _log.info("looking for what changed since generation=%s", before.manifest.generation)
        return update(folder, self.library, space, how.options, before, how.limits)

    def _built(self, folder: Path, space: Mapping[str, Any], how: How) -> Built:
        built = build(folder, self.library, space, how.options)
        found, target = built.index.measurement.least_recall_at_10, how.options.target_recall
        if found < target and not how.accept_low_recall:
            raise RecallError(
                f"index={built.index.recipe.kind} finds recall@10={found:.4f} of what exact search "
                f"finds, target_recall={target}; it is not published. Choose another --index, a "
                "larger --memory-budget, a lower --target-recall, or pass --allow-low-recall"
            )
        return built

    def _whole(self, manifest: Manifest) -> Generation | None:
        name = manifest.generation
        if name not in self._opened:
            try:
                self._opened[name] = open_generation(self.data_dir, name)
            except GenerationError:
                self._opened[name] = None
        return self._opened[name]


def _manifest(
    folder: Path,
    name: str,
    now: datetime,
    space: Mapping[str, Any],
    revision: str,
    built: Built,
) -> Manifest:
    names = data_files(space, built.index.recipe, built.index.segments)
    new = [name for name in names if name not in built.linked]
    digests = sha256_of_all(folder / file for file in new)
    files = {
        file: {"size": (folder / file).stat().st_size, "sha256": digest}
        for file, digest in zip(new, digests, strict=True)
    }
    return Manifest(
        schema_version=SCHEMA_VERSION,
        generation=name,
        created_at=now.isoformat(timespec="seconds"),
        parent=built.parent,
        space_id=id_of(space),
        space=dict(space),
        n_tracks=built.n_tracks,
        n_rows=built.n_rows,
        dimension=built.dimension,
        library_revision=revision,
        level_quantiles_dbfs=built.level_quantiles_dbfs,
        index=built.index,
        faiss_version=version("faiss-cpu"),
        files=files | dict(built.linked),
    )


def _write_durably(folder: Path, manifest: Manifest, built: Built) -> None:
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    for file in (*manifest.files, MANIFEST):
        if file not in built.linked:
            sync(folder / file)
    for home in {(folder / file).parent for file in manifest.files} | {folder}:
        sync(home)
