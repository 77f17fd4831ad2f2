"""What changed since a revision: never less than what did, and nothing where nothing did."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from recommender import library_journal
from recommender.library import Library
from recommender.library_tables import CREDIT_FIELDS
from recommender.records import Failed, LibraryTrack
from recommender.space import Space
from recommender.track import Metadata
from tests.builders import LIBRARY_FILE, OTHER_SPACE, SPACE, STATE, entry, indexed, open_library

A, B, C = (entry(id_, [1, 2, 3, 4]) for id_ in "abc")
BAD = Failed(b"/music/bad.mp3", STATE, "undecodable-audio", "the decoder gave up")


def credit(title: str) -> dict[str, str]:
    return {**dict.fromkeys(CREDIT_FIELDS, ""), "title": title}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path / "data") as opened:
        opened.add_space(OTHER_SPACE)
        opened.store([indexed(A), indexed(B)], SPACE)
        yield opened


def n_revisions(data_dir: Path) -> int:
    with closing(sqlite3.connect(data_dir / LIBRARY_FILE)) as connection:
        return int(connection.execute("SELECT count(*) FROM revisions").fetchone()[0])


def test_a_vector_of_one_space_changes_nothing_in_another(library: Library) -> None:
    here, there = library.revision(SPACE.id), library.revision(OTHER_SPACE.id)
    library.store([indexed(A)], OTHER_SPACE)
    assert library.changed_since(here, SPACE.id) == set()
    assert library.changed_since(there, OTHER_SPACE.id) == {"a"}
    library.store([indexed(replace(B, metadata=Metadata(title="New")))], SPACE)
    assert library.changed_since(here, SPACE.id) == {"b"}
    assert library.changed_since(there, OTHER_SPACE.id) == {"a", "b"}


def test_a_file_that_becomes_another_recording_changes_both(library: Library) -> None:
    before = library.revision(SPACE.id)
    library.store([indexed(replace(B, path=A.file))], SPACE)
    assert library.changed_since(before, SPACE.id) == {"a", "b"}


def test_the_path_of_a_track_changes_when_a_duplicate_is_forgotten(library: Library) -> None:
    library.store([replace(indexed(A), path=b"/z", embedding=None)], SPACE)
    before = library.revision(SPACE.id)
    library.forget_files([A.file])
    [track] = library.publishable(SPACE.id, ["a"])
    assert (track.path, library.changed_since(before, SPACE.id)) == (b"/z", {"a"})


def test_a_track_that_one_embedder_fails_at_in_its_new_place_changes(library: Library) -> None:
    before = library.revision(SPACE.id)
    library.store([replace(BAD, path=b"/new", track_id="a")], OTHER_SPACE)
    assert library.files()[b"/new"] == (STATE, "a")
    assert library.changed_since(before, SPACE.id) == {"a"}


def test_only_tracks_whose_credits_differ_change(library: Library) -> None:
    library.store([indexed(C)], SPACE)
    library.set_credits(b"/music", {A.file: credit("A"), B.file: credit("B")})
    before = library.revision(SPACE.id)
    library.set_credits(b"/music", {A.file: credit("A"), B.file: credit("New")})
    assert library.changed_since(before, SPACE.id) == {"b"}
    library.set_credits(b"/music", {C.file: credit("C")})
    assert library.changed_since(before, SPACE.id) == {"a", "b", "c"}
    titles = {x.track.id: x.track.metadata.title for x in library.publishable(SPACE.id)}
    assert titles == {"a": A.metadata.title, "b": B.metadata.title, "c": "C"}


def test_it_is_known_after_opening_again(library: Library, tmp_path: Path) -> None:
    before = library.revision(SPACE.id)
    library.forget_files([A.file])
    library.close()
    with open_library(tmp_path / "data") as again:
        assert again.changed_since(before, SPACE.id) == {"a"}


@pytest.mark.parametrize("text", ["", " ", "0", "1", "-1", "no revision", "\x00", "é'\""])
def test_what_is_no_revision_tells_nothing(library: Library, text: str) -> None:
    assert library.changed_since(text, SPACE.id) is None


def test_a_revision_of_another_library_tells_nothing(library: Library, tmp_path: Path) -> None:
    with open_library(tmp_path / "other") as other:
        assert other.revision(SPACE.id) != library.revision(SPACE.id)
        other.store([indexed(A), indexed(B)], SPACE)
        assert library.changed_since(other.revision(SPACE.id), SPACE.id) is None


def test_a_new_library_has_a_revision(tmp_path: Path) -> None:
    with open_library(tmp_path) as library:
        before = library.revision(SPACE.id)
        assert library.changed_since(before, SPACE.id) == set()
        library.store([indexed(A)], SPACE)
        assert library.changed_since(before, SPACE.id) == {"a"}


def test_a_backup_takes_no_revision_of_what_came_after_it(library: Library, tmp_path: Path) -> None:
    shared = library.revision(SPACE.id)
    library.close()
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    lost = []
    for id_ in "cde":
        with open_library(tmp_path / "data") as original:
            original.store([indexed(entry(id_, [1, 2, 3, 4]))], SPACE)
            lost.append(original.revision(SPACE.id))
    with open_library(tmp_path / "backup") as restored:
        assert restored.changed_since(shared, SPACE.id) == set()
        assert [restored.changed_since(text, SPACE.id) for text in lost] == [None] * 3
        for id_ in "cdef":
            restored.store([indexed(entry(id_, [4, 3, 2, 1]))], SPACE)
        assert restored.changed_since(shared, SPACE.id) == set("cdef")
        assert [restored.changed_since(text, SPACE.id) for text in lost] == [None] * 3


def test_what_happened_is_not_kept_for_ever(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_journal, "KEPT", 3)
    library.store([indexed(A)], OTHER_SPACE)
    elsewhere, texts = library.revision(OTHER_SPACE.id), [library.revision(SPACE.id)]
    for _ in range(10):
        library.store([indexed(A)], SPACE)
        texts.append(library.revision(SPACE.id))
    known = [library.changed_since(text, SPACE.id) for text in texts[1:]]
    assert known == [None] * 7 + [{"a"}, {"a"}, set()]
    # what every space is told lives on, and so does the last of a space that rests
    assert library.changed_since(texts[0], SPACE.id) == {"a"}
    assert library.revision(OTHER_SPACE.id) == elsewhere
    assert library.changed_since(elsewhere, OTHER_SPACE.id) == set()
    assert n_revisions(tmp_path / "data") < 10


def test_tracks_can_be_asked_for_by_id(library: Library) -> None:
    library.forget_files([B.file])
    library.store([indexed(C)], SPACE)

    def ids(*asked: str) -> list[str]:
        return [track.track.id for track in library.publishable(SPACE.id, asked)]

    assert ids() == []
    assert ids("c", "unknown", "b", "a", "c") == ["a", "c"]
    assert list(library.publishable("unknown", ["a"])) == []


def test_many_tracks_can_be_asked_for(library: Library) -> None:
    names = [f"{i:04}" for i in range(1000)]
    library.store([indexed(entry(name, [1, 2, 3, 4])) for name in names], SPACE)
    library.set_credits(b"/music", {entry(n, []).file: credit(f"credited {n}") for n in names[::2]})
    found = {track.track.id: track for track in library.publishable(SPACE.id, names[::-1])}
    assert list(found) == names
    titles = [found[name].track.metadata.title for name in names]
    assert titles[::2] == [f"credited {name}" for name in names[::2]]
    assert not any(title.startswith("credited") for title in titles[1::2])
    before = library.revision(SPACE.id)
    library.forget_files([track.path for track in found.values()])
    assert library.changed_since(before, SPACE.id) == set(names)


HOMES = {b"/m/a": "a", b"/m/x/b": "b", b"/n/c": "c"}
PATHS, IDS, SPACES = [*HOMES, b"/m/b"], "abcd", (SPACE, OTHER_SPACE)
paths, ids, spaces = st.sampled_from(PATHS), st.sampled_from(IDS), st.sampled_from(SPACES)
titles, values = st.sampled_from(["", "t"]), st.sampled_from([0.0, 1.0, 2.0])
Published = dict[str, tuple[object, ...]]


def comparable(entry: LibraryTrack) -> tuple[object, ...]:
    sound = (entry.vector.tobytes(), entry.tags.tobytes(), entry.level_dbfs)
    return (entry.track, entry.path, *sound)


class Journal(RuleBasedStateMachine):
    """Whatever happens: `seen` is what was published at each revision, `named` what ops are of."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.library = open_library(self.folder)
        self.library.add_space(OTHER_SPACE)
        self.seen: list[tuple[str, str, Published, int]] = []
        self.named: list[set[str]] = []

    def teardown(self) -> None:
        self.library.close()
        shutil.rmtree(self.folder)

    def homes(self, *of: bytes) -> set[str]:
        return {id_ for path, (_, id_) in self.library.files().items() if path in of}

    @initialize()
    def begin(self) -> None:
        for path, id_ in HOMES.items():
            for space in SPACES:
                self.store(path, id_, space, "", 1.0)

    @rule(path=paths, id_=ids, space=spaces, title=titles, value=values)
    def store(self, path: bytes, id_: str, space: Space, title: str, value: float) -> None:
        found = indexed(replace(entry(id_, [value] * 4), metadata=Metadata(title=title), path=path))
        self.named.append({id_} | self.homes(path))
        self.library.store([found if value else replace(found, embedding=None)], space)

    @rule(path=paths, space=spaces, value=values)
    def embed_anew(self, path: bytes, space: Space, value: float) -> None:
        for track in list(self.library.publishable(space.id)):
            if track.path == path:
                self.store(path, track.track.id, space, track.track.metadata.title, value)

    @rule(path=paths, id_=st.sampled_from(["", *IDS]), space=spaces)
    def fail(self, path: bytes, id_: str, space: Space) -> None:
        self.named.append({id_} | self.homes(path))
        self.library.store([replace(BAD, path=path, track_id=id_)], space)

    @rule(gone=st.lists(paths, max_size=3))
    def forget(self, gone: list[bytes]) -> None:
        self.named.append(self.homes(*gone))
        self.library.forget_files(gone)

    @rule(
        source=st.sampled_from([b"/m", b"/m/x"]),
        said=st.dictionaries(paths, st.sampled_from(["", "x", "y"]), max_size=3),
    )
    def credit(self, source: bytes, said: dict[bytes, str]) -> None:
        found = {path: credit(title) for path, title in said.items()}
        self.named.append(self.homes(*PATHS))
        self.library.set_credits(source, found)
        revisions = [self.library.revision(space.id) for space in SPACES]
        self.library.set_credits(source, found)
        assert revisions == [self.library.revision(space.id) for space in SPACES]

    @rule()
    def open_again(self) -> None:
        self.library.close()
        self.library = Library.open(self.folder / LIBRARY_FILE)

    @invariant()
    def what_differs_is_told_and_little_else(self) -> None:
        now = {s.id: self.published(s.id) for s in SPACES}
        for revision, space_id, then, step in self.seen:
            changed = self.library.changed_since(revision, space_id)
            assert changed is not None
            every = then.keys() | now[space_id].keys()
            differ = {id_ for id_ in every if then.get(id_) != now[space_id].get(id_)}
            assert differ <= changed <= set[str]().union(*self.named[step:])
            assert bool(changed) == (revision != self.library.revision(space_id))
        for space_id, published in now.items():
            step = len(self.named)
            self.seen.append((self.library.revision(space_id), space_id, published, step))

    def published(self, space_id: str) -> Published:
        every = {e.track.id: comparable(e) for e in self.library.publishable(space_id)}
        asked = {e.track.id: comparable(e) for e in self.library.publishable(space_id, "dca")}
        assert asked == {id_: row for id_, row in every.items() if id_ != "b"}
        return every


def test_whatever_happens_what_differs_is_told() -> None:
    run_state_machine_as_test(
        Journal,
        settings=settings(
            max_examples=20,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
