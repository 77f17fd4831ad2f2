"""The indexer's database: what goes in comes out, and its revision tells when to publish."""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.errors import GenerationError, StorageError
from recommender.library import Library
from recommender.records import Failed, FileState, Indexed
from recommender.space import Space
from recommender.track import Metadata
from tests.builders import (
    LIBRARY_FILE,
    OTHER_SPACE,
    SPACE,
    SPEC,
    STATE,
    entry,
    indexed,
    open_library,
)
from tests.segmented import segmented, windows_of

FULL = Metadata(
    title="Night Bus to Malmö",
    artist="Mara Lindqvist",
    album="Signal & Noise",
    album_artist="Various",
    composer="Dvořák",
    genre="Electronic",
    track_number=3,
    year=2021,
    musicbrainz_recording_id="r",
    musicbrainz_album_id="a",
    musicbrainz_artist_id="p",
    licence="CC BY 4.0",
    attribution="Mara",
)
A, B = entry("a", [1, 2, 3, 4]), entry("b", [4, 3, 2, 1])
BAD = Failed(b"/music/bad.mp3", STATE, "undecodable-audio", "the decoder gave up")
ODD_PATH = b"/music/caf\xe9 \xff\n%_?#.flac"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path) as opened:
        yield opened


def paths(library: Library) -> list[bytes]:
    return sorted(library.files())


def test_a_new_library_is_empty(library: Library) -> None:
    assert library.files() == {}
    assert library.failures() == []
    assert list(library.publishable(SPACE.id)) == []
    assert (library.embedded(SPACE.id), library.count_publishable(SPACE.id)) == (set(), 0)
    assert library.damage() == ""


def test_a_track_comes_back_as_it_was_stored(library: Library) -> None:
    original = replace(
        entry("a", [0.1, -2.5, 1e-30, 3e30], tags=[0.25, 0.5, 1.0]),
        metadata=FULL,
        path=ODD_PATH,
        level_dbfs=-13.25,
        duration_seconds=181.75,
    )
    library.store([indexed(original)], SPACE)
    (back,) = library.publishable(SPACE.id)
    assert back.track == indexed(original).track
    assert (back.path, back.level_dbfs) == (ODD_PATH, -13.25)
    np.testing.assert_array_equal(back.vector, np.array(original.vector, np.float32))
    np.testing.assert_array_equal(back.tags, [0.25, 0.5, 1.0])
    assert library.files() == {ODD_PATH: (STATE, "a")}
    assert library.embedded(SPACE.id) == {"a"}


def test_it_is_there_after_opening_again(tmp_path: Path) -> None:
    with open_library(tmp_path) as library:
        library.store([indexed(A), BAD], SPACE)
        revision = library.revision(SPACE.id)
    with Library.open(tmp_path / LIBRARY_FILE) as again:
        assert [t.track.id for t in again.publishable(SPACE.id)] == ["a"]
        assert again.failures() == [BAD]
        assert again.revision(SPACE.id) == revision


def test_tracks_are_published_by_id(library: Library) -> None:
    ids = ["é", "b", "B", "a10", "a2", "", "Ω", "\U0001f3b5"]
    library.store([indexed(entry(id_, [1, 2, 3, 4])) for id_ in ids], SPACE)
    published = [t.track.id for t in library.publishable(SPACE.id)]
    assert published == sorted(ids)
    assert list(np.sort(np.array(ids))) == published


def test_two_files_of_one_recording_are_one_track_with_the_first_path(library: Library) -> None:
    library.store([indexed(replace(A, path=p)) for p in (b"/z", b"/y")], SPACE)
    (track,) = library.publishable(SPACE.id)
    assert track.path == b"/y"
    assert library.count_publishable(SPACE.id) == 1
    assert paths(library) == [b"/y", b"/z"]


def test_new_tags_replace_the_old_ones(library: Library) -> None:
    library.store([indexed(replace(A, metadata=FULL))], SPACE)
    retitled = replace(A, metadata=replace(FULL, title="Day Bus"))
    library.store([replace(indexed(retitled), embedding=None)], SPACE)
    (track,) = library.publishable(SPACE.id)
    assert track.track.metadata.title == "Day Bus"
    np.testing.assert_array_equal(track.vector, A.vector)


