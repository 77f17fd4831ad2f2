"""What a listener is recommended: every interest is searched for, and the lists are merged."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommender import taste
from recommender.allowed import not_in_catalog
from recommender.arrays import FloatArray, Rows
from recommender.aversions import shunned
from recommender.choosing import Choice, Ranked, without_copies
from recommender.clustering import representatives
from recommender.engine import Recommender
from recommender.errors import InvalidParameterError
from recommender.explaining import explained
from recommender.questions import Answer, Options
from recommender.ranking import corrected, similarity
from recommender.retrieval import OVERFETCH, Room
from recommender.selection import Selection
from recommender.taste import DIVISION, Division, Interest, Opinion
from recommender.track import Because, Match

MOST_EVENTS = 20_000
"""Of a listener, the latest, that a taste is made of."""
# rows near each track that an interest is searched by
DEPTH = 100
# no deeper: what is asked for so that nearly nothing qualifies must not hold up others for long
MOST_DEPTH = 10_000
# tracks of an interest that it is searched by, its middle beside them
QUERIES = 8
# how far chance moves a score at surprise 1, in similarities: as far as good matches lie apart
REACH = 0.05
# rows that a start is chosen from: all of a small catalog
SAMPLE = 2_000
NO_HISTORY = "nothing that speaks for a track of this catalog is known: these tracks stand for all"

Scores = npt.NDArray[np.float64]


class Novelty(StrEnum):
    """What becomes of tracks that were heard already."""

    EXCLUDE = "exclude"
    ALLOW = "allow"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class Mood:
    """What a listener wants today.

    Attributes
    ----------
    novelty
        Whether tracks that were heard may come; disliked ones never do.
    surprise
        0 to 1: how much is left to chance.
    seed
        Of chance: the same seed gives the same list, while the same generation is served.
    """

    novelty: Novelty = Novelty.EXCLUDE
    surprise: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Taste:
    """Opinions as rows and vectors of a generation."""

    liked: Rows
    vectors: FloatArray
    weights: taste.Weights
    disliked: FloatArray
    against: taste.Weights
    heard: Rows
    unwanted: Rows


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What was found for one interest, best first."""

    interest: Interest
    rows: Rows
    scores: Scores


def recommend_to(
    recommender: Recommender,
    opinions: Sequence[Opinion],
    options: Options,
    mood: Mood,
    division: Division = DIVISION,
) -> Answer:
    """Tracks for a listener.

    Each interest gets places in proportion to its weight. A track's score for an interest is how
    well it fits its tracks, less what hubs and likeness to disliked tracks take from it; its
    similarity is that to the nearest track of the interest, which is also its reason.

    Parameters
    ----------
    recommender
        Answers in one space.
    opinions
        Of the listener, see :func:`recommender.taste.opinions`. Tracks that the catalog does not
        hold are left out.
    options, mood
        What is wanted.
    division
        How the taste is divided into interests.

    Returns
    -------
    Answer
        For a listener of whom nothing is known, tracks that stand for the whole catalog, and a
        warning that says so.

    Raises
    ------
    InvalidParameterError
        The options ask for no match, or for a tag that this space does not know.
    """
    if options.limit < 1:
        raise InvalidParameterError(f"limit={options.limit} must be at least 1")
    known = _taste_of(recommender, opinions)
    room, unknown = _room(recommender, known, options, mood)
    warnings = not_in_catalog(unknown)
    warnings += recommender.retrieval.in_vain(options)
    if len(known.liked):
        interests = taste.interests_of(known.vectors, known.weights, division)
        matches = _by_interests(recommender, known, interests, room, options, mood)
    else:
        matches, warnings = _start(recommender, room, options, mood), [NO_HISTORY, *warnings]
    manifest = recommender.generation.manifest
    return Answer(manifest.generation, manifest.space_id, tuple(matches), tuple(warnings))


def _taste_of(recommender: Recommender, opinions: Sequence[Opinion]) -> _Taste:
    generation = recommender.generation
    held = [one for one in opinions if recommender.holds(one.track_id)]
    rows, _ = generation.rows_of([one.track_id for one in held])
    weights = np.array([one.weight for one in held], np.float64)
    # strongest first, as opinions come
    liked, against = (np.flatnonzero(sign * weights > 0)[: taste.MOST_TRACKS] for sign in (1, -1))
    vectors, disliked = (generation.index.vectors(rows[places]) for places in (liked, against))
    left = taste.revoked(weights[liked], vectors, disliked, -weights[against])
    never = rows[[one.disliked for one in held]] if held else rows
    unwanted = np.concatenate([never, shunned(generation, rows, held)])
    return _Taste(rows[liked], vectors, left, disliked, -weights[against], rows, unwanted)


def _room(
    recommender: Recommender, known: _Taste, options: Options, mood: Mood
) -> tuple[Room, list[str]]:
    left_out = known.unwanted
    if mood.novelty is Novelty.EXCLUDE:
        left_out = np.union1d(known.heard, left_out)
    room, unknown = recommender.retrieval.room(left_out, options)
    if mood.novelty is Novelty.ONLY:
        again = Selection.of(known.heard, len(recommender.generation.arrays.ids))
        room = Room(again if room.allowed is None else room.allowed & again, room.excluded)
    return room, unknown


def _by_interests(
    recommender: Recommender,
    known: _Taste,
    interests: Sequence[Interest],
    room: Room,
    options: Options,
    mood: Mood,
) -> list[Match]:
    depth = max(DEPTH, 2 * options.limit)
    while True:
        found = list[_Found]()
        complete = True
        for interest in interests:
            some, is_all = _search(recommender, known, interest, room, options, mood, depth)
            found.append(some)
            complete = complete and is_all
        matches = _chosen(recommender, known, found, room, options)
        if complete or len(matches) == options.limit or depth == MOST_DEPTH:
            return matches
        depth = min(OVERFETCH * depth, MOST_DEPTH)


