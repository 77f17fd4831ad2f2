"""Data folders of any number of tracks that nobody ever heard, with plausible metadata.

::

    python -m benchmarks.catalogs DATA_DIR TARGET --tracks 100_000

Vectors are those of `benchmarks.vectors`, put into the library as the indexer puts them there, and
published as the indexer does. An artist has a genre, which goes with the real track that its sound
lies near, a few years, and albums; names are syllables.
"""

import argparse
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmarks.clock import timed
from benchmarks.mixture import BLOCK, Mixture
from benchmarks.output import say, shown
from benchmarks.vectors import MODEL_DIMENSION, mixture_of
from recommender import library_tables as t
from recommender.arrays import FloatArray
from recommender.embedders import create_embedder
from recommender.embedding import DEFAULT_WINDOWS, Embedding
from recommender.library import Library
from recommender.publishing import publish
from recommender.records import FileState, Indexed
from recommender.space import Space
from recommender.track import Metadata, Track

EMBEDDER = "musicnn:model=msd"
GENRES = (
    *("Rock", "Pop", "Jazz", "Classical", "Electronic", "Hip-Hop", "Folk", "Metal", "Blues"),
    *("Country", "Soul", "Funk", "Reggae", "Latin", "Ambient", "Punk", "House", "Techno"),
    *("Indie", "Soundtrack", "Gospel", "Disco", "Opera", "World"),
)
FIRST_YEAR, LAST_YEAR = 1955, 2025
FIRST, STORED_AT_ONCE = 64, 4096
LIBRARY = "library.db"
_SYLLABLES = (
    *("ka", "lo", "mi", "ren", "da", "vu", "sol", "tar", "ne", "bri", "os", "el", "han", "qui"),
    *("pa", "zer", "tu", "mo", "lin", "fa", "ro", "sha", "en", "ju"),
)
_STATE = FileState(size=8_000_000, mtime_ns=1_700_000_000_000_000_000)


def space() -> Space:
    """Vectors of 200 numbers, with tags; clips that are uploaded are embedded in it as well."""
    return Space(create_embedder(EMBEDDER).spec, DEFAULT_WINDOWS)


def track_id(number: int) -> str:
    """Id of a track: as long as real ones, and as little in order."""
    return hashlib.blake2b(number.to_bytes(8, "little"), digest_size=16).hexdigest()


class Catalog:
    """Tracks by number, the same ones every time.

    Parameters
    ----------
    mixture
        Where their vectors are from.
    n_tags
        Tag probabilities of each.
    """

    def __init__(self, mixture: Mixture, n_tags: int):
        self._mixture, self._n_tags = mixture, n_tags

    def tracks(self, first: int, end: int) -> Iterator[Indexed]:
        """Tracks `first` to `end`, as the indexer hands them to the library."""
        for block in range(first // BLOCK, -(-end // BLOCK)):
            start = block * BLOCK
            drawn = self._mixture.draw(min(BLOCK, end - start), block)
            for place in range(max(0, first - start), len(drawn.pooled)):
                artist, base = int(drawn.artists[place]), int(drawn.bases[place])
                vector = drawn.pooled[place]
                yield self._indexed(start + place, artist, base, vector)

    def _indexed(self, number: int, artist: int, base: int, vector: FloatArray) -> Indexed:
        rng = np.random.default_rng([7, number])
        metadata = _metadata(rng, artist, base)
        seconds = float(np.clip(rng.lognormal(np.log(220.0), 0.4), 20.0, 3600.0))
        home = f"/music/{metadata.artist}/{metadata.album}/{number:08} {metadata.title}.flac"
        level = float(rng.normal(-14.0, 4.0))
        heard = Embedding(vector, self._tags(rng, base), level, DEFAULT_WINDOWS)
        track = Track(track_id(number), round(seconds, 3), metadata)
        return Indexed(home.encode(), _STATE, track, heard)

    def _tags(self, rng: np.random.Generator, base: int) -> FloatArray:
        """A few tags of the real track it lies near are likely, most others are not."""
        usual = np.random.default_rng([8, base]).beta(0.25, 3.0, self._n_tags)
        tags: FloatArray = np.clip(usual * rng.lognormal(0.0, 0.4, self._n_tags), 0.0, 1.0)
        return tags.astype(np.float32)


def _metadata(rng: np.random.Generator, artist: int, base: int) -> Metadata:
    of_artist = np.random.default_rng([9, artist])
    began = int(of_artist.integers(FIRST_YEAR, LAST_YEAR - 10))
    album = int(rng.integers(4))
    of_album = np.random.default_rng([10, artist, album])
    # one in ten is filed elsewhere
    genre = base if rng.random() < 0.9 else int(rng.integers(len(GENRES)))
    name = _name(of_artist, 2)
    return Metadata(
        title=_name(rng, int(rng.integers(1, 5))),
        artist=f"{name} {artist}",
        album=_name(of_album, 2),
        album_artist=f"{name} {artist}",
        genre=GENRES[genre % len(GENRES)],
        track_number=int(rng.integers(1, 13)),
        year=began + 3 * album,
        licence="CC BY 4.0",
        attribution=f"{name} {artist}",
    )


def _name(rng: np.random.Generator, n_words: int) -> str:
    lengths = rng.integers(2, 4, size=n_words)
    return " ".join("".join(rng.choice(_SYLLABLES, size=n)).capitalize() for n in lengths)


def fill(folder: Path, catalog: Catalog, first: int, end: int) -> None:
    """Put tracks `first` to `end`, which are new, into the library.

    The first few as the indexer does, the rest by the same tables in bulk: a million by the
    indexer's way, which looks at each for what was there before, takes half an hour.
    """
    here = space()
    rest = min(first + FIRST, end)
    with open_library(folder) as library:
        library.store(list(catalog.tracks(first, rest)), here)
    starts = range(rest, end, STORED_AT_ONCE)
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(folder / LIBRARY)))
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA cache_size = -1000000")
        for start in shown(starts, f"storing {end - first:,} tracks", len(starts)):
            _insert(connection, catalog.tracks(start, min(start + STORED_AT_ONCE, end)), here.id)
    engine.dispose()


