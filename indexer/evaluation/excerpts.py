"""Ten seconds of tracks as Ogg files, so that what a figure says can be heard."""

from collections.abc import Iterable
from pathlib import Path

from indexer.evaluation.subject import Subject
from indexer.workers import FILE_LIMITS, as_they_come
from recommender.errors import AudioError
from recommender.excerpts import listening_excerpt
from recommender.files import replace_durably
from recommender.sandbox import ChildPool


def write_excerpts(subject: Subject, rows: Iterable[int], folder: Path, workers: int) -> set[str]:
    """Write ``<track id>.ogg`` for some tracks, decoded in child processes; older ones stay.

    Parameters
    ----------
    subject
        Whose tracks.
    rows
        Which of them.
    folder
        Made when it is not there.
    workers
        Children at a time.

    Returns
    -------
    set of str
        Ids of the tracks that can be heard now; a file that is gone or damaged is left out.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = sorted(set(rows))
    missing = [row for row in wanted if not _home(subject, row, folder).exists()]
    with ChildPool(max(1, min(workers, len(missing))), FILE_LIMITS) as pool:

        def write(row: int) -> None:
            try:
                path, state = subject.tracks[row].path, subject.states[row]
                answer = pool.call(listening_excerpt, path, state)
            except AudioError:
                return  # its player is left out, and the table says so
            replace_durably(_home(subject, row, folder), answer)

        for _ in as_they_come(write, missing, workers, pool.close):
            pass
    homes = {row: _home(subject, row, folder) for row in wanted}
    return {subject.tracks[row].track.id for row, home in homes.items() if home.exists()}


def _home(subject: Subject, row: int, folder: Path) -> Path:
    return folder / f"{subject.tracks[row].track.id}.ogg"
