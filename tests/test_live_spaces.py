"""Several spaces while they are served: each stands in for itself alone."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recommender.current import served
from recommender.errors import IndexOutdatedError, IndexUnavailableError, SpaceUnavailableError
from recommender.index.recipes import INDEX
from recommender.live import LiveRecommender
from recommender.manifest import MANIFEST
from recommender.questions import Options
from recommender.served import stop_serving
from tests.builders import (
    as_before_neighbours_were_listed,
    folder_of,
    publish_beside,
    publish_entries,
    random_entries,
)

TRACKS = random_entries(12)
EMBEDDERS = ["fake", "other:layer=last"]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveRecommender]:
    follower = LiveRecommender(tmp_path, poll_seconds=0.01)
    yield follower
    follower.stop()


def sizes(live: LiveRecommender) -> dict[str, int | None]:
    return {
        slot.embedder: len(slot.recommender.generation.track_ids) if slot.recommender else None
        for slot in live.spaces.slots
    }


def damage(data_dir: Path, place: int, file: str) -> None:
    (folder_of(data_dir, served(data_dir)[place].generation) / file).write_bytes(b"{}")


@pytest.mark.parametrize("file", [MANIFEST, INDEX])
@pytest.mark.parametrize("place", [0, 1])
def test_an_older_generation_of_the_same_space_stands_in(
    live: LiveRecommender, tmp_path: Path, place: int, file: str
) -> None:
    publish_entries(tmp_path, TRACKS[:5])
    publish_beside(tmp_path, TRACKS[:5])
    for publish in (publish_beside, publish_entries)[:: 1 if place == 0 else -1]:
        publish(tmp_path, TRACKS)
    damage(tmp_path, place, file)
    live.refresh()
    expected = dict.fromkeys(EMBEDDERS, 12) | {EMBEDDERS[place]: 5}
    assert sizes(live) == expected
    assert live.refused == (EMBEDDERS[place],)


@pytest.mark.parametrize("place", [0, 1])
def test_what_was_served_stands_in_while_it_runs(
    live: LiveRecommender, tmp_path: Path, place: int
) -> None:
    publish_entries(tmp_path, TRACKS[:7])
    publish_beside(tmp_path, TRACKS[:7])
    live.refresh()
    before = live.spaces.slots[place].recommender
    publish_beside(tmp_path, TRACKS)
    publish_entries(tmp_path, TRACKS)
    damage(tmp_path, place, MANIFEST)
    live.refresh()
    assert live.spaces.slots[place].recommender is before
    assert sizes(live)[EMBEDDERS[1 - place]] == 12


def test_without_an_older_one_a_space_does_not_answer_and_the_others_do(
    live: LiveRecommender, tmp_path: Path
) -> None:
    publish_entries(tmp_path, TRACKS)
    publish_beside(tmp_path, TRACKS)
    damage(tmp_path, 0, MANIFEST)
    live.refresh()
    assert sizes(live) == {"fake": None, "other:layer=last": 12}
    with pytest.raises(SpaceUnavailableError):
        live.recommender  # noqa: B018
    answer = live.spaces.choose("other").similar("t000", Options())
    assert len(answer.matches) == 10
    damage(tmp_path, 1, INDEX)
    restarted = LiveRecommender(tmp_path, poll_seconds=60)
    restarted.refresh()
    with pytest.raises(IndexUnavailableError, match=r"missing or cut"):
        restarted.spaces  # noqa: B018


def test_a_space_of_an_earlier_version_does_not_answer_and_says_why(
    live: LiveRecommender, tmp_path: Path
) -> None:
    publish_entries(tmp_path, TRACKS)
    publish_beside(tmp_path, TRACKS)
    as_before_neighbours_were_listed(folder_of(tmp_path, served(tmp_path)[1].generation))
    live.refresh()
    assert live.spaces.outdated == ["other:layer=last"]
    assert live.recommender.similar("t000", Options()).matches
    why = r"^the index of space=other:layer=last was made .* --embedder other:layer=last --data-dir"
    with pytest.raises(IndexOutdatedError, match=why):
        live.spaces.choose("other")


def test_a_space_that_is_no_longer_served_does_not_come_back(
    live: LiveRecommender, tmp_path: Path
) -> None:
    publish_entries(tmp_path, TRACKS)
    publish_beside(tmp_path, TRACKS)
    live.refresh()
    stop_serving(tmp_path, "fake")
    damage(tmp_path, 0, MANIFEST)
    live.refresh()
    assert sizes(live) == {"other:layer=last": 12}
    assert live.recommender.generation.manifest.space["embedder"]["name"] == "other:layer=last"


def test_no_fused_answer_mixes_two_publications(live: LiveRecommender, tmp_path: Path) -> None:
    publish_entries(tmp_path, TRACKS)
    publish_beside(tmp_path, TRACKS)
    live.refresh()
    stop, n_tracks = threading.Event(), set[tuple[int, int]]()

    def ask() -> int:
        asked = 0
        while not stop.is_set():
            ensemble = live.spaces.choose("fake+other")
            sizes = {len(member.generation.track_ids) for member in ensemble.members}
            answer = ensemble.similar("t000", Options(limit=100))
            n_tracks.add((len(sizes), len(answer.matches) - max(sizes)))
            asked += 1
        return asked

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(ask) for _ in range(3)]
        try:
            for count in (6, 12) * 5:
                publish_entries(tmp_path, TRACKS[:count])
                live.refresh()
        finally:
            stop.set()
        assert all(reader.result() > 0 for reader in readers)
    # one size of catalog in both spaces, and every other track of it in the answer
    assert n_tracks == {(1, -1)}
