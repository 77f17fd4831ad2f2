"""The metadata of a generation: found by row, by artist and by filters, and never written to."""

import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from recommender.catalog import Catalog
from recommender.catalog_tables import write_catalog
from recommender.errors import GenerationError
from recommender.filters import Filters
from recommender.records import LibraryTrack
from recommender.text import folded
from recommender.track import Metadata, Track
from tests.builders import Entry, entry, indexed, library_track

V = (1.0, 0.0, 0.0, 0.0)
NAMES = ("", "Kitto", "kittö", "Rock", "Rock; Jazz", "jazz/Fusion", "FUSION", "Night, Blue", "東京")

tracks = st.builds(
    Track,
    st.just(""),
    st.sampled_from([0.0, 30.0, 179.9996, 180.0, 360.25]),
    st.builds(
        Metadata,
        artist=st.sampled_from(NAMES),
        album=st.sampled_from(NAMES),
        genre=st.sampled_from(NAMES),
        year=st.sampled_from([0, 1959, 1960, 1975]),
    ),
)
names = st.lists(st.sampled_from([*NAMES, "nobody", "\ud800", "a\0b"]), max_size=3).map(tuple)
years = st.none() | st.sampled_from([0, 1959, 1960, 1975, 2000])
seconds = st.none() | st.sampled_from([0.0, 30.0, 180.0, 1000.0])
filters = st.builds(
    Filters,
    genres=names,
    artists=names,
    albums=names,
    year_from=years,
    year_to=years,
    duration_min=seconds,
    duration_max=seconds,
)


def catalog_of(folder: Path, *entries: Entry) -> Catalog:
    path = folder / "catalog.db"
    write_catalog(path, map(library_track, entries), range(len(entries)))
    return Catalog.open(path)


def written(track: Track) -> LibraryTrack:
    """What the library hands to a catalog for a track; nothing else of it matters here."""
    return LibraryTrack(track, b"/m", np.zeros(4, np.float32), np.zeros(3, np.float32), -14.0)


def titled(folder: Path, *titles: str) -> Catalog:
    return catalog_of(folder, *(entry(f"t{i:02}", V, title=t) for i, t in enumerate(titles)))


def test_tracks_come_back_by_row_as_they_were_written(tmp_path: Path) -> None:
    metadata = Metadata("T", "A", "B", "C", "D", "G", 7, 1999, "r", "l", "p", "CC0", "by A")
    one = indexed(replace(entry("a", V), metadata=metadata, duration_seconds=12.5)).track
    two = indexed(entry("b", V, title="Other")).track
    write_catalog(tmp_path / "catalog.db", [written(one), written(two)], [7, 3])
    catalog = Catalog.open(tmp_path / "catalog.db")
    assert len(catalog) == 2
    assert catalog.tracks([3, 7]) == {7: one, 3: two}
    assert catalog.documents([7]) == {7: one.document()}


def test_rows_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    catalog = titled(tmp_path, "One")
    assert catalog.tracks([0, 5]).keys() == {0}
    assert catalog.tracks([]) == {}
    assert catalog.documents(np.empty(0, np.int64)) == {}


def test_more_rows_than_one_statement_takes(tmp_path: Path) -> None:
    catalog = titled(tmp_path, *(f"T{i}" for i in range(1234)))
    found = catalog.tracks(np.arange(1234))
    assert [found[i].metadata.title for i in range(1234)] == [f"T{i}" for i in range(1234)]


def test_paths_come_back(tmp_path: Path) -> None:
    path = b"/m/caf\xe9\xff.mp3"
    assert catalog_of(tmp_path, replace(entry("a", V), path=path)).path(0) == path


@pytest.mark.parametrize(
    ("paths", "folder"),
    [
        ([], b""),
        ([b"/m/x/a"], b"/m/x"),
        ([b"/m/x/b", b"/m/x/a"], b"/m/x"),
        ([b"/m/x/a", b"/m/xy/a", b"/m/x!/a"], b"/m"),
        ([b"/m/a", b"/m/x/\xff", b"/m/x/y/z"], b"/m"),
        ([b"/m/a", b"/n/a"], b"/"),
    ],
)
def test_its_folder_is_the_deepest_that_holds_all_files(
    tmp_path: Path, paths: list[bytes], folder: bytes
) -> None:
    entries = [replace(entry(f"a{n}", V), path=path) for n, path in enumerate(paths)]
    assert catalog_of(tmp_path, *entries).folder == folder


def test_an_empty_catalog_holds_nothing(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path)
    assert len(catalog) == 0
    assert catalog.rows_by_artists(["x"]).tolist() == []
    assert catalog.rows_matching(Filters(genres=("x",))).tolist() == []


