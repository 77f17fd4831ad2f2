"""Which rows are copies of one recording.

Pairs that may be such are looked at, never all of them: rows that lie in each other's lists of
neighbours, and rows whose names are those of one song. Copies of copies are copies as well, unless
something speaks against it.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows
from recommender.index import VectorIndex
from recommender.neighbours import LISTED, Neighbours
from recommender.ranking import MILLIONTHS, Similarities, similarity
from recommender.selection import Mask, Selection
from recommender.songs import LEAST, Songs, are_copies, may_be_copies

Recordings = npt.NDArray[np.int32]
"""By row, the number of the recording that it is a copy of; -1 where no other row is one."""

NONE = -1
# songs of one name that are all compared with each other; of more, those that are listed
MOST_NAMESAKES = 64
# rows of one recording
MOST_COPIES = 1_000
_PIECE = 4_096
_GROUPS = 256


class Pairs(NamedTuple):
    """Rows that are compared two by two, and the cosine of each two; all of shape (n,)."""

    one: Rows
    other: Rows
    cosines: Similarities


def recordings_of(songs: Songs, index: VectorIndex, neighbours: Neighbours) -> Recordings:
    """The recordings of all rows, none of which is dead.

    Parameters
    ----------
    songs
        By row.
    index
        Of the same rows.
    neighbours
        Their lists, which may be of no row.
    """
    compared = _Compared(songs, index, neighbours, None)
    listed = (compared.copies(pairs) for pairs in _listed(neighbours))
    named = (compared.named(groups) for groups in _namesakes(songs, np.arange(len(songs))))
    recordings = np.full(len(songs), NONE, np.int32)
    _number(recordings, compared.groups(_joined([*listed, *named])), 0)
    return recordings


def updated_recordings(
    before: Recordings,
    songs: Songs,
    index: VectorIndex,
    neighbours: Neighbours,
    live: Selection | None,
    changed: Rows,
) -> Recordings:
    """The recordings of all rows after some changed, at the cost of what changed.

    Recordings that have nothing to do with what changed keep their numbers.

    Parameters
    ----------
    before
        Those until now, of the first rows.
    songs, index, neighbours
        As of :func:`recordings_of`, from now on.
    live
        Rows that are not dead; None for all.
    changed
        Rows that are new, that died, or that are of a song with other names.
    """
    recordings = np.full(len(songs), NONE, np.int32)
    recordings[: len(before)] = before
    compared = _Compared(songs, index, neighbours, live)
    rows, alive = (np.arange(len(songs)), changed) if live is None else _alive(live, changed)
    named = (compared.named(groups) for groups in _namesakes(songs, rows, alive))
    linked = _joined([compared.copies(compared.near(alive)), *named])
    touched = np.unique(recordings[np.concatenate([changed, linked.one, linked.other])])
    affected = np.isin(recordings, touched[touched > NONE])
    numbers, again = recordings[affected], np.flatnonzero(affected)
    recordings[affected] = NONE
    within = [compared.named(groups) for groups in _split(numbers, again, MOST_COPIES)]
    _number(
        recordings,
        compared.groups(_joined([linked, *within])),
        int(before.max(initial=NONE)) + 1,
    )
    return recordings


class _Compared:
    """Compares rows; see :func:`updated_recordings`."""

    def __init__(
        self, songs: Songs, index: VectorIndex, neighbours: Neighbours, live: Selection | None
    ):
        self._songs, self._index, self._neighbours, self._live = songs, index, neighbours, live
        last = neighbours.last(len(songs)) / MILLIONTHS
        # of a list that was never made nothing is known
        self._last = np.where(last < 0, -1.0, 2.0 * last - 1.0)

    def copies(self, pairs: Pairs) -> Pairs:
        """Those of some pairs that are copies and alive."""
        one, other, cosines = _kept(pairs, pairs.cosines >= LEAST)
        room = np.maximum(self._last[one], self._last[other])
        keep = are_copies(self._songs[one], self._songs[other], cosines, room)
        if self._live is not None:
            keep &= self._live.holds(one) & self._live.holds(other)
        return _kept(Pairs(one, other, cosines), keep)

    def named(self, groups: list[Rows]) -> Pairs:
        """Copies among the rows of each of some groups."""
        pairs = [np.triu_indices(len(group), 1) for group in groups]
        found = [
            (group[one], group[other]) for group, (one, other) in zip(groups, pairs, strict=True)
        ]
        one, other = (np.concatenate(rows) for rows in zip(*found, strict=True))
        return self.copies(Pairs(one, other, self.cosines(one, other)))

    def near(self, rows: Rows) -> Pairs:
        """Some rows with those in their lists, and with those in whose lists they came."""
        changed = self._neighbours.changed
        place, at = np.nonzero(np.isin(changed[:, 1 : 1 + LISTED], rows))
        one, other = [changed[place, 0]], [changed[place, 1 + at]]
        for row in rows.tolist():
            found = self._neighbours.of(row)
            if found is not None:
                others = found[0][found[0] >= 0]
                one.append(np.full(len(others), row, np.int32))
                other.append(others)
        ends = np.concatenate(one).astype(np.int64), np.concatenate(other).astype(np.int64)
        return Pairs(*ends, self.cosines(*ends))

    def cosines(self, one: Rows, other: Rows) -> Similarities:
        """Of two rows each, shape (n,)."""
        found = np.empty(len(one))
        for first in range(0, len(one), _PIECE):
            piece = slice(first, first + _PIECE)
            ends = (self._index.vectors(rows[piece]).astype(np.float64) for rows in (one, other))
            # rounded as in the lists
            found[piece] = 2.0 * similarity(np.einsum("ij,ij->i", *ends)) - 1.0
        return found

    def groups(self, linked: Pairs) -> list[list[int]]:
        """Rows of one recording each, from pairs of copies, the closest of which come first."""
        groups = dict[int, list[int]]()
        order = np.lexsort((linked.other, linked.one, -linked.cosines))
        for one, other in zip(
            linked.one[order].tolist(), linked.other[order].tolist(), strict=True
        ):
            ours, theirs = groups.get(one, [one]), groups.get(other, [other])
            if ours is not theirs and self._may_be_one(ours, theirs):
                ours += theirs
                groups |= dict.fromkeys(ours, ours)
        return list({id(group): group for group in groups.values()}.values())

    def _may_be_one(self, ours: list[int], theirs: list[int]) -> bool:
        """Whether nothing speaks against it: a chain of copies may lead to another recording."""
        if len(ours) + len(theirs) > MOST_COPIES:
            return False
        one, other = np.repeat(ours, len(theirs)), np.tile(theirs, len(ours))
        agree = may_be_copies(self._songs[one], self._songs[other], self.cosines(one, other))
        return bool(agree.all())


def _listed(neighbours: Neighbours) -> Iterator[Pairs]:
    """All rows with those in their lists, piece by piece."""
    for first in range(0, len(neighbours.lists), _PIECE):
        lists = neighbours.block(first, min(first + _PIECE, len(neighbours.lists)))
        place, at = np.nonzero(lists[:, 0] >= 0)
        near = lists[place, 0, at].astype(np.int64)
        yield Pairs(first + place, near, 2.0 * lists[place, 1, at] / MILLIONTHS - 1.0)


def _alive(live: Selection, changed: Rows) -> tuple[Rows, Rows]:
    return live.rows, changed[live.holds(changed)]


def _namesakes(songs: Songs, rows: Rows, among: Rows | None = None) -> Iterator[list[Rows]]:
    """Groups of rows of songs with the same names; of all, or those that some rows may be in."""
    for keys in _keys(songs[rows]):
        known = keys > 0
        if among is not None:
            known &= np.isin(keys, keys[np.isin(rows, among)])
        yield from _split(keys[known], rows[known], MOST_NAMESAKES)


def _keys(songs: Songs) -> Iterator[npt.NDArray[np.uint64]]:
    """What songs of one name have in common; 0 where they have nothing."""
    title, artist = songs["title"].astype(np.uint64), songs["artist"].astype(np.uint64)
    yield np.where((title > 0) & (artist > 0), (title << np.uint64(32)) | artist, 0)
    yield np.where(songs["common"], 0, title)
    yield songs["recording"].astype(np.uint64)


def _split(keys: npt.NDArray[Any], rows: Rows, most: int) -> Iterator[list[Rows]]:
    """Rows with equal keys, of which there are two to `most`; some groups at a time."""
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    several = (counts[inverse] > 1) & (counts[inverse] <= most)
    order = np.argsort(inverse[several], kind="stable")
    rows, numbers = rows[several][order], inverse[several][order]
    ends = np.flatnonzero(np.diff(numbers)) + 1
    groups = np.split(rows, ends) if len(rows) else []
    for first in range(0, len(groups), _GROUPS):
        yield groups[first : first + _GROUPS]


def _kept(pairs: Pairs, keep: Mask) -> Pairs:
    return Pairs(pairs.one[keep], pairs.other[keep], pairs.cosines[keep])


def _joined(parts: list[Pairs]) -> Pairs:
    """Each pair once."""
    none = np.empty(0, np.int64)
    found = zip(Pairs(none, none, np.empty(0)), *parts, strict=True)
    one, other, cosines = (np.concatenate(values) for values in found)
    ends = np.stack([np.minimum(one, other), np.maximum(one, other)], axis=1)
    ends, first = np.unique(ends, axis=0, return_index=True)
    return Pairs(ends[:, 0], ends[:, 1], cosines[first])


def _number(recordings: Recordings, groups: list[list[int]], first: int) -> None:
    """Number groups from one number on, by their first rows."""
    for number, group in enumerate(sorted(groups, key=min), start=first):
        recordings[group] = number
