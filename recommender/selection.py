"""A choice among the rows of an index: those that a search may answer with."""

from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows

Mask = npt.NDArray[np.bool_]

# comparisons that are quicker all at once than by sorting
_AT_ONCE = 4_096


class Selection:
    """An immutable set of rows of ``0 .. total - 1``; safe to use from many threads.

    Parameters
    ----------
    mask
        Whether each row is chosen, shape (total,). It must not be changed afterwards.
    """

    def __init__(self, mask: Mask):
        self._mask = mask
        self._count = int(np.count_nonzero(mask))
        self._split: tuple[int, Selection | None, Selection] | None = None

    @classmethod
    def of(cls, rows: Rows, total: int) -> Self:
        """Choose `rows`, in any order and any number of times, among `total`."""
        mask = np.zeros(total, dtype=np.bool_)
        mask[rows] = True
        return cls(mask)

    @classmethod
    def every(cls, total: int) -> Self:
        """Choose all rows."""
        return cls(np.ones(total, dtype=np.bool_))

    def __len__(self) -> int:
        """Number of chosen rows."""
        return self._count

    @property
    def total(self) -> int:
        """Number of rows that there are to choose from."""
        return len(self._mask)

    @property
    def mask(self) -> Mask:
        """Whether each row is chosen, shape (total,); not to be changed."""
        return self._mask

    @cached_property
    def bits(self) -> npt.NDArray[np.uint8]:
        """A bit for each row, the lowest of a byte first: shape (ceil(total / 8),)."""
        return np.packbits(self._mask, bitorder="little")

    @cached_property
    def rows(self) -> Rows:
        """The chosen rows, ascending, shape (len(self),)."""
        return np.flatnonzero(self._mask).astype(np.int64, copy=False)

    def split(self, first: int) -> "tuple[Selection | None, Selection]":
        """The choice among the rows before one, and among those from it on, counted from 0.

        It is made once for every question with the same filters.

        Parameters
        ----------
        first
            0 to `total`.

        Returns
        -------
        before, rest
            `before` is None when that is all of those rows.
        """
        made = self._split
        if made is None or made[0] != first:
            before = Selection(self._mask[:first])
            made = (
                first,
                None if len(before) == first else before,
                Selection(self._mask[first:]),
            )
            self._split = made
        return made[1], made[2]

    def holds(self, rows: Rows) -> Mask:
        """Whether each of `rows` is chosen, shape (len(rows),)."""
        held: Mask = self._mask.take(rows)
        return held

    def __and__(self, other: Any) -> "Selection":
        """Rows that both choose; they must choose among the same rows."""
        if not isinstance(other, Selection):
            return NotImplemented
        return Selection(self._mask & other._mask)

    def without(self, rows: Rows) -> "Selection":
        """The same choice but for `rows`."""
        mask = self._mask.copy()
        mask[rows] = False
        return Selection(mask)


def outside(rows: Rows, excluded: Rows) -> Mask:
    """Whether each of a few rows is none of `excluded`, shape (len(rows),)."""
    others: Mask
    if len(excluded) == 1:  # of most questions
        others = rows != excluded[0]
    elif len(excluded) * len(rows) <= _AT_ONCE:
        others = (rows[:, np.newaxis] != excluded).all(axis=1)
    else:
        others = ~np.isin(rows, excluded)
    return others
