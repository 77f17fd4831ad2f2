"""What passes between the indexer, the library and a published catalog."""

from dataclasses import dataclass

from recommender.embedding import Embedding, FloatArray
from recommender.track import Track


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells whether a file was written to: size in bytes, modification time in ns."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Indexed:
    """A file that holds a track; `embedding` is None when the track's vector is there already."""

    path: bytes
    state: FileState
    track: Track
    embedding: Embedding | None


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that could not become a track, and why."""

    path: bytes
    state: FileState
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class LibraryTrack:
    """A track that can be published: one of its files, its vector, its tags."""

    track: Track
    path: bytes
    vector: FloatArray
    tags: FloatArray
    level_dbfs: float