def test_artists_are_compared_without_case_and_accents(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        entry("a", V, artist="Beyoncé"),
        entry("b", V, artist="Abba"),
        entry("c", V, artist="BEYONCE "),
        entry("d", V, artist="Beyoncé feat. X"),
        entry("e", V),
    )
    assert catalog.rows_by_artists(["beyonce"]).tolist() == [0, 2]
    assert catalog.rows_by_artists(["beyonce", "abba", "Abba", "nobody"]).tolist() == [0, 1, 2]
    assert catalog.rows_by_artists(["", "  ", "\ud800", "abba\0"]).tolist() == []
    assert catalog.rows_by_artists([]).dtype == np.int64


def fits(track: Track, filters: Filters) -> bool:
    """The documented meaning, for one track."""
    metadata, length = track.metadata, round(track.duration_seconds, 3)
    parts = metadata.genre.replace(",", ";").replace("/", ";").split(";")
    return (
        holds_any(filters.genres, [metadata.genre, *parts])
        and holds_any(filters.artists, [metadata.artist])
        and holds_any(filters.albums, [metadata.album])
        and lies_within(metadata.year, filters.year_from, filters.year_to)
        and lies_within(length, filters.duration_min, filters.duration_max)
    )


def holds_any(wanted: Sequence[str], held: Sequence[str]) -> bool:
    known = {folded(name) for name in held} - {""}
    return not wanted or any(folded(name) in known for name in wanted)


def lies_within(value: float, least: float | None, most: float | None) -> bool:
    if least is None and most is None:
        return True
    return value > 0 and (least is None or value >= least) and (most is None or value <= most)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("catalogs")


@settings(max_examples=60, deadline=None)
@given(st.lists(tracks, max_size=12), st.lists(filters, min_size=1, max_size=8), st.integers(0, 3))
def test_rows_that_match_are_those_that_fit_one_by_one(
    folder: Path, known: list[Track], asked: list[Filters], gap: int
) -> None:
    path = folder / "catalog.db"
    path.unlink(missing_ok=True)
    rows = [place * (gap + 1) for place in range(len(known))]
    named = (replace(track, id=str(place)) for place, track in enumerate(known))
    write_catalog(path, map(written, named), rows)
    catalog = Catalog.open(path)
    for some in asked:
        found = catalog.rows_matching(some)
        assert found.dtype == np.int64
        assert found.tolist() == [
            row for row, track in zip(rows, known, strict=True) if fits(track, some)
        ]


def test_many_threads_may_read(tmp_path: Path) -> None:
    catalog = titled(tmp_path, *(f"T{i}" for i in range(50)))
    with ThreadPoolExecutor(16) as pool:
        titles = pool.map(lambda row: catalog.tracks([row])[row].metadata.title, range(50))
        assert list(titles) == [f"T{i}" for i in range(50)]


def test_it_goes_on_being_read_when_its_file_is_gone(tmp_path: Path) -> None:
    catalog = titled(tmp_path, *(f"T{i}" for i in range(2000)))
    (tmp_path / "catalog.db").unlink()
    connections = [catalog._idle.get() for _ in range(catalog._idle.qsize())]
    for connection in connections:
        # one at a time, so that each has to do with what it opened
        catalog._idle.put(connection)
        assert catalog.search("t1999", 10).total == 1
        assert len(catalog.documents(range(2000))) == 2000
        assert len(catalog.rows_matching(Filters(genres=("x",)))) == 0
        catalog._idle.get()


def test_the_published_file_is_neither_changed_nor_accompanied(tmp_path: Path) -> None:
    catalog = titled(tmp_path, "A")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    catalog.search("a", 10)
    catalog.rows_matching(Filters(year_from=1))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert len(before) == 4


def test_it_can_be_read_where_nothing_may_be_written(tmp_path: Path) -> None:
    titled(tmp_path, "A")
    (tmp_path / "catalog.db").chmod(0o400)
    tmp_path.chmod(0o500)
    assert len(Catalog.open(tmp_path / "catalog.db")) == 1
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("name", ["100% #1?", "%41", "a&mode=rwc", "ü ñ"])
def test_its_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert len(titled(folder, "A")) == 1
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_what_is_no_catalog_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "catalog.db"
    path.write_bytes(content)
    with pytest.raises(GenerationError, match=r"catalog=catalog\.db cannot be read"):
        Catalog.open(path)


def test_a_missing_catalog_is_refused_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="cannot be read"):
        Catalog.open(tmp_path / "catalog.db")
    assert list(tmp_path.iterdir()) == []


def test_a_catalog_of_other_tables_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "catalog.db")
    connection.execute("CREATE TABLE tracks (row INTEGER PRIMARY KEY)")
    connection.close()
    with pytest.raises(GenerationError, match="cannot be read"):
        Catalog.open(tmp_path / "catalog.db")


def test_what_breaks_while_it_is_served_is_said_so(tmp_path: Path) -> None:
    catalog = titled(tmp_path, *(f"T{i}" for i in range(2000)))
    path = tmp_path / "catalog.db"
    path.write_bytes(path.read_bytes()[:8192] + bytes(path.stat().st_size - 8192))
    with pytest.raises(GenerationError, match=r"catalog=catalog\.db cannot be read"):
        catalog.search("", 1000)
