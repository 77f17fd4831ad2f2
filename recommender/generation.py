"""Generations: published, immutable sets of index, catalog and manifest.

::

    generations/<UTC>-<8 hex>/   index.faiss [vectors.faiss]  catalog.db  manifest.json
                                 ids  order  tags  artists  descriptors  means  added  centre
                                 neighbours  neighbours.changed  songs  recordings  map
                                 [components]  .npy
    CURRENT                      the names of those that are served

Rows are those of the index. A track keeps its row from one generation to the next; new ones are
added at the end, and the rows of tracks that left stay, dead, until the index is built anew.

Every file is verified by digest before anything opens it: FAISS reads most damaged files without
a word and answers wrongly. A published folder is never written again, so that what is large can be
mapped into memory and shared by processes.
"""

import shlex
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from recommender.allowed import AllowedRows
from recommender.arrays import FloatArray, Rows
from recommender.catalog import Catalog
from recommender.current import generations_dir
from recommender.descriptors import WIDTH, Descriptors
from recommender.embedders import create_embedder
from recommender.errors import (
    GenerationError,
    InvalidParameterError,
    OutdatedGenerationError,
    SpaceMismatchError,
)
from recommender.files import sha256_of_all
from recommender.index import VectorIndex
from recommender.index.faiss import FaissIndex
from recommender.index.grown import grown
from recommender.labels import Labels
from recommender.manifest import (
    ADDED,
    ARTISTS,
    CATALOG,
    CATALOG_FILES,
    CENTRE,
    CHANGED_NEIGHBOURS,
    COMPONENTS,
    DESCRIPTORS,
    IDS,
    MAP,
    MEANS,
    NEIGHBOURS,
    ORDER,
    RECORDINGS,
    SONGS,
    TAGS,
    Manifest,
)
from recommender.maps import Places
from recommender.neighbours import LISTED, Neighbours
from recommender.projection import Projection
from recommender.ranking import Similarities
from recommender.segment_index import SegmentIndex
from recommender.selection import Selection
from recommender.slices import RowFile
from recommender.songs import Songs
from recommender.space import Space, dimension_of, stored

_Array = TypeVar("_Array")

NORM_TOLERANCE = 1e-3
# rows that are looked at in one go: what takes longer keeps a service from answering meanwhile
_CHECKED = 8_192
PROBES = 20
_FENCED = 64
# neighbours among which a row must find itself
PROBED = 10


