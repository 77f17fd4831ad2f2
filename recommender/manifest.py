"""The manifest: what a generation says of itself, and the digests it is verified by."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from recommender.errors import GenerationError, InvalidParameterError
from recommender.index.measurement import UNMEASURED, Measurement
from recommender.index.recipes import IndexOptions, Recipe, flat
from recommender.space import dimension_of, id_of

_UNREADABLE = (
    *(ValueError, TypeError, KeyError, AttributeError, RecursionError),
    # what is not there; a disk that cannot be read now says nothing about the file
    *(FileNotFoundError, NotADirectoryError, IsADirectoryError),
    InvalidParameterError,
)
SCHEMA_VERSION = 4
# of before the index was planned and measured, neighbours were listed, and descriptors, copies and
# a map kept: read for what they say, not served any more
_FIRST_VERSION, _OTHERS = 1, (2, 3)
MANIFEST = "manifest.json"
CATALOG = "catalog.db"
DOCUMENTS = "catalog.jsonl"
CATALOG_FILES = (CATALOG, DOCUMENTS, "catalog.added.jsonl", "catalog.npy")
IDS = "ids.npy"
ORDER = "order.npy"
TAGS = "tags.npy"
ARTISTS = "artists.npy"
DESCRIPTORS = "descriptors.npy"
MEANS = "means.npy"
ADDED = "added.npy"
NEIGHBOURS = "neighbours.npy"
CHANGED_NEIGHBOURS = "neighbours.changed.npy"
SONGS = "songs.npy"
RECORDINGS = "recordings.npy"
MAP = "map.npy"
CENTRE = "centre.npy"
COMPONENTS = "components.npy"
ARRAYS = (
    *(IDS, ORDER, TAGS, ARTISTS, DESCRIPTORS, MEANS, ADDED, NEIGHBOURS, CHANGED_NEIGHBOURS),
    *(SONGS, RECORDINGS, MAP, CENTRE),
)


# a folder of its own: names in it are those of the files of tracks
SEGMENTS = "segments"
SPANS = "spans.npy"
ROWS = "rows.npy"
PLACES = "places.npy"
SEGMENT_ARRAYS = (SPANS, ROWS, PLACES, ADDED, CENTRE)


@dataclass(frozen=True, slots=True)
class SegmentsRecord:
    """The windows that a generation keeps one by one.

    Attributes
    ----------
    n_windows, n_tracks, dimension
        How many there are, of how many tracks, and the length of their vectors.
    reduced
        Whether these are principal components of what the embedder makes.
    step_seconds, window_seconds
        Between the beginnings of two windows, and length of one.
    recipe, measurement
        How they are searched; measured when the index was built.
    """

    n_windows: int
    n_tracks: int
    dimension: int
    reduced: bool
    step_seconds: float
    window_seconds: float
    recipe: Recipe
    measurement: Measurement

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The record in the JSON of a manifest."""
        recipe, measurement = Recipe.of(content["recipe"]), Measurement.of(content["measurement"])
        return cls(**{**content, "recipe": recipe, "measurement": measurement})

    @property
    def files(self) -> tuple[str, ...]:
        """Names of its files."""
        names = (*self.recipe.files, *SEGMENT_ARRAYS, *((COMPONENTS,) if self.reduced else ()))
        return tuple(f"{SEGMENTS}/{name}" for name in names)


def data_files(
    space: Mapping[str, Any], recipe: Recipe, segments: SegmentsRecord | None = None
) -> tuple[str, ...]:
    """Names of the files beside the manifest.

    Parameters
    ----------
    space
        As `Space.describe` has it.
    recipe
        Of the index.
    segments
        None when no windows are kept.
    """
    reduced = space["projection"].startswith("pca:")
    files = (*recipe.files, *CATALOG_FILES, *ARRAYS, *((COMPONENTS,) if reduced else ()))
    return files if segments is None else (*files, *segments.files)


