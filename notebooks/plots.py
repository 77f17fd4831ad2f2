"""Pictures of figures: one function each, which takes plain figures and draws their intervals."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from matplotlib.axes import Axes

from indexer.evaluation.figures import Figure
from notebooks.style import (
    BLUE,
    GREY,
    ORANGE,
    PALETTE,
    Picture,
    legible,
    nothing,
    picture,
    styled,
)

ROW_INCHES = 0.38
_SPREAD = 0.17  # of a row, between two series
Naming = Callable[[Figure], str]
_COLOURS = {
    "served": BLUE,
    "random": GREY,
    "chance": GREY,
    "mfcc": ORANGE,
    "as it is": ORANGE,
    "default": BLUE,
}


def by_metric(figure: Figure) -> str:
    """A figure's metric."""
    return figure.metric


def by_condition(figure: Figure) -> str:
    """A figure's condition."""
    return figure.condition


def by_subject(figure: Figure) -> str:
    """What a figure measures."""
    return figure.subject


@styled
def dots(
    heading: str,
    figures: Sequence[Figure],
    panels: Sequence[str],
    panel_of: Naming = by_metric,
    row_of: Naming = by_condition,
    limits: tuple[float, float] | None = (0.0, 1.0),
) -> Picture:
    """Dots with their 95 % intervals: a row a condition, a colour a subject, a panel a metric.

    Parameters
    ----------
    heading
        Title.
    figures
        What is drawn; those that belong to no panel are not.
    panels
        Names of the panels, from left to right.
    panel_of, row_of
        The names of a figure's panel and row.
    limits
        Of the values; None for those that the figures have, and 0.
    """
    shown = [f for f in figures if panel_of(f) in panels]
    if not shown:
        return nothing(heading, "This catalog has no such figures.")
    subjects, rows = distinct(f.subject for f in shown), distinct(row_of(f) for f in shown)
    # where every row is of one subject, its name says what a colour would
    own_rows = len({(row_of(f), f.subject) for f in shown}) == len(rows)
    colours = dict.fromkeys(subjects, BLUE) if own_rows else colours_of(subjects)
    height = 0.55 + ROW_INCHES * len(rows) * (0.8 if own_rows else max(1.0, 0.45 * len(subjects)))
    legend = None if own_rows else colours
    drawn, axes = picture(heading, height, legend, (1, len(panels)), sharey=True)
    for axis, panel in zip(axes, panels, strict=True):
        axis.set_xlabel(panel)
        for figure in (f for f in shown if panel_of(f) == panel):
            here = distinct(f.subject for f in shown if row_of(f) == row_of(figure))
            beside = _SPREAD * (here.index(figure.subject) - (len(here) - 1) / 2)
            _interval(axis, figure, rows.index(row_of(figure)) + beside, colours[figure.subject])
        _limit(axis, limits)
    _name_rows(axes[0], [_with_count(name, shown, row_of) for name in rows])
    return drawn


def _limit(axis: Axes, limits: tuple[float, float] | None) -> None:
    if limits:
        axis.set_xlim(limits[0] - 0.02, limits[1] + 0.02)
    else:
        axis.axvline(0.0, color=GREY, lw=1.0, zorder=1)


def _interval(panel: Axes, figure: Figure, y: float, colour: str) -> None:
    panel.plot([figure.low, figure.high], [y, y], color=colour, lw=2.2, alpha=0.45, zorder=2)
    panel.plot([figure.value], [y], "o", color=colour, ms=5.5, zorder=3)


def _name_rows(panel: Axes, names: Sequence[str]) -> None:
    panel.set_yticks(range(len(names)), [legible(name, 60) for name in names])
    panel.set_ylim(len(names) - 0.5, -0.5)


def _with_count(name: str, figures: Sequence[Figure], row_of: Naming) -> str:
    counts = {f.n for f in figures if row_of(f) == name}
    return f"{name}  (n = {counts.pop()})" if len(counts) == 1 else name


def colours_of(subjects: Sequence[str]) -> dict[str, str]:
    """A colour for each subject: its own where it has one, else the next that is free."""
    fixed = {s: _COLOURS[s] for s in subjects if s in _COLOURS}
    free = [colour for colour in PALETTE if colour not in fixed.values()] or list(PALETTE)
    others = [s for s in subjects if s not in fixed]
    return {s: fixed.get(s) or free[others.index(s) % len(free)] for s in subjects}


def distinct(names: Iterable[str]) -> list[str]:
    """Names once each, in order."""
    return list(dict.fromkeys(names))


def spread(wanted: Sequence[float], apart: float) -> list[float]:
    """Ascending places near the wanted ones, `apart` at least."""
    places = list(wanted)
    for _ in range(60):
        for i, (below, above) in enumerate(pairwise(places)):
            lacking = apart - (above - below)
            if lacking > 1e-9:
                places[i], places[i + 1] = below - lacking / 2, above + lacking / 2
    return places
