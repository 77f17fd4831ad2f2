"""Clips of real files in real children; ranks and shares of made-up vectors by hand."""

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.console import Console
from safetensors.numpy import load, save

from indexer.evaluation import clips as protocol
from indexer.evaluation.clips import (
    DAMAGES,
    LENGTHS,
    MISSED,
    Clips,
    Condition,
    Outcome,
    clip_figures,
    measure_clips,
    rank_clips,
)
from indexer.evaluation.figures import Figure
from indexer.evaluation.subject import Subject, open_subject
from indexer.reindex import reindex
from indexer.request import Request
from indexer.workers import FILE_LIMITS
from recommender.analysis import embed_clip
from recommender.arrays import FloatArray
from recommender.degradations import DEGRADATIONS
from recommender.embedders import create_embedder
from recommender.engine import Recommender
from recommender.errors import (
    FileChangedError,
    InvalidParameterError,
    SilentAudioError,
    SpaceMismatchError,
)
from recommender.excerpts import embed_excerpts
from recommender.records import FileState
from recommender.sandbox import ChildPool
from recommender.space import Listening
from tests.builders import (
    SPACE,
    STATE,
    Entry,
    embedding,
    entry,
    generation_of,
    library_track,
    random_entries,
    recommender_of,
)
from tests.signals import SAMPLE_RATE, chords

QUIET = Console(file=io.StringIO())
LEVELS = [-20.0, -10.0]
LISTENING = Listening(create_embedder("musicnn").spec, 12)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of chords, then four of silence."""
    samples = np.concatenate([chords(8.0), np.zeros(4 * SAMPLE_RATE, np.float32)])
    path = tmp_path_factory.mktemp("recording") / "chords.wav"
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
    return path


def clips_of(
    path: Path, position: float, conditions: list[tuple[float, str]], levels: Sequence[float] = ()
) -> dict[str, FloatArray]:
    file = os.fsencode(path)
    state = FileState.of(path.stat())
    return load(embed_excerpts(file, state, LISTENING, list(levels), position, conditions))


def test_an_excerpt_is_embedded_as_the_same_clip_uploaded_would_be(
    recording: Path, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(recording, dtype="float32")
    start = round(0.25 * (12 - 4) * rate)
    uploaded = tmp_path / "clip.wav"
    soundfile.write(uploaded, samples[start : start + 4 * rate], rate, subtype="FLOAT")
    expected = load(embed_clip(os.fsencode(uploaded), LISTENING, LEVELS))
    found = clips_of(recording, 0.25, [(4.0, "clean")], LEVELS)
    assert found.pop("condition").tolist() == [0, 0, 0]
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_the_position_runs_from_the_first_to_the_last_place(recording: Path) -> None:
    # silent are the last 4 s: so much is left of 6 s at the end, and nothing of 3 s
    at_start = clips_of(recording, 0.0, [(6.0, "clean")])
    at_end = clips_of(recording, 1.0, [(6.0, "clean")])
    assert at_start["level_dbfs"][0] > at_end["level_dbfs"][0]
    with pytest.raises(SilentAudioError, match="every clip of it is silent"):
        clips_of(recording, 1.0, [(3.0, "clean")])


def test_silent_and_too_long_clips_are_left_out(recording: Path) -> None:
    conditions = [(3.0, "clean"), (10.0, "clean"), (30.0, "clean"), (10.0, "-12 dB")]
    found = clips_of(recording, 1.0, conditions, LEVELS[:1])
    assert found["condition"].tolist() == [1, 1, 3, 3]
    assert found["level_dbfs"][2] - found["level_dbfs"][0] == pytest.approx(-12.0, abs=1e-3)


def test_a_file_that_was_written_to_is_refused(recording: Path) -> None:
    with pytest.raises(FileChangedError):
        embed_excerpts(os.fsencode(recording), STATE, LISTENING, [], 0.0, [(3.0, "clean")])


def test_every_degradation_works_within_the_limits_of_a_child(recording: Path) -> None:
    arguments = (os.fsencode(recording), FileState.of(recording.stat()))
    conditions = [(3.0, name) for name in DEGRADATIONS]
    with ChildPool(1, FILE_LIMITS) as pool:
        answer = pool.call(embed_excerpts, *arguments, LISTENING, [], 0.1, conditions)
    found = load(answer)
    assert found["condition"].tolist() == list(range(len(DEGRADATIONS)))
    # every degradation is heard, and none makes other music of it
    away = np.linalg.norm(found["vectors"] - found["vectors"][0], axis=1)
    assert (away[1:] > 0).all()
    assert np.isfinite(found["vectors"]).all()


def test_a_clip_of_the_whole_track_finds_it(rendered_music: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    reindex(Request((os.fsencode(rendered_music),), data, "musicnn", 12, 2), QUIET)
    subject = open_subject(data)
    conditions = [Condition(4.9, "clean"), Condition(3.0, "mp3 64 kbit/s"), LENGTHS[-1]]
    folder = tmp_path / "measured"
    found = measure_clips(subject, folder, 2, 5, 2, QUIET, conditions)
    assert [len(by_track) for by_track in found.values()] == [2, 2, 0]
    n_heard = 1 + len(subject.generation.manifest.level_quantiles_dbfs)
    assert {len(heard) for heard in found["4.9 s, clean"].values()} == {n_heard}
    outcomes = rank_clips(Recommender(subject.generation), found)
    assert [o.rank for o in outcomes if o.condition == "4.9 s, clean"] == [1, 1]
    # what was measured once is read again, even when the files are gone
    gone = replace(subject, tracks=[replace(t, path=b"/gone") for t in subject.tracks])
    again = measure_clips(gone, folder, 2, 5, 2, QUIET, conditions)
    assert rank_clips(Recommender(subject.generation), again) == outcomes
    # what does not fit is not believed; without the files it is left out
    for kept in folder.glob("*/*"):
        arrays = load(kept.read_bytes())
        kept.write_bytes(save(arrays | {"condition": arrays["condition"][::-1].copy()}))
    nothing = measure_clips(gone, folder, 2, 5, 2, QUIET, conditions)
    assert [len(by_track) for by_track in nothing.values()] == [0, 0, 0]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `measured` is asked for, in place of measuring."""
    calls: list[tuple[Any, ...]] = []

    def note(tracks: Any, folder: Any, function: Any, arguments: Any, *rest: Any) -> dict[str, Any]:
        calls.append((folder, {id_: arguments(id_) for id_ in tracks}))
        return {}

    monkeypatch.setattr(protocol, "measured", note)
    # the fake embedder is in no registry
    monkeypatch.setattr(protocol, "space_of", lambda _manifest: SPACE)
    return calls


