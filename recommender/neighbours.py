"""The nearest rows of every row, found once when a generation is made.

What is asked most is what sounds like a track of the catalog, and for that the answer is the same
until the next generation: a list of its neighbours holds it, and whatever the lists cannot tell is
searched for as ever. Lists are made by the index itself, tried harder than for an answer if need
be, or exactly where that is affordable.

An update gives new rows lists of their own, and enters them in the lists of the rows that they are
near to. Lists that changed lie in a second, small file until they are many, so that the first can
stay the same file from one generation to the next. Dead rows stay in the lists; readers drop them.
"""

import logging
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray, Rows
from recommender.errors import GenerationError
from recommender.index import VectorIndex
from recommender.index.faiss import FaissIndex
from recommender.index.truth import Reader, Truth, count_close
from recommender.ranking import MILLIONTHS, Similarities, similarity
from recommender.selection import Selection
from recommender.slices import RowFile

_log = logging.getLogger(__name__)

LISTED = 24
CROWD = 10
# rows asked for near a new one: a graph finds few of as many as it looks for
_ASKED = 48
# comparisons of old rows with new ones at a time
_COMPARED = 1 << 24
# times that of an answer
_EFFORTS = (1, 2, 4, 8)
# lists that changed, for each that did not, before all are written anew
MOST_CHANGED = 0.25
_PIECE = 4_096
# pieces that take some ten seconds: a line for each so many
_TOLD = 16
# column of a changed list that says whose it is; the rest is as in the others
_OF = 0

Lists = npt.NDArray[np.int32]
"""Shape (n, 2, LISTED): rows, closest first and equal ones by track id, and their similarities in
millionths; both are -1 where a list is shorter."""


class Neighbours:
    """Reads lists; safe to use from many threads.

    Parameters
    ----------
    lists
        Of the first rows.
    changed
        Those that are others by now, and of further rows: ascending by row, int32, shape
        (m, 1 + 2 * LISTED).
    """

    def __init__(self, lists: "Lists | RowFile", changed: Lists):
        self.lists, self.changed = lists, changed
        # beside one another: the rows of a search lie close together in memory
        self._rows = np.ascontiguousarray(changed[:, _OF])

    def of(self, row: int) -> Lists | None:
        """The list of a row, shape (2, LISTED); None when it has none."""
        if len(self._rows):
            place = int(self._rows.searchsorted(row))
            if place < len(self._rows) and self._rows[place] == row:
                changed: Lists = self.changed[place, 1:].reshape(2, LISTED)
                return changed
        if row >= len(self.lists):
            return None
        try:
            found: Lists = self.lists[row]
        except OSError as error:
            raise GenerationError("lists of neighbours cannot be read") from error
        return found

    def last(self, n_rows: int) -> npt.NDArray[np.int32]:
        """Similarity of the last in the lists of the first rows; -1 for a row without a list.

        A list that is short takes whatever comes: 0.
        """
        lists = np.asarray(self.lists)
        last = np.full(n_rows, -1, np.int32)
        last[: len(lists)] = _last_of(lists[:, 0, 0], lists[:, 1, -1])
        last[self._rows] = _last_of(self.changed[:, 1], self.changed[:, -1])
        return last

    def crowding(self, n_rows: int) -> Similarities | None:
        """Mean similarity of each row to the `CROWD` rows that are listed as nearest to it.

        Rows without a list are as crowded as the middle one of the others.

        Returns
        -------
        array or None
            Shape (n_rows,); None where lists are not there, or hold all rows as in a catalog of a
            few tracks: nearest ones say nothing then.
        """
        if not len(self.lists) or n_rows <= LISTED:
            return None
        crowding = np.full(n_rows, np.nan)
        for first in range(0, len(self.lists), _PIECE):
            end = min(first + _PIECE, len(self.lists))
            piece = self.block(first, end)
            crowding[first:end] = _mean_of(piece[:, 1, :CROWD])
        crowding[self._rows] = _mean_of(self.changed[:, 1 + LISTED : 1 + LISTED + CROWD])
        middle = float(np.nanmedian(crowding))
        return np.where(np.isnan(crowding), middle, crowding)

    def block(self, first: int, end: int) -> Lists:
        """Some of `lists`, which are not mapped for it: a mapped file counts as memory."""
        lists = self.lists
        try:
            return lists.block(first, end) if isinstance(lists, RowFile) else lists[first:end]
        except OSError as error:
            raise GenerationError("lists of neighbours cannot be read") from error

    def of_all(self, rows: Rows) -> Lists:
        """The lists of some rows, each of which has one."""
        found = [self.of(row) for row in rows.tolist()]
        return np.array(found, np.int32).reshape(-1, 2, LISTED)


