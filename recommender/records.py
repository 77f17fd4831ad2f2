"""What passes between the indexer, the library and a published catalog."""

import os
from dataclasses import dataclass
from typing import Self

from recommender.arrays import FloatArray
from recommender.embedding import Embedding
from recommender.segments import Segments
from recommender.track import Track


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells whether a file was written to: size in bytes, modification time in ns."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """The state in a file's status; times that no database holds are cut to those it does."""
        return cls(status.st_size, max(-(2**63), min(status.st_mtime_ns, 2**63 - 1)))


@dataclass(frozen=True, slots=True)
class Indexed:
    """A file that holds a track.

    `embedding` is None when the track's vector is there already, `segments` unless they were asked
    for.
    """

    path: bytes
    state: FileState
    track: Track
    embedding: Embedding | None
    segments: Segments | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that could not become a track, and why.

    `track_id` is "" unless it was known which recording it is, and only embedding it failed: one
    embedder may fail where another does not.
    """

    path: bytes
    state: FileState
    reason: str
    message: str
    track_id: str = ""


@dataclass(frozen=True, slots=True)
class LibraryTrack:
    """A track that can be published: one of its files, its vector, its tags."""

    track: Track
    path: bytes
    vector: FloatArray
    tags: FloatArray
    level_dbfs: float
