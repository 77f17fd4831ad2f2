"""Ranks tracks by the stretch of each that a clip fits best, with the options of every question."""

import numpy as np

from recommender.arrays import Rows
from recommender.choosing import Choice, depth_for, in_order
from recommender.errors import InvalidParameterError
from recommender.generation import Generation
from recommender.questions import Options, Question
from recommender.ranking import Similarities, ordered
from recommender.retrieval import OVERFETCH, Pool, Retrieval, Room
from recommender.segment_search import CANDIDATES, SegmentSearch


def ranked_in_time(
    generation: Generation, search: SegmentSearch, question: Question, room: Room, options: Options
) -> tuple[list[int], list[float]]:
    """Rows of the answer to a clip, and their similarities.

    Tracks are aligned that hold windows near those of the clip, and those that are near to it as a
    whole; so the list is as long as it would be without segments, unless it is to be above some
    similarity. A track without windows is as similar as it is as a whole.

    Parameters
    ----------
    generation
        Has segments.
    search
        For the clip.
    question
        The clip as a whole.
    room
        Where the answer is looked for.
    options
        What is wanted.

    Raises
    ------
    InvalidParameterError
        The options ask for no match.
    """
    if options.limit < 1:
        raise InvalidParameterError(f"limit={options.limit} must be at least 1")
    retrieval, choice = Retrieval(generation), Choice(generation, options)
    candidates = search.candidates(room)
    depth = max(CANDIDATES, depth_for(generation, options))
    while True:
        pool = retrieval.pool(question, room, depth)
        fitting = _fitting(generation, search, candidates, pool)
        close = fitting.similarities >= options.min_similarity
        enough = Pool(fitting.rows[close], fitting.similarities[close], complete=False)
        choice.take(in_order(generation, enough, options))
        # what is farther as a whole is not expected to be closer at some moment
        if choice.is_full or pool.complete or not close.all():
            break
        done = np.concatenate([fitting.rows, choice.done()])
        room, depth = room.without(done, len(generation.arrays.ids)), depth * OVERFETCH
        candidates = candidates[:0]
    if options.diversity or options.corrects_hubs:
        return choice.rows, choice.similarities
    rows, similarities = np.array(choice.rows, np.int64), np.array(choice.similarities)
    rows, similarities = ordered(rows, similarities, generation.arrays.ids)
    return rows.tolist(), similarities.tolist()


def _fitting(generation: Generation, search: SegmentSearch, candidates: Rows, pool: Pool) -> Pool:
    """Candidates and what is near as a whole, by the stretch that fits best."""
    fitted = search.fitted(np.union1d(candidates, pool.rows))
    without = ~np.isin(pool.rows, fitted.rows)
    rows = np.concatenate([fitted.rows, pool.rows[without]])
    found: Similarities = np.concatenate([fitted.similarities, pool.similarities[without]])
    return Pool(*ordered(rows, found, generation.arrays.ids), pool.complete)
