"""The manifest: what a generation says of itself, and the digests it is verified by."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from recommender.errors import GenerationError, InvalidParameterError
from recommender.space import dimension_of, id_of

_UNREADABLE = (
    *(ValueError, TypeError, KeyError, AttributeError, RecursionError),
    # what is not there; a disk that cannot be read now says nothing about the file
    *(FileNotFoundError, NotADirectoryError, IsADirectoryError),
    InvalidParameterError,
)
SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
INDEX = "index.faiss"
CATALOG = "catalog.db"
IDS = "ids.npy"
CENTRE = "centre.npy"
COMPONENTS = "components.npy"


def data_files(space: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the files beside the manifest, for a space as `Space.describe` has it."""
    reduced = space["projection"].startswith("pca:")
    return (INDEX, CATALOG, IDS, CENTRE, *((COMPONENTS,) if reduced else ()))


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
        10, 30, 50, 70 and 90 % quantiles of the tracks' RMS levels, at which clips are embedded.
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
        """The manifest as the text of its file, sealed with the digest of its own content."""
        content = asdict(self)
        seal = hashlib.sha256(_dumped(content).encode()).hexdigest()
        return _dumped({**content, "seal": seal})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a generation; a single changed byte is noticed.

        Raises
        ------
        GenerationError
            There is none, it is damaged, or not one that this version understands.
        """
        try:
            # bytes: text mode would read a damaged line end as a good one
            text = (folder / MANIFEST).read_bytes().decode()
            content = json.loads(text)
            _check_version(folder.name, content["schema_version"])
            del content["seal"]
            manifest = cls(**content)
            sound = manifest.to_json() == text and manifest._fits(folder.name)
        except _UNREADABLE as error:
            raise GenerationError(
                f"generation={folder.name} has no valid {MANIFEST} ({type(error).__name__})"
            ) from error
        if not sound:
            raise GenerationError(f"generation={folder.name} does not fit its {MANIFEST}")
        return manifest

    def _fits(self, name: str) -> bool:
        described = dimension_of(self.space), id_of(self.space)
        complete = all(set(entry) == {"size", "sha256"} for entry in self.files.values())
        return (
            self.generation == name
            and (self.dimension, self.space_id) == described
            and complete
            and set(self.files) == set(data_files(self.space))
        )


def _dumped(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _check_version(name: str, version: object) -> None:
    if version != SCHEMA_VERSION:
        raise GenerationError(
            f"generation={name} has schema_version={version}, "
            f"this version reads {SCHEMA_VERSION}; run reindex"
        )
