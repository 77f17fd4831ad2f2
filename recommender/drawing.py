"""The map of a catalog as it is drawn: where the tracks lie, and what tells them apart."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows
from recommender.filters import Filters
from recommender.generation import Generation
from recommender.maps import Places

MOST_POINTS = 250_000
MOST_GROUPS = 10
NO_GROUP = 255
_GENRES = 200
_ROWS = 65_536
_UNKNOWN = -1

Colouring = Literal["tag", "genre", "year"]
Codes = npt.NDArray[np.int64]


class Group(NamedTuple):
    """Tracks that are drawn in one colour."""

    name: str
    n_tracks: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn of a map.

    Attributes
    ----------
    rows
        Of the tracks, ascending, shape (n,).
    places
        Float32, shape (n, 2), in [-1, 1].
    groups
        Place of each track's group in `legend`, `NO_GROUP` when it is in none, uint8, shape (n,).
    legend
        The groups; decades in their order, others by size.
    n_tracks
        How many tracks qualify; when they are more than are drawn, these are spread evenly.
    warnings
        A line each.
    """

    rows: Rows
    places: Places
    groups: npt.NDArray[np.uint8]
    legend: tuple[Group, ...]
    n_tracks: int
    warnings: tuple[str, ...]


def draw(generation: Generation, filters: Filters, colouring: Colouring, limit: int) -> Drawing:
    """Draw the tracks that filters leave.

    Raises
    ------
    InvalidParameterError
        A tag is not one that the embedder of this space predicts.
    """
    chosen, warnings = generation.allowed.of(filters)
    rows = np.arange(generation.manifest.n_rows) if chosen is None else chosen.rows
    n_tracks = len(rows)
    if n_tracks > limit:
        rows = rows[np.linspace(0, n_tracks - 1, limit).astype(np.int64)]
        warnings = (*warnings, f"limit={limit}: of {n_tracks} tracks, spread evenly")
    codes, names = _GROUPINGS[colouring](generation, rows)
    groups, legend = _commonest(codes, names)
    if colouring == "year":
        groups, legend = _in_order(groups, legend)
    return Drawing(rows, generation.arrays.places[rows], groups, legend, n_tracks, warnings)


def _by_tag(generation: Generation, rows: Rows) -> tuple[Codes, list[str]]:
    """The strongest tag of each row."""
    tags, labels = generation.arrays.tags, generation.labels
    pieces = np.split(rows, range(_ROWS, len(rows), _ROWS))
    return np.concatenate([labels.strongest(tags[piece]) for piece in pieces]), labels.names


def _by_genre(generation: Generation, rows: Rows) -> tuple[Codes, list[str]]:
    """The genre of each row; of several that which most tracks have."""
    genres = generation.catalog.commonest_genres(_GENRES)
    codes = np.full(generation.manifest.n_rows, _UNKNOWN, np.int64)
    for code, (_, of) in reversed(list(enumerate(genres))):
        codes[of] = code
    return codes[rows], [name for name, _ in genres]


def _by_decade(generation: Generation, rows: Rows) -> tuple[Codes, list[str]]:
    """The decade of each row."""
    decades = generation.catalog.years()[rows].astype(np.int64) // 10
    codes = np.where(decades > 0, decades, _UNKNOWN)
    return codes, [f"{decade}0s" for decade in range(int(codes.max(initial=0)) + 1)]


_GROUPINGS = {"tag": _by_tag, "genre": _by_genre, "year": _by_decade}


def _commonest(codes: Codes, names: list[str]) -> tuple[npt.NDArray[np.uint8], tuple[Group, ...]]:
    """The groups of most tracks; all other tracks are in none."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    largest = [code for code in np.argsort(-counts, kind="stable")[:MOST_GROUPS] if counts[code]]
    # one more, so that what is unknown, -1, finds the last
    places = np.full(len(names) + 1, NO_GROUP, np.uint8)
    places[largest] = np.arange(len(largest))
    legend = tuple(Group(names[code], int(counts[code])) for code in largest)
    return places[codes], legend


def _in_order(
    groups: npt.NDArray[np.uint8], legend: tuple[Group, ...]
) -> tuple[npt.NDArray[np.uint8], tuple[Group, ...]]:
    """The same, with the legend in the order of names."""
    order = sorted(range(len(legend)), key=lambda place: legend[place].name)
    places = np.full(NO_GROUP + 1, NO_GROUP, np.uint8)
    places[order] = np.arange(len(order))
    return places[groups], tuple(legend[place] for place in order)
