"""Histories are matched to the right track, to none, or to none of several."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recommender import recordings
from recommender.catalog import Catalog
from recommender.catalog_tables import update_catalog, write_catalog
from recommender.events import Event, Kind
from recommender.history_entries import HistoryEntry
from recommender.recordings import Ambiguous, Matched, Recordings, event_of
from recommender.track import Metadata, Track
from tests.builders import Entry, entry, library_track

AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
MBID = "62c2e20a-559e-422f-a44c-9afa7882f0c4"
OTHER_MBID = "0e8a2d5c-1111-4222-8333-444455556666"

Find = Callable[..., str | list[str] | None]


def track(id_: str, *, seconds: float = 180.0, **metadata: Any) -> Entry:
    made = entry(id_, (1.0, 0.0, 0.0, 0.0), **metadata)
    return Entry(id_, made.vector, made.metadata, duration_seconds=seconds)


CATALOG = [
    track("song", artist="The Adas", title="Song", album="First", musicbrainz_recording_id=MBID),
    track("live", artist="The Adas", title="Song (Live)", album="First"),
    track("duo", artist="Ada & Björk", title="Duet (feat. Cleo)", album="Together"),
    track("comp", artist="Cleo", album_artist="Various Artists", title="Hit", album="Hits"),
    track("solo", artist="D. Someone", album_artist="Dora", title="Aria", album="Night"),
    track("old", artist="Eve", title="Twice", album="Original", seconds=200.0),
    track("new", artist="Eve", title="Twice (2011 Remaster)", album="Best Of", seconds=201.0),
    track("take1", artist="Fay", title="Take", album="One", seconds=100.0),
    track("take2", artist="Fay", title="Take", album="Two", seconds=300.0),
    track("untitled", artist="Gil"),
]


@pytest.fixture
def find(tmp_path: Path) -> Find:
    """Finds ids in the catalog above; those of an ambiguous entry as a list."""
    catalog = written(tmp_path / "catalog.db", CATALOG)
    known = Recordings(catalog, len(CATALOG))

    def found(artist: str = "", title: str = "", album: str = "", **more: Any) -> Any:
        match = known.find(HistoryEntry(artist, title, album, AT, **more))
        if isinstance(match, Ambiguous):
            return [track.id for track in match.tracks]
        return match and match.track.id

    return found


def written(path: Path, entries: Sequence[Entry]) -> Catalog:
    write_catalog(path, map(library_track, entries), range(len(entries)))
    return Catalog.open(path)


def test_the_id_of_a_recording_outranks_its_name(find: Find) -> None:
    assert find("Nobody", "Nothing", recording_mbids=(OTHER_MBID, MBID)) == "song"
    assert find("Fay", "Take", "One", recording_mbids=(OTHER_MBID,)) == "take1"


def test_how_it_was_found_is_told(tmp_path: Path) -> None:
    known = Recordings(written(tmp_path / "catalog.db", CATALOG), len(CATALOG))
    by_id = known.find(HistoryEntry("", "", "", AT, recording_mbids=(MBID,)))
    by_name = known.find(HistoryEntry("Adas", "Song", "", AT))
    assert isinstance(by_id, Matched)
    assert isinstance(by_name, Matched)
    assert (by_id.by_id, by_name.by_id) == (True, False)
    assert by_id.track == by_name.track


@pytest.mark.parametrize(
    ("artist", "title", "id_"),
    [
        ("Adas", "song", "song"),
        ("Adas, The", "Song - 2009 Remaster", "song"),
        ("The Adas feat. Zoe", "Song", "song"),
        ("The Adas", "Song - Live", "live"),
        ("Ada and Bjork", "Duet", "duo"),
        ("Björk, Ada", "Duet", "duo"),
        ("Ada", "Duet (with Björk)", "duo"),
        ("Cleo", "Hit", "comp"),
        ("Dora", "Aria", "solo"),
        ("Various Artists", "Hit", None),
        ("The Adas", "Song (Acoustic)", None),
        ("Eve", "Song", None),
        ("", "Song", None),
        ("Gil", "", None),
    ],
)
def test_names_are_found_as_they_are_written_elsewhere(
    find: Find, artist: str, title: str, id_: str | None
) -> None:
    assert find(artist, title) == id_


def test_the_album_decides_between_several(find: Find) -> None:
    assert find("Fay", "Take", "two") == "take2"
    assert find("Eve", "Twice", "Best Of (Deluxe Edition)") == "new"


def test_the_length_decides_where_the_album_does_not(find: Find) -> None:
    assert find("Fay", "Take", "Elsewhere", track_seconds=299.0) == "take2"


def test_the_spelling_decides_where_nothing_else_does(find: Find) -> None:
    assert find("Eve", "Twice") == "old"
    assert find("Eve", "Twice (2011 Remaster)") == "new"


def test_several_that_fit_equally_are_one_recording_only_when_as_long(find: Find) -> None:
    assert find("Fay", "Take") == ["take1", "take2"]
    assert find("Eve", "Twice - Remastered") == "new"


def test_a_whole_artist_outranks_a_part(tmp_path: Path) -> None:
    entries = [
        track("part", artist="Ada & Zoe", title="Song", seconds=100.0),
        track("whole", artist="Ada", title="Song", seconds=200.0),
    ]
    known = Recordings(written(tmp_path / "catalog.db", entries), 2)
    match = known.find(HistoryEntry("Ada", "Song", "", AT))
    assert isinstance(match, Matched)
    assert match.track.id == "whole"


def test_tracks_that_left_are_not_found(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    write_catalog(path, map(library_track, CATALOG), range(len(CATALOG)))
    update_catalog(path, [0], [])
    known = Recordings(Catalog.open(path), len(CATALOG))
    assert known.find(HistoryEntry("Adas", "Song", "", AT)) is None


def test_names_whose_hashes_agree_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "hash", lambda _: 7, raising=False)
    known = Recordings(written(tmp_path / "catalog.db", CATALOG), len(CATALOG))
    match = known.find(HistoryEntry("Cleo", "Hit", "", AT))
    assert isinstance(match, Matched)
    assert match.track.id == "comp"
    assert known.find(HistoryEntry("Cleo", "Miss", "", AT, recording_mbids=(OTHER_MBID,))) is None


def test_an_empty_catalog_holds_nothing(tmp_path: Path) -> None:
    known = Recordings(written(tmp_path / "catalog.db", []), 0)
    assert known.find(HistoryEntry("Ada", "Song", "", AT, recording_mbids=(MBID,))) is None


@pytest.mark.parametrize(
    ("kind", "played", "seconds", "expected"),
    [
        (Kind.LISTEN, None, 180.0, Kind.LISTEN),
        (Kind.LISTEN, 29.0, 180.0, Kind.SKIP),
        (Kind.LISTEN, 30.0, 180.0, Kind.LISTEN),
        (Kind.LISTEN, 21.0, 40.0, Kind.LISTEN),
        (Kind.LISTEN, 19.0, 40.0, Kind.SKIP),
        (Kind.SKIP, None, 180.0, Kind.SKIP),
        (Kind.SKIP, 60.0, 180.0, Kind.SKIP),
        (Kind.SKIP, 90.0, 180.0, Kind.LISTEN),
        (Kind.LIKE, None, 180.0, Kind.LIKE),
        (Kind.DISLIKE, 1.0, 180.0, Kind.DISLIKE),
    ],
)
def test_what_was_hardly_heard_is_a_skip(
    kind: Kind, played: float | None, seconds: float, expected: Kind
) -> None:
    heard = HistoryEntry("Ada", "Song", "", AT, kind, played)
    assert event_of(heard, Track("t", seconds, Metadata())) == Event("t", expected, AT, played)
