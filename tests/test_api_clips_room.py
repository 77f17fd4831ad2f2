"""Room for clips: what is left behind, how many at once, and whose vectors they become."""

import os
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from api import uploads
from api.clips import ClipEmbedder
from recommender.errors import SilentAudioError
from tests.fakes import FakeClipEmbedder, service, slug_of

FILE = {"file": ("clip.wav", b"sound")}
HEAD = b"""POST /similar/clip HTTP/1.1\r
Host: localhost\r
Content-Length: 90000\r
Content-Type: multipart/form-data; boundary=B\r
\r
--B\r
Content-Disposition: form-data; name="file"; filename="a"\r
\r
"""


def test_a_client_that_leaves_leaves_nothing_behind(data_dir: Path, spool: Path) -> None:
    embedder = FakeClipEmbedder()
    with service(data_dir, embedder) as client:
        address = (client.base_url.host, client.base_url.port or 0)
        for _ in range(5):
            with socket.create_connection(address) as connection:
                connection.sendall(HEAD + bytes(50_000))
                while not list(spool.glob("*/*")):
                    time.sleep(0.01)
            while list(spool.iterdir()):
                time.sleep(0.01)
    assert embedder.heard == []


def test_left_overs_are_swept_but_not_what_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    old, new, foreign = (spool / name for name in ("soundalike-clip-o", "soundalike-clip-n", "x"))
    for folder in (old, new, foreign):
        folder.mkdir()
        (folder / "clip").touch()
    kept = tmp_path / "kept"
    kept.mkdir()
    (spool / "soundalike-clip-link").symlink_to(kept)
    for folder in (old, foreign, kept):
        os.utime(folder, (0, 0))
    uploads.sweep_left_overs()
    left = sorted(path.name for path in spool.iterdir())
    assert left == ["soundalike-clip-link", "soundalike-clip-n", "x"]
    assert kept.is_dir()


def test_a_full_disk_is_the_services_trouble(
    data_dir: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: BinaryIO, piece: bytes) -> None:
        with Path("/dev/full").open("wb", buffering=0) as device:
            write(device, piece)

    write = uploads._write
    monkeypatch.setattr(uploads, "_write", full)
    with service(data_dir, FakeClipEmbedder()) as client:
        answer = client.post("/similar/clip", files=FILE)
    assert (answer.status_code, slug_of(answer)) == (503, "overloaded")
    assert list(spool.iterdir()) == []


# too many at once


class NarrowEmbedder(FakeClipEmbedder):
    """Takes one clip at a time."""

    slot = ClipEmbedder.slot

    def __init__(self) -> None:
        super().__init__()
        self._slots = threading.BoundedSemaphore(1)


def test_only_so_many_clips_are_handled_at_once(data_dir: Path, spool: Path) -> None:
    embedder = NarrowEmbedder()
    with service(data_dir, embedder) as client:
        with embedder.slot():
            answer = client.post("/similar/clip", files=FILE)
            assert (answer.status_code, slug_of(answer)) == (503, "overloaded")
            assert int(answer.headers["retry-after"]) > 0
            assert client.get("/similar", params={"track_id": "a0"}).status_code == 200
        assert client.post("/similar/clip", files=FILE).status_code == 200
        embedder.error = SilentAudioError("silent")
        assert client.post("/similar/clip", files=FILE).status_code == 422
        embedder.error = None
        assert client.post("/similar/clip", files=FILE).status_code == 200


def test_slow_uploads_keep_nobody_from_being_heard(data_dir: Path, spool: Path) -> None:
    with service(data_dir, NarrowEmbedder()) as client:
        address = (client.base_url.host, client.base_url.port or 0)
        with socket.create_connection(address) as slow:
            slow.sendall(HEAD + b"a little")
            while not list(spool.glob("*/*")):
                time.sleep(0.01)
            assert client.post("/similar/clip", files=FILE).status_code == 200


def test_only_so_many_uploads_are_taken_at_once(
    data_dir: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = NarrowEmbedder()
    embedder._uploads = threading.BoundedSemaphore(1)
    monkeypatch.setattr(NarrowEmbedder, "receiving", ClipEmbedder.receiving)
    with service(data_dir, embedder) as client:
        with embedder.receiving():
            answer = client.post("/similar/clip", files=FILE)
        assert (answer.status_code, slug_of(answer)) == (503, "overloaded")
        assert client.post("/similar/clip", files=FILE).status_code == 200


# other embedders


def test_clips_need_the_embedder_of_the_index(data_dir: Path, spool: Path) -> None:
    with service(data_dir) as client:
        answer = client.post("/similar/clip", files=FILE)
        assert (answer.status_code, slug_of(answer)) == (503, "embedder-mismatch")
        assert client.get("/similar", params={"track_id": "a0"}).status_code == 200