@dataclass(frozen=True, slots=True)
class IndexRecord:
    """How the index of a generation was asked for, made and measured.

    Attributes
    ----------
    options
        What it was planned from.
    recipe
        What it is.
    measurement
        What it finds of what exact search finds, and how fast.
    n_built
        Rows when it was last built as a whole; those beyond were added since.
    segments
        The windows that are kept one by one, None when none are.
    """

    options: IndexOptions
    recipe: Recipe
    measurement: Measurement
    n_built: int
    segments: SegmentsRecord | None = None

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The record in the JSON of a manifest."""
        return cls(
            IndexOptions(**content["options"]),
            Recipe.of(content["recipe"]),
            Measurement.of(content["measurement"]),
            content["n_built"],
            SegmentsRecord.of(segments) if (segments := content.get("segments")) else None,
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation says of itself; the last of its files to be written.

    Attributes
    ----------
    generation, created_at
        Its name, and when it was made (UTC, ISO 8601).
    space_id, space
        The space of its vectors and the description that the id is a digest of.
    parent
        The generation that this one is an update of, "" when it was built as a whole.
    n_tracks, n_rows, dimension
        Tracks that can be found; rows of the index, those of tracks that left included; length of a
        vector.
    library_revision
        State of the library that it was built from.
    level_quantiles_dbfs
        10, 30, 50, 70 and 90 % quantiles of the tracks' RMS levels, at which clips are embedded.
    index, faiss_version
        How the index was made.
    files
        Size and SHA-256 of every other file.
    """

    schema_version: int
    generation: str
    created_at: str
    parent: str
    space_id: str
    space: dict[str, Any]
    n_tracks: int
    n_rows: int
    dimension: int
    library_revision: str
    level_quantiles_dbfs: list[float]
    index: IndexRecord
    faiss_version: str
    files: dict[str, dict[str, Any]]

    def to_json(self) -> str:
        """The manifest as the text of its file, sealed with the digest of its own content."""
        return _sealed(asdict(self))

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
            sound = _sealed(content) == text
            manifest = cls._of(content)
            sound = sound and manifest._fits(folder.name)
        except _UNREADABLE as error:
            raise GenerationError(
                f"generation={folder.name} has no valid {MANIFEST} ({type(error).__name__})"
            ) from error
        if not sound:
            raise GenerationError(f"generation={folder.name} does not fit its {MANIFEST}")
        return manifest

    @classmethod
    def _of(cls, content: dict[str, Any]) -> Self:
        if content["schema_version"] == _FIRST_VERSION:
            del content["index_kind"]
            content |= {"parent": "", "n_rows": content["n_tracks"], "index": asdict(_FLAT)}
        return cls(**content | {"index": IndexRecord.of(content["index"])})

    @property
    def outdated(self) -> bool:
        """Whether an earlier version made it, which this one cannot serve."""
        return self.schema_version != SCHEMA_VERSION

    def bytes_of(self, files: Iterable[str]) -> int:
        """Size of some of its files together."""
        return sum(self.files[name]["size"] for name in files)

    def _fits(self, name: str) -> bool:
        described = dimension_of(self.space), id_of(self.space)
        complete = all(set(entry) == {"size", "sha256"} for entry in self.files.values())
        return (
            self.generation == name
            and (self.dimension, self.space_id) == described
            and self.n_tracks <= self.n_rows
            and complete
            and (self.outdated or set(self.files) == self._data_files)
        )

    @property
    def _data_files(self) -> set[str]:
        return set(data_files(self.space, self.index.recipe, self.index.segments))


_FLAT = IndexRecord(IndexOptions(), flat(), UNMEASURED, 0)


def _sealed(content: dict[str, Any]) -> str:
    return _dumped({**content, "seal": _seal(content)})


def _seal(content: dict[str, Any]) -> str:
    return hashlib.sha256(_dumped(content).encode()).hexdigest()


def _dumped(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _check_version(name: str, version: object) -> None:
    if version not in (_FIRST_VERSION, *_OTHERS, SCHEMA_VERSION):
        raise GenerationError(
            f"generation={name} has schema_version={version}, "
            f"this version reads {SCHEMA_VERSION}; run reindex"
        )