def _last_of(
    first: npt.NDArray[np.int32], similarities: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    return np.where(first < 0, np.int32(-1), np.maximum(similarities, 0))


def _mean_of(similarities: npt.NDArray[np.int32]) -> Similarities:
    """Of those that are listed, -1 being none; not a number where none is."""
    listed = similarities >= 0
    count = listed.sum(axis=1)
    total = np.where(listed, similarities, 0).sum(axis=1)
    mean: Similarities = np.where(count > 0, total / np.maximum(count, 1), np.nan) / MILLIONTHS
    return mean


def no_lists() -> tuple[Lists, Lists]:
    """The contents of both files for a generation without lists."""
    return np.empty((0, 2, LISTED), np.int32), np.empty((0, 1 + 2 * LISTED), np.int32)


def neighbours_of(index: FaissIndex, truth: Truth | None = None, wanted: float = 0.0) -> Lists:
    """Lists of all rows of an index, on all cores.

    Parameters
    ----------
    index
        Its rows are in the order of track ids, and none is dead.
    truth
        Says of some rows what is near them; None to search with the effort of the index.
    wanted
        Share of the ten nearest that these rows' lists are to hold: the effort is doubled until
        they do, up to three times.

    Returns
    -------
    Lists
        Of no row when that would take too long: exact search of all for all, among many.
    """
    if not index.lists_neighbours:
        return no_lists()[0]
    if truth is not None:
        index = _tried_harder(index, truth, wanted)
    lists, total = np.full((len(index), 2, LISTED), -1, np.int32), f"{len(index):,}"
    for first in range(0, len(index), _PIECE):
        asking = np.arange(first, min(first + _PIECE, len(index)))
        lists[asking] = _lists_of(index, asking)
        if (first // _PIECE) % _TOLD == _TOLD - 1:
            _log.info("neighbours of %s of %s tracks are listed", f"{asking[-1] + 1:,}", total)
    return lists


def _tried_harder(index: FaissIndex, truth: Truth, wanted: float) -> FaissIndex:
    for times in _EFFORTS:
        harder = index.at_effort(times * index.effort)
        shares = [
            _share(found[0], truth, place, index.vectors)
            for place, found in enumerate(_lists_of(harder, truth.rows))
        ]
        if np.mean([share or 0.0 for share in shares]) >= wanted:
            break
    return harder


def _lists_of(index: FaissIndex, asking: Rows) -> Lists:
    lists = np.full((len(asking), 2, LISTED), -1, np.int32)
    rows = index.neighbours(asking, LISTED)
    similarities = _similarities(index, index.vectors(asking), rows)
    order = np.lexsort((rows, -similarities), axis=1)
    lists[:, 0, : rows.shape[1]] = np.take_along_axis(rows, order, axis=1)
    lists[:, 1, : rows.shape[1]] = np.take_along_axis(similarities, order, axis=1)
    return lists


def _similarities(
    index: VectorIndex, queries: FloatArray, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """In millionths, as answers have them, which are worked out in float64; shape of `rows`."""
    found = np.full(rows.shape, -1, np.int32)
    for place, (query, near) in enumerate(zip(queries, rows, strict=True)):
        count = int(np.count_nonzero(near >= 0))
        found[place, :count] = millionths(index, query, near[:count])
    return found


def millionths(index: VectorIndex, query: FloatArray, rows: Rows) -> npt.NDArray[np.int32]:
    """Similarities of some rows with a query."""
    cosines = index.vectors(rows).astype(np.float64) @ query.astype(np.float64)
    whole: npt.NDArray[np.int32] = np.rint(similarity(cosines) * MILLIONTHS).astype(np.int32)
    return whole


def listed_recall(
    neighbours: Neighbours, truth: Truth, read: Reader, live: Selection | None
) -> float | None:
    """Share of the ten nearest that is in the lists; None without lists.

    Rows whose list has too few that live are left out: they are searched for.
    """
    shares = list[float]()
    for place, row in enumerate(truth.rows.tolist()):
        found = neighbours.of(row)
        if found is not None:
            near = found[0] if live is None else found[0][live.holds(found[0])]
            share = _share(near, truth, place, read)
            if share is not None:
                shares.append(share)
    return float(np.mean(shares)) if shares else None


def _share(near: npt.NDArray[Any], truth: Truth, place: int, read: Reader) -> float | None:
    """Of the ten nearest; None when there are not ten rows, -1 being none."""
    depth = truth.depths[0]
    best = near[near >= 0][:depth]
    if len(best) < depth:
        return None
    close = count_close(read(best) @ truth.vectors[place], truth.kth[place, 0])
    return min(1.0, close / depth)


def updated(
    before: Neighbours,
    index: VectorIndex,
    new: Rows,
    live: Selection | None,
    ids: npt.NDArray[np.bytes_],
) -> tuple["Lists | RowFile", Lists]:
    """The contents of both files after rows were added; the first is the same if it did not change.

    Parameters
    ----------
    before
        The lists until now; when there are none, there will be none.
    index
        That holds the new rows.
    new
        These rows: the last ones.
    live
        Rows that have not died; None when none has.
    ids
        Track ids of all rows.
    """
    if not len(before.lists) or not len(new):
        return before.lists, before.changed
    pairs = [_near(index, row, live) for row in new.tolist()]
    of, near, similarities = (np.concatenate(part) for part in zip(*pairs, strict=True))
    changed = [_best(of, near, similarities, ids), _entered(before, index, new, ids)]
    return _merged(before, np.concatenate(changed))


def _near(index: VectorIndex, row: int, live: Selection | None) -> tuple[Rows, Rows, Lists]:
    """A row, again and again, with each of the rows near it and their similarity."""
    own = np.array([row], dtype=np.int64)
    query = index.vectors(own)[0]
    rows, _ = index.nearest(query, _ASKED, own, live)
    return np.full(len(rows), row), rows, millionths(index, query, rows)


def _entered(
    before: Neighbours, index: VectorIndex, new: Rows, ids: npt.NDArray[np.bytes_]
) -> Lists:
    """The lists, those that change, after new rows were entered in the lists of older ones."""
    of, near = _closer(before.last(int(new[0])), index, new)
    touched, first = np.unique(of, return_index=True)
    groups = np.split(near, first[1:]) if len(of) else []
    queries = index.vectors(touched)
    found = [millionths(index, *one) for one in zip(queries, groups, strict=True)]
    similarities = np.concatenate([np.empty(0, np.int32), *found])
    lists = before.of_all(touched)
    return _best(
        np.concatenate([np.repeat(touched, LISTED), of]),
        np.concatenate([lists[:, 0].ravel(), near]),
        np.concatenate([lists[:, 1].ravel(), similarities]),
        ids,
    )


def _closer(last: npt.NDArray[np.int32], index: VectorIndex, new: Rows) -> tuple[Rows, Rows]:
    """Older rows, and new ones that are as close to them as the last of their lists.

    All are compared: new rows that lie together would hide older ones from a search near them.
    """
    vectors = index.vectors(new)
    of, near = [new[:0]], [new[:0]]
    n_rows = max(1, _COMPARED // len(new))
    for first in range(0, len(last), n_rows):
        block = np.arange(first, min(first + n_rows, len(last)))
        similarities = (1.0 + index.vectors(block) @ vectors.T) / 2.0
        # nobody knows what a list that was never made would hold
        least = np.where(last[block] >= 0, last[block] / MILLIONTHS, np.inf)
        rows, places = np.nonzero(similarities > least[:, np.newaxis])
        of.append(block[rows])
        near.append(new[places])
    return np.concatenate(of), np.concatenate(near)


def _best(
    of: Rows, near: Rows, similarities: npt.NDArray[Any], ids: npt.NDArray[np.bytes_]
) -> Lists:
    """The `LISTED` most similar for each row, as changed lists."""
    order = np.lexsort((ids[near], -similarities, of))
    of, near, similarities = of[order], near[order], similarities[order]
    rows, first = np.unique(of, return_index=True)
    place = np.arange(len(of)) - np.repeat(first, np.diff([*first, len(of)]))
    keep = place < LISTED
    at = np.searchsorted(rows, of[keep])
    changed = np.full((len(rows), 1 + 2 * LISTED), -1, np.int32)
    changed[:, _OF] = rows
    changed[at, 1 + place[keep]] = near[keep]
    changed[at, 1 + LISTED + place[keep]] = similarities[keep]
    return changed


def _merged(before: Neighbours, changed: Lists) -> tuple["Lists | RowFile", Lists]:
    stale = np.isin(before.changed[:, _OF], changed[:, _OF])
    changed = np.concatenate([before.changed[~stale], changed])
    changed = changed[np.argsort(changed[:, _OF])]
    if len(changed) <= MOST_CHANGED * len(before.lists):
        return before.lists, changed
    n_rows = max(len(before.lists), int(changed[-1, _OF]) + 1)
    lists = np.full((n_rows, 2, LISTED), -1, np.int32)
    lists[: len(before.lists)] = np.asarray(before.lists)
    lists[changed[:, _OF]] = changed[:, 1:].reshape(-1, 2, LISTED)
    return lists, no_lists()[1]
