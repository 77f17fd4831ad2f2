"""Chooses the rows of an answer from those that are similar: no hubs, no copies, not too alike."""

from collections.abc import Hashable, Iterable
from typing import NamedTuple

import numpy as np

from recommender.arrays import Rows
from recommender.generation import Generation
from recommender.questions import Options
from recommender.ranking import Cap, Capped, Similarities, corrected, diversified, picked
from recommender.retrieval import Pool
from recommender.text import folded
from recommender.track import Metadata, Track

# of how many rows a place is chosen: hubs and copies give theirs to others
POOL_FACTOR = 2
DIVERSE_FACTOR = 5


class Ranked(NamedTuple):
    """Rows in the order in which they are to come, with what brought them there."""

    rows: Rows
    similarities: Similarities
    scores: Similarities


def depth_for(generation: Generation, options: Options) -> int:
    """Of how many rows an answer is chosen at first."""
    if options.diversity:
        return DIVERSE_FACTOR * options.limit
    corrects = options.corrects_hubs and generation.arrays.crowding is not None
    collapses = options.collapses_duplicates and generation.arrays.has_copies
    return POOL_FACTOR * options.limit if corrects or collapses else options.limit


def has_copies(generation: Generation, rows: list[int], left_out: Rows) -> bool:
    """Whether any of some rows is of the same recording as another, or as one that is left out."""
    of_row = generation.arrays.recording_of_row
    if of_row is None:
        return False
    found = [number for row in rows if (number := of_row[row]) >= 0]
    if not found:
        return False
    recordings = set(found)
    return len(recordings) < len(found) or not recordings.isdisjoint(
        generation.arrays.recordings.take(left_out).tolist()
    )


def in_order(generation: Generation, pool: Pool, options: Options) -> Ranked:
    """A pool by score: similarity, or what is left of it after hubs are corrected for."""
    rows, similarities, _ = pool
    crowding = generation.arrays.crowding if options.corrects_hubs else None
    if crowding is None:
        return Ranked(rows, similarities, similarities)
    scores = corrected(similarities, crowding.take(rows))
    # stable: of equal scores the more similar row comes first, then the smaller id
    order = (-scores).argsort(kind="stable")
    return Ranked(rows.take(order), similarities.take(order), scores.take(order))


def without_copies(generation: Generation, rows: Rows) -> Rows:
    """The first rows of each recording among some, and those that are of none."""
    recordings = generation.arrays.recordings.take(rows)
    keep = recordings < 0
    keep[np.unique(recordings, return_index=True)[1]] = True
    return rows[keep]


class Choice:
    """The rows of one answer, which may come from several pools.

    Parameters
    ----------
    generation
        Theirs.
    left_out
        Rows that cannot be chosen, whose copies are not wanted either.
    options
        What is wanted.

    Attributes
    ----------
    rows, similarities
        What has been chosen so far.
    """

    def __init__(self, generation: Generation, left_out: Rows, options: Options):
        self.rows, self.similarities = list[int](), list[float]()
        self._generation, self._options = generation, options
        self._artists = self._albums = self._recordings = None
        if options.collapses_duplicates and generation.arrays.has_copies:
            self._recordings = Cap(1, generation.arrays.recordings.take(left_out).tolist())
        if options.max_per_artist is not None:
            self._artists = Cap(options.max_per_artist)
        if options.max_per_album is not None:
            self._albums = Cap(options.max_per_album)
        self._numbers = dict[Hashable, int]()

    @property
    def is_full(self) -> bool:
        """Whether as many rows are chosen as are wanted."""
        return len(self.rows) == self._options.limit

    def take(self, found: Ranked) -> None:
        """Choose from some more rows, none of which was there before."""
        wanted, caps = self._options.limit - len(self.rows), self._caps(found.rows)
        rows, similarities = found.rows, found.similarities
        if self._options.diversity:
            vectors = self._generation.index.vectors
            chosen = vectors(np.array(self.rows, np.int64))
            places = diversified(
                found.scores, vectors(rows), chosen, self._options.diversity, caps, wanted
            )
            rows, similarities = rows[places], similarities[places]
        elif caps:
            places = picked(caps, wanted, len(rows))
            rows, similarities = rows[places], similarities[places]
        self.rows += rows[:wanted].tolist()
        self.similarities += similarities[:wanted].tolist()

    def done(self) -> Rows:
        """Rows that cannot be chosen any more, whatever is found."""
        spent = self._artists.spent if self._artists else []
        if not spent:
            return np.empty(0, np.int64)
        return np.flatnonzero(np.isin(self._generation.arrays.artists, spent))

    def _caps(self, rows: Rows) -> list[Capped]:
        caps = list[Capped]()
        if self._recordings:
            recordings = self._generation.arrays.recordings.take(rows)
            if recordings.max(initial=-1) >= 0:
                caps.append((self._recordings, recordings.tolist()))
        if self._artists:
            caps.append((self._artists, self._generation.arrays.artists.take(rows).tolist()))
        if self._albums:
            caps.append((self._albums, self._albums_of(rows)))
        return caps

    def _albums_of(self, rows: Rows) -> list[int]:
        """Numbers of albums, -1 where none is known; they hold within this choice."""
        documents = self._generation.catalog.documents(rows.tolist())
        albums = [album_of(Track.from_document(documents[row]).metadata) for row in rows.tolist()]
        return numbered(albums, self._numbers)


def album_of(metadata: Metadata) -> Hashable:
    """What an album is known by, None where it is not: its title alone may be of several."""
    if metadata.musicbrainz_album_id:
        return metadata.musicbrainz_album_id
    title = folded(metadata.album)
    return (title, folded(metadata.album_artist or metadata.artist)) if title else None


def numbered(names: Iterable[Hashable], numbers: dict[Hashable, int]) -> list[int]:
    """A number for each name, -1 for none; `numbers` holds those of names that came before."""
    return [numbers.setdefault(name, len(numbers)) if name else -1 for name in names]
