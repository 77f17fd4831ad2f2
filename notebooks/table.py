"""Tables: the worst questions, which can be listened to, and settings side by side."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from indexer.evaluation.failures import Failure, described
from indexer.evaluation.figures import Figure
from indexer.evaluation.subject import SERVED, Subject
from notebooks.text import chance, printable

EXCERPTS = "excerpts"
"""Folder of the excerpts, beside the executed notebook."""

_HEAD = "<tr><th>asked</th><th>precision</th><th>came first instead</th></tr>"


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """HTML that a notebook shows."""

    markup: str

    def __repr__(self) -> str:
        return "a table with players"

    def _repr_html_(self) -> str:
        return self.markup


def failures(subject: Subject, found: Sequence[Failure], audible: Collection[str]) -> Table:
    """One row a failure: the seed, how bad it is, and its neighbours, each with a player.

    Parameters
    ----------
    subject
        Whose tracks.
    found
        What went wrong, worst first.
    audible
        Ids of the tracks that have an excerpt.
    """
    if not found:
        return Table("<p>No answer is known to be wrong.</p>")
    rows = "".join(
        f"<tr><td>{_track(subject, failure.row, audible)}</td>"
        f"<td>{failure.average_precision:.3f}</td><td><ol>"
        + "".join(f"<li>{_track(subject, int(n), audible)}</li>" for n in failure.neighbours)
        + "</ol></td></tr>"
        for failure in found
    )
    return Table(f'<table class="failures"><thead>{_HEAD}</thead><tbody>{rows}</tbody></table>')


def _track(subject: Subject, row: int, audible: Collection[str]) -> str:
    name = escape(printable(described(subject, row)), quote=False)
    id_ = subject.tracks[row].track.id
    if id_ not in audible:
        return name
    source = escape(f"{EXCERPTS}/{id_}.ogg", quote=True)
    return f'{name}<br><audio controls preload="none" src="{source}"></audio>'


def settings(figures: Sequence[Figure], condition: str, metrics: Sequence[str]) -> Table:
    """What recommendations are worth by their settings, and how that differs from the default.

    Parameters
    ----------
    figures
        Of :func:`indexer.evaluation.choices.measure_choices`.
    condition
        Whose listeners.
    metrics
        What is shown, with intervals, differences and adjusted p values.
    """
    cells = {(f.subject, f.metric): f for f in figures if f.condition == condition}
    names = dict.fromkeys(name for name, metric in cells if metric in metrics)
    if not names:
        return Table("<p>No listeners could be simulated.</p>")
    titles = [title for metric in metrics for title in (metric, "less the default", "p, adjusted")]
    head = "".join(f"<th>{escape(title)}</th>" for title in ("setting", *titles))
    rows = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(_setting(cells, name, metric) for metric in metrics)
        + "</tr>"
        for name in names
    )
    return Table(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def _setting(cells: Mapping[tuple[str, str], Figure], name: str, metric: str) -> str:
    """A figure, its difference from the default and the p value, empty where there is none."""
    found = [cells.get((name, what)) for what in (metric, f"{metric} less {SERVED}", f"{metric} p")]
    value, less, p_value = found
    shown = (
        f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})" if value else "",
        f"{less.value:+.3f} ({less.low:+.3f} to {less.high:+.3f})" if less else "",
        chance(p_value.value).removeprefix("p ").removeprefix("= ") if p_value else "",
    )
    return "".join(f"<td>{escape(text)}</td>" for text in shown)
