"""Which rows a question may be answered with, kept for filters that come again."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from recommender.arrays import Rows
from recommender.catalog import Catalog
from recommender.errors import InvalidParameterError
from recommender.filters import Filters
from recommender.labels import Labels, Tags
from recommender.selection import Selection

KEPT_BYTES = 64 * 2**20
# of a selection: a flag, a bit, and its rows, if that is half of them
BYTES_A_ROW = 5
NAMED = 12
_TAG_ROWS = 65_536


class Allowed(NamedTuple):
    """What filters leave.

    Attributes
    ----------
    rows
        None for all of them.
    warnings
        Names that were asked for and that no track has, a line each.
    """

    rows: Selection | None
    warnings: tuple[str, ...] = ()


class AllowedRows:
    """The rows of a generation that filters leave; safe to use from many threads.

    Parameters
    ----------
    catalog
        Metadata by row.
    tags
        Probabilities, shape (n_rows, n_tag_names).
    labels
        What the tags are called.
    live
        Rows whose tracks are still there; None when all are.
    """

    def __init__(self, catalog: Catalog, tags: Tags, labels: Labels, live: Selection | None):
        self._catalog, self._tags, self._labels, self._live = catalog, tags, labels, live
        self._every = Allowed(live)
        self._kept = lru_cache(max(1, KEPT_BYTES // (BYTES_A_ROW * len(tags) + 1)))(self._found)

    def of(self, filters: Filters) -> Allowed:
        """The rows that `filters` leave, and what no track has.

        Raises
        ------
        InvalidParameterError
            A tag is not one that the embedder of this space predicts.
        """
        return self._kept(filters) if filters else self._every

    def _found(self, filters: Filters) -> Allowed:
        n_rows = len(self._tags)
        chosen = Selection.of(self._catalog.rows_matching(filters), n_rows)
        if self._live is not None:
            chosen = chosen & self._live
        for tag in filters.tags:
            chosen = Selection.of(self._rows_with(tag, filters.tag_threshold, chosen.rows), n_rows)
        unknown = self._catalog.unknown_names(filters)
        return Allowed(chosen, tuple(in_no_track(kind, name) for kind, name in unknown))

    def _rows_with(self, tag: str, threshold: float, among: Rows) -> Rows:
        columns = self._labels.columns_of(tag)
        if not columns:
            raise InvalidParameterError(
                f"tag={tag} is unknown in this space; it has {_some(self._labels.names, tag)}"
            )
        strong = [
            rows[(self._tags[rows][:, columns] >= threshold).any(axis=1)]
            for rows in np.split(among, range(_TAG_ROWS, len(among), _TAG_ROWS))
        ]
        return np.concatenate(strong)


def in_no_track(option: str, name: str) -> str:
    """The warning that a name which was asked for is not there."""
    return f"{option}={name} is in no track of the catalog"


def not_in_catalog(track_ids: Iterable[str]) -> list[str]:
    """The warnings that excluded tracks are not there."""
    return [f"exclude_id={id_} is not in the catalog" for id_ in track_ids]


def _some(names: list[str], wanted: str) -> str:
    """Those of some names that are most like what is wanted, and how many more there are."""
    named = names if len(names) <= NAMED else get_close_matches(wanted, names, NAMED, cutoff=0.0)
    rest = len(names) - len(named)
    return (", ".join(named) or "none") + (f" and {rest} more" if rest else "")
