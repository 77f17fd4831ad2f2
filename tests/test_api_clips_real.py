"""Clips that are really decoded and embedded, in child processes, by musicnn."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from api.clips import LIMITS, ClipEmbedder
from api.problems import ProblemError
from recommender.analysis import embed_file, embeddings_from, identify_file, track_from
from recommender.arrays import FloatArray
from recommender.current import current_generation
from recommender.embedders import create_embedder
from recommender.embedding import DEFAULT_WINDOWS
from recommender.errors import SpaceMismatchError
from recommender.generation import open_generation, space_of
from recommender.library import Library
from recommender.publishing import publish
from recommender.records import FileState, Indexed
from recommender.sandbox import ChildPool
from recommender.space import Space
from tests.builders import LIBRARY_FILE
from tests.fakes import service, slug_of
from tests.music import tracks_in
from tests.signals import SAMPLE_RATE


@pytest.fixture(scope="module")
def published(rendered_music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered tracks, embedded and published."""
    data_dir = tmp_path_factory.mktemp("real")
    space = Space(create_embedder("musicnn").spec, DEFAULT_WINDOWS)
    with Library.open(data_dir / LIBRARY_FILE) as library:
        library.add_space(space)
        library.store([_indexed(path, space) for path in tracks_in(rendered_music)], space)
        publish(data_dir, library, space)
    return data_dir


def _indexed(file: Path, space: Space) -> Indexed:
    path, status = bytes(file), file.stat()
    state = FileState.of(status)
    answer = embed_file(path, state, space.listening)
    track = track_from(identify_file(path, state))
    return Indexed(path, state, track, embeddings_from(answer, space)[0])


@pytest.fixture(scope="module")
def real_client(published: Path) -> Iterator[httpx.Client]:
    with service(published, clip_workers=1) as client:
        yield client


def test_a_clip_of_a_catalogued_track_finds_that_track(
    real_client: httpx.Client, rendered_music: Path
) -> None:
    for path in tracks_in(rendered_music)[::4]:
        status = path.stat()
        state = FileState.of(status)
        expected = track_from(identify_file(bytes(path), state)).id
        answer = real_client.post("/similar/clip", files={"file": ("x", path.read_bytes())})
        assert answer.status_code == 200, answer.text
        first = answer.json()["matches"][0]
        assert first["track"]["id"] == expected
        assert first["similarity"] > 0.95


def wav(samples: FloatArray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format="WAV")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "status", "slug"),
    [
        (b"#EXTM3U\nfile:///etc/passwd\n", 415, "unsupported-media"),
        (b"ffconcat version 1.0\nfile secret.mp3\n", 415, "unsupported-media"),
        (wav(np.zeros(2 * SAMPLE_RATE, np.float32)), 422, "silent-audio"),
        (wav(np.ones(100, np.float32)), 422, "audio-too-short"),
        (b"fLaC" + bytes(1000), 422, "undecodable-audio"),
    ],
    ids=["playlist", "ffconcat", "silence", "short", "damaged"],
)
def test_a_recording_that_cannot_be_compared_says_why(
    real_client: httpx.Client, content: bytes, status: int, slug: str
) -> None:
    answer = real_client.post("/similar/clip", files={"file": ("clip.mp3", content)})
    assert (answer.status_code, slug_of(answer)) == (status, slug), answer.text


def test_clips_need_the_very_space_of_the_index(published: Path) -> None:
    manifest = open_generation(published, current_generation(published)).manifest
    assert space_of(manifest).id == manifest.space_id
    for changes in ({"space_id": "musicnn-0"}, {"space": manifest.space | {"n_windows": 3}}):
        with pytest.raises(SpaceMismatchError):
            space_of(replace(manifest, **changes))


class BusyPool(ChildPool):
    """Never has a free child."""

    def __init__(self) -> None:
        super().__init__(1, LIMITS, wait_seconds=0.01)
        self._idle.get()

    def close(self) -> None:
        self._idle.put(None)
        super().close()


def test_a_clip_that_finds_no_free_child_is_told_to_come_back(
    published: Path, tmp_path: Path
) -> None:
    manifest = open_generation(published, current_generation(published)).manifest
    pool = BusyPool()
    try:
        with pytest.raises(ProblemError) as raised:
            ClipEmbedder(pool).embed(tmp_path, manifest)
    finally:
        pool.close()
    assert raised.value.slug == "overloaded"
