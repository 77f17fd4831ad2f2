"""The metadata of a generation: found by row, by artist and by words, and never written to."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.catalog import MAX_WORDS, Catalog, folded, write_catalog
from recommender.errors import GenerationError, InvalidParameterError, StorageError
from recommender.track import Metadata
from tests.builders import Entry, entry, indexed, library_track

V = (1.0, 0.0, 0.0, 0.0)


def catalog_of(tmp_path: Path, *entries: Entry) -> Catalog:
    path = tmp_path / "catalog.db"
    write_catalog(path, map(library_track, entries))
    return Catalog.open(path)


def titled(tmp_path: Path, *titles: str) -> Catalog:
    return catalog_of(tmp_path, *(entry(f"t{i:02}", V, title=t) for i, t in enumerate(titles)))


def found(catalog: Catalog, query: str) -> list[str]:
    tracks, total = catalog.search(query, 100, 0)
    assert total == len(tracks)
    return [t.metadata.title for t in tracks]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Malmö", "malmo"),
        ("Malmo\u0308", "malmo"),
        ("ÉTUDE", "etude"),
        ("Straße", "strasse"),
        ("ﬁnale", "finale"),
        ("  a\t\nb\u00a0c  ", "a b c"),
        ("Σίσυφος", "σισυφοσ"),
        ("ＡＢＣ", "abc"),
        ("İstanbul", "istanbul"),
        ("", ""),
    ],
)
def test_text_is_folded_to_what_is_compared(text: str, expected: str) -> None:
    assert folded(text) == expected
    assert folded(folded(text)) == expected


def test_tracks_come_back_by_row_as_they_were_written(tmp_path: Path) -> None:
    metadata = Metadata("T", "A", "B", "C", "D", "G", 7, 1999, "r", "l", "p", "CC0", "by A")
    one = replace(entry("a", V), metadata=metadata, duration_seconds=12.5)
    catalog = catalog_of(tmp_path, one, entry("b", V, title="Other"))
    assert len(catalog) == 2
    assert catalog.tracks([1, 0]) == {
        0: indexed(one).track,
        1: indexed(entry("b", V, title="Other")).track,
    }


def test_rows_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    catalog = titled(tmp_path, "One")
    assert catalog.tracks([0, 5]).keys() == {0}
    assert catalog.tracks([]) == {}
    assert catalog.tags(np.empty(0, np.int64)) == {}


def test_more_rows_than_one_statement_takes(tmp_path: Path) -> None:
    catalog = titled(tmp_path, *(f"T{i}" for i in range(1234)))
    tracks = catalog.tracks(np.arange(1234))
    assert [tracks[i].metadata.title for i in range(1234)] == [f"T{i}" for i in range(1234)]


def test_tags_and_paths_come_back(tmp_path: Path) -> None:
    path = b"/m/caf\xe9\xff.mp3"
    catalog = catalog_of(tmp_path, replace(entry("a", V, tags=[0.25, 0.5, 1.0]), path=path))
    np.testing.assert_array_equal(catalog.tags([0])[0], np.array([0.25, 0.5, 1.0], np.float32))
    assert catalog.path(0) == path


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("%", ["100% Pure"]),
        ("_", ["snake_case"]),
        ("\\", ["back\\slash"]),
        ("/", ["either/or"]),
        ("0% p", ["100% Pure"]),
        ("e_c", ["snake_case"]),
        ("e%c", []),
        ("'", ["Rock 'n' Roll"]),
        ("' OR 1=1 --", []),
        ('"', ['12" mix']),
        ("*", []),
        ("\x00", []),
    ],
)
def test_signs_of_sql_are_searched_for_as_they_are(
    tmp_path: Path, query: str, titles: list[str]
) -> None:
    catalog = titled(
        tmp_path,
        "100% Pure",
        "snake_case",
        "back\\slash",
        "either/or",
        "Rock 'n' Roll",
        '12" mix',
        "snake case",
    )
    assert found(catalog, query) == titles


@pytest.mark.parametrize("query", ["malmo", "MALMÖ", "malmo\u0308", "  bus   malmö ", "malm bus"])
def test_case_accents_spaces_and_the_order_of_words_do_not_matter(
    tmp_path: Path, query: str
) -> None:
    assert found(titled(tmp_path, "Night Bus to Malmö", "Day Bus"), query) == ["Night Bus to Malmö"]


def test_words_are_looked_for_in_every_name(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        entry("a", V, title="One", artist="Kitto", album="Small Hours", album_artist="Various"),
        entry("b", V, title="Two", artist="Other", album="Small Hours", composer="Dvořák"),
    )
    assert found(catalog, "dvorak other") == ["Two"]
    assert found(catalog, "kitto small one various") == ["One"]
    assert sorted(found(catalog, "small")) == ["One", "Two"]
    assert found(catalog, "kitto two") == []


def test_a_word_does_not_reach_from_one_field_into_the_next(tmp_path: Path) -> None:
    assert found(catalog_of(tmp_path, entry("a", V, title="One", artist="Two")), "netw") == []


def test_nothing_asked_for_finds_everything(tmp_path: Path) -> None:
    assert len(found(titled(tmp_path, "A", "B"), "  ")) == 2


def test_an_empty_catalog_finds_nothing(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path)
    assert len(catalog) == 0
    assert catalog.search("", 10, 0) == ([], 0)
    assert catalog.rows_by_artists(["x"]).tolist() == []


def test_the_order_is_that_of_a_record_shelf(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        entry("1", V, artist="éclair", album="B", track_number=1, title="4"),
        entry("2", V, artist="Eclair", album="A", track_number=10, title="3"),
        entry("3", V, artist="ECLAIR", album="A", track_number=9, title="2"),
        entry("4", V, artist="Abba", album="Z", title="1"),
        entry("5", V, artist="Zebra", title="6"),
        entry("0", V, artist="Zebra", title="5"),
    )
    assert found(catalog, "") == ["1", "2", "3", "4", "5", "6"]


def test_pages_hold_every_track_once(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, *(entry(f"t{i:02}", V, artist="Same") for i in range(23)))
    pages = [catalog.search("same", 5, offset) for offset in range(0, 30, 5)]
    assert [len(tracks) for tracks, _ in pages] == [5, 5, 5, 5, 3, 0]
    assert {total for _, total in pages} == {23}
    assert [t.id for tracks, _ in pages for t in tracks] == [f"t{i:02}" for i in range(23)]


def test_a_query_may_repeat_a_word_but_not_hold_very_many(tmp_path: Path) -> None:
    catalog = titled(tmp_path, " ".join(map(str, range(60))))
    assert len(found(catalog, "1 " * 5000)) == 1
    assert len(found(catalog, " ".join(map(str, range(MAX_WORDS))))) == 1
    with pytest.raises(InvalidParameterError, match="q has 51 words; use at most 50"):
        catalog.search(" ".join(map(str, range(51))), 10, 0)


def test_a_query_may_be_very_long(tmp_path: Path) -> None:
    assert found(titled(tmp_path, "A"), "x" * 100_000) == []


def test_artists_are_compared_without_case_and_accents(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        entry("a", V, artist="Beyoncé"),
        entry("b", V, artist="BEYONCE "),
        entry("c", V, artist="Beyoncé feat. X"),
        entry("d", V),
    )
    assert catalog.rows_by_artists(["beyonce"]).tolist() == [0, 1]
    assert catalog.rows_by_artists(["", "  "]).tolist() == []
    assert catalog.rows_by_artists([]).dtype == np.int64


def test_the_published_file_is_neither_changed_nor_accompanied(tmp_path: Path) -> None:
    catalog = titled(tmp_path, "A")
    before = (tmp_path / "catalog.db").read_bytes()
    catalog.search("a", 10, 0)
    assert (tmp_path / "catalog.db").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["catalog.db"]


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
    with pytest.raises(GenerationError):
        Catalog.open(tmp_path / "catalog.db")
    assert list(tmp_path.iterdir()) == []


def test_a_catalog_of_other_columns_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "catalog.db")
    connection.execute("CREATE TABLE tracks (row INTEGER PRIMARY KEY)")
    connection.close()
    with pytest.raises(GenerationError, match="cannot be read"):
        Catalog.open(tmp_path / "catalog.db")


def test_a_catalog_of_before_there_were_composers_goes_on_being_read(tmp_path: Path) -> None:
    titled(tmp_path, "One", "Two")
    connection = sqlite3.connect(tmp_path / "catalog.db")
    connection.execute("ALTER TABLE tracks DROP COLUMN composer")
    connection.close()
    catalog = Catalog.open(tmp_path / "catalog.db")
    expected = [Metadata("One"), Metadata("Two")]
    assert [track.metadata for track in catalog.tracks([0, 1]).values()] == expected
    assert [track.metadata for track in catalog.search("", 10, 0)[0]] == expected


def test_a_catalog_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"catalog=catalog\.db could not be written"):
        write_catalog(tmp_path / "none" / "catalog.db", [])


def test_many_threads_may_read(tmp_path: Path) -> None:
    catalog = titled(tmp_path, *(f"T{i}" for i in range(50)))
    with ThreadPoolExecutor(8) as pool:
        titles = pool.map(lambda row: catalog.tracks([row])[row].metadata.title, range(50))
        assert list(titles) == [f"T{i}" for i in range(50)]
