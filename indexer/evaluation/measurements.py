"""What is measured of each track, in child processes, and kept so that no run measures it twice."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
from rich.console import Console
from safetensors import SafetensorError
from safetensors.numpy import load

from indexer.progress import Reporter, make_reporter
from indexer.workers import FILE_LIMITS, as_they_come
from recommender.embedders.environment import embedder_environment
from recommender.errors import AudioError, ChildFailedError
from recommender.files import replace_durably
from recommender.records import Failed, FileState
from recommender.sandbox import ChildPool

Arrays = dict[str, npt.NDArray[Any]]
SHOWN_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a child measured of one track."""

    track_id: str
    arrays: Arrays


def measured(
    tracks: Mapping[str, tuple[bytes, FileState]],
    folder: Path,
    function: Callable[..., bytes],
    arguments: Callable[[str], tuple[Any, ...]],
    fits: Callable[[Arrays], bool],
    workers: int,
    console: Console,
    what: str,
) -> dict[str, Arrays]:
    """Measure every track once: what a folder holds already is read from there.

    Parameters
    ----------
    tracks
        Path and state of a file by track id.
    folder
        Where measurements are kept, one ``<track id>.safetensors`` each; made when it is not
        there. What else the measurement depends on must be part of the folder's name.
    function
        ``function(path, state, *arguments(track_id))`` answers in safetensors; a child calls it.
    arguments
        What it is called with, by track id.
    fits
        Whether arrays can be what `function` answers. What is kept and does not fit is measured
        anew and replaced, whatever stands in its place.
    workers
        Children at a time.
    console
        For progress, and what was left out.
    what
        What is measured, in words that begin a line.

    Returns
    -------
    dict
        Arrays by name by track id, in the order of `tracks`. A track whose file is gone, was
        changed or cannot be decoded any more is left out and said on the console.

    Raises
    ------
    OSError
        The folder cannot be written to; what was measured before stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = {
        id_: arrays for id_ in tracks if (arrays := _stored(_home(folder, id_), fits)) is not None
    }
    missing = [id_ for id_ in tracks if id_ not in found]
    if missing:
        _say(console, f"{what}: {len(found)} of {len(tracks)} tracks are measured already")
        # a child takes long to start, so no more than there are files
        children = min(workers, len(missing))
        with (
            ChildPool(children, FILE_LIMITS, embedder_environment()) as pool,
            make_reporter(len(missing), console) as reporter,
        ):
            task = _Task(tracks, folder, function, arguments, fits, pool)
            outcomes = _reported(as_they_come(task, missing, children, pool.close), reporter)
        found |= {one.track_id: one.arrays for one in outcomes if isinstance(one, Measurement)}
        _say_left_out(console, what, [one for one in outcomes if isinstance(one, Failed)])
    return {id_: found[id_] for id_ in tracks if id_ in found}


@dataclass(frozen=True, slots=True)
class _Task:
    """Measures one track and stores what it found; threads share it."""

    tracks: Mapping[str, tuple[bytes, FileState]]
    folder: Path
    function: Callable[..., bytes]
    arguments: Callable[[str], tuple[Any, ...]]
    fits: Callable[[Arrays], bool]
    pool: ChildPool

    def __call__(self, track_id: str) -> Measurement | Failed:
        path, state = self.tracks[track_id]
        try:
            answer = self.pool.call(self.function, path, state, *self.arguments(track_id))
            measurement = Measurement(track_id, _parsed(answer, self.fits))
        except AudioError as error:
            return Failed(path, state, error.reason, str(error))
        _store(_home(self.folder, track_id), answer)
        return measurement


def _reported(
    batches: Iterable[list[Measurement | Failed]], reporter: Reporter
) -> list[Measurement | Failed]:
    outcomes = []
    for batch in batches:
        reporter.advance(batch)
        outcomes += batch
    return outcomes


def _home(folder: Path, track_id: str) -> Path:
    return folder / f"{track_id}.safetensors"


def _stored(path: Path, fits: Callable[[Arrays], bool]) -> Arrays | None:
    """What was measured before; None when nothing was, or it cannot be used any more."""
    try:
        # reading a FIFO of that name would never end
        return _parsed(path.read_bytes(), fits) if path.is_file() else None
    except (OSError, ChildFailedError):
        return None


def _store(path: Path, answer: bytes) -> None:
    if path.is_dir() and not path.is_symlink():
        # a file cannot be renamed to a folder
        shutil.rmtree(path)
    replace_durably(path, answer)


def _parsed(answer: bytes, fits: Callable[[Arrays], bool]) -> Arrays:
    try:
        arrays = load(answer)
    # KeyError: a type of number that numpy lacks
    except (SafetensorError, KeyError) as error:
        raise ChildFailedError(
            f"the child answered with what is no safetensors: {error}"
        ) from error
    if not fits(arrays):
        raise ChildFailedError("the child answered with arrays unfit for what it was asked")
    return arrays


def _say_left_out(console: Console, what: str, failures: Sequence[Failed]) -> None:
    if failures:
        _say(console, f"{what}: {len(failures)} tracks are left out")
    for failed in failures[:SHOWN_FAILURES]:
        # the name of a file may hold anything; repr escapes what a terminal would obey
        _say(console, f"  {os.fsdecode(failed.path)!r}: {failed.message}")
    if len(failures) > SHOWN_FAILURES:
        _say(console, f"  and {len(failures) - SHOWN_FAILURES} more")


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)
