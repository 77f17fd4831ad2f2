"""Histories that were cut, damaged, or made to do harm: counted, refused, and never a traceback."""

import json
import random
import struct
import tracemalloc
import zipfile
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import history_archive
from recommender.errors import HistoryError
from recommender.history import History
from recommender.history_entries import Broken, HistoryEntry, Item, LeftOut, format_of
from recommender.history_records import RECORD_CHARACTERS
from tests.test_history import FROM_LISTENBRAINZ, FROM_SPOTIFY, NOW, listen, read, spotify, zipped


def saved(folder: Path, content: str | bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def n_broken(items: list[Item]) -> int:
    return sum(isinstance(item, Broken) for item in items)


DEEP = 100_000 * '{"a":'
HARM = [
    DEEP,
    DEEP.replace("a", "ts"),
    DEEP + "1" + 100_000 * "}",
    100_000 * "[",
    "{oops}",
    '{"ts": 1',
    "}",
    '{"ts": "' + "x" * (2 * RECORD_CHARACTERS) + '"}',
    '{"ts": ' + "9" * 5_000 + "}",
    "null",
]


@pytest.mark.parametrize("harm", HARM, ids=range(len(HARM)))
def test_an_array_is_read_on_behind_what_is_broken(tmp_path: Path, harm: str) -> None:
    good = json.dumps(spotify(), indent=1)
    items = read(saved(tmp_path, f"[{good},\n{harm},\n{good},\n{good}]"))
    assert items[0] == items[-1] == FROM_SPOTIFY
    assert items.count(FROM_SPOTIFY) == 3
    assert n_broken(items) == 1


@pytest.mark.parametrize("harm", HARM, ids=range(len(HARM)))
def test_lines_are_read_on_behind_what_is_broken(tmp_path: Path, harm: str) -> None:
    good = json.dumps(listen())
    items = read(saved(tmp_path, f"{good}\n{harm}\n{harm}\n{good}\n"))
    assert items.count(FROM_LISTENBRAINZ) == 2
    assert n_broken(items) == 2


def test_objects_inside_a_broken_entry_are_not_taken_for_entries(tmp_path: Path) -> None:
    good = json.dumps(listen())
    text = f"[{good},{good.replace('1700000000', 'oops')},{good}]"
    assert n_broken(read(saved(tmp_path, text))) == 1


def test_a_download_that_was_cut_gives_what_came(tmp_path: Path) -> None:
    whole = json.dumps([spotify()] * 3)
    items = read(saved(tmp_path, whole[:-50]))
    assert items[:2] == 2 * [FROM_SPOTIFY]
    assert n_broken(items) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_are_told(tmp_path: Path, encoding: str, end: str) -> None:
    text = f"artist,track,uts{end}Björk,Jóga,1700000000{end}"
    [entry] = read(saved(tmp_path, text.encode(encoding)))
    assert isinstance(entry, HistoryEntry)
    assert (entry.artist, entry.title) == ("Björk", "Jóga")


def test_bytes_of_no_encoding_and_nuls_stop_nothing(tmp_path: Path) -> None:
    good = b"Ada,Album,Song,14 Nov 2023 22:13\n"
    bad = b"A\xffda,Al\0bum,So\x81ng,14 Nov 2023 22:13\n"
    items = read(saved(tmp_path, good + bad + b"\0\0\n" + good))
    assert len(items) == 3
    assert items[0] == items[2]


def test_a_line_without_an_end_is_broken_once(tmp_path: Path) -> None:
    good = "Ada,Album,Song,14 Nov 2023 22:13\n"
    items = read(saved(tmp_path, good + "x" * (3 * RECORD_CHARACTERS) + "\n" + good))
    assert [isinstance(item, Broken) for item in items] == [False, True, False]


def test_memory_does_not_grow_with_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    good = json.dumps(spotify())

    def peak(n_entries: int) -> int:
        with path.open("w") as file:
            file.write("[")
            file.writelines(chain(repeat(good + ",", n_entries - 1), [good + "]"]))
        tracemalloc.start()
        with History.open(path, NOW) as history:
            assert sum(item == FROM_SPOTIFY for item in history) == n_entries
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(20_000) < 1.1 * peak(5_000)


def test_an_archive_that_would_unpack_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "bomb", {"a.jsonl": json.dumps(listen()) + "\n" + " " * 100_000})
    assert read(path) == [FROM_LISTENBRAINZ]
    monkeypatch.setattr(history_archive, "MAX_BYTES", 100_000)
    with pytest.raises(HistoryError, match=r"more than .* unpack it"):
        read(path)


