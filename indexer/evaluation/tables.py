"""A report as text: the figures that are looked at first; JSON has all of them."""

from collections.abc import Iterator, Sequence

from indexer.evaluation.figures import Figure
from indexer.evaluation.report import Report

# by section; of the others every metric is a column
HEADLINES = {
    "retrieval": ("hit rate@10", "capped recall@10", "MAP"),
    "listeners": ("recall@20", "nDCG@20", "coverage@20"),
}
_NAME_WIDTH = 30
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
        for condition, rows in by_condition.items():
            yield from _table(condition, rows)


def _table(condition: str, rows: Rows) -> Iterator[str]:
    metrics = list(dict.fromkeys(metric for cells in rows.values() for metric in cells))
    n = max(figure.n for cells in rows.values() for figure in cells.values())
    heads = "".join(f"{metric:<{_CELL_WIDTH}}" for metric in metrics)
    title = ", ".join(part for part in (condition, f"n={n}") if part)
    yield f"  {title:<{_NAME_WIDTH + 2}}{heads}".rstrip()
    for subject, cells in rows.items():
        shown = "".join(f"{_cell(cells.get(metric)):<{_CELL_WIDTH}}" for metric in metrics)
        yield f"    {subject:<{_NAME_WIDTH}}{shown}".rstrip()


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    interval = f" ({figure.low:.3f} {figure.high:.3f})" if figure.low < figure.high else ""
    return f"{figure.value:.3f}{interval}"
