"""What could have been the default, side by side: layers, pooling, windows, projections, hubs.

Every variant answers the same seeds by the protocol of :mod:`indexer.evaluation.retrieval`, and is
compared with the default seed by seed. Most are arithmetic on windows that were heard once. The
classic baseline and two controls that know nothing stand beside them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from indexer.evaluation.figures import Figure, figure
from indexer.evaluation.hearing import CLASSIC, MAX_POOL, MEAN_POOL, Heard, hear
from indexer.evaluation.hubness import csls, local_scaling, mutual_proximity
from indexer.evaluation.pooling import POOLINGS, PROJECTIONS, cost_of, mean, pool, standardised
from indexer.evaluation.retrieval import (
    PerSeed,
    Scorer,
    Task,
    cosine_scorer,
    per_seed,
    tasks_of,
)
from indexer.evaluation.subject import Subject, projected
from recommender import evaluation as metrics
from recommender.arrays import FloatArray
from recommender.embedders import DEFAULT_EMBEDDER
from recommender.embedding import DEFAULT_WINDOWS
from recommender.generation import normalised
from recommender.significance import paired_permutation_test

SECTION = "variants"
DEFAULT, MFCC, RANDOM = "default", "classic: MFCC", "control: random"
CONTROLS = (RANDOM, "control: shuffled")
YARDSTICKS = (DEFAULT, MFCC, RANDOM)
TASKS = ("same album", "same artist", "same artist, without the album")
"""What every variant is asked; the others are for those that all systems are compared with."""
METRICS = ("hit rate@10", "MAP")
COST = "CPU seconds per minute of audio"
WINDOW_COUNTS = (1, 3, 6, 24, None)
K = 10

Values = npt.NDArray[np.float64]

CORRECTIONS: Mapping[str, Callable[[Values], Values]] = {
    "CSLS": csls,
    "local scaling": local_scaling,
    "mutual proximity": mutual_proximity,
}


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to compare tracks.

    Attributes
    ----------
    name
        The question and the answer, ``"windows: 3"``.
    scorer
        Scores of all tracks for some seeds.
    cost
        CPU seconds per minute of audio for each track, with one thread; empty for controls.
    """

    name: str
    scorer: Scorer
    cost: Values


def measure_variants(
    subject: Subject, folder: Path, n_tracks: int, seed: int, workers: int, console: Console
) -> list[Figure]:
    """Hear some tracks with several embedders, and compare what could be made of them.

    Parameters
    ----------
    subject, folder, n_tracks, seed, workers, console
        As of :func:`indexer.evaluation.hearing.hear`.

    Returns
    -------
    list
        As of :func:`variant_figures`; empty when no track could be heard.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """
    heard = hear(subject, folder, n_tracks, seed, workers, console)
    if not heard.subject.tracks:
        return []
    tasks = tasks_of(heard.subject, seed)
    return variant_figures(list(variants_of(heard, seed)), tasks, len(heard.subject.tracks))


def variants_of(heard: Heard, seed: int) -> Iterator[Variant]:
    """Every variant, the default first.

    The default is the packaged embedder with its mean over `DEFAULT_WINDOWS` windows, centred on
    these tracks, whatever the subject serves.
    """
    passes = heard.passes[DEFAULT_EMBEDDER]
    cost = cost_of(passes, DEFAULT_WINDOWS)
    pooled = pool(passes, "vectors", DEFAULT_WINDOWS, mean)
    default = projected(pooled)
    yield Variant(DEFAULT, cosine_scorer(default), cost)
    yield from _layers(heard)
    for name, pooling in POOLINGS.items():
        vectors = projected(pool(passes, "vectors", DEFAULT_WINDOWS, pooling))
        yield Variant(f"pooling: {name}", cosine_scorer(vectors), cost)
    for count in WINDOW_COUNTS:
        vectors = projected(pool(passes, "vectors", count, mean))
        yield Variant(f"windows: {count or 'all'}", cosine_scorer(vectors), cost_of(passes, count))
    for name, projection in PROJECTIONS.items():
        yield Variant(f"projection: {name}", cosine_scorer(projection(pooled)), cost)
    cosines = default.astype(np.float64) @ default.astype(np.float64).T
    for name, correction in CORRECTIONS.items():
        yield Variant(f"hubs: {name}", correction(cosines).__getitem__, cost)
    yield from _controls(default, seed)


