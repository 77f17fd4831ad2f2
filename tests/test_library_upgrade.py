"""Libraries of older versions: brought up to date whole or not at all, and nothing is lost."""

import io
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import sqlalchemy as sa
from rich.console import Console

from indexer.reindex import reindex
from indexer.request import Request
from recommender.errors import GenerationError
from recommender.generation import open_generation
from recommender.library import Library
from recommender.library_tables import SCHEMA_VERSION
from recommender.track import Track
from tests.builders import LIBRARY_FILE, SPACE, STATE, entry, indexed, open_library
from tests.music import N_TRACKS, tracks_in

QUIET = Console(file=io.StringIO())

# as version 1 created it, tables in that order
VERSION_1 = """
PRAGMA journal_mode=WAL;
PRAGMA user_version=1;
CREATE TABLE tracks (
    id TEXT NOT NULL,
    duration_seconds FLOAT NOT NULL,
    title TEXT NOT NULL,
    artist TEXT NOT NULL,
    album TEXT NOT NULL,
    album_artist TEXT NOT NULL,
    genre TEXT NOT NULL,
    track_number INTEGER NOT NULL,
    year INTEGER NOT NULL,
    musicbrainz_recording_id TEXT NOT NULL,
    musicbrainz_album_id TEXT NOT NULL,
    musicbrainz_artist_id TEXT NOT NULL,
    licence TEXT NOT NULL,
    attribution TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE failures (
    path BLOB NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    failed_at TEXT NOT NULL,
    PRIMARY KEY (path)
);
CREATE TABLE spaces (id TEXT NOT NULL, description TEXT NOT NULL, PRIMARY KEY (id));
CREATE TABLE meta ("key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE file_credits (
    source BLOB NOT NULL,
    path BLOB NOT NULL,
    title TEXT NOT NULL,
    artist TEXT NOT NULL,
    album TEXT NOT NULL,
    licence TEXT NOT NULL,
    attribution TEXT NOT NULL,
    PRIMARY KEY (source, path)
);
CREATE TABLE files (
    path BLOB NOT NULL,
    track_id TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    PRIMARY KEY (path),
    FOREIGN KEY(track_id) REFERENCES tracks (id)
);
CREATE INDEX ix_files_track_id ON files (track_id);
CREATE TABLE vectors (
    track_id TEXT NOT NULL,
    space_id TEXT NOT NULL,
    vector BLOB NOT NULL,
    tags BLOB NOT NULL,
    level_dbfs FLOAT NOT NULL,
    n_windows INTEGER NOT NULL,
    PRIMARY KEY (track_id, space_id),
    FOREIGN KEY(track_id) REFERENCES tracks (id),
    FOREIGN KEY(space_id) REFERENCES spaces (id)
);
"""
# of a library of this version with the tracks it has
TO_VERSION_1 = """
DROP INDEX ix_tracks_changed;
DROP INDEX ix_vectors_space_id_changed;
DROP INDEX ix_file_credits_path;
ALTER TABLE tracks DROP COLUMN changed;
ALTER TABLE vectors DROP COLUMN changed;
ALTER TABLE tracks DROP COLUMN composer;
ALTER TABLE tracks DROP COLUMN bpm;
ALTER TABLE tracks DROP COLUMN "key";
ALTER TABLE file_credits DROP COLUMN composer;
ALTER TABLE failures DROP COLUMN space_id;
DROP TABLE revisions;
CREATE TABLE meta ("key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key"));
PRAGMA user_version=1;
"""
PATH = b"/music/caf\xe9.flac"
VECTOR, TAGS = np.array([1, 2, 3, 4], "<f4"), np.array([0.25, 0.5, 1.0], "<f4")
ROWS: dict[str, tuple[object, ...]] = {
    "tracks": ("a", 181.5, "Bus", "Mara", "Noise", "", "Jazz", 3, 2021, "r", "l", "p", "", ""),
    "failures": (b"/music/bad.mp3", 5, 6, "silent-audio", "hush", "2026-01-01T00:00:00+00:00"),
    "spaces": (SPACE.id, "{}"),
    "meta": ("revision", "before"),
    "file_credits": (b"/music", PATH, "Night Bus", "", "", "CC0", "Mara"),
    "files": (PATH, "a", STATE.size, STATE.mtime_ns),
    "vectors": ("a", SPACE.id, VECTOR.tobytes(), TAGS.tobytes(), -13.25, 12),
}
CREDIT = {"title": "Night Bus", "artist": "", "album": "", "licence": "CC0", "attribution": "Mara"}


# how each version was made of the one before
LATER = {
    2: """
ALTER TABLE tracks ADD COLUMN composer TEXT NOT NULL DEFAULT '';
ALTER TABLE file_credits ADD COLUMN composer TEXT NOT NULL DEFAULT '';
""",
    3: "ALTER TABLE failures ADD COLUMN space_id TEXT NOT NULL DEFAULT ''",
}
OLD_VERSIONS = (1, *LATER)


