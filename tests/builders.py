"""Small libraries and generations with chosen vectors, for every test that needs a catalog.

`publish_entries` goes the whole way through library and publishing; `generation_of` puts unit
vectors into a generation as they are, so that cosines are what the test says they are.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.catalog import Catalog
from recommender.catalog_tables import artist_codes, write_catalog
from recommender.current import generations_dir
from recommender.descriptors import WIDTH, described
from recommender.duplicates import recordings_of
from recommender.embedding import EmbedderSpec, Embedding, Frames
from recommender.engine import Recommender
from recommender.generation import Generation, open_generation
from recommender.index import VectorIndex
from recommender.index.faiss import FaissIndex
from recommender.index.measurement import UNMEASURED
from recommender.index.recipes import IndexOptions, flat
from recommender.library import Library
from recommender.manifest import MANIFEST, SCHEMA_VERSION, IndexRecord, Manifest, _sealed
from recommender.maps import Near, laid_out
from recommender.neighbours import Neighbours, neighbours_of, no_lists
from recommender.projection import Projection
from recommender.publishing import publish
from recommender.records import FileState, Indexed, LibraryTrack
from recommender.row_arrays import RowArrays
from recommender.songs import SONG, song_of
from recommender.space import Space
from recommender.track import Metadata, Track

DIMENSION = 4
SAMPLE_RATE = 100
TAG_NAMES = ("one:jazz", "one:rock", "two:jazz")
STATE = FileState(size=1000, mtime_ns=1_700_000_000_000_000_000)
LIBRARY_FILE = "library.db"

SPEC = EmbedderSpec(
    name="fake",
    version="1",
    sample_rate=SAMPLE_RATE,
    window_samples=300,
    hop_samples=100,
    context_samples=0,
    least_samples=300,
    frame_dimension=DIMENSION,
    tag_names=TAG_NAMES,
    front_end="none",
    layer="only",
    weights_sha256="",
)
COVERED = replace(SPEC, tail="covered")
TAILS = {"dropped": SPEC, "covered": COVERED}
SPACE = Space(SPEC, 12)
# of another embedder, which predicts no tags
OTHER_SPACE = Space(replace(SPEC, name="other:layer=last", tag_names=()), 12)


def length_of(n_windows: int) -> int:
    """Samples that hold exactly `n_windows` windows of the grid of :data:`SPEC`."""
    return SPEC.least_samples + (n_windows - 1) * SPEC.hop_samples


class FakeEmbedder:
    """Mean, spread, least and greatest sample of each window; notes how it was called.

    Its three tag probabilities are the same for every window.
    """

    def __init__(self, spec: EmbedderSpec = SPEC):
        self.spec = spec
        self.batches: list[FloatArray] = []

    def embed(self, windows: FloatArray) -> Frames:
        """Vectors of shape (n_windows, 4)."""
        self.batches.append(windows.copy())
        exact = windows.astype(np.float64)
        vectors = np.stack([exact.mean(1), exact.std(1), exact.min(1), exact.max(1)], axis=1)
        tags = np.tile(np.array([0.25, 0.5, 0.75], np.float32), (len(windows), 1))
        return Frames(vectors.astype(np.float32), tags)


class MemorySource:
    """A waveform in memory, shape (n_samples,), as an :class:`AudioSource` of one rate."""

    def __init__(self, samples: npt.ArrayLike):
        self.samples = np.asarray(samples, np.float32)

    def n_samples(self, sample_rate: int) -> int:
        """Its length; it is never resampled."""
        assert sample_rate == SAMPLE_RATE
        return len(self.samples)

    def read_windows(
        self, starts: Sequence[int], window_samples: int, sample_rate: int
    ) -> FloatArray:
        """Windows, zeros outside the waveform."""
        assert sample_rate == SAMPLE_RATE
        padded = np.pad(self.samples, window_samples)
        at = [start + window_samples for start in starts]
        return np.stack([padded[a : a + window_samples] for a in at])


@dataclass(frozen=True)
class Entry:
    """A track to be put into a test's catalog."""

    id: str
    vector: Sequence[float]
    metadata: Metadata = field(default_factory=Metadata)
    tags: Sequence[float] = (0.0, 0.0, 0.0)
    level_dbfs: float = -14.0
    duration_seconds: float = 180.0
    path: bytes = b""

    @property
    def file(self) -> bytes:
        """Path of its file."""
        return self.path or f"/music/{self.id}.flac".encode()


def entry(
    id_: str, vector: Sequence[float], *, tags: Sequence[float] = (), **metadata: Any
) -> Entry:
    """An entry whose metadata are given by name: ``entry("a", [1, 0], artist="Kitto")``."""
    return Entry(id_, vector, Metadata(**metadata), tuple(tags) or (0.0,) * len(TAG_NAMES))


def embedding(vector: npt.ArrayLike, tags: npt.ArrayLike = (0.0, 0.0, 0.0)) -> Embedding:
    """What embedding a clip gives, at a level of -14 dBFS."""
    return Embedding(np.asarray(vector, np.float32), np.asarray(tags, np.float32), -14.0, 12)


def random_entries(n_tracks: int, seed: int = 0, **metadata: Any) -> list[Entry]:
    """Entries t000, t001, … with random directions."""
    vectors = np.random.default_rng(seed).normal(size=(n_tracks, DIMENSION))
    return [entry(f"t{i:03}", v.tolist(), **metadata) for i, v in enumerate(vectors)]


def indexed(of: Entry, state: FileState = STATE) -> Indexed:
    """What the indexer hands to the library for an entry."""
    track = Track(of.id, of.duration_seconds, of.metadata)
    heard = replace(embedding(of.vector, of.tags), level_dbfs=of.level_dbfs)
    return Indexed(of.file, state, track, heard)


