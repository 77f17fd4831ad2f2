"""The worst questions as a table that can be listened to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape

from indexer.evaluation.failures import Failure, described
from indexer.evaluation.subject import Subject
from notebooks.text import printable

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
