"""What the tracks of a catalog can be told apart by at a glance: genres and years, by row."""

import sqlite3

import numpy as np
import numpy.typing as npt

from recommender.arrays import Rows
from recommender.catalog_tables import FIGURES, numbers

_COMMONEST = """SELECT key, group_concat(row) FROM genres
    GROUP BY key ORDER BY count(*) DESC, key LIMIT ?"""


def commonest_genres(connection: sqlite3.Connection, limit: int) -> list[tuple[str, Rows]]:
    """Genres as they are compared, those of most tracks first, and the rows of each."""
    found = connection.execute(_COMMONEST, [limit]).fetchall()
    return [(key, numbers(rows)) for key, rows in found]


def years_by_row(connection: sqlite3.Connection) -> npt.NDArray[np.int32]:
    """The year of each row, 0 when it is not known."""
    years: bytes = connection.execute(FIGURES).fetchone()[0]
    return np.frombuffer(years, np.int32)
