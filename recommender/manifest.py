"""The manifest: what a generation says of itself, and the digests it is verified by."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from recommender.errors import GenerationError

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
INDEX = "index.faiss"
CATALOG = "catalog.db"
IDS = "ids.npy"
CENTRE = "centre.npy"
DATA_FILES = (INDEX, CATALOG, IDS, CENTRE)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation says of itself; the last of its files to be written.

    Attributes
    ----------
    generation, created_at
        Its name, and when it was made (UTC, ISO 8601).
    space_id, space
        The space of its vectors and the description that the id is a digest of.
    n_tracks, dimension
        Shape of the index.
    library_revision
        State of the library that it was built from.
    level_quantiles_dbfs
        Quartiles of the tracks' RMS levels; a clip is embedded once at each of them.
    index_kind, faiss_version
        What built the index.
    files
        Size and SHA-256 of every other file.
    """

    schema_version: int
    generation: str
    created_at: str
    space_id: str
    space: dict[str, Any]
    n_tracks: int
    dimension: int
    library_revision: str
    level_quantiles_dbfs: list[float]
    index_kind: str
    faiss_version: str
    files: dict[str, dict[str, Any]]

    def to_json(self) -> str:
        """The manifest as the text of its file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a generation.

        Raises
        ------
        GenerationError
            There is none, or it is not one that this version understands.
        """
        try:
            manifest = cls(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise GenerationError(
                f"generation={folder.name} has no valid {MANIFEST} ({type(error).__name__})"
            ) from error
        if manifest.schema_version != SCHEMA_VERSION:
            raise GenerationError(
                f"generation={folder.name} has schema_version={manifest.schema_version}, "
                f"this version reads {SCHEMA_VERSION}; run reindex"
            )
        if manifest.generation != folder.name or set(manifest.files) != set(DATA_FILES):
            raise GenerationError(f"generation={folder.name} does not fit its {MANIFEST}")
        return manifest
