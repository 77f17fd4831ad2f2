"""What is served: swapped without a gap, and never for something worse."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from recommender import live
from recommender.current import Served, make_current
from recommender.errors import IndexOutdatedError, IndexUnavailableError
from recommender.index.recipes import INDEX
from recommender.live import LiveRecommender
from recommender.questions import Options
from tests.builders import (
    as_before_neighbours_were_listed,
    entry,
    folder_of,
    publish_entries,
    random_entries,
)

SECONDS_TO_WAIT = 30


@pytest.fixture
def served(tmp_path: Path) -> Iterator[LiveRecommender]:
    follower = LiveRecommender(tmp_path, poll_seconds=0.01)
    yield follower
    follower.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def damage(data_dir: Path, name: str) -> None:
    path = folder_of(data_dir, name) / INDEX
    path.write_bytes(path.read_bytes()[:-1])


def name_of(follower: LiveRecommender) -> str:
    return follower.recommender.generation.manifest.generation


def test_before_anything_is_published_there_is_no_index(
    served: LiveRecommender, tmp_path: Path
) -> None:
    with pytest.raises(IndexUnavailableError, match="no index is published yet"):
        served.recommender  # noqa: B018
    served.refresh()
    with pytest.raises(IndexUnavailableError, match="reindex MUSIC_DIR"):
        served.recommender  # noqa: B018
    assert "reindex MUSIC_DIR" in served.problem


def test_what_is_published_is_served(served: LiveRecommender, tmp_path: Path) -> None:
    name = publish_entries(tmp_path, random_entries(5))
    served.refresh()
    assert (name_of(served), served.problem) == (name, "")


def test_a_new_generation_takes_the_place_of_the_old_one(
    served: LiveRecommender, tmp_path: Path
) -> None:
    publish_entries(tmp_path, random_entries(5))
    served.refresh()
    before = served.recommender
    name = publish_entries(tmp_path, random_entries(7))
    assert served.recommender is before
    served.refresh()
    assert (name_of(served), len(served.recommender.generation.index)) == (name, 7)
    assert len(before.similar("t000", Options()).matches) == 4


def test_looking_again_at_the_same_opens_nothing(served: LiveRecommender, tmp_path: Path) -> None:
    publish_entries(tmp_path, random_entries(5))
    served.refresh()
    before = served.recommender
    served.refresh()
    assert served.recommender is before


def test_a_damaged_new_generation_is_refused_and_the_old_one_stays(
    served: LiveRecommender, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = publish_entries(tmp_path, random_entries(5))
    served.refresh()
    bad = publish_entries(tmp_path, random_entries(7))
    damage(tmp_path, bad)
    with caplog.at_level(logging.ERROR):
        served.refresh()
        served.refresh()
    assert name_of(served) == old
    assert f"generation={bad} file={INDEX}" in served.problem
    assert [r.message for r in caplog.records if bad in r.message] == [caplog.records[0].message]
    good = publish_entries(tmp_path, random_entries(9))
    served.refresh()
    assert (name_of(served), served.problem) == (good, "")


def test_of_broken_generations_only_none_is_served_until_a_good_one_comes(
    served: LiveRecommender, tmp_path: Path
) -> None:
    for n_tracks in (3, 4):
        damage(tmp_path, publish_entries(tmp_path, random_entries(n_tracks)))
    served.refresh()
    with pytest.raises(IndexUnavailableError, match="missing or cut"):
        served.recommender  # noqa: B018
    good = publish_entries(tmp_path, random_entries(5))
    served.refresh()
    assert (name_of(served), served.problem) == (good, "")


def test_at_the_start_an_older_whole_generation_is_better_than_none(
    served: LiveRecommender, tmp_path: Path
) -> None:
    whole = publish_entries(tmp_path, random_entries(3))
    bad = publish_entries(tmp_path, random_entries(4))
    damage(tmp_path, bad)
    served.refresh()
    assert name_of(served) == whole
    assert bad in served.problem


def test_a_generation_that_is_gone_is_replaced_by_an_older_one(
    served: LiveRecommender, tmp_path: Path
) -> None:
    whole = publish_entries(tmp_path, random_entries(3))
    make_current(tmp_path, Served("20990101T000000Z-00000000"))
    served.refresh()
    assert name_of(served) == whole
    assert "20990101T000000Z-00000000" in served.problem


def test_a_generation_of_an_earlier_version_is_refused_with_what_mends_it(
    served: LiveRecommender, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    older, old = (publish_entries(tmp_path, random_entries(n)) for n in (3, 4))
    for name in (older, old):
        as_before_neighbours_were_listed(folder_of(tmp_path, name))
    # as before spaces had names
    (tmp_path / "CURRENT").write_text(f"{old}\n")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            served.refresh()
    command = f"reindex MUSIC_DIR --embedder fake --data-dir {tmp_path} "
    logged = [record.getMessage() for record in caplog.records]
    assert [text.split(": ")[0] for text in logged] == [
        f"refused generation={name}" for name in (old, older)
    ]
    assert all("made by an earlier version" in text and command in text for text in logged)
    with pytest.raises(IndexOutdatedError, match=r"^the index was made by an earlier") as refused:
        served.recommender  # noqa: B018
    assert "reindex MUSIC_DIR --embedder fake --data-dir DATA_DIR" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)
    new = publish_entries(tmp_path, random_entries(4))
    served.refresh()
    assert (name_of(served), served.problem) == (new, "")


def test_what_is_wrong_is_logged_once_while_a_disk_is_asked_again(
    served: LiveRecommender,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish_entries(tmp_path, random_entries(3))

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no answer from the disk")

    for _ in range(2):
        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
            patch.setattr(live, "open_generation", fail)
            for _ in range(3):
                served.refresh()
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        caplog.clear()
        served.refresh()
        assert served.problem == ""
        make_current(tmp_path, Served(publish_entries(tmp_path, random_entries(4))))


def test_what_is_wrong_with_current_is_logged_once(
    served: LiveRecommender, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        served.refresh()
    assert [record.getMessage()[:27] for record in caplog.records] == [
        "the index cannot be served:"
    ]


def test_going_back_to_an_older_generation_is_followed(
    served: LiveRecommender, tmp_path: Path
) -> None:
    old = publish_entries(tmp_path, random_entries(3))
    publish_entries(tmp_path, random_entries(4))
    served.refresh()
    make_current(tmp_path, Served(old))
    served.refresh()
    assert (name_of(served), served.problem) == (old, "")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xff", b"../../etc"])
def test_without_a_readable_current_the_old_one_stays(
    served: LiveRecommender, tmp_path: Path, content: bytes | None
) -> None:
    name = publish_entries(tmp_path, random_entries(3))
    served.refresh()
    (tmp_path / "CURRENT").unlink()
    if content is not None:
        (tmp_path / "CURRENT").write_bytes(content)
    served.refresh()
    assert name_of(served) == name
    assert served.problem != ""
    make_current(tmp_path, Served(name))
    served.refresh()
    assert (name_of(served), served.problem) == (name, "")


def test_a_new_generation_is_found_in_the_background(
    served: LiveRecommender, tmp_path: Path
) -> None:
    publish_entries(tmp_path, random_entries(3))
    served.start()
    name = publish_entries(tmp_path, random_entries(4))
    wait_until(lambda: name_of(served) == name)


def test_an_error_that_nobody_foresaw_does_not_end_the_following(
    served: LiveRecommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_entries(tmp_path, random_entries(3))
    served.start()
    failed = threading.Event()

    def fail(data_dir: Path) -> str:
        failed.set()
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(live, "served", fail)
        assert failed.wait(SECONDS_TO_WAIT)
    name = publish_entries(tmp_path, random_entries(4))
    wait_until(lambda: name_of(served) == name)


def test_it_stops_also_when_it_never_started(tmp_path: Path) -> None:
    LiveRecommender(tmp_path, poll_seconds=60).stop()


def test_stopping_does_not_wait_for_the_next_look(tmp_path: Path) -> None:
    follower = LiveRecommender(tmp_path, poll_seconds=3600)
    follower.start()
    follower.stop()
    follower.stop()


def test_no_answer_mixes_two_generations(served: LiveRecommender, tmp_path: Path) -> None:
    names = {}
    for album in ("one", "two"):
        tracks = [
            entry(f"{album}{i}", [1, i / 9, 0, 0], title=album, artist=str(i)) for i in range(9)
        ]
        names[publish_entries(tmp_path, tracks)] = album
    served.refresh()
    stop = threading.Event()

    def ask() -> int:
        asked = 0
        while not stop.is_set():
            recommender = served.recommender
            album = names[recommender.generation.manifest.generation]
            answer = recommender.similar(f"{album}0", Options(limit=5, max_per_artist=1))
            assert {m.track.metadata.title for m in answer.matches} == {album}
            assert names[answer.generation] == album
            asked += 1
        return asked

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(ask) for _ in range(4)]
        try:
            for name in [*names] * 20:
                make_current(tmp_path, Served(name))
                served.refresh()
        finally:
            stop.set()
        assert all(reader.result() > 0 for reader in readers)