def test_a_file_may_become_another_recording(library: Library) -> None:
    library.store([indexed(A)], SPACE)
    library.store([indexed(replace(B, path=A.file))], SPACE)
    assert [t.track.id for t in library.publishable(SPACE.id)] == ["b"]


def test_vectors_are_kept_apart_by_space(library: Library) -> None:
    other = Space(SPEC, None)
    library.add_space(other)
    library.store([indexed(A)], SPACE)
    library.store([replace(indexed(B), path=A.file + b"2")], other)
    assert (library.embedded(SPACE.id), library.embedded(other.id)) == ({"a"}, {"b"})
    assert [t.track.id for t in library.publishable(other.id)] == ["b"]
    assert library.embedded("unknown") == set()


def test_a_failure_takes_the_file_out_of_the_catalog(library: Library) -> None:
    library.store([indexed(A)], SPACE)
    failed = replace(BAD, path=A.file, state=FileState(5, 6))
    library.store([failed], SPACE)
    assert library.failures() == [failed]
    assert library.count_publishable(SPACE.id) == 0
    assert library.embedded(SPACE.id) == {"a"}


def test_a_file_that_was_mended_is_a_failure_no_more(library: Library) -> None:
    library.store([replace(BAD, path=A.file)], SPACE)
    library.store([indexed(A)], SPACE)
    assert library.failures() == []
    assert library.count_publishable(SPACE.id) == 1


def test_a_second_failure_replaces_the_first(library: Library) -> None:
    library.store([BAD], SPACE)
    library.store([replace(BAD, reason="silent-audio", message="hush")], SPACE)
    assert [f.reason for f in library.failures()] == ["silent-audio"]


def test_failures_come_by_path(library: Library) -> None:
    library.store([replace(BAD, path=p) for p in (b"/c", b"/a", b"/b")], SPACE)
    assert [f.path for f in library.failures()] == [b"/a", b"/b", b"/c"]


def test_forgotten_files_leave_the_catalog_and_their_vectors_stay(library: Library) -> None:
    library.store([indexed(A), indexed(B), BAD], SPACE)
    library.forget_files([A.file, BAD.path])
    assert [t.track.id for t in library.publishable(SPACE.id)] == ["b"]
    assert library.failures() == []
    assert library.embedded(SPACE.id) == {"a", "b"}


def test_a_file_that_comes_back_needs_no_new_vector(library: Library) -> None:
    library.store([indexed(A)], SPACE)
    library.forget_files([A.file])
    library.store([replace(indexed(A), path=b"/elsewhere", embedding=None)], SPACE)
    (track,) = library.publishable(SPACE.id)
    np.testing.assert_array_equal(track.vector, A.vector)
    assert track.path == b"/elsewhere"


def test_a_batch_is_stored_whole_or_not_at_all(library: Library) -> None:
    nameless = replace(indexed(B), track=replace(indexed(B).track, id=None))  # type: ignore[arg-type]
    before = library.revision(SPACE.id)
    with pytest.raises(Exception, match="NOT NULL"):
        library.store([indexed(A), nameless], SPACE)
    assert library.files() == {}
    assert library.revision(SPACE.id) == before


CREDIT = {
    "title": "T",
    "artist": "X",
    "album": "",
    "composer": "Y",
    "licence": "CC0",
    "attribution": "by X",
}


def test_credits_outrank_tags_where_they_say_something(library: Library) -> None:
    library.store([indexed(replace(A, metadata=FULL))], SPACE)
    library.set_credits(b"/music", {A.file: CREDIT})
    (track,) = library.publishable(SPACE.id)
    assert track.track.metadata == replace(
        FULL, title="T", artist="X", composer="Y", licence="CC0", attribution="by X"
    )


def test_credits_of_other_roots_stay(library: Library) -> None:
    library.store([indexed(A), replace(indexed(B), path=b"/music2/a.flac")], SPACE)
    library.set_credits(b"/music", {A.file: CREDIT})
    library.set_credits(b"/music2", {b"/music2/a.flac": CREDIT})
    before = library.revision(SPACE.id)
    library.set_credits(b"/mus", {})
    assert library.revision(SPACE.id) == before
    library.set_credits(b"/music", {})
    assert library.revision(SPACE.id) != before
    assert [t.track.metadata.title for t in library.publishable(SPACE.id)] == ["", "T"]


