"""Uploading clips: what gets in, what stays out, and that nothing stays behind."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from recommender.errors import (
    ChildFailedError,
    RemoteEmbedderError,
    SilentAudioError,
    SpaceMismatchError,
    UnsupportedAudioError,
    WeightsError,
)
from tests.fakes import FakeClipEmbedder, service, slug_of

MAX_CLIP_BYTES = 100_000
SOUND = b"\r\n--not-the-boundary\r\n" * 100
FILE = {"file": ("../../etc/clip.wav", SOUND)}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}
DISPOSITION = b'Content-Disposition: form-data; name="file"; filename="a"\r\n'


@pytest.fixture(scope="module")
def shared_embedder() -> FakeClipEmbedder:
    return FakeClipEmbedder()


@pytest.fixture(scope="module")
def client(
    data_dir: Path, shared_embedder: FakeClipEmbedder, spool: Path
) -> Iterator[httpx.Client]:
    with service(data_dir, shared_embedder, max_clip_bytes=MAX_CLIP_BYTES) as client:
        yield client


@pytest.fixture
def embedder(shared_embedder: FakeClipEmbedder) -> FakeClipEmbedder:
    """What the client's clips are heard by, as if it were new."""
    shared_embedder.error = None
    shared_embedder.heard.clear()
    return shared_embedder


def multipart(*parts: bytes, end: bytes = b"--B--\r\n") -> bytes:
    return b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + end


# what gets in


def test_a_clip_is_answered_like_a_track(client: httpx.Client) -> None:
    answer = client.post("/similar/clip", files=FILE, params={"limit": 2, "exclude_id": "a0"})
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"query", "generation", "space", "matches", "warnings"}
    assert [match["track"]["id"] for match in body["matches"]] == ["a1", "a2"]
    assert body["query"]["limit"] == 2
    assert "clip.wav" not in answer.text


def test_a_clip_is_kept_privately_and_only_meanwhile(
    client: httpx.Client, embedder: FakeClipEmbedder, spool: Path
) -> None:
    client.post("/similar/clip", files=FILE)
    ((path, content, mode),) = embedder.heard
    assert (content, mode) == (SOUND, 0o700)
    assert path.parent.parent == spool
    assert list(spool.iterdir()) == []


def test_a_clip_may_be_as_large_as_the_limit(
    client: httpx.Client, embedder: FakeClipEmbedder
) -> None:
    files = {"file": ("a", bytes(MAX_CLIP_BYTES))}
    assert client.post("/similar/clip", files=files).status_code == 200
    assert len(embedder.heard[0][1]) == MAX_CLIP_BYTES


# what stays out


@pytest.mark.parametrize("excess", [1, 200_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_larger_clip_is_refused(
    client: httpx.Client, embedder: FakeClipEmbedder, spool: Path, excess: int, chunked: bool
) -> None:
    body = multipart(DISPOSITION + b"\r\n" + bytes(MAX_CLIP_BYTES + excess))
    content = (body[i : i + 10_000] for i in range(0, len(body), 10_000)) if chunked else body
    answer = client.post("/similar/clip", content=content, headers=MULTIPART)
    assert (answer.status_code, slug_of(answer)) == (413, "payload-too-large")
    assert embedder.heard == []
    assert list(spool.iterdir()) == []


ANOTHER = b'Content-Disposition: form-data; name="limit"\r\n\r\n5'
NAMELESS = b"Content-Type: audio/wav\r\n\r\nsound"
TEXT = b'Content-Disposition: form-data; name="file"\r\n\r\nsound'
WHOLE = DISPOSITION + b"\r\nsound"
EMPTY = DISPOSITION + b"\r\n"


@pytest.mark.parametrize(
    "body",
    [
        multipart(ANOTHER),
        multipart(WHOLE, ANOTHER),
        multipart(ANOTHER, WHOLE),
        multipart(WHOLE, WHOLE),
        multipart(NAMELESS),
        multipart(TEXT),
        multipart(EMPTY),
        multipart(DISPOSITION.replace(b"file", b"f\xff\x00le", 1) + b"\r\nsound"),
    ],
)
def test_anything_but_one_file_is_refused(
    client: httpx.Client, embedder: FakeClipEmbedder, spool: Path, body: bytes
) -> None:
    answer = client.post("/similar/clip", content=body, headers=MULTIPART)
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert embedder.heard == []
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", multipart(WHOLE)),
        ("multipart/form-data; boundary=", multipart(WHOLE)),
        ("multipart/form-data; boundary=" + "B" * 5000, multipart(WHOLE)),
        ("multipart/form-data; boundary=X", multipart(WHOLE)),
        ("multipart/form-data; boundary=B", multipart(WHOLE, end=b"")),
        ("multipart/form-data; boundary=B", multipart(WHOLE)[:-6]),
        ("multipart/form-data; boundary=B", b""),
        ("multipart/form-data; boundary=B", b"--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\n" + b"x" * 70_000),
        ("multipart/form-data; boundary=B", multipart(b"A: b\r\n" * 1000 + WHOLE)),
        ("multipart/form-data; boundary=B", b"\x00" * 1000),
    ],
)
def test_a_malformed_body_is_refused(
    client: httpx.Client, embedder: FakeClipEmbedder, spool: Path, content_type: str, body: bytes
) -> None:
    headers = {"Content-Type": content_type}
    answer = client.post("/similar/clip", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    slug_of(answer)
    assert embedder.heard == []
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize(
    "content_type", ["", "audio/wav", "application/x-www-form-urlencoded", "multipart/mixed"]
)
def test_a_clip_must_come_as_a_form(client: httpx.Client, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = client.post("/similar/clip", content=SOUND, headers=headers)
    assert (answer.status_code, slug_of(answer)) == (415, "unsupported-media")


def test_bad_options_are_refused_before_the_clip_is_read(
    client: httpx.Client, embedder: FakeClipEmbedder
) -> None:
    answer = client.post("/similar/clip", files=FILE, params={"limit": 0})
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert embedder.heard == []


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (UnsupportedAudioError("format=None"), 415, "unsupported-media"),
        (SilentAudioError("silent"), 422, "silent-audio"),
        (ChildFailedError("raised OSError: /nowhere"), 422, "decoder-crashed"),
        (WeightsError("weights=/nowhere"), 503, "weights-unavailable"),
        (RemoteEmbedderError("max_url=http://max"), 503, "embedder-unavailable"),
        (SpaceMismatchError("space"), 503, "embedder-mismatch"),
        (RuntimeError("/nowhere"), 500, "internal"),
    ],
)
def test_a_clip_that_fails_says_why_and_is_deleted(
    client: httpx.Client,
    embedder: FakeClipEmbedder,
    spool: Path,
    error: Exception,
    status: int,
    slug: str,
) -> None:
    embedder.error = error
    answer = client.post("/similar/clip", files=FILE)
    assert (answer.status_code, slug_of(answer)) == (status, slug)
    assert list(spool.iterdir()) == []
