"""Pictures of one quantity along another: length, time, cost; and which figures they take."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from indexer.evaluation.figures import Figure
from indexer.evaluation.variants import DEFAULT
from notebooks.plots import colours_of, distinct, spread
from notebooks.style import (
    BLUE,
    GREY,
    ORANGE,
    Picture,
    legible,
    nothing,
    picture,
    plain_numbers,
    styled,
)

EFFORT, LATENCY = "effort", "latency (ms)"
NAME_SHIFT = 0.9


def of_condition(figures: Sequence[Figure], words: str) -> list[Figure]:
    """Figures whose condition begins or ends with some words."""
    return [f for f in figures if f.condition.startswith(words) or f.condition.endswith(words)]


def first_condition(figures: Sequence[Figure], metric: str) -> str:
    """The condition that a metric comes with first; "" without figures."""
    return next((f.condition for f in figures if f.metric == metric), "")


def metrics_of(figures: Sequence[Figure], words: str) -> list[str]:
    """Metrics whose name begins with some words, in order."""
    return distinct(f.metric for f in figures if f.metric.startswith(words))


def damage(figure: Figure) -> str:
    """What was done to a clip: a figure's condition without the length."""
    return figure.condition.partition(", ")[2]


def leading_number(figure: Figure) -> float:
    """The number that a figure's condition begins with."""
    return float(figure.condition.split()[0])


def last_number(figure: Figure) -> float:
    """The number that a figure's condition ends with."""
    return float(figure.condition.split()[-1])


@styled
def lines(
    heading: str,
    figures: Sequence[Figure],
    metric: str,
    x: Callable[[Figure], float],
    x_label: str,
) -> Picture:
    """A metric along a quantity, one line a subject, named at its end; intervals as bars."""
    shown = [f for f in figures if f.metric == metric]
    if not shown:
        return nothing(heading, f"No figures for {metric}: see the text above.")
    subjects = distinct(f.subject for f in shown)
    drawn, (panel,) = picture(heading, 3.2)
    panel.set_xlabel(x_label)
    panel.set_ylabel(metric)
    ends = {}
    for subject, colour in colours_of(subjects).items():
        own = sorted((f for f in shown if f.subject == subject), key=x)
        at = [x(f) for f in own]
        panel.vlines(at, [f.low for f in own], [f.high for f in own], colour, lw=2.2, alpha=0.4)
        panel.plot(at, [f.value for f in own], "o-", color=colour, lw=1.4, ms=5)
        ends[subject] = (own[-1].value, colour, at[-1])
    _name_lines(panel, ends)
    panel.set_xticks(sorted({x(f) for f in shown}))
    return drawn


def _name_lines(panel: Axes, ends: Mapping[str, tuple[float, str, float]]) -> None:
    """Names beside the ends of lines, moved apart where they would overlap."""
    low, high = panel.get_ylim()
    last = max(at for _, _, at in ends.values())
    by_height = sorted(ends.items(), key=lambda item: item[1][0])
    heights = spread([value for _, (value, _, _) in by_height], 0.075 * (high - low))
    for (name, (_, colour, _)), y in zip(by_height, heights, strict=True):
        panel.annotate(
            legible(name, 32),
            (last, y),
            (9, 0),
            textcoords="offset points",
            color=colour,
            va="center",
        )
    panel.set_ylim(min(low, heights[0]), max(high, heights[-1]))


@styled
def search_curve(heading: str, figures: Sequence[Figure], recall: str) -> Picture:
    """Recall of searches against their latency; those by effort are joined by a line.

    Parameters
    ----------
    heading
        Title.
    figures
        ``recall`` and ``latency (ms)`` of each subject; ``effort 40`` is one of the line.
    recall
        The metric.
    """
    times = {f.subject: f for f in figures if f.metric == LATENCY}
    points = [(times[f.subject], f) for f in figures if f.metric == recall and f.subject in times]
    if not points:
        return nothing(heading, "The catalog is too small for lists of this length.")
    drawn, (panel,) = picture(heading, 3.0)
    panel.set(xlabel="milliseconds a query, one thread", ylabel=recall, xscale="log")
    plain_numbers(panel.xaxis)
    efforts = [pair for pair in points if pair[1].subject.startswith(EFFORT)]
    line = np.array([(time.value, share.value) for time, share in efforts]).reshape(-1, 2)
    panel.plot(*line.T, color=ORANGE, lw=1.2, alpha=0.5)
    for pair in points:
        _cross(panel, *pair, ORANGE if pair in efforts else BLUE, pair in efforts)
    panel.margins(x=0.2, y=0.2)
    return drawn


def _cross(panel: Axes, time: Figure, share: Figure, colour: str, name_left: bool) -> None:
    panel.plot([time.low, time.high], [share.value] * 2, color=colour, lw=2.2, alpha=0.4)
    panel.plot([time.value] * 2, [share.low, share.high], color=colour, lw=2.2, alpha=0.4)
    panel.plot([time.value], [share.value], "o", color=colour, ms=6)
    panel.annotate(
        legible(share.subject),
        (time.value, share.value),
        (-9 if name_left else 9, 4),
        textcoords="offset points",
        color=colour,
        ha="right" if name_left else "left",
    )


@styled
def trade(heading: str, figures: Sequence[Figure], cost: str, metric: str) -> Picture:
    """Quality against cost: a dot a subject, those that no cheaper one beats in colour and named.

    Parameters
    ----------
    heading
        Title.
    figures
        Of one condition: `metric` of each subject; and `cost`, of any condition.
    cost, metric
        Metrics.
    """
    costs = {f.subject: f.value for f in figures if f.metric == cost}
    shown = [f for f in figures if f.metric == metric and f.subject in costs]
    if not shown:
        return nothing(heading, "No variant was measured: no track was listened to again.")
    drawn, (panel,) = picture(heading, 3.4)
    panel.set(xlabel=cost, ylabel=metric, xscale="log")
    plain_numbers(panel.xaxis)
    named = unbeaten(shown, costs)
    for figure in shown:
        at, best = costs[figure.subject], figure in named
        colour = BLUE if best else GREY
        panel.plot([at, at], [figure.low, figure.high], color=colour, lw=2.2, alpha=0.3)
        panel.plot([at], [figure.value], "o", color=colour, ms=6 if best else 4, zorder=3)
    panel.margins(x=0.3, y=0.12)
    _name_dots(panel, {f.subject: (costs[f.subject], f.value) for f in named})
    return drawn


def _name_dots(panel: Axes, dots: Mapping[str, tuple[float, float]]) -> None:
    """Names left of dots, moved apart where they would overlap."""
    low, high = panel.get_ylim()
    names = sorted(dots, key=lambda name: dots[name][1])
    heights = spread([dots[name][1] for name in names], 0.075 * (high - low))
    for name, height in zip(names, heights, strict=True):
        panel.annotate(
            legible(name, 40),
            dots[name],
            (dots[name][0] * NAME_SHIFT, height),
            arrowprops={"arrowstyle": "-", "color": BLUE, "lw": 0.6, "alpha": 0.6},
            color=BLUE,
            ha="right",
            va="center",
        )


def unbeaten(figures: Sequence[Figure], costs: Mapping[str, float]) -> list[Figure]:
    """Figures that nothing as cheap equals or surpasses, and the default."""
    kept, best = list[Figure](), -np.inf
    for figure in sorted(figures, key=lambda f: (costs[f.subject], -f.value)):
        if figure.value > best or figure.subject == DEFAULT:
            kept.append(figure)
        best = max(best, figure.value)
    return kept
