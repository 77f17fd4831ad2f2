"""Histories of every format, with known answers; what is wrong with them is told, never fatal."""

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recommender.errors import HistoryError
from recommender.events import Kind
from recommender.history import History
from recommender.history_entries import Broken, HistoryEntry, Item, LeftOut

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MBID = "62c2e20a-559e-422f-a44c-9afa7882f0c4"
OTHER_MBID = "0e8a2d5c-1111-4222-8333-444455556666"
AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
SECONDS = 1_700_000_000

Save = Callable[[str | bytes], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Saves a file whose name says nothing."""

    def saved(content: str | bytes) -> Path:
        path = tmp_path / "file"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return saved


def read(path: Path) -> list[Item]:
    with History.open(path, NOW) as history:
        return list(history)


def listen(title: str = "Song", **changes: Any) -> dict[str, Any]:
    """A listen as ListenBrainz exports it."""
    return {
        "listened_at": SECONDS,
        "inserted_at": SECONDS + 5.5,
        "track_metadata": {
            "artist_name": "Ada",
            "track_name": title,
            "release_name": "Album",
            "recording_msid": OTHER_MBID,
            "additional_info": {"recording_mbid": MBID.upper(), "duration_ms": 200_500},
            "mbid_mapping": {
                "recording_mbid": OTHER_MBID,
                "artists": [{"artist_mbid": MBID}, {"artist_mbid": OTHER_MBID}],
            },
        },
        **changes,
    }


def spotify(title: str | None = "Song", **changes: Any) -> dict[str, Any]:
    """A stream as Spotify's extended history has it."""
    return {
        "ts": "2023-11-14T22:13:20Z",
        "ms_played": 180_500,
        "master_metadata_track_name": title,
        "master_metadata_album_artist_name": "Ada",
        "master_metadata_album_album_name": "Album",
        "spotify_track_uri": "spotify:track:1",
        "episode_name": None,
        "skipped": False,
        "incognito_mode": False,
        **changes,
    }


def zipped(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


FROM_LISTENBRAINZ = HistoryEntry(
    "Ada", "Song", "Album", AT, track_seconds=200.5, recording_mbids=(MBID, OTHER_MBID)
)
FROM_SPOTIFY = HistoryEntry("Ada", "Song", "Album", AT, seconds_played=180.5)


def test_an_export_of_listenbrainz_has_listens_and_feedback(tmp_path: Path) -> None:
    feedback = [
        {"recording_msid": None, "recording_mbid": MBID, "score": score, "created": SECONDS}
        for score in (1, -1, 0)
    ]
    path = zipped(
        tmp_path / "export",
        {
            "user.json": '{"user_id": 1, "username": "ada"}\n',
            "listens/2023/11.jsonl": json.dumps(listen()) + "\n",
            "listens/2023/12.jsonl": json.dumps(listen("Other")) + "\nnot JSON\n",
            "feedback.jsonl": "\n".join(map(json.dumps, feedback)),
        },
    )
    with History.open(path, NOW) as history:
        items = list(history)
        assert history.formats == ["ListenBrainz", "ListenBrainz feedback"]
        assert history.ignored == ["user.json"]
    assert items[0] == FROM_LISTENBRAINZ
    assert isinstance(items[1], HistoryEntry)
    assert items[1].title == "Other"
    assert items[2] == Broken("listens/2023/12.jsonl line 2", "not JSON")
    assert items[3:] == [
        HistoryEntry("", "", "", AT, Kind.LIKE, recording_mbids=(MBID,)),
        HistoryEntry("", "", "", AT, Kind.DISLIKE, recording_mbids=(MBID,)),
        LeftOut("feedback that was taken back"),
    ]


def test_listens_are_read_from_lines_and_from_an_array(save: Save) -> None:
    assert read(save(json.dumps(listen()) + "\r\n")) == [FROM_LISTENBRAINZ]
    assert read(save(json.dumps([listen(), listen()], indent=2))) == 2 * [FROM_LISTENBRAINZ]


def test_what_listenbrainz_knows_of_the_time_played_is_kept(save: Save) -> None:
    for more in ({"duration_played": 20}, {"ms_played": 20_000}):
        record = listen()
        record["track_metadata"]["additional_info"] = more
        [entry] = read(save(json.dumps(record)))
        assert isinstance(entry, HistoryEntry)
        assert entry.seconds_played == 20.0


def test_a_history_of_spotify_tells_skips_and_leaves_out_what_is_no_music(save: Save) -> None:
    records = [
        spotify(),
        spotify(skipped=True, ms_played=4_000),
        spotify(None, episode_name="Talk"),
        spotify(incognito_mode=True),
        spotify(ms_played=0),
    ]
    assert read(save(json.dumps(records))) == [
        FROM_SPOTIFY,
        HistoryEntry("Ada", "Song", "Album", AT, Kind.SKIP, seconds_played=4.0),
        LeftOut("podcast, audiobook or video"),
        LeftOut("private session"),
        LeftOut("not heard for a moment"),
    ]


def test_the_older_history_of_spotify_is_read(save: Save) -> None:
    record = {
        "endTime": "2023-11-14 22:13",
        "artistName": "Ada",
        "trackName": "Song",
        "msPlayed": 2500,
    }
    at = datetime(2023, 11, 14, 22, 13, tzinfo=UTC)
    assert read(save(json.dumps([record]))) == [
        HistoryEntry("Ada", "Song", "", at, seconds_played=2.5)
    ]


def test_spotifys_archive_is_read_whatever_its_files_are_called(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "my.data",
        {
            "Spotify/ReadMeFirst.pdf": b"%PDF-1.7\n\x00\xff",
            "Spotify/a.json": json.dumps([spotify()]),
            "Spotify/b.json": json.dumps([spotify()]),
            "Spotify/Playlist1.json": json.dumps({"playlists": []}),
        },
    )
    assert read(path) == 2 * [FROM_SPOTIFY]


def test_an_export_of_maloja_is_read_with_all_its_artists(save: Save) -> None:
    def scrobble(album: Any) -> dict[str, Any]:
        track = {"artists": ["Ada", "Björk"], "title": "Song", "album": album, "length": 200}
        return {"time": SECONDS, "track": track, "duration": 150, "origin": "client:x"}

    albums: list[Any] = [{"albumtitle": "Album", "artists": None}, {"name": "Album"}, "Album", None]
    export = {"maloja": {"export_time": SECONDS}, "scrobbles": [scrobble(a) for a in albums]}
    items = read(save(json.dumps(export, indent=3)))
    assert items[:3] == 3 * [HistoryEntry("Ada; Björk", "Song", "Album", AT, Kind.LISTEN, 150, 200)]
    assert items[3] == HistoryEntry("Ada; Björk", "Song", "", AT, Kind.LISTEN, 150, 200)


@pytest.mark.parametrize(
    "text",
    [
        'Ada,"Album","Song",14 Nov 2023 22:13\n',
        'Ada,Album,Song,"14 Nov 2023, 22:13"\n',
        "artist,album,track,date\nAda,Album,Song,2023-11-14T22:13:00Z\n",
        "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
        f'"1699999980","14 Nov 2023, 22:13","Ada","","Album","{MBID}","Song",""\n',
        "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
        ',"14 Nov 2023, 22:13","Ada","","Album","","Song",""\n',
        'Artist;Album;AlbumId;Track;Date#ada\n"Ada";"Album";"";"Song";"1699999980000"\n',
        "\ufeffArtist Name\tTrack Name\tAlbum\tTimestamp\r\nAda\tSong\tAlbum\t1699999980\r\n",
    ],
)
def test_tables_are_read_with_and_without_a_header(save: Save, text: str) -> None:
    at = datetime(2023, 11, 14, 22, 13, tzinfo=UTC)
    assert read(save(text)) == [HistoryEntry("Ada", "Song", "Album", at)]


def test_the_id_of_a_recording_is_read_from_a_table(save: Save) -> None:
    [entry] = read(save(f"uts,artist,track,track_mbid\n{SECONDS},Ada,Song,{MBID}\n"))
    assert entry == HistoryEntry("Ada", "Song", "", AT, recording_mbids=(MBID,))


def test_a_log_of_a_player_tells_listens_and_skips(save: Save) -> None:
    log = (
        "#AUDIOSCROBBLER/1.1\n#TZ/UNKNOWN\n#CLIENT/Rockbox h3xx 1.1\n"
        f"Ada\tAlbum\tSong\t1\t200\tL\t{SECONDS}\t{MBID}\n"
        f"Ada\t\tSong\t\t200\tS\t{SECONDS}\t\n"
        f"Ada\tAlbum\tSong\t1\t200\tL\t{SECONDS}\n"
        "Ada\tAlbum\tSong\t1\t200\tL\t0\n"
        f"Ada\tAlbum\tSong\t1\t200\tX\t{SECONDS}\n"
        "Ada\tAlbum\n"
    )
    assert read(save(log)) == [
        HistoryEntry("Ada", "Song", "Album", AT, track_seconds=200, recording_mbids=(MBID,)),
        HistoryEntry("Ada", "Song", "", AT, Kind.SKIP, track_seconds=200),
        HistoryEntry("Ada", "Song", "Album", AT, track_seconds=200),
        Broken("line 7", "a time before 1990: the clock was not set"),
        Broken("line 8", "a rating is neither L nor S"),
        Broken("line 9", "not 8 columns"),
    ]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"listened_at": None}, "no time that can be understood"),
        ({"listened_at": "soon"}, "no time that can be understood"),
        ({"listened_at": True}, "no time that can be understood"),
        ({"listened_at": 10**30}, "no time that can be understood"),
        ({"listened_at": -5}, "no time that can be understood"),
        ({"listened_at": 5}, "a time before 1990: the clock was not set"),
        ({"listened_at": SECONDS + 10**9}, "a time that is yet to come"),
        ({"track_metadata": []}, "a field is not an object"),
        ({"track_metadata": {"artist_name": "Ada"}}, "neither artist and title nor a MusicBrainz"),
        ({"track_metadata": {"artist_name": 5, "track_name": "x"}}, "neither artist and title"),
        (
            {"track_metadata": {"additional_info": {"duration_ms": "long"}}},
            "a number is not one",
        ),
    ],
)
def test_an_entry_that_makes_no_sense_is_broken(
    save: Save, changes: dict[str, Any], why: str
) -> None:
    lines = [json.dumps(listen()), json.dumps(listen(**changes)), json.dumps(listen())]
    first, broken, last = read(save("\n".join(lines)))
    assert first == last == FROM_LISTENBRAINZ
    assert isinstance(broken, Broken)
    assert broken.place == "line 2"
    assert broken.why.startswith(why)


