"""A service that really listens, over a tiny catalog that really is published."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.clips import ClipEmbedder
from api.dependencies import clip_embedder_of
from recommender.embedding import Embedding
from recommender.manifest import Manifest
from recommender.segments import ClipWindows
from recommender.settings import Settings
from tests.builders import Entry, embedding, entry, publish_entries
from tests.page_server import serving

TAGS = (0.6, 0.1, 0.8)


def small_catalog(directory: Path = Path("/nowhere")) -> list[Entry]:
    """Four tracks by Ada, two by Björk, two without an artist; a0 sounds most like a1, then a2 …

    Their files, in `directory`, are not there.
    """
    spread = (
        ("a0", "Ada", (1.0, 0.0, 0.0, 0.0)),
        ("a1", "Ada", (1.0, 0.1, 0.0, 0.0)),
        ("a2", "Ada", (1.0, 0.3, 0.0, 0.0)),
        ("a3", "Ada", (1.0, 0.5, 0.0, 0.0)),
        ("b0", "Björk", (1.0, 1.0, 0.0, 0.0)),
        ("b1", "Björk", (0.3, 1.0, 0.0, 0.0)),
        ("c0", "", (-1.0, 0.0, 1.0, 0.0)),
        ("c1", "", (-1.0, 0.0, 0.0, 1.0)),
    )
    return [
        Entry(
            id_,
            vector,
            entry(id_, vector, title=f"Song {id_}", artist=artist, album="Album").metadata,
            TAGS,
            path=bytes(directory / f"{id_}.wav"),
        )
        for id_, artist, vector in spread
    ]


class FakeClipEmbedder(ClipEmbedder):
    """Hears nothing: every clip gets the same vector, or fails with `error`."""

    def __init__(self, vector: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)):
        self.vector = vector
        self.error: Exception | None = None
        self.windows: ClipWindows | None = None
        self.heard: list[tuple[Path, bytes, int]] = []

    def receiving(self) -> Any:
        """Room for any number of uploads."""
        return nullcontext()

    def slot(self) -> Any:
        """Room for any number of clips."""
        return nullcontext()

    def embed(self, path: Path, manifest: Manifest) -> list[Embedding]:
        """Note what lies at `path`, and in what kind of folder."""
        self.heard.append((path, path.read_bytes(), path.parent.stat().st_mode & 0o777))
        if self.error:
            raise self.error
        return [embedding(self.vector, TAGS)]

    def embed_in_time(self, path: Path, manifest: Manifest) -> tuple[list[Embedding], ClipWindows]:
        """The same, and :attr:`windows`."""
        assert self.windows is not None
        return self.embed(path, manifest), self.windows


@contextmanager
def service(
    data_dir: Path, embedder: ClipEmbedder | None = None, **settings: Any
) -> Iterator[httpx.Client]:
    """A client of a service over `data_dir` that listens on a free port."""
    app = create_app(Settings(data_dir=data_dir, **settings))
    if embedder is not None:
        app.dependency_overrides[clip_embedder_of] = lambda: embedder
    with serving(app) as url, httpx.Client(base_url=url, timeout=60.0) as client:
        yield client


def slug_of(answer: httpx.Response) -> str:
    """The kind of a problem, once the answer is known to be a proper one."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    for leak in ("/nowhere", "/tmp", ".py", "Traceback", "SELECT", "sqlite"):
        assert leak not in answer.text
    slug: str = problem["type"].removeprefix("/problems/")
    return slug


def ids_of(answer: httpx.Response) -> list[str]:
    """Ids of the matches, best first."""
    assert answer.status_code == 200, answer.text
    return [match["track"]["id"] for match in answer.json()["matches"]]


def similar(client: httpx.Client, **options: Any) -> list[str]:
    """What sounds like a0."""
    return ids_of(client.get("/similar", params={"track_id": "a0", **options}))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder where the small catalog is published."""
    folder = tmp_path_factory.mktemp("data")
    publish_entries(folder, small_catalog())
    return folder


@pytest.fixture(scope="module")
def client(data_dir: Path) -> Iterator[httpx.Client]:
    """A client of a service over the small catalog."""
    with service(data_dir) as client:
        yield client


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where clips are kept meanwhile."""
    folder = tmp_path_factory.mktemp("spool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield folder