def subject_of(folder: Path, entries: Sequence[Entry]) -> Subject:
    generation = generation_of(folder, entries)
    tracks = [library_track(e) for e in sorted(entries, key=lambda e: e.id)]
    vectors = generation.index.vectors(np.arange(len(entries)))
    return Subject(generation, SPACE.id, tracks, [STATE] * len(entries), vectors)


Ask = Callable[..., dict[str, tuple[Any, ...]]]


@pytest.fixture
def ask(asked: list[tuple[Any, ...]], tmp_path: Path) -> Ask:
    """Arguments by track of a call with so many tracks and such a seed."""

    def call(entries: Sequence[Entry], n_tracks: int, seed: int = 5) -> dict[str, tuple[Any, ...]]:
        measure_clips(subject_of(tmp_path, entries), tmp_path, n_tracks, seed, 1, QUIET)
        arguments: dict[str, tuple[Any, ...]] = asked[-1][1]
        return arguments

    return call


def test_more_tracks_are_added_to_those_that_were_drawn(ask: Ask) -> None:
    few, more = ask(random_entries(30), 5), ask(random_entries(30), 20)
    assert (len(few), len(more)) == (5, 20)
    assert few.items() <= more.items()
    assert max(more) > "t019"  # drawn, not the first ones
    places = [position for _, _, position, _ in more.values()]
    assert len(set(places)) == 20
    assert 0 <= min(places) < 0.3 < 0.7 < max(places) < 1


def test_another_seed_draws_others_into_another_folder(
    ask: Ask, asked: list[tuple[Any, ...]]
) -> None:
    one, other = ask(random_entries(30), 10, seed=1), ask(random_entries(30), 10, seed=2)
    assert one.keys() != other.keys()
    assert asked[0][0] != asked[1][0]


def test_tracks_shorter_than_every_clip_are_not_drawn(ask: Ask) -> None:
    entries = [replace(e, duration_seconds=2.9) for e in random_entries(9)]
    entries[4] = replace(entries[4], duration_seconds=3.0)
    assert list(ask(entries, 9)) == ["t004"]


def test_clips_are_heard_as_the_service_hears_them(ask: Ask) -> None:
    ((listening, levels, _, conditions),) = ask(random_entries(1), 1).values()
    assert (listening, levels) == (SPACE.clip_listening, [-14.0] * 5)
    assert conditions[:4] == [(3.0, "clean"), (5.0, "clean"), (10.0, "clean"), (30.0, "clean")]
    assert conditions[4:] == [(10.0, name) for name in DEGRADATIONS if name != "clean"]


def test_only_what_is_served_can_be_asked(tmp_path: Path) -> None:
    subject = replace(subject_of(tmp_path, random_entries(3)), space_id="other")
    with pytest.raises(InvalidParameterError, match="space=other is not served"):
        measure_clips(subject, tmp_path, 3, 5, 1, QUIET)


def test_clips_of_another_version_of_the_embedder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpaceMismatchError, match="clips need the embedder of the index"):
        measure_clips(subject_of(tmp_path, random_entries(3)), tmp_path, 3, 5, 1, QUIET)


def direction(degrees: float) -> list[float]:
    """A unit vector in the plane of the first two dimensions."""
    return [float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees))), 0.0, 0.0]