def variant_figures(
    variants: Sequence[Variant], tasks: Sequence[Task], n_tracks: int
) -> list[Figure]:
    """Retrieval, cost and hubs of each variant, and its difference from the first.

    Intervals and tests take labels, not seeds, as independent: the tracks of an album rise and
    fall together. p values are of sign changes of whole labels; the adjusted ones hold for all
    variants of a task together, controls aside (S. Holm, Scandinavian Journal of Statistics 6,
    1979).
    """
    figures = list[Figure]()
    for task in tasks:
        asked = [v for v in variants if task.name in TASKS or v.name in YARDSTICKS]
        found = {variant.name: per_seed(variant.scorer, task) for variant in asked}
        figures += _task_figures(task, found, reference=variants[0].name)
    for variant in variants:
        figures += _hub_figures(variant, n_tracks)
        if len(variant.cost):
            figures.append(figure(SECTION, variant.name, "all tracks", COST, variant.cost))
    return figures


def _task_figures(task: Task, found: Mapping[str, PerSeed], reference: str) -> Iterator[Figure]:
    clusters, n_labels = task.clusters, len(np.unique(task.label[task.seeds]))
    expected, p_values = found[reference]["MAP"], dict[str, float]()
    for name, values in found.items():
        for metric in METRICS:
            yield figure(SECTION, name, task.name, metric, values[metric], clusters)
        if name != reference:
            difference = values["MAP"] - expected
            yield figure(
                SECTION, name, task.name, f"MAP less {reference}", difference, task.clusters
            )
            sums = np.bincount(task.label[task.seeds], weights=difference)
            p_values[name] = paired_permutation_test(sums, np.zeros_like(sums))
    # the controls are no candidates, and each more costs the others power
    adjusted = p_values | holm({n: p for n, p in p_values.items() if n not in CONTROLS})
    for name, p_value in p_values.items():
        yield _exact(name, task.name, "p", p_value, n_labels)
        yield _exact(name, task.name, "p adjusted", adjusted[name], n_labels)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjusted p values: any of them falls below a level by chance no oftener than the level."""
    adjusted, worst = dict[str, float](), 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = worst
    return adjusted


def _hub_figures(variant: Variant, n_tracks: int) -> list[Figure]:
    others = ~np.eye(n_tracks, dtype=bool)
    lists = metrics.ranking(variant.scorer(np.arange(n_tracks)), others, K)
    counts = metrics.k_occurrence(lists, n_tracks)
    skewness, condition = metrics.hub_skewness(counts), "all tracks"
    return [
        _exact(variant.name, condition, f"hub skewness@{K}", skewness, n_tracks),
        figure(SECTION, variant.name, condition, f"anti-hub share@{K}", counts == 0),
    ]


def _exact(name: str, condition: str, metric: str, value: float, n: int) -> Figure:
    """A figure of all queries together, which has no interval."""
    return Figure(SECTION, name, condition, metric, value, value, value, n)


def _layers(heard: Heard) -> Iterator[Variant]:
    """Other layers than the penultimate one of both models, all as means over windows."""
    both = heard.passes[DEFAULT_EMBEDDER]
    pooled = pool(both, "vectors", DEFAULT_WINDOWS, mean)
    half = cost_of(both, DEFAULT_WINDOWS, share=0.5)
    for name, vectors in zip(("MSD", "MTT"), np.split(pooled, 2, axis=1), strict=True):
        yield Variant(f"layer: penultimate of {name}", cosine_scorer(projected(vectors)), half)
    tags = projected(pool(both, "tags", DEFAULT_WINDOWS, mean))
    yield Variant("layer: taggram", cosine_scorer(tags), cost_of(both, DEFAULT_WINDOWS))
    for embedder, name in (
        (MEAN_POOL, "layer: mean_pool"),
        (MAX_POOL, "layer: max_pool"),
        (CLASSIC, MFCC),
    ):
        passes = heard.passes[embedder]
        vectors, cost = pool(passes, "vectors", None, mean), cost_of(passes, None)
        yield Variant(name, cosine_scorer(projected(vectors)), cost)
        yield Variant(f"{name}, standardised", cosine_scorer(standardised(vectors)), cost)


def _controls(default: FloatArray, seed: int) -> Iterator[Variant]:
    """What knows nothing: random vectors, and the default's given to the wrong tracks."""
    random, nothing = np.random.default_rng(seed), np.empty(0)
    noise = normalised(random.standard_normal(default.shape, dtype=np.float32))
    yield Variant(RANDOM, cosine_scorer(noise), nothing)
    shuffled = default[random.permutation(len(default))]
    yield Variant(CONTROLS[1], cosine_scorer(shuffled), nothing)