@dataclass(frozen=True)
class RowArrays:
    """What is known of each row beside its vector; mapped from files when it was published.

    Attributes
    ----------
    ids
        Track ids in UTF-8, dead rows included, shape (n_rows,).
    order
        Live rows in the order of their ids, int32, shape (n_tracks,).
    tags
        Tag probabilities, float16, shape (n_rows, n_tag_names).
    artists
        A number for each artist, -1 for none, int32, shape (n_rows,).
    descriptors
        Level, tempo and key, see :data:`recommender.descriptors.Descriptors`.
    means
        Mean of the unit vectors when the projection was fitted, and now; shape (2, dimension).
    neighbours
        Rows near each row.
    songs
        What tells copies of one recording, see :mod:`recommender.songs`, shape (n_rows,).
    recordings
        The number of the recording that a row is a copy of, -1 where no other row is one, int32,
        shape (n_rows,).
    places
        Where each row lies on the map, float32, shape (n_rows, 2), in [-1, 1].
    """

    ids: np.ndarray[Any, np.dtype[np.bytes_]]
    order: np.ndarray[Any, np.dtype[np.int32]]
    tags: np.ndarray[Any, np.dtype[np.float16]]
    artists: np.ndarray[Any, np.dtype[np.int32]]
    descriptors: Descriptors
    means: FloatArray
    neighbours: Neighbours
    songs: Songs
    recordings: np.ndarray[Any, np.dtype[np.int32]]
    places: Places

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map the arrays of a generation, verified before."""
        ids, order, tags, artists, descriptors, changed, songs, recordings, places = (
            _load_array(folder / name, mapped=True)
            for name in (
                *(IDS, ORDER, TAGS, ARTISTS, DESCRIPTORS),
                *(CHANGED_NEIGHBOURS, SONGS, RECORDINGS, MAP),
            )
        )
        near = Neighbours(_read_array(folder / NEIGHBOURS, RowFile.of), changed)
        means = _load_array(folder / MEANS)
        rows = ids, order, tags, artists, descriptors
        return cls(*rows, means, near, songs, recordings, places)

    @cached_property
    def crowding(self) -> Similarities | None:
        """How similar each row is to those nearest to it, shape (n_rows,); None if not known."""
        return self.neighbours.crowding(len(self.ids))

    @cached_property
    def has_copies(self) -> bool:
        """Whether any two rows are of one recording."""
        return bool((self.recordings >= 0).any())

    @cached_property
    def recording_of_row(self) -> memoryview | None:
        """The same as `recordings`, None where no two rows are of one recording."""
        # single numbers come out of a view much quicker than out of an array
        return memoryview(self.recordings.data) if self.has_copies else None

    @property
    def live(self) -> Selection | None:
        """Rows whose tracks are still there, None when all are."""
        if len(self.order) == len(self.ids):
            return None
        return Selection.of(self.order.astype(np.int64), len(self.ids))

    def rows_of(self, track_ids: Sequence[str]) -> tuple[Rows, list[str]]:
        """Rows of the known ids, in their order, and the ids that are not known."""
        found, unknown = list[int](), list[str]()
        for id_ in track_ids:
            row = self.row_of(id_)
            if row is None:
                unknown.append(id_)
            else:
                found.append(row)
        return np.array(found, dtype=np.int64), unknown

    @cached_property
    def _fences(self) -> list[bytes]:
        """Ids here and there: a search among all would go all over the memory."""
        fences: list[bytes] = self.ids[self.order[::_FENCED]].tolist()
        return fences

    def row_of(self, track_id: str) -> int | None:
        """The row of a track, None when it is not known."""
        wanted = track_id.encode(errors="surrogatepass")
        end = bisect_right(self._fences, wanted) * _FENCED
        order = self.order[max(0, end - _FENCED) : end]
        place = bisect_left(order, wanted, key=self.ids.__getitem__)
        if place == len(order):
            return None
        row = int(order[place])
        return row if self.ids[row] == wanted else None

    def names(self, rows: Rows) -> list[str]:
        """Ids of some rows."""
        return [id_.decode(errors="surrogatepass") for id_ in self.ids[rows].tolist()]


@dataclass(frozen=True, slots=True)
class Generation:
    """An open, verified generation.

    Attributes
    ----------
    manifest
        What it says of itself.
    index
        Unit vectors by row.
    catalog
        Metadata by row.
    arrays
        The rest by row.
    labels
        What the tags are called.
    allowed
        Rows that filters leave.
    projection
        What is done to a pooled vector before it is normalised.
    segments
        Single windows of its tracks; None when it was published without.
    """

    manifest: Manifest
    index: VectorIndex
    catalog: Catalog
    arrays: RowArrays
    labels: Labels
    allowed: AllowedRows
    projection: Projection
    segments: SegmentIndex | None = None

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        index: VectorIndex,
        catalog: Catalog,
        arrays: RowArrays,
        projection: Projection,
        segments: SegmentIndex | None = None,
    ) -> Self:
        """Put the parts of a generation together."""
        labels = Labels(manifest.space["embedder"]["tag_names"])
        allowed = AllowedRows(catalog, arrays.tags, labels, arrays.live)
        return cls(manifest, index, catalog, arrays, labels, allowed, projection, segments)

    @property
    def track_ids(self) -> list[str]:
        """Ids of all tracks, in order."""
        return self.arrays.names(self.arrays.order.astype(np.int64))

    def rows_of(self, track_ids: Sequence[str]) -> tuple[Rows, list[str]]:
        """Rows of the known ids, in their order, and the ids that are not known."""
        return self.arrays.rows_of(track_ids)

    def project(self, vector: FloatArray) -> FloatArray:
        """Turn a pooled vector into a unit vector that can be compared with the index."""
        unit: FloatArray = normalised(self.projection.apply(vector[np.newaxis]))[0]
        return unit


def normalised(vectors: FloatArray) -> FloatArray:
    """Unit-length rows; a row of zeros stays as it is.

    Parameters
    ----------
    vectors
        float32, shape (n, dimension).
    """
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    unit: FloatArray = (vectors / np.where(norms > 0, norms, 1.0)).astype(np.float32)
    return unit


def space_of(manifest: Manifest) -> Space:
    """The space of a generation, made anew from the embedder of this version.

    Raises
    ------
    SpaceMismatchError
        The embedder of this version makes other vectors.
    """
    said = manifest.space
    n_windows = None if said["n_windows"] == "all" else said["n_windows"]
    try:
        spec = create_embedder(said["embedder"]["name"]).spec
        space = Space(spec, n_windows, said["pooling"], said["projection"])
    except InvalidParameterError as error:
        raise SpaceMismatchError(f"{error}; clips need the embedder of the index") from error
    if space.id != manifest.space_id:
        raise SpaceMismatchError(
            f"space={manifest.space_id} of the index is not space={space.id} of this version; "
            "run reindex"
        )
    return space


def verify_files(
    folder: Path, manifest: Manifest, others: Iterable[Manifest] = (), *, patient: bool = False
) -> None:
    """Check size and digest of every file of a generation.

    Parameters
    ----------
    folder
        Where the generation is.
    manifest
        Its own.
    others
        Of generations beside it that are verified and open. What is the same file on the disk, and
        said to be the same by both, is not read once more.
    patient
        Read in what time other threads and processes leave.

    Raises
    ------
    GenerationError
        Naming the first file that is missing or not what was published.
    """
    paths = {name: folder / name for name in manifest.files}
    for name, path in paths.items():
        if not path.is_file() or path.stat().st_size != manifest.files[name]["size"]:
            raise GenerationError(f"generation={folder.name} file={name} is missing or cut")
    for other in others:
        beside = folder.parent / other.generation
        for name in _common(manifest, other):
            if name in paths and _is_same_file(paths[name], beside / name):
                del paths[name]
    for name, digest in zip(paths, sha256_of_all(paths.values(), patient=patient), strict=True):
        if digest != manifest.files[name]["sha256"]:
            raise GenerationError(f"generation={folder.name} file={name} is damaged (sha256)")


def _common(one: Manifest, other: Manifest) -> list[str]:
    return [name for name in one.files if one.files[name] == other.files.get(name)]


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except FileNotFoundError:
        return False


def open_generation(
    data_dir: Path, name: str, others: Iterable[Manifest] = (), *, patient: bool = False
) -> Generation:
    """Verify and open a generation; for the parameters see :func:`verify_files`.

    Raises
    ------
    GenerationError
        A file is missing or damaged, or the parts do not fit together.
    OutdatedGenerationError
        An earlier version made it.
    """
    folder = generations_dir(data_dir) / name
    manifest = _servable(data_dir, name)
    verify_files(folder, manifest, others, patient=patient)
    return open_verified(folder, manifest)


def open_catalog(data_dir: Path, name: str) -> tuple[Catalog, int]:
    """Verify and open the metadata of a generation alone, with the number of its rows.

    Raises
    ------
    GenerationError
        A file of it is missing or damaged.
    OutdatedGenerationError
        An earlier version made it.
    """
    folder = generations_dir(data_dir) / name
    manifest = _servable(data_dir, name)
    files = {file: manifest.files[file] for file in CATALOG_FILES}
    verify_files(folder, replace(manifest, files=files))
    return Catalog.open(folder / CATALOG), manifest.n_rows


def _servable(data_dir: Path, name: str) -> Manifest:
    """The manifest of a generation, unless an earlier version made it."""
    manifest = Manifest.read(generations_dir(data_dir) / name)
    if manifest.outdated:
        raise OutdatedGenerationError(
            f"generation={name} was made by an earlier version, and this one does not serve it; "
            f"{how_to_renew(data_dir, manifest)}",
            manifest.space["embedder"]["name"],
        )
    return manifest


def how_to_renew(data_dir: Path, manifest: Manifest) -> str:
    """What to do about a generation of an earlier version: a command, ready to be run."""
    embedder, folder = manifest.space["embedder"]["name"], shlex.quote(str(data_dir))
    return (
        "run, over the same folders: python -m indexer reindex MUSIC_DIR "
        f"--embedder {embedder} --data-dir {folder} (nothing is heard again)"
    )


def open_verified(folder: Path, manifest: Manifest) -> Generation:
    """Open a generation whose files are known to be what was published, and check it.

    Raises
    ------
    GenerationError
        The parts do not fit together.
    """
    arrays = RowArrays.load(folder)
    _check_arrays(manifest, arrays)
    generation = Generation.of(
        manifest,
        _load_index(folder, manifest),
        Catalog.open(folder / CATALOG),
        arrays,
        _load_projection(folder),
        SegmentIndex.load(folder, manifest),
    )
    check_fit(generation)
    return generation


def _load_index(folder: Path, manifest: Manifest) -> VectorIndex:
    record, beside = manifest.index, _load_array(folder / ADDED)
    index = FaissIndex.load(folder, record.recipe, record.measurement.effort)
    shape = (manifest.n_rows - len(index), manifest.dimension)
    if beside.dtype != np.float32 or beside.shape != shape:
        raise GenerationError(
            f"generation={manifest.generation} file={ADDED} is not of shape {shape}"
        )
    return grown(index, beside)


def _load_projection(folder: Path) -> Projection:
    components = folder / COMPONENTS
    return Projection(
        _load_array(folder / CENTRE), _load_array(components) if components.exists() else None
    )


def _load_array(path: Path, *, mapped: bool = False) -> np.ndarray[Any, Any]:
    mode: Any = "r" if mapped else None
    # the plain type: a memmap's own is slower at every step
    return _read_array(path, lambda file: np.asarray(np.load(file, mode, allow_pickle=False)))


def _read_array(path: Path, read: Callable[[Path], _Array]) -> _Array:
    try:
        return read(path)
    except (ValueError, EOFError) as error:
        raise GenerationError(
            f"generation={path.parent.name} file={path.name} is no array"
        ) from error


def check_fit(generation: Generation) -> None:
    """Check that the parts of a generation belong together and can be searched.

    Raises
    ------
    GenerationError
        Naming what does not fit.
    """
    manifest = generation.manifest
    name = manifest.generation
    shape = (manifest.n_rows, manifest.dimension)
    if (len(generation.index), generation.index.dimension) != shape:
        raise GenerationError(f"generation={name} index does not have the shape {shape}")
    if len(generation.catalog) != manifest.n_tracks:
        raise GenerationError(f"generation={name} catalog and index differ in their tracks")
    _check_projection(generation)
    order = generation.arrays.order
    places = np.linspace(0, len(order) - 1, min(PROBES, len(order))).astype(np.int64)
    probes = order[places].astype(np.int64)
    _check_catalog(generation, probes)
    _check_vectors(generation, probes)


def _check_arrays(manifest: Manifest, arrays: RowArrays) -> None:
    n_rows, n_tags = manifest.n_rows, len(manifest.space["embedder"]["tag_names"])
    lists, changed = arrays.neighbours.lists, arrays.neighbours.changed
    expected: dict[str, tuple[Any, str, tuple[int, ...]]] = {
        IDS: (arrays.ids, "S", (n_rows,)),
        ORDER: (arrays.order, "i", (manifest.n_tracks,)),
        TAGS: (arrays.tags, "f", (n_rows, n_tags)),
        ARTISTS: (arrays.artists, "i", (n_rows,)),
        DESCRIPTORS: (arrays.descriptors, "i", (n_rows, WIDTH)),
        MEANS: (arrays.means, "f", (2, manifest.dimension)),
        NEIGHBOURS: (lists, "i", (len(lists), 2, LISTED)),
        CHANGED_NEIGHBOURS: (changed, "i", (len(changed), 1 + 2 * LISTED)),
        SONGS: (arrays.songs, "V", (n_rows,)),
        RECORDINGS: (arrays.recordings, "i", (n_rows,)),
        MAP: (arrays.places, "f", (n_rows, 2)),
    }
    for file, (array, kind, shape) in expected.items():
        if array.dtype.kind != kind or array.shape != shape:
            raise GenerationError(
                f"generation={manifest.generation} file={file} is not of shape {shape}"
            )
    if not (np.abs(arrays.places) <= 1.0).all():
        raise GenerationError(f"generation={manifest.generation} file={MAP} is not in [-1, 1]")
    order = arrays.order
    if len(order) and not (order.min() >= 0 and order.max() < n_rows):
        raise GenerationError(f"generation={manifest.generation} file={ORDER} names no row")
    if not all(
        _ascending(arrays.ids[order[first : first + _CHECKED + 1]])
        for first in range(0, len(order), _CHECKED)
    ):
        raise GenerationError(f"generation={manifest.generation} ids are not unique and in order")


def _ascending(ids: np.ndarray[Any, np.dtype[np.bytes_]]) -> bool:
    return bool((ids[:-1] < ids[1:]).all())


def _check_projection(generation: Generation) -> None:
    manifest, projection = generation.manifest, generation.projection
    pooled = dimension_of(stored(manifest.space))
    arrays: dict[str, tuple[FloatArray, tuple[int, ...]]] = {CENTRE: (projection.centre, (pooled,))}
    if projection.components is not None:
        arrays[COMPONENTS] = projection.components, (manifest.dimension, pooled)
    for file, (array, shape) in arrays.items():
        right = array.dtype == np.float32 and array.shape == shape
        if not right or not np.isfinite(array).all():
            raise GenerationError(
                f"generation={manifest.generation} file={file} is not finite, of shape {shape}"
            )


def _check_catalog(generation: Generation, probes: Rows) -> None:
    rows = np.sort(probes)
    names, tracks = generation.arrays.names(rows), generation.catalog.tracks(rows)
    documented = [track.id for track in tracks.values()]
    if not names == documented == generation.catalog.ids(rows.tolist()):
        raise GenerationError(
            f"generation={generation.manifest.generation} rows of catalog and ids differ"
        )


def _check_vectors(generation: Generation, probes: Rows) -> None:
    name = generation.manifest.generation
    none = np.empty(0, np.int64)
    vectors = generation.index.vectors(probes)
    # a track exactly at the centre of the catalog has no direction, but never all of them
    directed = vectors.any(axis=1)
    if len(probes) > 1 and not directed.any():
        raise GenerationError(f"generation={name} has an index of zeros")
    lost = list[int]()
    for row, vector in zip(probes[directed].tolist(), vectors[directed], strict=True):
        if not abs(float(np.linalg.norm(vector)) - 1.0) < NORM_TOLERANCE:
            raise GenerationError(f"generation={name} row={row} is not a unit vector")
        found, cosines = generation.index.nearest(vector, PROBED, none)
        if row not in found and not cosines[0] > 1.0 - NORM_TOLERANCE:
            lost.append(row)
    # approximate search may miss one or another
    if len(lost) > (0 if generation.index.exact else len(probes) // 2):
        raise GenerationError(f"generation={name} row={lost[0]} does not find itself")