def store_beside(library: Library, outcome: Indexed | Failed) -> None:
    library.add_space(OTHER_SPACE)
    library.store([outcome], OTHER_SPACE)


TOUCHED = replace(STATE, mtime_ns=STATE.mtime_ns + 1)
CHANGES: dict[str, Callable[[Library], None]] = {
    "a new track": lambda x: x.store([indexed(B)], SPACE),
    "a new vector": lambda x: x.store([indexed(A)], SPACE),
    "new tags": lambda x: x.store([indexed(replace(A, metadata=FULL))], SPACE),
    "a track that failed": lambda x: x.store([replace(BAD, path=A.file)], SPACE),
    "a track that has become another and fails": lambda x: x.store(
        [replace(BAD, path=A.file, track_id="another")], SPACE
    ),
    "a file that is gone": lambda x: x.forget_files([A.file]),
    "a credit": lambda x: x.set_credits(b"/music", {A.file: CREDIT}),
}
NO_CHANGES: dict[str, Callable[[Library], None]] = {
    "nothing stored": lambda x: x.store([], SPACE),
    "nothing forgotten": lambda x: x.forget_files([]),
    "an unknown file forgotten": lambda x: x.forget_files([b"/music/never seen"]),
    "a failure forgotten": lambda x: x.forget_files([BAD.path]),
    "a file that never was a track failing": lambda x: x.store([replace(BAD, path=b"/n")], SPACE),
    "a vector in another space": lambda x: store_beside(x, indexed(A)),
    "a file that was touched": lambda x: x.store(
        [replace(indexed(A, TOUCHED), embedding=None)], SPACE
    ),
    "a track that another embedder fails at": lambda x: store_beside(
        x, replace(BAD, path=A.file, track_id=A.id)
    ),
    "credits of files that are not known": lambda x: x.set_credits(b"/n", {b"/n/n": CREDIT}),
    "no credits, as before": lambda x: x.set_credits(b"/music", {}),
    "a known space": lambda x: x.add_space(SPACE),
    "reading": lambda x: [*x.publishable(SPACE.id)].clear(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_revision_changes_with(what: str, library: Library) -> None:
    library.store([indexed(A), BAD], SPACE)
    before = library.revision(SPACE.id)
    CHANGES[what](library)
    assert library.revision(SPACE.id) not in ("", before)
    assert library.changed_since(before, SPACE.id) == {"b" if what == "a new track" else "a"}


@pytest.mark.parametrize("what", NO_CHANGES)
def test_the_revision_stays_with(what: str, library: Library) -> None:
    library.store([indexed(A), BAD], SPACE)
    before = library.revision(SPACE.id)
    NO_CHANGES[what](library)
    assert library.revision(SPACE.id) == before
    assert library.changed_since(before, SPACE.id) == set()


def test_the_same_credits_again_change_nothing(library: Library) -> None:
    library.store([indexed(A)], SPACE)
    library.set_credits(b"/music", {A.file: CREDIT})
    before = library.revision(SPACE.id)
    library.set_credits(b"/music", {A.file: CREDIT})
    assert library.revision(SPACE.id) == before


@pytest.mark.parametrize("content", [b"not a database at all" * 100, os.urandom(4096)])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / LIBRARY_FILE
    path.write_bytes(content)
    with pytest.raises(GenerationError, match="is damaged"):
        Library.open(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("table", ["bookmarks", "tracks"])
def test_the_database_of_another_program_is_refused(tmp_path: Path, table: str) -> None:
    path = tmp_path / LIBRARY_FILE
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {table} (url TEXT)")
    connection.close()
    with pytest.raises(GenerationError, match="another program"):
        Library.open(path)
    with sqlite3.connect(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert tables == [(table,)]


@pytest.mark.parametrize("name", ["100% #1 music?", "a&b=c", "ü ñ", "'quoted'", ":memory:"])
def test_a_data_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with open_library(folder) as library:
        library.store([indexed(A)], SPACE)
    assert (folder / LIBRARY_FILE).is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open"):
        Library.open(tmp_path / "none" / LIBRARY_FILE)


def test_a_library_that_another_process_writes_to_says_so(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / LIBRARY_FILE)
    other.execute("BEGIN IMMEDIATE")
    with library._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    with pytest.raises(StorageError, match="database is locked"):
        library.store([indexed(A)], SPACE)
    other.rollback()
    other.close()
    library.store([indexed(A)], SPACE)


def test_it_is_readable_by_others_while_it_is_open(library: Library, tmp_path: Path) -> None:
    library.store([indexed(A)], SPACE)
    reader = sqlite3.connect(f"file:{tmp_path / LIBRARY_FILE}?mode=ro", uri=True)
    assert reader.execute("SELECT id FROM tracks").fetchall() == [("a",)]
    reader.close()


def test_damage_is_found(tmp_path: Path) -> None:
    path = tmp_path / LIBRARY_FILE
    with open_library(tmp_path) as library:
        library.store([indexed(entry(f"t{i}", [1, 2, 3, 4])) for i in range(500)], SPACE)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8192] = bytes(8192)
    path.write_bytes(content)
    with Library.open(path) as damaged:
        assert damaged.damage() != ""


def test_the_library_is_for_its_owner_to_write(library: Library, tmp_path: Path) -> None:
    mode = (tmp_path / LIBRARY_FILE).stat().st_mode
    assert not mode & (stat.S_IWGRP | stat.S_IWOTH)


def test_a_known_track_needs_no_embedding(library: Library) -> None:
    bare = Indexed(b"/x", STATE, indexed(A).track, None)
    library.store([bare], SPACE)
    assert library.count_publishable(SPACE.id) == 0
    assert list(library.publishable(SPACE.id)) == []


def test_credits_of_one_folder_leave_those_of_others_alone(library: Library) -> None:
    library.store([indexed(A)], SPACE)
    library.set_credits(b"/", {A.file: {**CREDIT, "title": "Above", "licence": "CC0-1.0"}})
    nearer = {**dict.fromkeys(CREDIT, ""), "title": "Nearer"}
    library.set_credits(b"/music", {A.file: nearer})
    [both] = library.publishable(SPACE.id)
    assert (both.track.metadata.title, both.track.metadata.licence) == ("Nearer", "CC0-1.0")
    library.set_credits(b"/music", {})
    [above] = library.publishable(SPACE.id)
    assert above.track.metadata.title == "Above"


# windows one by one


def test_windows_are_kept_and_come_back_by_id(tmp_path: Path) -> None:
    entries = [entry(id_, [1, 2, 3, 4]) for id_ in ("b", "a", "c")]
    with open_library(tmp_path) as library:
        library.store([segmented(e, n_windows=5) for e in entries[:2]], SPACE)
        library.store([indexed(entries[2])], SPACE)
        assert library.segmented(SPACE.id) == {"a", "b"}
        assert library.segmented("other") == set()
        found = dict(library.segments(SPACE.id, ["c", "b", "a", "zz"]))
        assert list(found) == ["a", "b"]
        wanted = windows_of(entries[0], 5)
        np.testing.assert_array_equal(found["b"].places, wanted.places)
        np.testing.assert_allclose(found["b"].vectors, wanted.vectors, atol=0.05)


def test_windows_that_come_later_are_noticed_and_others_stay(tmp_path: Path) -> None:
    one, other = entry("a", [1, 2, 3, 4]), entry("b", [4, 3, 2, 1])
    with open_library(tmp_path) as library:
        library.store([segmented(one), indexed(other)], SPACE)
        revision = library.revision(SPACE.id)
        library.store([segmented(other)], SPACE)
        assert library.changed_since(revision, SPACE.id) == {"b"}
        library.store([indexed(one)], SPACE)
        assert library.segmented(SPACE.id) == {"a", "b"}


def test_damaged_windows_are_named(tmp_path: Path) -> None:
    with open_library(tmp_path) as library:
        library.store([segmented(entry("a", [1, 2, 3, 4]))], SPACE)
    with closing(sqlite3.connect(tmp_path / LIBRARY_FILE)) as connection:
        connection.execute("UPDATE segments SET codes = x'0102'")
        connection.commit()
    with (
        open_library(tmp_path) as library,
        pytest.raises(GenerationError, match="track_id=a has damaged segments"),
    ):
        list(library.segments(SPACE.id, ["a"]))
