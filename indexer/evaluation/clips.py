"""Whether a short, damaged clip finds the track that it was cut from.

One place is drawn from each of some random tracks; excerpts of several lengths around it, clean and
damaged, go the way of an uploaded clip. A clip that finds its own track is not yet good company, so
it is also asked whether it finds the look-alikes of the whole track.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from indexer.evaluation.figures import Figure, figure
from indexer.evaluation.layouts import excerpts_fit
from indexer.evaluation.measurements import Arrays, measured
from indexer.evaluation.subject import Subject
from recommender.degradations import CLEAN, DEGRADATIONS, VERSION
from recommender.embedding import Embedding
from recommender.engine import Recommender
from recommender.errors import InvalidParameterError
from recommender.excerpts import embed_excerpts
from recommender.generation import space_of
from recommender.questions import MAX_LIMIT, Answer, Options

SECTION = "clips"
SERVED, AS_IT_IS, CHANCE = "served", "as it is", "chance"
ANY_CLIP = "any clip"
FIRST, HIT_RATE, KEPT = "first", "hit rate@10", "look-alikes kept"
K = 10
MISSED = MAX_LIMIT + 1
"""Rank of a track that is not among the longest answer that anyone can ask for."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Length of a clip in seconds, and what is done to it; see :mod:`recommender.degradations`."""

    seconds: float
    degradation: str

    @property
    def name(self) -> str:
        """``"10 s, noise 20 dB"``."""
        return f"{self.seconds:g} s, {self.degradation}"


LENGTHS = tuple(Condition(seconds, CLEAN) for seconds in (3.0, 5.0, 10.0, 30.0))
DAMAGES = tuple(Condition(10.0, name) for name in DEGRADATIONS if name != CLEAN)
UNLEVELLED = (Condition(10.0, CLEAN).name, Condition(10.0, "-12 dB").name)
"""Conditions that are also asked about without levelling, which shows what levelling is worth."""

Heard = list[Embedding]
"""One clip: as it is, and at each level of the catalog."""
Clips = dict[str, dict[str, Heard]]
"""By name of the condition, by track."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one clip fared.

    Attributes
    ----------
    subject
        `SERVED`, or `AS_IT_IS`: without the copies at the levels of the catalog.
    condition
        Name of the condition.
    track_id
        The track that the clip was cut from.
    rank
        Its place in the answer to the clip, 1 the first; `MISSED` when it is not in it.
    kept
        Share of the track's first `K` look-alikes that are among those of the clip, without itself.
    """

    subject: str
    condition: str
    track_id: str
    rank: int
    kept: float


def measure_clips(
    subject: Subject,
    folder: Path,
    n_tracks: int,
    seed: int,
    workers: int,
    console: Console,
    conditions: Sequence[Condition] = LENGTHS + DAMAGES,
) -> Clips:
    """Cut, damage and embed clips of random tracks in child processes.

    Parameters
    ----------
    subject
        What is served.
    folder
        Where measurements are kept; a further run measures only what is missing.
    n_tracks
        How many tracks to draw, of those that are long enough for the shortest clip; a larger
        number adds tracks to the same ones. Conditions longer than a track leave it out.
    seed
        Of the draw of tracks and places; both depend on nothing but the seed and the track.
    workers, console
        As of :func:`~indexer.evaluation.measurements.measured`.
    conditions
        What to measure.

    Raises
    ------
    SpaceMismatchError
        The index was made by another version of the embedder.
    InvalidParameterError
        The subject is not what is served, or `conditions` name an unknown degradation.
    """
    if not subject.is_served:
        raise InvalidParameterError(
            f"space={subject.space_id} is not served; clips are compared with what is"
        )
    manifest, wanted = subject.generation.manifest, [astuple(c) for c in conditions]
    places = _drawn(subject, n_tracks, seed, min(c.seconds for c in conditions))
    space = space_of(manifest)
    levels = manifest.level_quantiles_dbfs
    arrays = measured(
        {id_: file for id_, file in subject.files.items() if id_ in places},
        folder / _digest(VERSION, space.id, levels, seed, wanted),
        embed_excerpts,
        lambda id_: (space.clip_listening, levels, places[id_], wanted),
        lambda arrays: excerpts_fit(arrays, space, levels, len(wanted)),
        workers,
        console,
        "clips",
    )
    return {condition.name: _heard(arrays, i) for i, condition in enumerate(conditions)}