def test_rows_that_make_no_sense_are_broken_and_empty_lines_nothing(save: Save) -> None:
    text = (
        "artist,track,uts\n"
        f"Ada,Song,{SECONDS}\n"
        "\n"
        f'Ada,"Song,{SECONDS}\n'
        f"Ada,{SECONDS}\n"
        f",Song,{SECONDS}\n"
        "Ada,Song,\n"
        f"Ada,Song,{SECONDS}\n"
    )
    items = read(save(text))
    assert items[0] == items[-1] == HistoryEntry("Ada", "Song", "", AT)
    places = [item.place for item in items if isinstance(item, Broken)]
    assert places == ["line 4", "line 5", "line 6", "line 7"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 5000,
        b"[]",
        b"{}",
        b"[1, 2]",
        b"hello\nworld\n",
        b"a,b\n1,2\n",
        b"\xff\xfe",
        b"[",
    ],
)
def test_a_file_of_no_known_format_is_refused_with_the_names_of_those(
    save: Save, content: bytes
) -> None:
    with pytest.raises(HistoryError, match=r"file=.*ListenBrainz.*Spotify.*Maloja.*Last\.fm"):
        History.open(save(content), NOW)


def test_a_folder_is_no_history(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="is no file"):
        History.open(tmp_path, NOW)
    with pytest.raises(FileNotFoundError):
        History.open(tmp_path / "none", NOW)
