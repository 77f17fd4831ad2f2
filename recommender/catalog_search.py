"""Search in a catalog: by words, or along a shelf, page by page."""

import sqlite3
from dataclasses import dataclass

from recommender.errors import InvalidParameterError
from recommender.text import words_to_find

MAX_WORDS = 50
# a letter or two: to rank so many takes a fifth of a second, and tells nobody anything
RANKED_MOST = 250_000

_COUNT = "SELECT count(*) FROM words WHERE words MATCH ?"
# a word in a title or an artist's name says more than one in an album's, or in a credit
_RANKED = """SELECT rowid FROM words WHERE words MATCH ?
    ORDER BY bm25(words, 10, 10, 5, 2, 2), rowid LIMIT ? OFFSET ?"""
_UNRANKED = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid LIMIT ? OFFSET ?"
_SHELF = "SELECT row FROM tracks ORDER BY artist_key, album_key, track_number, id LIMIT ?"
_SHELF_AFTER = """SELECT row FROM tracks
    WHERE (artist_key, album_key, track_number, id)
        > (SELECT artist_key, album_key, track_number, id FROM tracks WHERE row = ?)
    ORDER BY artist_key, album_key, track_number, id LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a catalog.

    Attributes
    ----------
    documents
        Its tracks, see :meth:`recommender.track.Track.document`.
    total
        How many tracks there are on all pages.
    after
        Where the next page begins; None on the last.
    """

    documents: list[str]
    total: int
    after: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a page, how many there are on all pages, and where the next one begins."""

    rows: list[int]
    total: int
    after: str | None


def phrases(query: str) -> list[str]:
    """The words of `query` as FTS5 takes them; none when it is to be everything.

    Raises
    ------
    InvalidParameterError
        `query` has more than `MAX_WORDS` different words, each ideograph and kana counted as one.
    """
    words = words_to_find(query)
    # a word of several pieces is looked for in time that is quadratic in them
    n_words = sum(word.count(" ") + 1 for word in words)
    if n_words > MAX_WORDS:
        raise InvalidParameterError(f"q has {n_words} words; use at most {MAX_WORDS}")
    return ['"' + word.replace('"', '""') + '"' for word in words]


def ranked(
    connection: sqlite3.Connection, words: list[str], limit: int, after: str | None
) -> Found:
    """Rows that hold all of `words` as beginnings of words, best first unless they are many."""
    first = _place(after)
    match = " ".join(f"{word} *" for word in words)
    total: int = connection.execute(_COUNT, [match]).fetchone()[0]
    statement = _UNRANKED
    if total <= RANKED_MOST:
        # the whole word is rarer than its beginning, and says more
        match = " AND ".join(f"({word} OR {word} *)" for word in words)
        statement = _RANKED
    rows = [row for (row,) in connection.execute(statement, [match, limit, first])]
    return Found(rows, total, str(first + limit) if first + limit < total else None)


def along_shelf(connection: sqlite3.Connection, total: int, limit: int, after: str | None) -> Found:
    """All rows: by artist, album, track number and id."""
    if after is None:
        found = connection.execute(_SHELF, [limit + 1])
    else:
        found = connection.execute(_SHELF_AFTER, [_place(after), limit + 1])
    # one more than is wanted, to know whether there are more
    rows = [row for (row,) in found]
    return Found(rows[:limit], total, str(rows[limit - 1]) if len(rows) > limit else None)


def _place(after: str | None) -> int:
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) <= len(str(2**31))):
        raise InvalidParameterError(f"after={after!r} is not where a page ended; begin without it")
    return int(after)