def rank_clips(recommender: Recommender, clips: Clips) -> list[Outcome]:
    """Ask for what sounds like each clip, and look for its track and that track's look-alikes."""
    tracks = {track_id for by_track in clips.values() for track_id in by_track}
    alike = {
        id_: _ids(recommender.similar(id_, Options(K, collapses_duplicates=False)))
        for id_ in sorted(tracks)
    }
    return [
        Outcome(subject, condition, id_, *_fate(recommender, asked, id_, alike[id_]))
        for condition, by_track in clips.items()
        for id_, heard in by_track.items()
        for subject, asked in _questions(condition, heard).items()
    ]


def clip_figures(outcomes: Sequence[Outcome], n_tracks: int) -> list[Figure]:
    """Figures of every condition, and what chance alone would give.

    Parameters
    ----------
    outcomes
        What :func:`rank_clips` found.
    n_tracks
        Number of tracks of the catalog.
    """
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.subject, outcome.condition), []).append(outcome)
    found = [
        figure(SECTION, *key, metric, values)
        for key, group in groups.items()
        for metric, values in _metrics(group).items()
    ]
    n_clips = len({outcome.track_id for outcome in outcomes})
    return found + [
        Figure(SECTION, CHANCE, ANY_CLIP, metric, value, value, value, n_clips)
        for metric, value in _by_chance(n_tracks).items()
        if outcomes
    ]


def _drawn(subject: Subject, n_tracks: int, seed: int, shortest: float) -> dict[str, float]:
    """The place in each track that was drawn, 0 at its beginning to 1 at its end."""
    ids = [e.track.id for e in subject.tracks if e.track.duration_seconds >= shortest]
    # by track, so that neither the catalog nor n_tracks changes what is drawn of the others
    draws = {id_: np.random.default_rng([seed, *id_.encode()]).random(2) for id_ in ids}
    chosen = sorted(ids, key=lambda id_: float(draws[id_][0]))[:n_tracks]
    return {id_: float(draws[id_][1]) for id_ in chosen}


def _digest(*facts: object) -> str:
    """Name of the folder for measurements that these facts decide."""
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()


def _heard(measurements: Mapping[str, Arrays], condition: int) -> dict[str, Heard]:
    """Embeddings of one condition by track; those that it leaves out are not there."""
    found = {}
    for track_id, arrays in measurements.items():
        of = arrays["condition"] == condition
        if of.any():
            numbers = [arrays[name][of].tolist() for name in ("level_dbfs", "n_windows")]
            rows = zip(arrays["vectors"][of], arrays["tags"][of], *numbers, strict=True)
            found[track_id] = [Embedding(*row) for row in rows]
    return found


def _questions(condition: str, heard: Heard) -> dict[str, Heard]:
    unlevelled = {AS_IT_IS: heard[:1]} if condition in UNLEVELLED else {}
    return {SERVED: heard} | unlevelled


def _fate(recommender: Recommender, heard: Heard, id_: str, alike: list[str]) -> tuple[int, float]:
    """Rank of the track that a clip is of, and the share of the look-alikes that it finds."""
    ids = _ids(recommender.similar_to_clip(heard, Options(MAX_LIMIT, collapses_duplicates=False)))
    rank = ids.index(id_) + 1 if id_ in ids else MISSED
    first = [other for other in ids if other != id_][:K]
    return rank, len(set(first) & set(alike)) / max(1, len(alike))


def _ids(answer: Answer) -> list[str]:
    return [match.track.id for match in answer.matches]


def _metrics(outcomes: Sequence[Outcome]) -> dict[str, npt.NDArray[np.float64]]:
    ranks = np.array([outcome.rank for outcome in outcomes])
    return {
        FIRST: (ranks == 1).astype(np.float64),
        HIT_RATE: (ranks <= K).astype(np.float64),
        KEPT: np.array([outcome.kept for outcome in outcomes]),
    }


def _by_chance(n_tracks: int) -> dict[str, float]:
    """What tracks in random order are expected to score; exact, not sampled."""
    return {
        FIRST: 1 / n_tracks,
        HIT_RATE: min(1.0, K / n_tracks),
        KEPT: min(1.0, K / max(1, n_tracks - 1)),
    }