def _search(
    recommender: Recommender,
    known: _Taste,
    interest: Interest,
    room: Room,
    options: Options,
    mood: Mood,
    depth: int,
) -> tuple[_Found, bool]:
    """What fits an interest, best first, and whether that is all that the room holds."""
    generation = recommender.generation
    heaviest = interest.members[np.argsort(-interest.shares, kind="stable")][:QUERIES]
    middle = interest.shares @ known.vectors[interest.members].astype(np.float64)
    length = float(np.linalg.norm(middle))
    queries = known.vectors[heaviest]
    if length:
        queries = np.concatenate([(middle / length).astype(np.float32)[np.newaxis], queries])
    rows, _, frontier = recommender.retrieval.nearest(queries, depth, room)
    vectors = generation.index.vectors(rows)
    cosines = taste.fit(known.vectors, interest, vectors)
    cosines -= taste.aversion(known.disliked, known.against, vectors)
    scores: Scores = (1.0 + cosines) / 2.0
    if options.corrects_hubs and generation.arrays.crowding is not None:
        scores = corrected(scores, generation.arrays.crowding.take(rows))
    scores = scores + _chance(mood, rows)
    order = np.argsort(-scores, kind="stable")
    return _Found(interest, rows[order], scores[order]), frontier < max(options.min_similarity, 0.0)


def _chance(mood: Mood, rows: Rows) -> Scores:
    """What chance adds to the scores of rows: for each row the same whatever the others are."""
    if not mood.surprise:
        return np.zeros(len(rows))
    generator = np.random.default_rng(mood.seed)
    drawn: Scores = generator.gumbel(size=int(rows.max(initial=0)) + 1)[rows]
    return REACH * mood.surprise * drawn


def _chosen(
    recommender: Recommender,
    known: _Taste,
    found: Sequence[_Found],
    room: Room,
    options: Options,
) -> list[Match]:
    """The matches, from the lists of all interests in proportion to their shares."""
    total = sum(len(one.rows) for one in found)
    order = taste.merged(
        [one.rows.tolist() for one in found], [one.interest.share for one in found], total
    )
    facts = [_facts(recommender, known, one, number) for number, one in enumerate(found, start=1)]
    best = {row: facts[of][row] for row, of in order}
    close = [(row, fact) for row, fact in best.items() if fact.similarity >= options.min_similarity]
    choice = Choice(recommender.generation, room.excluded, options)
    choice.take(
        Ranked(
            np.array([row for row, _ in close], np.int64),
            np.array([fact.similarity for _, fact in close]),
            # falling along the lists: else the interest with the best scores would take every place
            # as soon as any diversity is wanted
            -np.sort([-fact.score for _, fact in close]),
        )
    )
    facts_of_chosen = [best[row] for row in choice.rows]
    return _matches(recommender, known, choice.rows, facts_of_chosen, options)


class _Fact(NamedTuple):
    """What is known of a row that was found for an interest: place of its nearest track in that."""

    interest: int
    score: float
    similarity: float
    nearest: int


def _facts(recommender: Recommender, known: _Taste, found: _Found, number: int) -> dict[int, _Fact]:
    """Facts of the rows that were found for one interest."""
    members = found.interest.members
    vectors = recommender.generation.index.vectors(found.rows).astype(np.float64)
    likeness = similarity(vectors @ known.vectors[members].T.astype(np.float64))
    nearest = likeness.argmax(axis=1)
    best = likeness[np.arange(len(nearest)), nearest]
    return {
        row: _Fact(number, score, near, int(members[place]))
        for row, score, near, place in zip(
            found.rows.tolist(), found.scores.tolist(), best.tolist(), nearest.tolist(), strict=True
        )
    }


def _matches(
    recommender: Recommender,
    known: _Taste,
    rows: Sequence[int],
    facts: Sequence[_Fact],
    options: Options,
) -> list[Match]:
    generation = recommender.generation
    documents = generation.catalog.documents(rows)
    nearest = known.liked[[fact.nearest for fact in facts]]
    found = list[Match]()
    for rank, (row, fact, near, name) in enumerate(
        zip(rows, facts, nearest.tolist(), generation.arrays.names(nearest), strict=True), start=1
    ):
        tags = recommender.shared_tags(near, row)
        (why,) = explained(generation, [row], np.array([near]), options)
        why["because"] = Because(track_id=name, interest=fact.interest)
        found.append(Match(rank, fact.similarity, documents[row], tags, (), why))
    return found


def _start(recommender: Recommender, room: Room, options: Options, mood: Mood) -> list[Match]:
    """Tracks that stand for what may be answered, for someone of whom nothing is known."""
    generation = recommender.generation
    allowed = room.allowed or Selection.every(len(generation.arrays.ids))
    rows = allowed.without(room.excluded).rows
    if options.collapses_duplicates:
        rows = without_copies(generation, rows)
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(mood.seed).choice(rows, SAMPLE, replace=False))
    # more than are wanted, for caps leave some out
    chosen = rows[
        representatives(generation.index.vectors(rows), min(len(rows), 4 * options.limit))
    ]
    neutral = np.ones(len(chosen))
    choice = Choice(generation, room.excluded, options)
    choice.take(Ranked(chosen, neutral, neutral))
    documents = generation.catalog.documents(choice.rows)
    return [
        Match(rank, 0.5, documents[row], reasons={"because": None})
        for rank, row in enumerate(choice.rows, start=1)
    ]
