"""A report as text: the figures that are looked at first; JSON has all of them."""

from collections.abc import Iterator, Sequence

from indexer.evaluation.figures import Figure
from indexer.evaluation.report import Report

# by section; of the others every figure is shown
HEADLINES = {
    "retrieval": ("hit rate@10", "capped recall@10", "MAP"),
    "listeners": ("recall@20", "nDCG@20", "hit rate@20", "coverage@20"),
    "variants": ("MAP", "MAP less default", "p adjusted", "CPU seconds per minute of audio"),
}


def report_lines(report: Report) -> list[str]:
    """The report for people: a block a section, the condition above its subjects."""
    return [
        f"{report.tracks} tracks in space {report.space}; mean and 95 % interval of each figure",
        *(f"note: {note}" for note in report.notes),
        *_section_lines(report.figures),
    ]


def _section_lines(figures: Sequence[Figure]) -> Iterator[str]:
    by_section: dict[str, dict[tuple[str, str], list[Figure]]] = {}
    for figure in figures:
        if figure.metric in HEADLINES.get(figure.section, (figure.metric,)):
            questions = by_section.setdefault(figure.section, {})
            questions.setdefault((figure.condition, figure.metric), []).append(figure)
    for section, questions in by_section.items():
        yield from ("", section.upper())
        for question, answers in questions.items():
            yield "  " + ", ".join(part for part in question if part)
            yield from map(_line, answers)


def _line(figure: Figure) -> str:
    interval = f"{figure.low:.3f} to {figure.high:.3f}"
    return f"    {figure.subject:<28} {figure.value:7.3f}  {interval:<18} n={figure.n}"
