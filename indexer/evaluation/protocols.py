"""Every protocol in turn: the whole evaluation of a data folder."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from indexer.evaluation.baseline import require_comparable
from indexer.evaluation.choices import DEFAULT_FANS, measure_choices
from indexer.evaluation.clips import clip_figures, measure_clips, rank_clips
from indexer.evaluation.events import read_events
from indexer.evaluation.figures import Figure
from indexer.evaluation.index_recall import index_figures
from indexer.evaluation.listeners import MAX_LISTENERS, evaluate_listeners, groups_of
from indexer.evaluation.report import SIMULATED, Origin, Report
from indexer.evaluation.retrieval import (
    Task,
    cosine_scorer,
    random_scorer,
    retrieval_figures,
    tasks_of,
)
from indexer.evaluation.splits import Audience, simulated_listeners, split_by_time
from indexer.evaluation.subject import LABELS, Subject, open_subject, vectors_beside
from indexer.evaluation.variants import measure_variants
from indexer.output import printable
from recommender.engine import Recommender
from recommender.errors import InvalidParameterError
from recommender.files import replace_durably, sha256_of

DEFAULT_LISTENED = 60
FOLDER = "evaluation"
REPORT = "report.json"
LEAST_TRACKS = 3
ENOUGH_LABELS = 10

NO_LISTENERS = (
    "no listeners: too few tracks share an artist or an album to simulate any; "
    "name real ones with --events"
)

Part = tuple[list[Figure], list[str]]
"""Figures, and notes on what could not be measured."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an evaluation was asked for.

    Attributes
    ----------
    data_dir
        Where library and generations are kept.
    space
        A space of the library; None for the served one.
    seed
        Of every random choice: the same seed gives the same figures.
    listened
        How many tracks are listened to again, for clips and variants; 0 for none.
    events
        A CSV of real listening events; None for simulated listeners.
    workers
        Child processes that listen.
    fans
        How many simulated listeners recommendations are compared for; 0 for none.
    """

    data_dir: Path
    space: str | None
    seed: int
    listened: int
    events: Path | None
    workers: int
    fans: int = DEFAULT_FANS


def evaluate(request: Request, console: Console, baseline: Report | None = None) -> Report:
    """Measure everything that can be measured of a data folder, and keep the report in it.

    Parameters
    ----------
    request
        What is asked for.
    console
        For progress.
    baseline
        A report that this one is to be compared with; that it can be is checked first.

    Raises
    ------
    IndexUnavailableError
        Nothing is published.
    InvalidParameterError
        There are fewer than `LEAST_TRACKS` tracks, or the request names what is not there.
    GenerationError, StorageError, OSError
        The data folder is damaged, or the report cannot be kept.
    """
    subject = open_subject(request.data_dir, request.space)
    n_tracks = len(subject.tracks)
    if n_tracks < LEAST_TRACKS:
        raise InvalidParameterError(
            f"tracks={n_tracks} are too few to evaluate; index at least {LEAST_TRACKS}"
        )
    origin = _origin(subject, request)
    if baseline:
        require_comparable(origin, baseline)
    # events first: a fault in the file is better known before an hour of listening
    audience, notes = listeners_of(subject, request.events, request.seed)
    folder = evaluation_dir(request.data_dir)
    folder.mkdir(exist_ok=True)
    stages: dict[str, Callable[[], Part]] = {
        "index": lambda: _index(subject, request.seed),
        "retrieval": lambda: retrieval_side_by_side(request.data_dir, subject, request.seed),
        "listeners": lambda: (evaluate_listeners(subject, audience, request.seed).figures, notes),
        "recommendations": lambda: measure_choices(subject, request.fans, request.seed),
        "clips": lambda: _clips(subject, request, console),
        "variants": lambda: _variants(subject, request, console),
    }
    parts = []
    for number, (name, measure) in enumerate(stages.items(), start=1):
        console.print(f"{number}/{len(stages)} {name}", highlight=False)
        parts.append(measure())
    report = Report(
        origin=origin,
        generation=subject.generation.manifest.generation,
        space=subject.space_id,
        tracks=n_tracks,
        dimension=subject.vectors.shape[1],
        figures=[figure for figures, _ in parts for figure in figures],
        notes=[note for _, notes in parts for note in notes],
    )
    replace_durably(folder / REPORT, report.to_json())
    return report


def evaluation_dir(data_dir: Path) -> Path:
    """Where measurements and the last report are kept; may be deleted at any time."""
    return data_dir / FOLDER


def _origin(subject: Subject, request: Request) -> Origin:
    ids = "\n".join(entry.track.id for entry in subject.tracks)
    events = request.events
    return Origin(
        catalog=hashlib.sha256(ids.encode()).hexdigest()[:12],
        seed=request.seed,
        listened=min(len(subject.tracks), request.listened),
        listeners=sha256_of(events)[:12] if events and events.is_file() else SIMULATED,
        fans=request.fans,
    )


def listeners_of(subject: Subject, events: Path | None, seed: int) -> tuple[Audience, list[str]]:
    """Real listeners when there is a file of events, else simulated ones; and notes on them.

    Raises
    ------
    InvalidParameterError
        The file is not there, or cannot be understood.
    """
    if events is None:
        audience = simulated_listeners(groups_of(subject), seed)
        return audience, [
            "listeners are simulated from labels" if audience.splits else NO_LISTENERS
        ]
    plays = read_events(events, [entry.track.id for entry in subject.tracks])
    split = split_by_time(plays)
    n_listeners, name = len(split.audience.splits), printable(os.fsencode(events.name))
    return split.audience, [
        f"events={name}: {n_listeners} listeners; left out: {plays.n_unknown} plays "
        f"of unknown tracks, {plays.n_not_positive} skips and dislikes, "
        f"{split.n_short_history} listeners with a short past, "
        f"{split.n_nothing_new} who played nothing new"
        + (f"; a random {MAX_LISTENERS} are asked" if n_listeners > MAX_LISTENERS else "")
    ]


def _index(subject: Subject, seed: int) -> Part:
    if not subject.is_served:
        return [], [f"space={subject.space_id} is not served, so there is no index to measure"]
    return index_figures(subject, seed), []


def retrieval_side_by_side(data_dir: Path, subject: Subject, seed: int) -> Part:
    """What is served, every other space of the library with the same tracks, and chance."""
    tasks, n_tracks = tasks_of(subject, seed), len(subject.tracks)
    others, notes = vectors_beside(data_dir, subject)
    scorers = {
        subject.name: cosine_scorer(subject.vectors),
        **{name: cosine_scorer(vectors) for name, vectors in others.items()},
        "random": random_scorer(n_tracks, seed),
    }
    asked = {task.name for task in tasks}
    missing = [name for name in LABELS if f"same {name}" not in asked]
    return [
        figure
        for name, scorer in scorers.items()
        for figure in retrieval_figures(name, scorer, tasks)
    ], [
        *notes,
        *(f"no two tracks share a known {name}" for name in missing),
        *(note for task in tasks if (note := _few_labels(task))),
    ]


def _few_labels(task: Task) -> str:
    count = len(np.unique(task.label[task.seeds]))
    if count >= ENOUGH_LABELS:
        return ""
    how = "one label, so there is no interval" if count == 1 else f"{count} labels: rough intervals"
    return f"{task.name}: {len(task.seeds)} seeds of only {how}"


def _clips(subject: Subject, request: Request, console: Console) -> Part:
    if not request.listened or not subject.is_served:
        return [], ["no clips: they need --tracks above 0 and the served space"]
    clips = measure_clips(
        subject,
        evaluation_dir(request.data_dir) / "clips",
        request.listened,
        request.seed,
        request.workers,
        console,
    )
    outcomes = rank_clips(Recommender(subject.generation), clips)
    return clip_figures(outcomes, len(subject.tracks)), []


def _variants(subject: Subject, request: Request, console: Console) -> Part:
    if not request.listened:
        return [], ["no variants: they need --tracks above 0"]
    folder = evaluation_dir(request.data_dir) / "windows"
    return measure_variants(
        subject, folder, request.listened, request.seed, request.workers, console
    ), []