def _insert(connection: sa.Connection, tracks: Iterable[Indexed], space_id: str) -> None:
    rows: dict[sa.Table, list[dict[str, Any]]] = {t.tracks: [], t.files: [], t.vectors: []}
    for one in tracks:
        assert one.embedding is not None
        track, heard = one.track, one.embedding
        own = {"id": track.id, "duration_seconds": track.duration_seconds}
        rows[t.tracks].append(own | asdict(track.metadata))
        rows[t.files].append({"path": one.path, "track_id": track.id, **asdict(one.state)})
        rows[t.vectors].append(
            {
                "track_id": track.id,
                "space_id": space_id,
                "vector": heard.vector.astype("<f4").tobytes(),
                "tags": heard.tags.astype("<f4").tobytes(),
                "level_dbfs": heard.level_dbfs,
                "n_windows": heard.n_windows,
            }
        )
    for table, values in rows.items():
        connection.execute(sa.insert(table), values)


def catalog_of(real_data: Path, n: int) -> Catalog:
    """The catalog whose first `n` tracks fill its artists."""
    mixture = mixture_of(real_data, n, MODEL_DIMENSION)
    return Catalog(mixture, len(space().embedder.tag_names))


def open_library(folder: Path) -> Library:
    """The library of a data folder, with the space known."""
    folder.mkdir(parents=True, exist_ok=True)
    library = Library.open(folder / LIBRARY)
    library.add_space(space())
    return library


def prepare(real_data: Path, folder: Path, n: int) -> Catalog:
    """Have `n` tracks in a data folder, and have them published; goes on where it was left."""
    catalog = catalog_of(real_data, n)
    with open_library(folder) as library:
        there = library.count_publishable(space().id)
    if there < n:
        _, seconds = timed(lambda: fill(folder, catalog, there, n))
        say(f"stored {n - there:,} tracks in {seconds:.1f} s, {(n - there) / seconds:,.0f}/s")
    with open_library(folder) as library:
        name, seconds = timed(lambda: publish(folder, library, space()))
        say(f"published {n:,} tracks as {name} in {seconds:.1f} s")
    return catalog


def main() -> None:
    """Make a data folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path, help="with real vectors")
    parser.add_argument("target", type=Path, help="the folder to make")
    parser.add_argument("--tracks", type=int, default=100_000)
    options = parser.parse_args()
    prepare(options.data_dir, options.target, options.tracks)


if __name__ == "__main__":
    main()
