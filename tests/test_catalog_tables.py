"""The tables of a catalog: an updated one is the same as one that is written anew."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings

from recommender.catalog import Catalog
from recommender.catalog_tables import (
    artist_codes,
    update_catalog,
    updated_artist_codes,
    write_catalog,
)
from recommender.errors import StorageError
from recommender.filters import Filters
from recommender.records import LibraryTrack
from recommender.track import Metadata
from tests.builders import entry, library_track

V = (1.0, 0.0, 0.0, 0.0)
NAMES = ("", "Abba", "ÁBBA", "Kitto", "Kitto & Co", "東京")
ASKED = (
    Filters(),
    Filters(genres=("jazz",)),
    Filters(artists=("abba", "東京")),
    Filters(albums=("kitto",)),
    Filters(year_from=1960, duration_max=200.0),
)
QUERIES = ("", "a", "kitto", "kitto co", "東", "word")

Tracks = dict[int, LibraryTrack]
Codes = npt.NDArray[np.int32]


def track(id_: str, **metadata: Any) -> LibraryTrack:
    return library_track(entry(id_, V, **metadata))


@st.composite
def changes(draw: st.DrawFn) -> tuple[Tracks, list[tuple[list[int], Tracks]]]:
    """A catalog, and some updates of it: rows that leave, rows that are put or put anew."""
    made = iter(range(10_000))

    def some(rows: list[int]) -> Tracks:
        return {row: track(f"t{next(made):03}", **draw(fields)) for row in rows}

    fields = st.fixed_dictionaries(
        {
            "title": st.sampled_from(["Word", "", "Word word"]),
            "artist": st.sampled_from(NAMES),
            "album": st.sampled_from(NAMES),
            "genre": st.sampled_from(["", "Jazz", "jazz; Rock"]),
            "year": st.sampled_from([0, 1950, 1960]),
            "track_number": st.integers(0, 3),
        }
    )
    first = some(list(range(draw(st.integers(0, 6)))))
    rows = st.lists(st.integers(0, 9), max_size=4, unique=True)
    updates = [(draw(rows), some(draw(rows))) for _ in range(draw(st.integers(1, 4)))]
    return first, updates


@settings(max_examples=50, deadline=None)
@given(changes())
def test_an_updated_catalog_is_like_one_that_is_written_anew(
    tmp_path_factory: pytest.TempPathFactory,
    changed: tuple[Tracks, list[tuple[list[int], Tracks]]],
) -> None:
    folder = tmp_path_factory.mktemp("updates")
    known, updates = changed
    path = folder / "updated.db"
    write_catalog(path, known.values(), known)
    codes = artist_codes(path, 6)
    for removed, put in updates:
        update_catalog(path, removed, put.items())
        codes = updated_artist_codes(path, codes, {*removed, *put}, 12)
        assert_same_artists(codes, artist_codes(path, 12))
        known = {row: t for row, t in known.items() if row not in removed} | put
    write_catalog(folder / "anew.db", known.values(), known)
    assert seen(path) == seen(folder / "anew.db")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")


def assert_same_artists(codes: Codes, anew: Codes) -> None:
    """The same rows have the same artist, whatever the numbers are."""
    assert codes.dtype == np.int32
    assert ((codes == -1) == (anew == -1)).all()
    pairs = set(zip(codes.tolist(), anew.tolist(), strict=True))
    assert len(pairs) == len(set(codes.tolist())) == len(set(anew.tolist()))


def seen(path: Path) -> list[object]:
    """All that can be asked of a catalog."""
    catalog = Catalog.open(path)
    return [
        len(catalog),
        artist_codes(path, 12).tolist(),
        catalog.documents(range(12)),
        catalog.rows_by_artists(["abba", "kitto"]).tolist(),
        *(catalog.rows_matching(filters).tolist() for filters in ASKED),
        *(catalog.search(query, 100) for query in QUERIES),
        *(catalog.path(row) for row in catalog.documents(range(12))),
    ]


def test_an_id_may_get_another_row(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    write_catalog(path, [track("a"), track("b")], range(2))
    update_catalog(path, [0], [(2, track("a", title="New"))])
    update_catalog(path, [], [(1, track("a", title="Newer")), (2, track("b"))])
    tracks = Catalog.open(path).tracks([0, 1, 2])
    assert {row: t.id for row, t in tracks.items()} == {1: "a", 2: "b"}
    assert tracks[1].metadata == Metadata(title="Newer")


def test_rows_that_are_not_there_may_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    write_catalog(path, [track("a")], [0])
    update_catalog(path, [3, 9], [])
    assert len(Catalog.open(path)) == 1


def test_artists_have_numbers_in_the_order_of_their_names(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    artists = ("Kitto", "", "Ábba", "abba", "  ", "KITTO")
    write_catalog(path, [track(str(i), artist=a) for i, a in enumerate(artists)], range(1, 7))
    codes = artist_codes(path, 8)
    assert codes.dtype == np.int32
    assert codes.tolist() == [-1, 1, -1, 0, 0, -1, 1, -1]


def test_a_catalog_without_artists_has_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    write_catalog(path, [], [])
    assert artist_codes(path, 2).tolist() == [-1, -1]
    assert artist_codes(path, 0).shape == (0,)


def test_tracks_are_written_as_they_come(tmp_path: Path) -> None:
    most, alive = 0, 0

    class Counted(LibraryTrack):
        """Notes how many there are at a time."""

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def coming() -> Iterator[LibraryTrack]:
        nonlocal most, alive
        for i in range(9_000):
            one = track(f"{i:05}")
            alive += 1
            most = max(most, alive)
            yield Counted(one.track, one.path, one.vector, one.tags, one.level_dbfs)

    write_catalog(tmp_path / "catalog.db", coming(), range(9_000))
    assert len(Catalog.open(tmp_path / "catalog.db")) == 9_000
    assert most < 5_000


@pytest.mark.parametrize("n_rows", [1, 3])
def test_as_many_rows_as_tracks(tmp_path: Path, n_rows: int) -> None:
    with pytest.raises(ValueError, match="zip"):
        write_catalog(tmp_path / "catalog.db", [track("a"), track("b")], range(n_rows))


def test_a_catalog_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"catalog=catalog\.db could not be written"):
        write_catalog(tmp_path / "none" / "catalog.db", [], [])


def test_a_copy_that_cannot_be_changed_says_so(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    write_catalog(path, [track("a")], [0])
    for file in list(tmp_path.iterdir()):
        shutil.copyfile(file, file.with_stem("copy"))
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match=r"catalog=catalog\.db could not be written"):
            update_catalog(path, [0], [])
    update_catalog(tmp_path / "copy.db", [0], [])
    assert len(Catalog.open(tmp_path / "copy.db")) == 0