def library_track(of: Entry) -> LibraryTrack:
    """What the library hands to a catalog for an entry."""
    return LibraryTrack(
        Track(of.id, of.duration_seconds, of.metadata),
        of.file,
        np.asarray(of.vector, np.float32),
        np.asarray(of.tags, np.float32),
        of.level_dbfs,
    )


def open_library(data_dir: Path) -> Library:
    """The library of a data folder, with :data:`SPACE` known."""
    data_dir.mkdir(parents=True, exist_ok=True)
    library = Library.open(data_dir / LIBRARY_FILE)
    library.add_space(SPACE)
    return library


def publish_entries(data_dir: Path, entries: Sequence[Entry]) -> str:
    """Make exactly `entries` the library's files, and publish them."""
    with open_library(data_dir) as library:
        library.forget_files(list(library.files()))
        library.store([indexed(e) for e in entries], SPACE)
        return publish(data_dir, library, SPACE)


def publish_beside(data_dir: Path, entries: Sequence[Entry], space: Space = OTHER_SPACE) -> str:
    """Give tracks a vector in one more space, and publish that; other files and vectors stay."""
    with open_library(data_dir) as library:
        library.add_space(space)
        tags = [0.0] * len(space.embedder.tag_names)
        library.store([indexed(replace(e, tags=tags)) for e in entries], space)
        return publish(data_dir, library, space)


def generation_of(
    folder: Path, entries: Sequence[Entry], index_class: type[Any] = FaissIndex
) -> Generation:
    """A generation in memory: vectors normalised, not centred; its catalog lies in `folder`."""
    by_id = sorted(entries, key=lambda e: e.id)
    catalog = folder / "catalog.db"
    catalog.unlink(missing_ok=True)
    write_catalog(catalog, map(library_track, by_id), range(len(by_id)))
    index = _index_of(by_id, index_class)
    lists = neighbours_of(index) if isinstance(index, FaissIndex) else no_lists()[0]
    neighbours = Neighbours(lists, no_lists()[1])
    songs = np.array([song_of(library_track(e).track) for e in by_id], SONG)
    return Generation.of(
        manifest=_manifest(len(by_id)),
        index=index,
        catalog=Catalog.open(catalog),
        arrays=RowArrays(
            ids=np.array([e.id.encode() for e in by_id], dtype=np.bytes_),
            order=np.arange(len(by_id), dtype=np.int32),
            tags=np.array([e.tags for e in by_id], np.float16).reshape(-1, len(TAG_NAMES)),
            artists=artist_codes(catalog, len(by_id)),
            descriptors=np.array(
                [described(e.level_dbfs, e.metadata) for e in by_id], np.int16
            ).reshape(-1, WIDTH),
            means=np.zeros((2, DIMENSION), np.float32),
            neighbours=neighbours,
            songs=songs,
            recordings=recordings_of(songs, index, neighbours),
            places=laid_out(index.vectors(np.arange(len(by_id))), Near(lists[:, 0], lists[:, 1])),
        ),
        projection=Projection(np.zeros(DIMENSION, np.float32), None),
    )


def recommender_of(folder: Path, entries: Sequence[Entry]) -> Recommender:
    """What answers from :func:`generation_of`."""
    return Recommender(generation_of(folder, entries))


def opened(data_dir: Path, name: str) -> Recommender:
    """What answers from a published generation."""
    return Recommender(open_generation(data_dir, name))


def folder_of(data_dir: Path, name: str) -> Path:
    """Where a published generation lies."""
    return generations_dir(data_dir) / name


def rewrite_manifest(folder: Path, changes: Mapping[str, Any]) -> None:
    """Make a manifest say something else, as a writer with a fault would: sealed, but wrong."""
    manifest = replace(Manifest.read(folder), **changes)
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")


def as_before_neighbours_were_listed(folder: Path) -> None:
    """Have a generation say what the second version wrote, which is not served any more."""
    content = unsealed(folder)
    del content["seal"], content["index"]["measurement"]["listed_recall_at_10"]
    (folder / MANIFEST).write_text(_sealed(content | {"schema_version": 2}))


def as_before_copies_were_found(folder: Path) -> None:
    """Have a generation say what the third version wrote, which is not served any more."""
    content = unsealed(folder)
    del content["seal"], content["files"]["songs.npy"], content["files"]["recordings.npy"]
    (folder / MANIFEST).write_text(_sealed(content | {"schema_version": 3}))


def unsealed(folder: Path) -> dict[str, Any]:
    """A manifest's fields, seal included, as plain values."""
    fields: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return fields


def _index_of(entries: Sequence[Entry], index_class: type[Any]) -> VectorIndex:
    vectors = np.array([e.vector for e in entries], np.float64).reshape(-1, DIMENSION)
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    build = getattr(index_class, "build", index_class)
    index: VectorIndex = build(units)
    return index


def _manifest(n_tracks: int) -> Manifest:
    return Manifest(
        schema_version=SCHEMA_VERSION,
        generation="20260101T000000Z-00000000",
        created_at="2026-01-01T00:00:00+00:00",
        space_id=SPACE.id,
        parent="",
        space=SPACE.describe(),
        n_tracks=n_tracks,
        n_rows=n_tracks,
        dimension=DIMENSION,
        library_revision="",
        level_quantiles_dbfs=[-14.0] * 5,
        index=IndexRecord(IndexOptions(), flat(), UNMEASURED, n_tracks),
        faiss_version="",
        files={},
    )
