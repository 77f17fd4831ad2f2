"""Turn files into outcomes in child processes, several at a time."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from recommender.analysis import embed_file, embeddings_from, identify_file, track_from
from recommender.analysis_in_time import segments_from
from recommender.embedders import patience_of
from recommender.errors import AudioError
from recommender.records import Failed, FileState, Indexed
from recommender.sandbox import MEMORY_BYTES, ChildLimits, ChildPool
from recommender.space import Space

# for embedders as quick as the default one, and as many times as much as others cost
FILE_LIMITS = ChildLimits(MEMORY_BYTES, cpu_seconds=1800, wall_seconds=3600)

Outcome = Indexed | Failed

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Analyst:
    """Analyses files one by one; threads share it, each call runs in a child of its own.

    Attributes
    ----------
    pool
        The children.
    space
        What to embed into.
    embedded
        Ids of tracks that need no embedding; identical audio is not embedded twice.
    with_segments
        Whether to listen to all windows, and keep each.
    """

    pool: ChildPool
    space: Space
    embedded: Collection[str]
    with_segments: bool = False

    def analyse(self, path: bytes, state: FileState) -> Outcome:
        """Identify a file, and embed it unless its track has a vector already."""
        track_id = ""
        try:
            track = track_from(self.pool.call(identify_file, path, state))
            track_id = track.id
            if track.id in self.embedded:
                return Indexed(path, state, track, None)
            listening = self.space.listening
            patience = patience_of(listening.embedder.name)
            answer = self.pool.call(
                embed_file, path, state, listening, self.with_segments, patience=patience
            )
            embedding = embeddings_from(answer, self.space)[0]
            return Indexed(path, state, track, embedding, segments_from(answer, self.space))
        except AudioError as error:
            return Failed(path, state, error.reason, str(error), track_id)


def default_workers() -> int:
    """One worker for each processor that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def analyse_all(
    paths: Sequence[bytes], states: Mapping[bytes, FileState], analyst: Analyst, workers: int
) -> Iterator[list[Outcome]]:
    """Outcomes as they come, in batches to be stored together."""
    return as_they_come(
        lambda path: analyst.analyse(path, states[path]), paths, workers, analyst.pool.close
    )


def as_they_come(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    workers: int,
    stop: Callable[[], None],
) -> Iterator[list[_Result]]:
    """Results of `function`, in batches, in the order in which they are ready.

    Parameters
    ----------
    function
        Run in threads, for `workers` items at a time.
    items
        What to run it with; none is None.
    workers
        Most calls at a time.
    stop
        Called when the caller or an error ends it half-way, so that calls under way end at once.
    """
    waiting = iter(items)
    with ThreadPoolExecutor(workers, thread_name_prefix="worker") as threads:
        running: set[Future[_Result]] = set()
        try:
            while True:
                # as many in flight as workers, so that a kill loses no more than those
                while len(running) < workers and (item := next(waiting, None)) is not None:
                    running.add(threads.submit(function, item))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield [future.result() for future in done]
        finally:
            for future in running:
                future.cancel()
            if running:
                stop()