def test_an_archive_of_too_many_files_is_refused_before_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "many", {f"{i}.jsonl": "" for i in range(20)})
    monkeypatch.setattr(history_archive, "MAX_MEMBERS", 10)
    with pytest.raises(HistoryError, match="20 files"):
        read(path)
    monkeypatch.setattr(history_archive, "_LIST_BYTES", 100)
    with pytest.raises(HistoryError, match="too many files"):
        read(path)


def test_a_member_that_says_it_is_smaller_than_it_is_is_not_unpacked(tmp_path: Path) -> None:
    good = json.dumps(listen()) + "\n"
    path = zipped(tmp_path / "liar", {"a.jsonl": good * 1000})
    content = bytearray(path.read_bytes())
    for at in (22, content.rfind(b"PK\x01\x02") + 24):
        content[at : at + 4] = struct.pack("<L", 10 * len(good))
    path.write_bytes(content)
    assert read(path) == [Broken("a.jsonl from here", "the archive is damaged")]


def test_a_damaged_member_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    lines = "".join(json.dumps(listen(f"Song {i}")) + "\n" for i in range(5_000))
    path = tmp_path / "damaged"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.jsonl", lines)
        archive.writestr("b.jsonl", json.dumps(listen()))
    content = bytearray(path.read_bytes())
    content[500_000] ^= 1  # the checksum tells at the end
    path.write_bytes(content)
    items = read(path)
    assert items[-1] == FROM_LISTENBRAINZ
    assert Broken("a.jsonl from here", "the archive is damaged") in items


def test_an_encrypted_archive_is_no_history(tmp_path: Path) -> None:
    path = zipped(tmp_path / "locked", {"a.jsonl": json.dumps(listen())})
    content = bytearray(path.read_bytes())
    for at in (6, content.rfind(b"PK\x01\x02") + 8):
        content[at] |= 1
    path.write_bytes(content)
    with pytest.raises(HistoryError, match="no history that is known"):
        read(path)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
RECORDS: list[dict[str, Any]] = [
    listen(),
    listen()["track_metadata"],
    listen()["track_metadata"]["additional_info"] | {"duration": 1, "duration_played": 1},
    {"score": 1, "recording_mbid": "", "recording_msid": "", "created": 1, "track_metadata": {}},
    spotify(),
    {"endTime": "", "msPlayed": 1, "artistName": "Ada", "trackName": "Song"},
    {"time": 1, "track": {}, "duration": 1},
    {"artists": ["Ada"], "title": "Song", "album": {"albumtitle": "", "name": ""}, "length": 1},
]


@given(st.data())
def test_values_of_any_type_are_understood_or_broken(data: st.DataObject) -> None:
    record = dict(data.draw(st.sampled_from(RECORDS)))
    for name in data.draw(st.sets(st.sampled_from(sorted(record)), min_size=1)):
        record[name] = data.draw(ANYTHING)
    if "artist_name" in record:
        record = listen(track_metadata=record)
    elif "duration_ms" in record:
        record = listen(track_metadata={"additional_info": record})
    elif "artists" in record:
        record = {"time": 1_700_000_000, "track": record}
    known = format_of(record)
    assert known
    with suppress(ValueError):
        assert isinstance(known.entry(record), HistoryEntry | LeftOut)


def test_damaged_archives_and_files_never_fail_otherwise(tmp_path: Path) -> None:
    sound = zipped(tmp_path / "sound", {"a.jsonl": json.dumps(listen()), "b": "x"}).read_bytes()
    array = json.dumps([spotify(), spotify()]).encode()
    chance = random.Random(0)
    for number in range(600):
        content = bytearray(sound if number % 2 else array)
        for _ in range(chance.randrange(1, 6)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if number % 3 == 0:
            del content[chance.randrange(len(content)) :]
        try:
            items = read(saved(tmp_path, bytes(content)))
        except HistoryError:
            continue
        assert len(items) < 20
