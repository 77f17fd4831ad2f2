"""Embed uploaded clips, in children that may crash without taking the service along."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from api.problems import ProblemError
from recommender.analysis import embed_clip, embeddings_from
from recommender.analysis_in_time import clip_windows_from, embed_clip_in_time
from recommender.embedders import patience_of, require_packages
from recommender.embedders.environment import embedder_environment
from recommender.embedding import EmbedderSpec, Embedding
from recommender.generation import space_of
from recommender.manifest import Manifest
from recommender.sandbox import MEMORY_BYTES, ChildLimits, ChildPool
from recommender.segments import ClipWindows
from recommender.space import Space

# for an embedder with the default one's cost and its windows, and so much more for others
LIMITS = ChildLimits(MEMORY_BYTES, cpu_seconds=10.0, wall_seconds=20.0)
WINDOW_SECONDS = 3.0
# as many windows at most as of clips that are heard as a whole, and these beside them
IN_TIME = 2.0
WAIT_SECONDS = 5.0
# fewer than the threads that answer requests, so that clips in a queue never take them all
MAX_AT_ONCE = 16
# each may lie on the disk in full
MAX_UPLOADS = 128


class ClipEmbedder:
    """Turns clips into vectors of the served generation's space; safe to use from many threads.

    Parameters
    ----------
    pool
        The children that decode and embed.
    """

    def __init__(self, pool: ChildPool):
        self._pool = pool
        self._slots = threading.BoundedSemaphore(MAX_AT_ONCE)
        self._uploads = threading.BoundedSemaphore(MAX_UPLOADS)

    @classmethod
    def start(cls, n_workers: int) -> "ClipEmbedder":
        """Make one with `n_workers` children; they start with the first clips."""
        return cls(ChildPool(n_workers, LIMITS, embedder_environment(), wait_seconds=WAIT_SECONDS))

    def close(self) -> None:
        """End the children."""
        self._pool.close()

    def receiving(self) -> AbstractContextManager[None]:
        """A place for one upload, from its first byte until it is answered.

        Raises
        ------
        ProblemError
            `MAX_UPLOADS` are under way already.
        """
        return _taken(self._uploads, f"{MAX_UPLOADS} clips are being uploaded; try again")

    def slot(self) -> AbstractContextManager[None]:
        """A place for one clip that has come in, until it is answered.

        Raises
        ------
        ProblemError
            `MAX_AT_ONCE` clips are being handled already.
        """
        return _taken(self._slots, f"{MAX_AT_ONCE} clips are being handled; try again")

    def embed(self, path: Path, manifest: Manifest) -> list[Embedding]:
        """Embed a clip once for each of the catalog's levels.

        Raises
        ------
        SpaceMismatchError
            This version cannot make vectors of the generation's space.
        MissingPackageError
            What its embedder runs on is not installed.
        AudioError
            The clip cannot be decoded, or is beyond a limit.
        ProblemError
            No child became free in time.
        """
        space = space_of(manifest)
        answer = self._answer(embed_clip, path, space, manifest, _patience(space.embedder))
        return embeddings_from(answer, space)

    def embed_in_time(self, path: Path, manifest: Manifest) -> tuple[list[Embedding], ClipWindows]:
        """Embed a clip as :meth:`embed` does, and window by window.

        Raises
        ------
        SpaceMismatchError, MissingPackageError, AudioError, ProblemError
            As of :meth:`embed`.
        """
        space = space_of(manifest)
        patience = IN_TIME * _patience(space.embedder)
        answer = self._answer(embed_clip_in_time, path, space, manifest, patience)
        return embeddings_from(answer, space), clip_windows_from(answer, space)

    def _answer(
        self,
        function: Callable[..., bytes],
        path: Path,
        space: Space,
        manifest: Manifest,
        patience: float,
    ) -> bytes:
        # before a child is taken up, which would fail for each clip anew
        require_packages(space.embedder.name)
        try:
            return self._pool.call(
                function,
                os.fsencode(path),
                space.clip_listening,
                manifest.level_quantiles_dbfs,
                patience=patience,
            )
        except TimeoutError as error:
            raise ProblemError("overloaded", "other clips are being embedded; try again") from error


def _patience(spec: EmbedderSpec) -> float:
    """Clips are cut into about as many windows for each embedder, however long these are."""
    seconds = spec.hop_samples / spec.sample_rate
    return max(1.0, patience_of(spec.name) * seconds / WINDOW_SECONDS)


@contextmanager
def _taken(places: threading.BoundedSemaphore, full: str) -> Iterator[None]:
    if not places.acquire(blocking=False):
        raise ProblemError("overloaded", full)
    try:
        yield
    finally:
        places.release()
