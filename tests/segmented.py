"""Tracks whose windows are known, for tests of clips in time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recommender.arrays import FloatArray
from recommender.generation import Generation, open_generation
from recommender.index.recipes import IndexOptions
from recommender.press import How
from recommender.publishing import publish
from recommender.records import Indexed
from recommender.segments import PHASES, ClipWindows, Segments
from recommender.update_limits import Limits
from tests.builders import SPACE, Entry, indexed, open_library, random_entries

N_WINDOWS = 40
STEP_SECONDS = 3.0
SEGMENTED = How(IndexOptions(segments=True))


def windows_of(entry: Entry, n_windows: int = N_WINDOWS) -> Segments:
    """Random windows of a track, the same every time, around its vector."""
    rng = np.random.default_rng(list(entry.id.encode()))
    vectors = np.asarray(entry.vector) + rng.normal(size=(n_windows, len(entry.vector)))
    return Segments(np.arange(n_windows, dtype=np.int32), vectors.astype(np.float32))


def segmented(entry: Entry, n_windows: int = N_WINDOWS) -> Indexed:
    """What the indexer hands to the library when windows are kept."""
    heard = indexed(entry)
    return Indexed(
        heard.path, heard.state, heard.track, heard.embedding, windows_of(entry, n_windows)
    )


def clip_of(entry: Entry, begins: int, n_steps: int = 4) -> ClipWindows:
    """A clip that begins with a window of a track; see :func:`clip_among`."""
    return clip_among(windows_of(entry).vectors, begins, n_steps)


def clip_among(windows: FloatArray, begins: int, n_steps: int = 4) -> ClipWindows:
    """A clip that begins with a window of some; between windows it is like both."""
    places = np.arange(PHASES * n_steps - PHASES + 1, dtype=np.int32)
    at = places // PHASES + begins
    share = (places % PHASES / PHASES)[:, np.newaxis]
    vectors = (1 - share) * windows[at] + share * windows[np.minimum(at + 1, len(windows) - 1)]
    return ClipWindows(places, vectors[np.newaxis].astype(np.float32), STEP_SECONDS * n_steps)


def store_segmented(data_dir: Path, entries: Sequence[Entry], n_windows: int = N_WINDOWS) -> None:
    """Keep tracks with their windows."""
    with open_library(data_dir) as library:
        library.store([segmented(e, n_windows) for e in entries], SPACE)


def published(data_dir: Path, how: How | None = SEGMENTED) -> Generation:
    """What is served once all that is kept is published."""
    with open_library(data_dir) as library:
        return open_generation(data_dir, publish(data_dir, library, SPACE, how))


TRACKS = random_entries(150, seed=3)
UPDATING = How(IndexOptions("hnsw", segments=True), limits=Limits(least_rows=100))