def library_of_version(number: int, folder: Path) -> Path:
    """A library as that version left it; all rows were written by version 1."""
    path = library_of_version_1(folder)
    with closing(sqlite3.connect(path)) as connection:
        for later in range(2, number + 1):
            connection.executescript(f"{LATER[later]}; PRAGMA user_version={later}")
    return path


def library_of_version_1(folder: Path) -> Path:
    path = folder / LIBRARY_FILE
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
        for table, row in ROWS.items():
            connection.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)
        connection.commit()
    return path


def indexes(path: Path) -> set[tuple[str, str]]:
    """Name and definition of each index."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        return set(connection.execute(query))


def columns(path: Path, table: str) -> set[tuple[Any, ...]]:
    """Name, type, NOT NULL and place in the primary key of each column."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return {(name, kind, not_null, key) for _, name, kind, not_null, _, key in rows}


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_nothing_is_lost(library: Library) -> None:
    (track,) = library.publishable(SPACE.id)
    names = track.track.metadata
    assert (names.title, names.artist, names.album) == ("Night Bus", "Mara", "Noise")
    assert (names.composer, names.licence, names.year) == ("", "CC0", 2021)
    assert (track.track.id, track.track.duration_seconds) == ("a", 181.5)
    assert (track.path, track.level_dbfs) == (PATH, -13.25)
    np.testing.assert_array_equal(track.vector, VECTOR)
    np.testing.assert_array_equal(track.tags, TAGS)
    assert [failure.path for failure in library.failures()] == [b"/music/bad.mp3"]
    assert library.revision(SPACE.id) == "before"


@pytest.mark.parametrize("old", OLD_VERSIONS)
def test_a_library_of_an_old_version_is_brought_up_to_date(tmp_path: Path, old: int) -> None:
    path = library_of_version(old, tmp_path)
    assert version(path) == old
    open_library(tmp_path / "new").close()
    for _ in ("first time", "again"):
        with Library.open(path) as library:
            check_nothing_is_lost(library)
            assert library.damage() == ""
    assert version(path) == SCHEMA_VERSION
    for table in (*ROWS, "revisions"):
        assert columns(path, table) == columns(tmp_path / "new" / LIBRARY_FILE, table)
    assert indexes(path) == indexes(tmp_path / "new" / LIBRARY_FILE)