def fan(n_tracks: int, step: float) -> list[Entry]:
    """Tracks t000, t001, … that each point a little further round."""
    return [entry(f"t{i:03}", direction(i * step)) for i in range(n_tracks)]


def outcomes_of(folder: Path, entries: Sequence[Entry], clips: Clips) -> dict[Any, Any]:
    found = rank_clips(recommender_of(folder, entries), clips)
    return {(o.subject, o.condition, o.track_id): (o.rank, o.kept) for o in found}


def test_ranks_and_shares_are_those_of_the_answers(tmp_path: Path) -> None:
    # neighbours of t000 are t001 to t010; a clip at 5.2 steps is nearest to t005, t006, t004 …
    heard = [embedding(direction(5.2))]
    found = outcomes_of(tmp_path, fan(40, 1.0), {"3 s, clean": {"t000": heard}})
    # t000 comes behind t001 to t010; all ten of them are kept
    assert found == {("served", "3 s, clean", "t000"): (11, 1.0)}
    heard = [embedding(direction(12.2))]
    found = outcomes_of(tmp_path, fan(40, 1.0), {"3 s, clean": {"t000": heard}})
    # t008 to t017 are the first ten
    assert found == {("served", "3 s, clean", "t000"): (25, 0.3)}


def test_the_track_itself_is_no_look_alike_of_its_clip(tmp_path: Path) -> None:
    heard = [embedding(direction(0.0))]
    found = outcomes_of(tmp_path, fan(40, 1.0), {"3 s, clean": {"t000": heard}})
    assert found == {("served", "3 s, clean", "t000"): (1, 1.0)}


def test_a_track_beyond_the_longest_answer_is_missed(tmp_path: Path) -> None:
    clips = {"3 s, clean": {"t000": [embedding(direction(50.9))]}}
    found = outcomes_of(tmp_path, fan(102, 0.5), clips)
    assert found == {("served", "3 s, clean", "t000"): (MISSED, 0.0)}


def test_levels_are_left_out_where_that_is_compared(tmp_path: Path) -> None:
    heard = [embedding(direction(20.2)), embedding(direction(0.1))]
    conditions = ("10 s, clean", "10 s, -12 dB", "10 s, eq")
    found = outcomes_of(tmp_path, fan(40, 1.0), {name: {"t000": heard} for name in conditions})
    assert {key[:2]: rank for key, (rank, _) in found.items()} == {
        ("served", "10 s, clean"): 1,
        ("as it is", "10 s, clean"): 40,
        ("served", "10 s, -12 dB"): 1,
        ("as it is", "10 s, -12 dB"): 40,
        ("served", "10 s, eq"): 1,
    }


def test_a_catalog_of_one_track_has_no_look_alikes_to_keep(tmp_path: Path) -> None:
    clips = {"3 s, clean": {"t000": [embedding(direction(3.0))]}}
    assert outcomes_of(tmp_path, fan(1, 1.0), clips) == {("served", "3 s, clean", "t000"): (1, 0.0)}


def test_figures_are_means_over_clips() -> None:
    ranks = {"a": (1, 1.0), "b": (10, 0.5), "c": (11, 0.0), "d": (MISSED, 0.1)}
    outcomes = [Outcome("served", "10 s, eq", id_, *fate) for id_, fate in ranks.items()]
    figures = {f.key: f for f in clip_figures(outcomes, 200)}
    assert all(f.low <= f.value <= f.high and f.n == 4 for f in figures.values())
    values = {key[1:]: f.value for key, f in figures.items()}
    assert {key[0] for key in figures} == {"clips"}
    assert values == {
        ("served", "10 s, eq", "first"): 0.25,
        ("served", "10 s, eq", "hit rate@10"): 0.5,
        ("served", "10 s, eq", "look-alikes kept"): pytest.approx(0.4),
        ("chance", "any clip", "first"): 1 / 200,
        ("chance", "any clip", "hit rate@10"): 10 / 200,
        ("chance", "any clip", "look-alikes kept"): 10 / 199,
    }


def test_chance_is_exact_and_certain_in_a_small_catalog() -> None:
    figures = clip_figures([Outcome("served", "10 s, eq", "a", 1, 1.0)], 5)
    chance = {f.metric: (f.low, f.value, f.high) for f in figures if f.subject == "chance"}
    assert chance == {
        "first": (0.2, 0.2, 0.2),
        "hit rate@10": (1.0, 1.0, 1.0),
        "look-alikes kept": (1.0, 1.0, 1.0),
    }


def test_no_clips_give_no_figures() -> None:
    nothing: list[Figure] = []
    assert clip_figures([], 10) == nothing


def test_conditions_have_names_of_their_own() -> None:
    names = [condition.name for condition in LENGTHS + DAMAGES]
    assert len(set(names)) == len(names)
    assert "10 s, mp3 64 kbit/s" in names
    assert set(protocol.UNLEVELLED) <= set(names)
