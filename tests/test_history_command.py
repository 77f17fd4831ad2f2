"""The command that brings a history in, as a user calls it."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from indexer.__main__ import main
from indexer.history_report import Name, Plays
from recommender.events import Kind
from recommender.listeners import Listeners
from recommender.listeners_address import LISTENERS_FILE
from tests.builders import publish_beside, publish_entries
from tests.test_history import MBID, SECONDS, listen, spotify, zipped
from tests.test_recordings import CATALOG

UNKNOWN_MBID = "99999999-1111-4222-8333-444455556666"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    publish_entries(folder, CATALOG)
    return folder


@pytest.fixture
def data(published: Path) -> Iterator[Path]:
    """A data folder whose listeners have done nothing."""
    yield published
    for path in published.glob("listeners.db*"):
        path.unlink()


def imported(file: Path, data: Path, *flags: str) -> int:
    arguments = ["import-history", str(file), "--listener", "ada", "--data-dir", str(data)]
    return main([*arguments, *flags])


def report(capsys: pytest.CaptureFixture[str], file: Path, data: Path, *flags: str) -> Any:
    capsys.readouterr()
    assert imported(file, data, "--json", *flags) == 0
    return json.loads(capsys.readouterr().out)


def known_answers(folder: Path) -> Path:
    """Entries of a listener, of which it is known what becomes of each."""

    def named(artist: str, title: str, at: int, mbid: str = UNKNOWN_MBID) -> str:
        record = listen(title, listened_at=SECONDS + at)
        record["track_metadata"] |= {
            "artist_name": artist,
            "release_name": "",
            "additional_info": {"recording_mbid": mbid},
            "mbid_mapping": None,
        }
        return json.dumps(record)

    lines = [
        named("Someone", "Else", 0, MBID),
        named("Adas", "Song - 2011 Remaster", 1),
        named("The Adas", "Song (Live)", 2),
        named("The Adas", "Song (Live)", 2),  # the same once more
        named("Fay", "Take", 3),
        named("Nobody", "Missing", 4),
        named("Nobody", "Missing", 5),
        named("Nobody", "Gone, too", 6),
        '{"listened_at": 17, "track_metadata": ',
        "",
    ]
    feedback = [
        {"score": score, "recording_mbid": MBID, "recording_msid": None, "created": SECONDS + 9}
        for score in (-1, 0)
    ]
    return zipped(
        folder / "history",
        {
            "listens/2023/11.jsonl": "\n".join(lines),
            "feedback.jsonl": "\n".join(map(json.dumps, feedback)),
        },
    )


def test_the_report_is_exact(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(capsys, known_answers(tmp_path), data)
    nobody = {"artist": "Nobody", "album": "", "recording_mbid": UNKNOWN_MBID}
    assert found == {
        "formats": ["ListenBrainz", "ListenBrainz feedback"],
        "ignored_files": [],
        "dry_run": False,
        "entries": 11,
        "matched": {"by_id": 2, "by_name": 3},
        "kinds": {"dislike": 1, "listen": 4},
        "stored": 4,
        "known": 1,
        "expired": 0,
        "ambiguous": 1,
        "missing": 3,
        "left_out": {"feedback that was taken back": 1},
        "broken": 1,
        "names_are_cut": False,
        "ambiguous_names": [
            {
                "plays": 1,
                "artist": "Fay",
                "title": "Take",
                "album": "",
                "recording_mbid": UNKNOWN_MBID,
                "track_ids": ["take1", "take2"],
            }
        ],
        "missing_names": [
            {"plays": 2, "title": "Missing", **nobody},
            {"plays": 1, "title": "Gone, too", **nobody},
        ],
        "broken_places": [{"place": "listens/2023/11.jsonl line 9", "why": "not JSON"}],
    }


def test_importing_once_more_adds_nothing(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = known_answers(tmp_path)
    assert report(capsys, history, data)["stored"] == 4
    again = report(capsys, history, data)
    assert (again["stored"], again["known"]) == (0, 5)


def test_an_import_that_was_stopped_is_run_again(
    tmp_path: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [f"The Adas,First,Song,{SECONDS + i}" for i in range(2_500)]
    history = tmp_path / "history"
    history.write_text("artist,album,track,uts\n" + "\n".join(lines))
    add, calls = Listeners.add, list[int]()

    def stopping(self: Listeners, listener_id: str, events: Any) -> Any:
        calls.append(len(events))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return add(self, listener_id, events)

    with monkeypatch.context() as patch:
        patch.setattr(Listeners, "add", stopping)
        assert imported(history, data) == 130
    assert calls == [1_000, 1_000]
    again = report(capsys, history, data)
    assert (again["stored"], again["known"]) == (1_500, 1_000)


def test_what_is_stored_is_what_was_played(tmp_path: Path, data: Path) -> None:
    assert imported(known_answers(tmp_path), data) == 0
    with Listeners.open(data / LISTENERS_FILE) as listeners:
        stored = listeners.events("ada")
    at = datetime.fromtimestamp(SECONDS, UTC)
    assert [(event.track_id, event.kind, event.at - at) for event in stored] == [
        ("song", Kind.DISLIKE, timedelta(seconds=9)),
        ("live", Kind.LISTEN, timedelta(seconds=2)),
        ("song", Kind.LISTEN, timedelta(seconds=1)),
        ("song", Kind.LISTEN, timedelta(0)),
    ]


def test_what_is_older_than_events_are_kept_is_counted(
    tmp_path: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOUNDALIKE_RETENTION_DAYS", "1")
    found = report(capsys, known_answers(tmp_path), data)
    assert (found["stored"], found["expired"]) == (0, 5)
    assert imported(known_answers(tmp_path), data) == 0
    assert "0 stored, 0 known before, 5 older than events are kept" in capsys.readouterr().out


def test_listeners_are_kept_where_the_settings_say(
    tmp_path: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOUNDALIKE_LISTENERS_URL", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    assert report(capsys, known_answers(tmp_path), data)["stored"] == 4
    assert (tmp_path / "elsewhere.db").exists()
    assert not list(data.glob("listeners.db*"))


def test_an_id_that_no_listener_can_have_is_refused_before_all_else(
    tmp_path: Path, data: Path
) -> None:
    arguments = ["import-history", str(tmp_path / "none"), "--data-dir", str(data), "--dry-run"]
    assert main([*arguments, "--listener", "a/b"]) == 2


def test_a_dry_run_stores_nothing(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(capsys, known_answers(tmp_path), data, "--dry-run")
    assert (found["dry_run"], found["stored"]) == (True, 0)
    assert found["matched"] == {"by_id": 2, "by_name": 3}
    assert not list(data.glob("listeners.db*"))


def test_what_is_missing_is_written_most_played_first(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.csv"
    report(capsys, known_answers(tmp_path), data, "--missing", str(missing))
    with missing.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["plays", "artist", "title", "album", "recording_mbid"],
            ["2", "Nobody", "Missing", "", UNKNOWN_MBID],
            ["1", "Nobody", "Gone, too", "", UNKNOWN_MBID],
        ]


def test_people_get_lines(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(known_answers(tmp_path), data) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ListenBrainz, ListenBrainz feedback: 11 entries",
        "matched: 2 by MusicBrainz id, 3 by name (1 dislike, 4 listen)",
        "4 stored, 1 known before",
        "ambiguous: 1, not stored",
        "  1 × Fay - Take",
        "missing from the catalog: 3",
        "  2 × Nobody - Missing",
        "  1 × Nobody - Gone, too",
        "left out: 1: feedback that was taken back",
        "broken: 1",
        "  listens/2023/11.jsonl line 9: not JSON",
    ]


def test_how_long_it_was_heard_decides_what_it_was(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter(range(10))
    records = [
        spotify(
            "Song",
            master_metadata_album_artist_name="The Adas",
            ts=f"2023-11-14T22:13:0{next(times)}Z",
            **changes,
        )
        for changes in (
            {"ms_played": 170_000},
            {"ms_played": 5_000},
            {"ms_played": 60_000, "skipped": True},
            {"ms_played": 100_000, "skipped": True},
        )
    ]
    history = tmp_path / "history"
    history.write_text(json.dumps(records))
    assert report(capsys, history, data)["kinds"] == {"listen": 2, "skip": 2}


def test_a_file_of_no_known_format_is_bad_data(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = tmp_path / "history"
    history.write_text("hello")
    assert imported(history, data) == 65
    message = capsys.readouterr().err
    for name in ("ListenBrainz", "Spotify", "Maloja", "Last.fm", "Audioscrobbler"):
        assert name in message
    assert not list(data.glob("listeners.db*"))


def test_what_is_not_there_is_named(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported(tmp_path / "none", data) == 1
    assert "none" in capsys.readouterr().err
    assert imported(known_answers(tmp_path), tmp_path / "nothing") == 1
    assert "holds no published index" in capsys.readouterr().err
    assert imported(known_answers(tmp_path), data, "--space", "other") == 2
    assert "space=other is not served" in capsys.readouterr().err


def test_another_space_has_a_catalog_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    publish_entries(data, CATALOG)
    publish_beside(data, CATALOG[:2])
    history = known_answers(tmp_path)
    assert report(capsys, history, data, "--dry-run")["ambiguous"] == 1
    found = report(capsys, history, data, "--dry-run", "--space", "other")
    assert (found["ambiguous"], found["missing"]) == (0, 4)


def test_a_damaged_catalog_is_bad_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    name = publish_entries(data, CATALOG)
    path = data / "generations" / name / "catalog.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Fay", b"May"))
    assert imported(known_answers(tmp_path), data) == 65


def test_names_that_move_a_terminals_cursor_are_printed_harmless(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "history"
    zipped(file, {"\x1b[2J.jsonl": json.dumps(listen("[red]\x1b[31m")) + "\noops"})
    assert imported(file, data) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_names_that_are_played_often_are_kept_when_there_are_too_many() -> None:
    plays = Plays(10)
    for number in range(1_000):
        plays.add(Name("Ada", f"Rare {number}", "", ""))
        plays.add(Name("Ada", "Often", "", ""))
    assert plays.total == 2_000
    assert plays.is_cut
    assert plays.most_played()[0][0].title == "Often"
    assert len(plays.most_played()) <= 10
