"""Selections of rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.selection import Selection, outside


@given(st.lists(st.booleans(), max_size=70), st.data())
def test_a_selection_is_a_set_of_rows(mask: list[bool], data: st.DataObject) -> None:
    chosen = Selection(np.array(mask, dtype=bool))
    rows = {row for row, held in enumerate(mask) if held}
    assert (len(chosen), chosen.total) == (len(rows), len(mask))
    assert chosen.rows.dtype == np.dtype(np.int64)
    assert chosen.rows.tolist() == sorted(rows)
    assert chosen.holds(np.arange(len(mask))).tolist() == mask
    bits = np.unpackbits(chosen.bits, bitorder="little")
    assert np.flatnonzero(bits).tolist() == sorted(rows)
    other = data.draw(st.lists(st.booleans(), min_size=len(mask), max_size=len(mask)))
    others = {row for row, held in enumerate(other) if held}
    both = chosen & Selection(np.array(other, dtype=bool))
    assert both.rows.tolist() == sorted(rows & others)
    left = chosen.without(np.array(sorted(others), dtype=np.int64))
    assert left.rows.tolist() == sorted(rows - others)
    assert chosen.rows.tolist() == sorted(rows)


def test_rows_may_be_named_in_any_order_and_twice() -> None:
    assert Selection.of(np.array([7, 2, 7]), 9).rows.tolist() == [2, 7]


def test_every_row_is_chosen() -> None:
    assert len(Selection.every(12)) == 12


def test_rows_that_are_not_there_cannot_be_chosen() -> None:
    with pytest.raises(IndexError):
        Selection.of(np.array([9]), 9)


def test_a_selection_meets_only_selections() -> None:
    with pytest.raises(TypeError):
        Selection.every(3) & {1}


@given(st.lists(st.booleans(), max_size=70), st.data())
def test_a_selection_is_split_in_two(mask: list[bool], data: st.DataObject) -> None:
    chosen = Selection(np.array(mask, dtype=bool))
    for first in data.draw(st.lists(st.integers(0, len(mask)), max_size=3)):
        before, rest = chosen.split(first)
        assert rest.mask.tolist() == mask[first:]
        assert (before is None) == all(mask[:first])
        assert before is None or before.mask.tolist() == mask[:first]


def test_a_selection_is_split_once() -> None:
    chosen = Selection.of(np.array([1, 4]), 6)
    assert all(a is b for a, b in zip(chosen.split(3), chosen.split(3), strict=True))


@pytest.mark.parametrize("n_excluded", [0, 1, 5, 900])
def test_rows_are_outside_of_what_is_excluded(n_excluded: int) -> None:
    random = np.random.default_rng(n_excluded)
    rows, excluded = random.permutation(1_000)[:10], random.permutation(1_000)[:n_excluded]
    told = outside(rows, excluded).tolist()
    assert told == [row not in excluded.tolist() for row in rows.tolist()]
