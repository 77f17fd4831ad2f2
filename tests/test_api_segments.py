"""Clips in time over HTTP: what is asked, what comes back, and where there are no segments."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import soundfile
from rich.console import Console

from api.schemas import AnswerJson, IndexJson
from indexer.reindex import reindex
from indexer.request import Request
from recommender.index.recipes import IndexOptions
from tests.builders import publish_beside
from tests.fakes import FakeClipEmbedder, ids_of, service, slug_of, small_catalog
from tests.music import tracks_in
from tests.segmented import N_WINDOWS, clip_of, published, store_segmented
from tests.test_api_answers import assert_is

FILE = {"file": ("clip.wav", b"sound")}
ENTRIES = small_catalog()


@pytest.fixture(scope="module")
def embedder() -> FakeClipEmbedder:
    """Hears c0 from its sixth second on, and as a whole a0."""
    fake = FakeClipEmbedder()
    fake.windows = clip_of(ENTRIES[6], 2)
    return fake


@pytest.fixture(scope="module")
def client(
    tmp_path_factory: pytest.TempPathFactory, embedder: FakeClipEmbedder
) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("data")
    store_segmented(folder, ENTRIES)
    published(folder)
    publish_beside(folder, ENTRIES)
    with service(folder, embedder) as client:
        yield client


def asked(client: httpx.Client, **query: str) -> httpx.Response:
    return client.post("/similar/clip", files=FILE, params=query)


@pytest.mark.parametrize("query", [{}, {"by": "segments"}])
def test_a_match_says_where_it_holds_the_clip(client: httpx.Client, query: dict[str, str]) -> None:
    answer = asked(client, **query)
    assert_is(AnswerJson, answer)
    first = answer.json()["matches"][0]
    assert first["track"]["id"] == "c0"
    segment = first["why"]["segment"]
    assert (segment["start_seconds"], segment["end_seconds"]) == (6.0, 18.0)
    assert segment["similarity"] == first["similarity"] > 0.99
    assert segment["same_recording"] is True
    assert {"by": "segments"}.items() >= {
        name: value for name, value in answer.json()["query"].items() if name == "by"
    }.items()


def test_tracks_can_be_compared_as_a_whole(client: httpx.Client) -> None:
    answer = asked(client, by="tracks")
    assert_is(AnswerJson, answer)
    assert ids_of(answer)[0] == "a0"
    assert all("segment" not in match["why"] for match in answer.json()["matches"])


def test_several_spaces_together_compare_as_a_whole(client: httpx.Client) -> None:
    answer = asked(client, space="fake+other:layer=last")
    assert_is(AnswerJson, answer)
    assert all("segment" not in match["why"] for match in answer.json()["matches"])


@pytest.mark.parametrize("space", ["other", "fake+other"])
def test_segments_that_are_not_there_cannot_be_asked_for(client: httpx.Client, space: str) -> None:
    answer = asked(client, by="segments", space=space)
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert "reindex --segments" in answer.json()["detail"]
    assert asked(client, by="moments").status_code == 422


def test_other_forms_of_an_answer_are_as_ever(client: httpx.Client) -> None:
    answer = asked(client, format="m3u8")
    assert answer.text.startswith("#EXTM3U")


def test_the_index_says_which_windows_there_are(client: httpx.Client) -> None:
    answer = client.get("/index")
    assert_is(IndexJson, answer)
    segments = answer.json()["segments"]
    assert (segments["n_windows"], segments["n_tracks"]) == (8 * N_WINDOWS, 8)
    assert (segments["step_seconds"], segments["kind"]) == (3.0, "flat-fp16")
    assert segments["bytes"] > 8 * N_WINDOWS * 16
    assert [space["segments"] is None for space in answer.json()["spaces"]] == [False, True]


def test_without_segments_nothing_is_heard_in_time(data_dir: Path) -> None:
    with service(data_dir, FakeClipEmbedder()) as client:
        answer = asked(client)
        assert_is(AnswerJson, answer)
        assert client.get("/index").json()["segments"] is None


def test_a_clip_is_really_heard_window_by_window(rendered_music: Path, tmp_path: Path) -> None:
    options = IndexOptions(segments=True)
    request = Request((os.fsencode(rendered_music),), tmp_path, "mfcc", 12, 1, index=options)
    reindex(request, Console(file=io.StringIO()))
    path = tracks_in(rendered_music)[4]
    samples, rate = soundfile.read(path)
    clip = io.BytesIO()
    soundfile.write(clip, samples[round(0.5 * rate) : 5 * rate], rate, format="WAV")
    with service(tmp_path, clip_workers=1) as client:
        answer = client.post("/similar/clip", files={"file": clip.getvalue()})
    assert_is(AnswerJson, answer)
    first = answer.json()["matches"][0]
    assert first["track"]["title"] == soundfile.SoundFile(path).title
    assert abs(first["why"]["segment"]["start_seconds"] - 0.5) <= 1.0
    assert first["why"]["segment"]["end_seconds"] <= 5.1
