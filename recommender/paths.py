"""Paths: from one track to another in steps that are hard to hear."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from recommender.allowed import not_in_catalog
from recommender.arrays import Rows
from recommender.errors import InvalidParameterError, UnknownTrackError
from recommender.explaining import beside
from recommender.filters import NO_FILTERS, Filters
from recommender.generation import Generation
from recommender.ranking import Cap, Capped, picked, similarity
from recommender.retrieval import Retrieval, Room
from recommender.selection import Selection
from recommender.track import NO_REASONS, Reasons, SpaceRank, TagStrength, Track
from recommender.walks import GreatCircle, hop_similarities, smoothest

MIN_STEPS = 2
MAX_STEPS = 100
# where along the way candidates are looked for, and how many there at first
POINTS = 8
NEAR = 128
_DEEPER = 4


@dataclass(frozen=True, slots=True)
class PathOptions:
    """What a caller may ask of a path.

    Attributes
    ----------
    steps
        Tracks of the path, both ends included, `MIN_STEPS` to `MAX_STEPS`.
    exclude_ids, exclude_artists
        Tracks and artists (compared without case and accents) that must not be between the ends.
    max_per_artist
        Most tracks between the ends by one artist; None for no cap. Tracks without an artist are
        not capped.
    filters
        What a track between the ends must be like.
    collapses_duplicates
        Whether no recording comes twice, in two copies; the ends may be such.
    """

    steps: int = 10
    exclude_ids: tuple[str, ...] = ()
    exclude_artists: tuple[str, ...] = ()
    max_per_artist: int | None = None
    filters: Filters = NO_FILTERS
    collapses_duplicates: bool = True


class Stop(NamedTuple):
    """A track of a path.

    Attributes
    ----------
    rank
        1 for the first.
    similarity
        (1 + cosine) / 2 of its vector and that of the track before; None of the first.
    document
        The catalogued track, see :meth:`recommender.track.Track.document`.
    shared_tags
        The tags that are strong in it and in the track before, strongest first.
    space_ranks
        None: one space finds a path. It is there because other answers have it.
    reasons
        What it has in common with the track before.
    """

    rank: int
    similarity: float | None
    document: str
    shared_tags: tuple[TagStrength, ...] = ()
    space_ranks: tuple[SpaceRank, ...] = ()
    reasons: Reasons = NO_REASONS

    @property
    def track(self) -> Track:
        """The catalogued track, read from its document at every call."""
        return Track.from_document(self.document)


@dataclass(frozen=True, slots=True)
class PathAnswer:
    """The tracks of a path, in order, and what they were drawn from; beside `Answer`."""

    generation: str
    space: str
    matches: tuple[Stop, ...]
    warnings: tuple[str, ...] = ()


def find_path(generation: Generation, from_id: str, to_id: str, options: PathOptions) -> PathAnswer:
    """Walk from one track to another.

    Raises
    ------
    UnknownTrackError
        The catalog does not hold one of the ends.
    InvalidParameterError
        Both ends are one track, the number of steps is out of range, or a tag is not known.
    """
    if from_id == to_id:
        raise InvalidParameterError(f"from={from_id} is also to; name two different tracks")
    if not MIN_STEPS <= options.steps <= MAX_STEPS:
        raise InvalidParameterError(
            f"steps={options.steps} must be {MIN_STEPS} to {MAX_STEPS}, both ends included"
        )
    ends, unknown = generation.rows_of([from_id, to_id])
    if unknown:
        raise UnknownTrackError(unknown, generation.manifest.space_id)
    retrieval = Retrieval(generation)
    room, unknown = retrieval.room(ends, options)
    rows = walk(generation, int(ends[0]), int(ends[1]), room, options)
    warnings = not_in_catalog(unknown) + retrieval.in_vain(options)
    if len(rows) < options.steps:
        warnings.append(f"steps={options.steps}: no more than {len(rows)} tracks qualify")
    manifest = generation.manifest
    return PathAnswer(
        manifest.generation, manifest.space_id, _stops(generation, rows), tuple(warnings)
    )


def walk(generation: Generation, start: int, end: int, room: Room, options: PathOptions) -> Rows:
    """The rows of a smooth walk, both ends included; fewer than wanted when no more may be in it.

    Parameters
    ----------
    generation
        Where to walk.
    start, end
        Rows of the first and the last track.
    room
        Where what lies between them is looked for; the ends are excluded.
    options
        How many rows, and which of them not together.
    """
    circle = GreatCircle(*generation.index.vectors(np.array([start, end])))
    wanted = options.steps - 2
    pool = _pool(generation, circle, wanted, room, options)
    places = smoothest(circle, generation.index.vectors(pool), min(wanted, len(pool)))
    return np.concatenate([[start], pool[places], [end]])


def similarities_to_start(generation: Generation, path: PathAnswer) -> list[float]:
    """(1 + cosine) / 2 of each track of a path, drawn from `generation`, and its first one."""
    rows, _ = generation.rows_of([stop.track.id for stop in path.matches])
    vectors = generation.index.vectors(rows).astype(np.float64)
    others: list[float] = similarity(vectors[1:] @ vectors[0]).tolist()
    # stored in float16, a vector is not quite at its own place
    return [1.0, *others]


def _pool(
    generation: Generation, circle: GreatCircle, wanted: int, room: Room, options: PathOptions
) -> Rows:
    """Rows near the way, in the order of their ids: `wanted` at least, if there are so many."""
    found, near = dict[int, float](), NEAR
    allowed, kept = room.allowed, list[int]()
    while len(kept) < wanted:
        new = _near(generation, circle, near, allowed, room.excluded)
        for row, cosine in new:
            found[row] = max(cosine, found.get(row, -1.0))
        closest_first = sorted(found, key=lambda row: (-found[row], row))
        kept, done = _capped(generation, room, options, closest_first)
        if len(new) < POINTS * near:
            break
        # artists that have as many as they may are not looked for again
        every = Selection.every(len(generation.arrays.ids)) if allowed is None else allowed
        allowed = every.without(done)
        near *= _DEEPER
    pool = np.array(kept, np.int64)
    return pool[np.argsort(generation.arrays.ids[pool])]


def _capped(
    generation: Generation, room: Room, options: PathOptions, rows: list[int]
) -> tuple[list[int], Rows]:
    """Those of some rows that may be in a walk, and all rows by artists who have enough of them."""
    arrays, caps = generation.arrays, list[Capped]()
    if options.collapses_duplicates and arrays.has_copies:
        by_recording = Cap(1, arrays.recordings[room.excluded].tolist())
        caps.append((by_recording, arrays.recordings[rows].tolist()))
    by_artist = None if options.max_per_artist is None else Cap(options.max_per_artist)
    if by_artist:
        caps.append((by_artist, arrays.artists[rows].tolist()))
    if caps:
        rows = [rows[place] for place in picked(caps, len(rows), len(rows))]
    if not by_artist:
        return rows, np.empty(0, np.int64)
    return rows, np.flatnonzero(np.isin(arrays.artists, by_artist.spent))


def _near(
    generation: Generation, circle: GreatCircle, k: int, allowed: Selection | None, excluded: Rows
) -> list[tuple[int, float]]:
    """The `k` rows nearest to each of some points of the way, with their cosines."""
    found = list[tuple[int, float]]()
    for point in circle.points(POINTS):
        rows, cosines = generation.index.nearest(point, k, excluded, allowed)
        found += zip(rows.tolist(), cosines.tolist(), strict=True)
    return found


def _stops(generation: Generation, rows: Rows) -> tuple[Stop, ...]:
    documents = generation.catalog.documents(rows)
    hops = hop_similarities(generation.index.vectors(rows)).tolist()
    tags = _tags_of_hops(generation, rows)
    reasons = [beside(generation, before, [row])[0] for before, row in pairwise(rows.tolist())]
    return tuple(
        Stop(rank, hop, documents[row], shared, (), why)
        for rank, (row, hop, shared, why) in enumerate(
            zip(rows.tolist(), [None, *hops], [(), *tags], [NO_REASONS, *reasons], strict=True),
            start=1,
        )
    )


def _tags_of_hops(generation: Generation, rows: Rows) -> Sequence[tuple[TagStrength, ...]]:
    labels, tags = generation.labels, generation.arrays.tags.take(rows, axis=0)
    return [
        labels.shared(labels.strong(before), tags[at : at + 1])[0]
        for at, before in enumerate(tags[:-1], start=1)
    ]
