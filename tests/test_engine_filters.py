"""Filters: every answer is held against a look at each track, whatever the index."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.allowed import AllowedRows
from recommender.arrays import FloatArray
from recommender.engine import Recommender
from recommender.errors import InvalidParameterError
from recommender.filters import Filters
from recommender.index.building import build_index
from recommender.index.faiss import FaissIndex
from recommender.index.recipes import KINDS, IndexOptions
from recommender.labels import Labels
from recommender.questions import Options, Preference
from recommender.retrieval import Retrieval
from recommender.selection import Selection
from recommender.text import folded, genre_keys
from recommender.track import Metadata
from tests.builders import (
    Entry,
    embedding,
    entry,
    generation_of,
    random_entries,
    recommender_of,
)

GENRES = ("", "Jazz", "Rock; Jazz", "Ambient/Drone", "Électro")
ARTISTS = ("", "Ada", "BJÖRK", "Cy")
ALBUMS = ("", "One", "Two")
EXACT = ("flat", "flat-fp16")
CUSTOM = ("IVF4,Flat", "HNSW8,SQ8")


@dataclass(frozen=True)
class Kind:
    """Builds one kind of index, as `generation_of` wants it."""

    name: str

    def build(self, vectors: FloatArray) -> FaissIndex:
        return build_index(vectors, IndexOptions(self.name))[0]


def random_catalog(n_tracks: int, seed: int) -> list[Entry]:
    rng = np.random.default_rng(seed)

    def one(entry_: Entry) -> Entry:
        metadata = Metadata(
            genre=str(rng.choice(GENRES)),
            artist=str(rng.choice(ARTISTS)),
            album=str(rng.choice(ALBUMS)),
            year=int(rng.choice([0, 1959, 1974, 1975, 2001])),
        )
        tags = tuple(rng.choice([0.0, 0.0625, 0.25, 0.75], 3).tolist())
        seconds = float(rng.choice([0.5, 60.0, 359.999, 360.0, 7200.0]))
        return replace(entry_, metadata=metadata, tags=tags, duration_seconds=seconds)

    return [one(e) for e in random_entries(n_tracks, seed)]


def fits(track: Entry, filters: Filters) -> bool:
    """The documented meaning of filters, for one track."""
    of = track.metadata
    jazz, rock = max(track.tags[0], track.tags[2]), track.tags[1]
    strength = {"jazz": jazz, "rock": rock}
    low, high = filters.year_from, filters.year_to
    shortest, longest = filters.duration_min, filters.duration_max
    return all(
        (
            not filters.genres or {folded(g) for g in filters.genres} & genre_keys(of.genre),
            not filters.artists or folded(of.artist) in {folded(a) for a in filters.artists},
            not filters.albums or folded(of.album) in {folded(a) for a in filters.albums},
            all(strength[tag] >= filters.tag_threshold for tag in filters.tags),
            low is None or (of.year and of.year >= low),
            high is None or (of.year and of.year <= high),
            shortest is None or track.duration_seconds >= shortest,
            longest is None or track.duration_seconds <= longest,
        )
    )


def some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


years = st.none() | st.integers(1958, 2002)
seconds = st.none() | st.sampled_from([0.0, 59.0, 60.0, 360.0, 1e4])
any_filters = st.builds(
    Filters,
    genres=some("jazz", "ROCK", "drone", "electro"),
    artists=some("ada", "bjork", "nobody"),
    albums=some("one", "two"),
    tags=some("jazz", "rock"),
    tag_threshold=st.sampled_from([0.05, 0.1, 0.5]),
    year_from=years,
    year_to=years,
    duration_min=seconds,
    duration_max=seconds,
)


def check(
    recommender: Recommender, catalog: Sequence[Entry], seed: Entry, options: Options, exact: bool
) -> None:
    banned = {folded(artist) for artist in options.exclude_artists}
    matching = [
        e
        for e in catalog
        if e.id not in (seed.id, *options.exclude_ids)
        and folded(e.metadata.artist) not in banned
        and fits(e, options.filters)
    ]
    matches = recommender.similar(seed.id, options).matches
    found = [match.track.id for match in matches]
    assert len(found) == len(set(found)) == min(options.limit, len(matching))
    assert set(found) <= {e.id for e in matching}
    generation = recommender.generation
    rows = generation.rows_of([seed.id, *(e.id for e in matching)])[0]
    units = generation.index.vectors(rows).astype(np.float64)
    similarity = dict(
        zip((e.id for e in matching), np.round((1 + units[1:] @ units[0]) / 2, 6), strict=True)
    )
    assert [m.similarity for m in matches] == pytest.approx(
        [similarity[i] for i in found], abs=2e-6
    )
    if exact:
        best = sorted(similarity, key=lambda id_: (-similarity[id_], id_))
        assert found == best[: len(found)]


@pytest.mark.parametrize("kind", [*KINDS, *CUSTOM])
def test_filters_leave_what_fits_and_nothing_else(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("catalog")
    made = dict[tuple[int, int], tuple[list[Entry], Recommender]]()

    def recommender_for(n_tracks: int, seed: int) -> tuple[list[Entry], Recommender]:
        if (n_tracks, seed) not in made:
            catalog = random_catalog(n_tracks, seed)
            place = folder / f"{n_tracks}-{seed}"
            place.mkdir()
            generation = generation_of(place, catalog, Kind(kind))  # type: ignore[arg-type]
            made[n_tracks, seed] = catalog, Recommender(generation)
        return made[n_tracks, seed]

    @settings(max_examples=60, deadline=None)
    @given(
        size=st.sampled_from([1, 2, 30, 300]),
        seed=st.integers(0, 1),
        place=st.integers(0, 10**6),
        filters=any_filters,
        limit=st.sampled_from([1, 10, 100]),
        exclude=st.lists(st.integers(0, 40), max_size=3),
        artists=some("Ada", "cy"),
    )
    def holds(
        size: int,
        seed: int,
        place: int,
        filters: Filters,
        limit: int,
        exclude: list[int],
        artists: tuple[str, ...],
    ) -> None:
        catalog, recommender = recommender_for(size, seed)
        options = Options(
            limit=limit,
            exclude_ids=tuple(f"t{i:03}" for i in exclude),
            exclude_artists=artists,
            filters=filters,
            corrects_hubs=False,
        )
        check(recommender, catalog, catalog[place % size], options, exact=kind in EXACT)

    holds()


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_larger_catalog_every_kind_is_itself_and_fills_its_lists(
    tmp_path: Path, kind: str
) -> None:
    catalog = random_catalog(1_500, 7)
    generation = generation_of(tmp_path, catalog, Kind(kind))  # type: ignore[arg-type]
    assert isinstance(generation.index, FaissIndex)
    assert generation.index.recipe.kind == kind
    recommender = Recommender(generation)
    for filters in (
        Filters(),
        Filters(genres=("jazz",)),
        Filters(genres=("drone",), artists=("ada",), tags=("rock",)),
        Filters(year_from=1975, tags=("jazz",), tag_threshold=0.5),
        Filters(artists=("nobody",)),
    ):
        options = Options(limit=100, filters=filters, corrects_hubs=False)
        for seed in catalog[::300]:
            check(recommender, catalog, seed, options, exact=kind in EXACT)


def test_clips_and_tastes_are_filtered_too(tmp_path: Path) -> None:
    catalog = random_catalog(60, 3)
    recommender = recommender_of(tmp_path, catalog)
    options = Options(limit=60, filters=Filters(genres=("jazz",), year_to=1974))
    fitting = {e.id for e in catalog if fits(e, options.filters)}
    clips = [embedding([1, 0, 0, 0]), embedding([0, 1, 0, 0])]
    heard = recommender.similar_to_clip(clips, options).matches
    assert {m.track.id for m in heard} == fitting
    liked = recommender.recommend([Preference("t000")], [Preference("t001")], options).matches
    assert {m.track.id for m in liked} == fitting - {"t000", "t001"}


def test_a_cap_per_artist_holds_among_what_fits(tmp_path: Path) -> None:
    catalog = random_catalog(200, 5)
    recommender = recommender_of(tmp_path, catalog)
    filters = Filters(genres=("jazz",), artists=("ada", "björk"))
    options = Options(limit=50, max_per_artist=3, filters=filters)
    matches = recommender.similar("t000", options).matches
    assert sorted(m.track.metadata.artist for m in matches) == ["Ada"] * 3 + ["BJÖRK"] * 3


def test_a_tag_that_the_space_does_not_know_is_refused_with_those_it_does(tmp_path: Path) -> None:
    recommender = recommender_of(tmp_path, random_entries(3))
    options = Options(filters=Filters(tags=("polka",)))
    with pytest.raises(InvalidParameterError, match=r"tag=polka .* it has jazz, rock"):
        recommender.similar("t000", options)


def test_of_many_tags_those_are_named_that_are_most_like_it(tmp_path: Path) -> None:
    generation = generation_of(tmp_path, random_entries(3))
    labels = Labels([f"tag {number}" for number in range(40)] + ["polka"])
    rows = AllowedRows(generation.catalog, np.zeros((3, 41), np.float16), labels, None)
    with pytest.raises(InvalidParameterError, match=r"it has polka, .* and 29 more$"):
        rows.of(Filters(tags=("polkas",)))


def test_filters_that_come_again_are_not_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = recommender_of(tmp_path, random_catalog(50, 1))
    looked_up = list[Any]()
    catalog = recommender.generation.catalog
    real = type(catalog).rows_matching

    def noted(self: Any, filters: Filters) -> Any:
        looked_up.append(filters)
        return real(self, filters)

    monkeypatch.setattr(type(catalog), "rows_matching", noted)
    for _ in range(3):
        recommender.similar("t000", Options(filters=Filters(genres=("jazz",))))
    recommender.similar("t000", Options())
    assert looked_up == [Filters(genres=("jazz",))]


def test_names_that_no_track_has_are_warned_of(tmp_path: Path) -> None:
    tracks = [
        entry("a", [1, 0, 0, 0], genre="Rock; Jazz", artist="Björk", album="One"),
        entry("b", [1, 1, 0, 0]),
    ]
    recommender = recommender_of(tmp_path, tracks)

    def warnings(**options: Any) -> list[str]:
        excluded = options.pop("exclude_artists", ())
        asked = Options(filters=Filters(**options), exclude_artists=excluded)
        return list(recommender.similar("b", asked).warnings)

    assert warnings(genres=("JAZZ", "rock; jazz"), artists=("bjork",), albums=("one",)) == []
    assert warnings(year_from=1990, tags=("jazz",), exclude_artists=("BJORK",)) == []
    for _ in range(2):
        assert warnings(genres=("Jaz", "jazz", " ", "a\0b", "\ud800")) == [
            f"genre={name} is in no track of the catalog" for name in ("Jaz", " ", "a\0b", "\ud800")
        ]
    assert warnings(artists=("Jazz",), albums=("Two", "One"), exclude_artists=("Ada", "Björk")) == [
        "artist=Jazz is in no track of the catalog",
        "album=Two is in no track of the catalog",
        "exclude_artist=Ada is in no track of the catalog",
    ]


def test_without_filters_no_name_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = recommender_of(tmp_path, random_entries(3))

    def fail(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(Retrieval, "in_vain", fail)
    assert recommender.similar("t000", Options(exclude_ids=("t001",))).matches


def test_a_catalog_of_one_artist_is_capped_without_fetching_all(tmp_path: Path) -> None:
    many = [replace(e, metadata=Metadata(artist="Same")) for e in random_entries(3_000)]
    few = [entry(f"z{i}", [-1, 0, 0, i / 9], artist=f"Other {i}") for i in range(5)]
    generation = generation_of(tmp_path, [*many, *few])
    asked = list[int]()

    class Counting:
        def __len__(self) -> int:
            return len(generation.index)

        def __getattr__(self, name: str) -> Any:
            return getattr(generation.index, name)

        def nearest(self, query: FloatArray, k: int, *rest: Any) -> Any:
            asked.append(k)
            return generation.index.nearest(query, k, *rest)

    recommender = Recommender(replace(generation, index=Counting()))
    matches = recommender.similar("t000", Options(limit=100, max_per_artist=1)).matches
    assert len(matches) == 6
    assert sum(asked) < 1_100


def test_rows_of_tracks_that_left_fit_no_filter(tmp_path: Path) -> None:
    generation = generation_of(tmp_path, random_catalog(40, 2))
    live = Selection.of(np.arange(0, 40, 2), 40)
    rows = AllowedRows(generation.catalog, generation.arrays.tags, generation.labels, live)
    assert rows.of(Filters()).rows is live
    allowed = rows.of(Filters(year_from=1)).rows
    assert allowed is not None
    assert not allowed.holds(np.arange(1, 40, 2)).any()
    assert len(allowed) > 5
