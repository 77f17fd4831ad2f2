"""Hear tracks again with several embedders, and keep every window: what variants are made of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from indexer.evaluation.layouts import frames_fit
from indexer.evaluation.measurements import Arrays, measured
from indexer.evaluation.subject import Subject
from recommender.analysis import frames_of_file
from recommender.embedders import DEFAULT_EMBEDDER, create_embedder
from recommender.embedding import DEFAULT_WINDOWS
from recommender.records import FileState
from recommender.space import Space

MEAN_POOL, MAX_POOL = "musicnn:layer=mean_pool", "musicnn:layer=max_pool"
CLASSIC = "mfcc"
TRACKS_A_TURN = 4
# embedder and its windows; of the default all, because their number is one of the questions
PASSES: Mapping[str, int | None] = {
    DEFAULT_EMBEDDER: None,
    MEAN_POOL: DEFAULT_WINDOWS,
    MAX_POOL: DEFAULT_WINDOWS,
    CLASSIC: DEFAULT_WINDOWS,
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What was measured of some tracks.

    Attributes
    ----------
    subject
        These tracks alone, in the subject's order.
    passes
        For each embedder of `PASSES`, what :func:`recommender.analysis.frames_of_file` found in
        each track.
    """

    subject: Subject
    passes: Mapping[str, Sequence[Arrays]]


def hear(
    subject: Subject, folder: Path, n_tracks: int, seed: int, workers: int, console: Console
) -> Heard:
    """Hear some tracks of a subject with every embedder, in child processes.

    Parameters
    ----------
    subject
        Whose tracks; its own vectors are not used.
    folder
        Where measurements are kept; a further run measures only what is missing.
    n_tracks, seed
        As of :func:`drawn`.
    workers, console
        As of :func:`~indexer.evaluation.measurements.measured`.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """
    part = _part(subject, drawn(subject, n_tracks, seed))
    files = part.files
    found = {
        name: _frames(files, folder, name, n_windows, workers, console)
        for name, n_windows in PASSES.items()
    }
    ids = [entry.track.id for entry in part.tracks]
    kept = [row for row, id_ in enumerate(ids) if all(id_ in arrays for arrays in found.values())]
    passes = {name: [arrays[ids[row]] for row in kept] for name, arrays in found.items()}
    return Heard(_part(part, kept), passes)


def drawn(subject: Subject, n_tracks: int, seed: int) -> list[int]:
    """Rows of a few tracks each of random artists, so that a seed has something to find.

    Parameters
    ----------
    subject
        Whose tracks. Without an artist, an album is drawn as a whole; without one, a single track.
    n_tracks
        How many; a larger number adds to the same rows.
    seed
        Of the draw, which depends on nothing but the seed and the labels.
    """
    artists, albums = subject.labels("artist"), subject.labels("album")
    groups = [
        artist or album or entry.track.id
        for artist, album, entry in zip(artists, albums, subject.tracks, strict=True)
    ]
    sizes = Counter(groups)
    place = {group: _draw(seed, group) for group in sizes}
    turns, taken = list[int](), Counter[str]()
    for group in groups:
        # an artist with many tracks has several turns; one with a single track comes last
        turns.append(taken[group] // TRACKS_A_TURN if sizes[group] > 1 else len(groups))
        taken[group] += 1
    order = sorted(range(len(groups)), key=lambda row: (turns[row], place[groups[row]], row))
    return sorted(order[:n_tracks])


def _draw(seed: int, text: str) -> float:
    return float(np.random.default_rng([seed, *text.encode()]).random())


def _part(subject: Subject, rows: Sequence[int]) -> Subject:
    return replace(
        subject,
        tracks=[subject.tracks[row] for row in rows],
        states=[subject.states[row] for row in rows],
        vectors=subject.vectors[rows],
    )


def _frames(
    files: Mapping[str, tuple[bytes, FileState]],
    folder: Path,
    name: str,
    n_windows: int | None,
    workers: int,
    console: Console,
) -> dict[str, Arrays]:
    space = Space(create_embedder(name).spec, n_windows)
    count = "all" if n_windows is None else n_windows
    return measured(
        files,
        folder / space.id,
        frames_of_file,
        lambda _: (name, n_windows),
        lambda arrays: frames_fit(arrays, space),
        workers,
        console,
        f"{count} windows with {name}",
    )
