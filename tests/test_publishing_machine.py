"""Random additions, removals, changes, publications and rollbacks against a plain model of them."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from recommender.current import current_generation, list_generations, make_current, served
from recommender.descriptors import described
from recommender.engine import Recommender
from recommender.filters import Filters
from recommender.generation import normalised
from recommender.index.recipes import KINDS, IndexOptions
from recommender.press import How
from recommender.publishing import publish
from recommender.questions import Options
from recommender.songs import SONG, song_of
from recommender.track import Metadata, Track
from recommender.update_limits import Limits
from tests.builders import DIMENSION, SPACE, Entry, indexed, open_library, opened

ARTISTS = ("", "Ada", "Bo")
# so wide that what is published is an update whenever that can be
WIDE = Limits(least_rows=1, most_dead=0.5, most_growth=3.0, most_drift=0.5, most_beside=12)
EXACT = ("flat", "flat-fp16")
CUSTOM = ("IVF4,Flat", "NSG8")

seeds = st.integers(0, 2**16)


class Publishing(RuleBasedStateMachine):
    """`known` is what the library holds, `published` what each generation was made from."""

    kind = "flat"

    def __init__(self) -> None:
        super().__init__()
        self.data_dir = Path(tempfile.mkdtemp())
        self.known = dict[str, Entry]()
        self.published = dict[str, dict[str, Entry]]()
        self.made = 0
        self.recommender: Recommender | None = None

    def teardown(self) -> None:
        shutil.rmtree(self.data_dir)

    def store(self, *entries: Entry) -> None:
        with open_library(self.data_dir) as library:
            library.store([indexed(entry) for entry in entries], SPACE)
        self.known |= {entry.id: entry for entry in entries}

    def new_entry(self, seed: int, id_: str) -> Entry:
        rng = np.random.default_rng(seed)
        metadata = Metadata(title=f"t{seed}", artist=ARTISTS[seed % 3], year=1960 + seed % 50)
        return Entry(id_, rng.normal(size=DIMENSION).tolist(), metadata)

    @initialize(seed=seeds)
    def begin(self, seed: int) -> None:
        self.add(seed, 60)
        self.publish()

    @rule(seed=seeds, count=st.integers(1, 8))
    def add(self, seed: int, count: int) -> None:
        # neither in the order of ids nor of rows
        names = [f"{(self.made + i) * 7919 % 1000:03}-{self.made + i}" for i in range(count)]
        self.made += count
        self.store(*(self.new_entry(seed + i, name) for i, name in enumerate(names)))

    @precondition(lambda self: len(self.known) > 20)
    @rule(place=st.integers(0, 10**6), count=st.integers(1, 6))
    def remove(self, place: int, count: int) -> None:
        ids = sorted(self.known)
        gone = {ids[(place + i) % len(ids)] for i in range(count)}
        with open_library(self.data_dir) as library:
            library.forget_files([self.known.pop(id_).file for id_ in gone])

    @rule(place=st.integers(0, 10**6), seed=seeds)
    def embed_anew(self, place: int, seed: int) -> None:
        ids = sorted(self.known)
        self.store(self.new_entry(seed, ids[place % len(ids)]))

    @rule(place=st.integers(0, 10**6), seed=seeds)
    def retag(self, place: int, seed: int) -> None:
        ids = sorted(self.known)
        old = self.known[ids[place % len(ids)]]
        metadata = self.new_entry(seed, old.id).metadata
        self.store(Entry(old.id, old.vector, metadata))

    @rule()
    def publish(self) -> None:
        how = How(IndexOptions(self.kind), accept_low_recall=True, limits=WIDE)
        with open_library(self.data_dir) as library:
            name = publish(self.data_dir, library, SPACE, how)
        assert name == current_generation(self.data_dir)
        self.published[name] = dict(self.known)
        self.recommender = None

    @rule(place=st.integers(0, 10))
    def roll_back(self, place: int) -> None:
        kept = list_generations(self.data_dir)
        [line] = served(self.data_dir)
        make_current(self.data_dir, line._replace(generation=kept[place % len(kept)]))
        self.recommender = None

    @invariant()
    def answers_are_those_of_the_model(self) -> None:
        if not self.published:
            return
        if self.recommender is None:
            self.recommender = opened(self.data_dir, current_generation(self.data_dir))
        recommender = self.recommender
        model = self.published[recommender.generation.manifest.generation]
        assert recommender.generation.track_ids == sorted(model)
        self.check_rows(recommender, model)
        # among so few some sound the same
        every = Options(limit=10, collapses_duplicates=False)
        heard = replace(every, filters=Filters(artists=("ada",)))
        for seed in sorted(model)[:: max(1, len(model) // 3)]:
            self.check(recommender, model, seed, every)
            self.check(recommender, model, seed, heard)

    def check_rows(self, recommender: Recommender, model: dict[str, Entry]) -> None:
        """What is kept of each row is of its track."""
        arrays = recommender.generation.arrays
        for id_, entry in model.items():
            row = arrays.row_of(id_)
            assert row is not None
            level, metadata = entry.level_dbfs, entry.metadata
            assert tuple(arrays.descriptors[row]) == described(level, metadata)
            track = Track(id_, entry.duration_seconds, metadata)
            assert arrays.songs[row] == np.array(song_of(track), SONG)

    def check(
        self, recommender: Recommender, model: dict[str, Entry], seed: str, options: Options
    ) -> None:
        wanted = options.filters.artists
        others = [
            id_
            for id_, entry in sorted(model.items())
            if id_ != seed and (not wanted or entry.metadata.artist.lower() in wanted)
        ]
        units = self.units(recommender, model, [seed, *others])
        similarity = dict(zip(others, (1 + units[1:] @ units[0]) / 2, strict=True))
        matches = recommender.similar(seed, options).matches
        found = [match.track.id for match in matches]
        assert len(found) == len(set(found)) == min(options.limit, len(others))
        assert set(found) <= set(others)
        for match in matches:
            # an index that keeps half precision has cosines of that
            assert match.similarity == pytest.approx(similarity[match.track.id], abs=1e-3)
            assert match.track.metadata == model[match.track.id].metadata
        if self.kind in EXACT:
            best = sorted(similarity.values(), reverse=True)[: len(found)]
            assert [m.similarity for m in matches] == pytest.approx(best, abs=1e-3)

    def units(
        self, recommender: Recommender, model: dict[str, Entry], ids: list[str]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        pooled = np.array([model[id_].vector for id_ in ids], np.float32)
        projected = recommender.generation.projection.apply(pooled)
        return normalised(projected).astype(np.float64)


@pytest.mark.parametrize("kind", [*KINDS, *CUSTOM])
def test_whatever_happens_answers_are_those_of_what_was_published(kind: str) -> None:
    machine = type("Publishing_" + kind, (Publishing,), {"kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=5,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