@pytest.mark.parametrize("old", OLD_VERSIONS)
def test_what_changed_is_known_from_the_first_change_on(tmp_path: Path, old: int) -> None:
    path = library_of_version(old, tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO meta VALUES (?, 'embedded')", (f"revision:{SPACE.id}",))
        connection.commit()
    with Library.open(path) as library:
        assert (library.revision(SPACE.id), library.revision("x")) == ("before embedded", "before")
        for before in ("before embedded", "before", "embedded", ""):
            assert library.changed_since(before, SPACE.id) is None
        library.store([indexed(entry("b", [1, 2, 3, 4]))], SPACE)
        revision = library.revision(SPACE.id)
        assert library.changed_since("before embedded", SPACE.id) is None
        assert library.changed_since(revision, SPACE.id) == set()
        library.forget_files([PATH])
        assert library.changed_since(revision, SPACE.id) == {"a"}


def test_its_files_count_as_changed_until_their_tags_are_read_again(tmp_path: Path) -> None:
    with Library.open(library_of_version_1(tmp_path)) as library:
        known, track_id = library.files()[PATH]
        assert (track_id, library.embedded(SPACE.id)) == ("a", {"a"})
        assert known.size == -1
        read = replace(entry("a", [0, 0, 0, 0], composer="Dvořák"), path=PATH)
        library.store([replace(indexed(read), embedding=None)], SPACE)
        assert library.files() == {PATH: (STATE, "a")}
        (track,) = library.publishable(SPACE.id)
        assert track.track.metadata.composer == "Dvořák"
        np.testing.assert_array_equal(track.vector, VECTOR)
        assert library.revision(SPACE.id) != "before"
    with Library.open(tmp_path / LIBRARY_FILE) as again:
        assert again.files() == {PATH: (STATE, "a")}


def test_its_credits_are_the_same_until_one_names_a_composer(tmp_path: Path) -> None:
    with Library.open(library_of_version_1(tmp_path)) as library:
        library.set_credits(b"/music", {PATH: {**CREDIT, "composer": ""}})
        assert library.revision(SPACE.id) == "before"
        library.set_credits(b"/music", {PATH: {**CREDIT, "composer": "Dvořák"}})
        (track,) = library.publishable(SPACE.id)
        assert track.track.metadata.composer == "Dvořák"


def test_a_run_reads_all_tags_again_and_embeds_nothing(music: Path, tmp_path: Path) -> None:
    path = tracks_in(music)[0]
    sound = mutagen.File(path)
    sound["composer"] = "Dvořák"
    sound["bpm"], sound["initialkey"] = "92.5", "8A"
    sound.save()
    data = tmp_path / "data"
    request = Request((os.fsencode(music),), data, "musicnn", 1, 1)
    reindex(request, QUIET)
    with closing(sqlite3.connect(data / LIBRARY_FILE)) as connection:
        connection.executescript(TO_VERSION_1)
    report = reindex(request, QUIET)
    assert (report.updated, report.added, report.audio_seconds) == (N_TRACKS, 0, 0.0)
    assert report.published
    catalog = open_generation(data, report.generation).catalog
    [document] = catalog.search("dvorak", 10).documents
    metadata = Track.from_document(document).metadata
    assert (metadata.composer, metadata.bpm, metadata.key) == ("Dvořák", 92.5, "A minor")
    assert reindex(request, QUIET).unchanged == N_TRACKS


@contextmanager
def copied_before_every_statement(folder: Path, copies: Path) -> Iterator[list[Path]]:
    """Copies of a folder as SIGKILL would leave it: one before every statement that is run."""
    made: list[Path] = []

    def copy(*_: object) -> None:
        made.append(copies / str(len(made)))
        shutil.copytree(folder, made[-1])

    sa.event.listen(sa.Engine, "before_cursor_execute", copy)
    sa.event.listen(sa.Engine, "commit", copy)
    try:
        yield made
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", copy)
        sa.event.remove(sa.Engine, "commit", copy)


@pytest.mark.parametrize("old", OLD_VERSIONS)
def test_killed_at_any_moment_it_is_of_one_version_and_whole(tmp_path: Path, old: int) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = library_of_version(old, home)
    with copied_before_every_statement(home, tmp_path / "killed") as killed:
        Library.open(path).close()
    assert version(path) == SCHEMA_VERSION
    assert len(killed) > 5
    for folder in killed:
        left = folder / LIBRARY_FILE
        assert version(left) == old
        names = {name for name, *_ in columns(left, "tracks")}
        assert ("composer" in names, "changed" in names) == (old > 1, False)
        with Library.open(left) as library:
            check_nothing_is_lost(library)
            assert library.files()[PATH][0].size == -1
        assert version(left) == SCHEMA_VERSION


def test_a_new_library_that_was_killed_at_any_moment_is_created_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with copied_before_every_statement(home, tmp_path / "killed") as killed:
        Library.open(home / LIBRARY_FILE).close()
    assert len(killed) > 5
    for folder in killed:
        with Library.open(folder / LIBRARY_FILE) as library:
            assert library.files() == {}


@pytest.mark.parametrize("statements", [2, 3, 8])
def test_version_1_may_have_been_killed_while_it_created_its_tables(
    tmp_path: Path, statements: int
) -> None:
    path = tmp_path / LIBRARY_FILE
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(";".join(VERSION_1.split(";")[:statements]))
    with Library.open(path) as library:
        library.add_space(SPACE)
        library.store([indexed(entry("a", [1, 2, 3, 4], composer="Dvořák"))], SPACE)
        assert library.count_publishable(SPACE.id) == 1


@pytest.mark.parametrize("other", [-1, SCHEMA_VERSION + 1, 99])
def test_a_version_that_is_not_known_is_refused_and_left_alone(tmp_path: Path, other: int) -> None:
    path = library_of_version_1(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version={other}")
    before = path.read_bytes()
    with pytest.raises(GenerationError, match=f"schema_version={other} is not {SCHEMA_VERSION}"):
        Library.open(path)
    assert path.read_bytes() == before


# version 4, which kept no windows one by one, and knew nothing of tempo and key
TO_VERSION_4 = """
DROP TABLE segments;
ALTER TABLE tracks DROP COLUMN bpm;
ALTER TABLE tracks DROP COLUMN "key";
PRAGMA user_version=4;
"""


def library_of_version_4(folder: Path) -> tuple[Path, str]:
    """A library of a track, and its revision."""
    with open_library(folder) as library:
        library.store([indexed(entry("a", [1, 2, 3, 4]))], SPACE)
        revision = library.revision(SPACE.id)
    with closing(sqlite3.connect(folder / LIBRARY_FILE)) as connection:
        connection.executescript(TO_VERSION_4)
    return folder / LIBRARY_FILE, revision


def check_as_it_was(path: Path, revision: str) -> None:
    with Library.open(path) as library:
        assert library.revision(SPACE.id) == revision
        assert library.changed_since(revision, SPACE.id) == set()
        assert library.count_publishable(SPACE.id) == 1
        assert library.segmented(SPACE.id) == set()
        assert library.damage() == ""


def test_a_library_without_a_table_of_windows_gets_one_and_nothing_changed(tmp_path: Path) -> None:
    path, revision = library_of_version_4(tmp_path)
    check_as_it_was(path, revision)
    assert version(path) == SCHEMA_VERSION
    open_library(tmp_path / "new").close()
    assert columns(path, "segments") == columns(tmp_path / "new" / LIBRARY_FILE, "segments")


def test_killed_while_it_gets_the_table_it_is_of_version_4(tmp_path: Path) -> None:
    path, revision = library_of_version_4(tmp_path / "home")
    with copied_before_every_statement(tmp_path / "home", tmp_path / "killed") as killed:
        Library.open(path).close()
    assert len(killed) > 3
    for folder in killed:
        assert version(folder / LIBRARY_FILE) == 4
        check_as_it_was(folder / LIBRARY_FILE, revision)
