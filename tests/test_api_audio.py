"""Audio over HTTP: ranges, validators, and files that are not what they were."""

import os
from pathlib import Path

import httpx
import pytest

from tests.builders import publish_entries
from tests.fakes import service, slug_of, small_catalog

AUDIO = "/tracks/a0/audio"
SOUND = bytes(range(256)) * 8


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    (folder / "a0.wav").write_bytes(SOUND)
    (folder / "a2.wav").symlink_to(folder / "a0.wav")
    os.mkfifo(folder / "a3.wav")
    return folder


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> Path:
    folder = tmp_path_factory.mktemp("data")
    publish_entries(folder, small_catalog(sounds))
    return folder


def test_audio_is_served_whole(client: httpx.Client) -> None:
    answer = client.get(AUDIO)
    assert (answer.status_code, answer.content) == (200, SOUND)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=2000-", 2000, 2047),
        ("bytes=-10", 2038, 2047),
        ("bytes=-99999", 0, 2047),
        ("bytes=2040-99999", 2040, 2047),
    ],
)
def test_a_range_of_audio(client: httpx.Client, asked: str, first: int, last: int) -> None:
    answer = client.get(AUDIO, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/2048"
    assert answer.content == SOUND[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=2048-", "bytes=9999-10000", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(client: httpx.Client, asked: str) -> None:
    answer = client.get(AUDIO, headers={"Range": asked})
    assert (answer.status_code, slug_of(answer)) == (416, "range-not-satisfiable")
    assert answer.headers["content-range"] == "bytes */2048"


@pytest.mark.parametrize(
    "asked",
    [
        "abc",
        "bytes=",
        "bytes=-",
        "bytes=5-1",
        "items=0-1",
        "bytes=0-1,3-4",
        "bytes=" + "0-," * 2000,
    ],
)
def test_what_is_no_single_range_gives_the_whole_file(client: httpx.Client, asked: str) -> None:
    answer = client.get(AUDIO, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, SOUND)


def test_audio_is_not_sent_again_while_it_is_the_same(client: httpx.Client) -> None:
    etag = client.get(AUDIO).headers["etag"]
    for condition in (etag, f'"other", W/{etag}', "*"):
        answer = client.get(AUDIO, headers={"If-None-Match": condition})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    assert client.get(AUDIO, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_range_of_another_version_is_not_mixed_in(client: httpx.Client) -> None:
    etag = client.get(AUDIO).headers["etag"]
    for condition, status in ((etag, 206), ('"other"', 200), (f"W/{etag}", 200)):
        answer = client.get(AUDIO, headers={"Range": "bytes=0-9", "If-Range": condition})
        assert answer.status_code == status


def test_head_tells_the_size_of_audio(client: httpx.Client) -> None:
    answer = client.head(AUDIO, headers={"Range": "bytes=0-99"})
    assert (answer.status_code, answer.content) == (206, b"")
    assert answer.headers["content-length"] == "100"


@pytest.mark.parametrize("track_id", ["a1", "a2", "a3"], ids=["gone", "symlink", "fifo"])
def test_audio_that_is_no_regular_file_is_not_served(client: httpx.Client, track_id: str) -> None:
    answer = client.get(f"/tracks/{track_id}/audio")
    assert (answer.status_code, slug_of(answer)) == (404, "audio-unavailable")


@pytest.mark.parametrize(
    "path", ["..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "a0.wav", ".", "a0%00", "%5c..%5ca0"]
)
def test_no_file_is_reached_by_name(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/tracks/{path}/audio")
    assert answer.status_code in (404, 422)
    slug_of(answer)


def test_an_operator_may_keep_audio_back(data_dir: Path) -> None:
    with service(data_dir, serve_audio=False) as client:
        answer = client.get(AUDIO)
        assert (answer.status_code, slug_of(answer)) == (404, "audio-unavailable")
        assert client.get("/index").json()["audio"] is False


def test_callers_can_know_beforehand_that_audio_is_given(client: httpx.Client) -> None:
    assert client.get("/index").json()["audio"] is True
