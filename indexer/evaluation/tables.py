"""A report as text: the figures that are looked at first; JSON has all of them."""

from collections.abc import Iterator, Sequence

from indexer.evaluation.figures import Figure
from indexer.evaluation.report import Report

# by section; of the others every metric is a column
HEADLINES = {
    "retrieval": ("hit rate@10", "capped recall@10", "MAP"),
    "listeners": ("recall@20", "nDCG@20", "coverage@20"),
    "recommendations": (
        "recall@20",
        "recall@20 less served",
        "styles@20",
        "styles@20 less served",
        "heard@20",
        "places of 20",
        "none in 20",
        "list as before",
        "hub skewness@10",
        "same album: hit rate@10",
        "same artist: hit rate@10",
    ),
}
_CELL_WIDTH = 24

Rows = dict[str, dict[str, Figure]]
"""By subject, its figures by metric."""


def report_lines(report: Report) -> list[str]:
    """The report for people: a table for each condition, a line for each subject."""
    return [
        f"{report.tracks} tracks in space {report.space}; means, and 95 % intervals in brackets",
        *(f"note: {note}" for note in report.notes),
        *_section_lines(report.figures),
    ]


def _section_lines(figures: Sequence[Figure]) -> Iterator[str]:
    tables: dict[str, dict[str, Rows]] = {}
    for figure in figures:
        if figure.metric in HEADLINES.get(figure.section, (figure.metric,)):
            rows = tables.setdefault(figure.section, {}).setdefault(figure.condition, {})
            rows.setdefault(figure.subject, {})[figure.metric] = figure
    for section, by_condition in tables.items():
        yield from ("", section.upper())
        titles = {condition: _title(condition, rows) for condition, rows in by_condition.items()}
        subjects = {subject for rows in by_condition.values() for subject in rows}
        # a subject stands two places further right than the title above it
        width = max(map(len, [*titles.values(), *("  " + subject for subject in subjects)])) + 2
        for condition, rows in by_condition.items():
            yield from _table(titles[condition], rows, width)


def _title(condition: str, rows: Rows) -> str:
    n = max(figure.n for cells in rows.values() for figure in cells.values())
    return ", ".join(part for part in (condition, f"n={n}") if part)


def _table(title: str, rows: Rows, width: int) -> Iterator[str]:
    metrics = list(dict.fromkeys(metric for cells in rows.values() for metric in cells))
    yield _line(title, width, metrics)
    for subject, cells in rows.items():
        yield _line("  " + subject, width, [_cell(cells.get(metric)) for metric in metrics])


def _line(name: str, width: int, cells: Sequence[str]) -> str:
    shown = "".join(f"{cell:<{_CELL_WIDTH}}" for cell in cells)
    return f"  {name:<{width}}{shown}".rstrip()


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return f"{figure.value:.3f}{_interval(figure)}"


def _interval(figure: Figure) -> str:
    if figure.low < figure.high:
        return f" ({figure.low:.3f} {figure.high:.3f})"
    return " (one label)" if figure.groups == 1 else ""
