"""What is evaluated: the tracks of one space as they are served, and what is known of them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.evaluation.listed import ListedIndex
from indexer.reindex import LIBRARY_FILE
from recommender.arrays import FloatArray
from recommender.current import current_generation
from recommender.errors import InvalidParameterError
from recommender.generation import Generation, normalised, open_generation
from recommender.index import VectorIndex
from recommender.library import Library
from recommender.projection import fit_centre
from recommender.records import FileState, LibraryTrack
from recommender.served import embedder_of, find_space, served_manifests
from recommender.space import id_of, stored
from recommender.text import folded
from recommender.track import Metadata

SERVED = "served"
LABELS = ("artist", "album", "genre", "composer")


@dataclass(frozen=True, slots=True)
class Subject:
    """The tracks of one space, by row, in the order of their ids.

    Attributes
    ----------
    generation
        What is served; `index` has its vectors by these rows when `is_served`.
    space_id
        The space of the vectors.
    tracks
        Metadata, file, pooled vector, tags and level of each track.
    states
        For each track, the state of its file when it was indexed.
    vectors
        Unit vectors as they are compared, float32, shape (n_tracks, dimension).
    """

    generation: Generation
    space_id: str
    tracks: Sequence[LibraryTrack]
    states: Sequence[FileState]
    vectors: FloatArray

    @property
    def is_served(self) -> bool:
        """Whether these are the very tracks and vectors that the service answers from."""
        return self.space_id == self.generation.manifest.space_id

    @property
    def name(self) -> str:
        """What its figures are called: ``"served"``, or by the space."""
        return SERVED if self.is_served else self.space_id

    @property
    def index(self) -> VectorIndex:
        """What is searched when `is_served`, by the rows of the subject."""
        return ListedIndex(self.generation)

    @property
    def pooled(self) -> FloatArray:
        """Vectors as the embedder's pooling left them, neither centred nor normalised."""
        return np.stack([entry.vector for entry in self.tracks])

    @property
    def files(self) -> dict[str, tuple[bytes, FileState]]:
        """Path and state of each track's file, by track id."""
        return {
            entry.track.id: (entry.path, state)
            for entry, state in zip(self.tracks, self.states, strict=True)
        }

    def labels(self, name: str) -> list[str]:
        """One of `LABELS` for each track, as it is compared; "" when unknown.

        Albums of one title are told apart by their MusicBrainz id, else by their album artist.
        """
        return [_label(entry.track.metadata, name) for entry in self.tracks]

    def album_titles(self) -> list[str]:
        """The title of each track's album, whoever it is by; "" when unknown."""
        return [folded(entry.track.metadata.album) for entry in self.tracks]


def _label(metadata: Metadata, name: str) -> str:
    label = folded(getattr(metadata, name))
    if name == "album" and label:
        # folded text holds no line break, so no two different keys look the same
        return metadata.musicbrainz_album_id or f"{label}\n{folded(metadata.album_artist)}".rstrip()
    return label


def open_subject(data_dir: Path, space_id: str | None = None) -> Subject:
    """Open what is served, or the tracks of another space of the library, for measuring.

    Parameters
    ----------
    data_dir
        Folder of the library and the generations.
    space_id
        A space that is served, by id or embedder, or another of the library, by id; None for the
        default.

    Raises
    ------
    IndexUnavailableError
        Nothing is published.
    GenerationError
        The generation or the library is damaged.
    InvalidParameterError
        The library does not know the space, or has changed since it was published.
    """
    name, other = _meant(data_dir, space_id)
    generation = open_generation(data_dir, name)
    manifest = generation.manifest
    wanted = other or manifest.space_id
    kept = id_of(stored(manifest.space))
    contents = _contents(
        data_dir / LIBRARY_FILE, kept if wanted == manifest.space_id else wanted, kept
    )
    if contents.revision != manifest.library_revision:
        raise InvalidParameterError(
            f"the library in data_dir={data_dir} has changed since "
            f"generation={manifest.generation} was published; run reindex, then evaluate"
        )
    # the mark of `recommender.library_tables` for files that the next reindex is to read
    if any(state.size < 0 for state in contents.states):
        raise InvalidParameterError(
            f"library={data_dir / LIBRARY_FILE} was upgraded, and the files are to be read again; "
            "run reindex, then evaluate"
        )
    if wanted == manifest.space_id:
        vectors = generation.index.vectors(generation.arrays.order.astype(np.int64))
    else:
        vectors = projected(np.stack([entry.vector for entry in contents.tracks]))
    return Subject(generation, wanted, contents.tracks, contents.states, vectors)


def _meant(data_dir: Path, text: str | None) -> tuple[str, str | None]:
    """The generation of the served space that `text` means, or of the default and `text` itself."""
    if text is not None:
        manifests = served_manifests(data_dir)
        known = [(manifest.space_id, embedder_of(manifest)) for manifest in manifests]
        with suppress(InvalidParameterError):
            return manifests[find_space(known, text)].generation, None
    return current_generation(data_dir), text


def vectors_beside(data_dir: Path, subject: Subject) -> tuple[dict[str, FloatArray], list[str]]:
    """What other spaces of the library make of the same tracks, and notes on those left out.

    Returns
    -------
    tuple
        Unit vectors by space, rows as in the subject; spaces that lack a track are noted instead.
    """
    ids = [entry.track.id for entry in subject.tracks]
    found, notes = dict[str, FloatArray](), list[str]()
    with Library.open(data_dir / LIBRARY_FILE) as library:
        for space_id in library.spaces():
            pooled = {entry.track.id: entry.vector for entry in library.publishable(space_id)}
            if space_id == subject.space_id or not pooled:
                continue
            if pooled.keys() >= set(ids):
                found[space_id] = projected(np.stack([pooled[id_] for id_ in ids]))
            else:
                notes.append(f"space={space_id} lacks {len(set(ids) - pooled.keys())} tracks")
    return found, notes


def projected(pooled: FloatArray) -> FloatArray:
    """Unit vectors as publishing makes them of pooled ones, shape (n_tracks, dimension)."""
    return normalised(pooled - fit_centre(pooled))


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a library holds of a space: tracks, and the states of their files.

    `revision` is that of the space that is served.
    """

    tracks: list[LibraryTrack]
    states: list[FileState]
    revision: str


def _contents(path: Path, space_id: str, served: str) -> _Contents:
    if not path.exists():
        raise InvalidParameterError(
            f"library={path} is not there; evaluation needs the data folder of the indexer"
        )
    with Library.open(path) as library:
        tracks = list(library.publishable(space_id))
        if not tracks:
            raise InvalidParameterError(
                f"space={space_id} has no tracks; spaces are {', '.join(library.spaces())}"
            )
        known = library.files()
        return _Contents(tracks, [known[t.path][0] for t in tracks], library.revision(served))
