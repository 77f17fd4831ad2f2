"""Ranks tracks by the stretch of each that a clip fits best, with the options of every question.

What is as similar as only the very recording is comes by that similarity. Of all others it is the
mean of two: how similar the best stretch is, and how similar the track is as a whole. Stretches
alone find what sounds the same for a moment, and less of what is like the whole track.
"""

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.choosing import Choice, depth_for, in_order
from recommender.errors import InvalidParameterError
from recommender.generation import Generation
from recommender.questions import Options, Question
from recommender.ranking import SIMILARITY_DECIMALS, Similarities, ordered, similarity
from recommender.retrieval import OVERFETCH, Pool, Retrieval, Room
from recommender.segment_search import CANDIDATES, SAME_RECORDING, SegmentSearch


def ranked_in_time(
    generation: Generation, search: SegmentSearch, question: Question, room: Room, options: Options
) -> tuple[list[int], list[float]]:
    """Rows of the answer to a clip, and their similarities.

    Tracks are aligned that hold windows near those of the clip, and those that are near to it as a
    whole; so the list is as long as it would be without segments, unless it is to be above some
    similarity.

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
    if question.vectors is None:
        raise InvalidParameterError("vectors=None must be those of the clip as a whole")
    retrieval, choice = Retrieval(generation), Choice(generation, room.excluded, options)
    queries = question.vectors
    candidates = search.candidates(room)
    depth = max(CANDIDATES, depth_for(generation, options))
    while True:
        pool = retrieval.pool(question, room, depth)
        rows, found = _fitting(generation, search, queries, np.union1d(candidates, pool.rows))
        close = found >= options.min_similarity
        enough = Pool(rows[close], found[close], complete=False)
        choice.take(in_order(generation, enough, options))
        # what is farther as a whole is not expected to be closer at some moment
        if choice.is_full or pool.complete or not close.all():
            break
        done = np.concatenate([rows, choice.done()])
        room, depth = room.without(done, len(generation.arrays.ids)), depth * OVERFETCH
        candidates = candidates[:0]
    if options.diversity or options.corrects_hubs:
        return choice.rows, choice.similarities
    chosen = np.array(choice.rows, np.int64), np.array(choice.similarities)
    rows, found = ordered(*chosen, generation.arrays.ids)
    return rows.tolist(), found.tolist()


def _fitting(
    generation: Generation, search: SegmentSearch, queries: FloatArray, rows: Rows
) -> tuple[Rows, Similarities]:
    """Rows and how similar they are, best first; see :func:`ranked_in_time`."""
    cosines = generation.index.vectors(rows).astype(np.float64) @ queries.T.astype(np.float64)
    whole, stretch = similarity(cosines.max(axis=1)), search.similarities(rows)
    # one without windows is as similar as it is as a whole
    stretch = np.where(np.isnan(stretch), whole, stretch)
    found = np.where(stretch >= SAME_RECORDING, stretch, (stretch + whole) / 2)
    return ordered(rows, found.round(SIMILARITY_DECIMALS), generation.arrays.ids)
