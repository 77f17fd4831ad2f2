import io
import wave
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.catalogs import Catalog, fill, open_library, space, track_id
from benchmarks.clock import in_turns, latencies
from benchmarks.contestants import Allowed, Ours, Stock
from benchmarks.disturbances import clip_of
from benchmarks.exact import nearest_of_all, recall
from benchmarks.load import load_of
from benchmarks.mixture import BLOCK, QUERIES, Mixture
from benchmarks.output import Report, Table, machine, whole_numbers
from benchmarks.trials import Trial, smallest, tuned_effort
from benchmarks.vectors import character, in_file
from recommender.arrays import FloatArray
from recommender.publishing import publish


def real(n: int = 40, dimension: int = 200) -> FloatArray:
    rng = np.random.default_rng(5)
    spread = np.linspace(2.0, 0.1, dimension)
    return (rng.normal(size=(n, dimension)) * spread + 3.0).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> FloatArray:
    return Mixture(real(), n_artists=30).units(2_000)


def test_vectors_are_the_same_for_the_same_seed() -> None:
    one, other, another = (Mixture(real(), 30, seed) for seed in (1, 1, 2))

    assert np.array_equal(one.units(50), other.units(50))
    assert not np.array_equal(one.units(50), another.units(50))
    assert not np.array_equal(one.units(50), one.units(50, number=1))
    assert not np.array_equal(one.units(50), one.units(50, stream=QUERIES))


def test_fewer_vectors_are_the_first_of_more() -> None:
    mixture = Mixture(real(), 30)

    assert np.allclose(mixture.units(20), mixture.units(70)[:20], atol=1e-6)


@pytest.mark.parametrize("width", [200, 300])
def test_vectors_have_length_one_and_about_no_mean(width: int) -> None:
    units = Mixture(real(), 30, width=width).units(3_000)

    assert units.shape == (3_000, width)
    assert np.allclose(np.linalg.norm(units, axis=1), 1.0, atol=1e-5)
    assert np.linalg.norm(units.mean(axis=0)) < 0.35


def test_tracks_of_an_artist_sound_alike() -> None:
    drawn = Mixture(real(), 30).draw(1_000)
    same = drawn.artists[:, None] == drawn.artists[None, :]
    units = drawn.pooled - drawn.pooled.mean(axis=0)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    cosines = units @ units.T

    assert cosines[same & ~np.eye(1_000, dtype=bool)].mean() > cosines[~same].mean() + 0.2


def test_a_file_holds_all_blocks(tmp_path: Path) -> None:
    mixture = Mixture(real(dimension=4), 30)

    array = in_file(tmp_path / "v.npy", mixture, BLOCK + 3, 4)

    assert np.allclose(array[:BLOCK], mixture.units(BLOCK), atol=1e-6)
    assert np.allclose(array[BLOCK:], mixture.units(3, 1), atol=1e-6)


def test_dimensions_of_a_plane_are_counted() -> None:
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 4_000)
    circle = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1).astype(np.float32)

    said = character("circle", circle)

    assert said["effective dimension"] == pytest.approx(2.0, abs=0.02)
    assert said["local dimension"] == pytest.approx(1.0, abs=0.15)
    assert said["axes for 99 %"] == 2


def test_exact_search_finds_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.exact.BLOCK", 7)
    rng = np.random.default_rng(0)
    stock, queries = (rng.normal(size=(n, 5)).astype(np.float32) for n in (40, 3))
    allowed = rng.random(40) < 0.5

    rows, cosines = nearest_of_all(stock, queries, 4, allowed)

    everything = np.where(allowed, queries @ stock.T, -np.inf)
    assert np.array_equal(rows, np.argsort(-everything, axis=1)[:, :4])
    assert np.allclose(cosines, -np.sort(-everything, axis=1)[:, :4], atol=1e-5)


def test_what_there_is_not_fills_up_with_no_row() -> None:
    stock = np.eye(3, dtype=np.float32)

    rows, _ = nearest_of_all(stock, stock[:1], 3, np.array([True, False, False]))

    assert rows.tolist() == [[0, -1, -1]]
    assert recall(np.array([0]), rows[0]) == 1.0
    assert recall(np.array([1]), rows[0]) == 0.0


@pytest.mark.parametrize("wanted", [1, 2, 9, 10, 100, 640, 1000])
def test_the_smallest_effort_is_found_about(wanted: int) -> None:
    found = smallest(lambda effort: effort >= wanted, 1, 1000)

    assert wanted <= found <= wanted * 1.06 + 1


def test_an_effort_that_is_never_enough_is_the_greatest() -> None:
    assert smallest(lambda effort: effort < 0, 1, 1000) == 1000


def test_a_trial_measures_queries_that_it_was_not_tuned_with(vectors: FloatArray) -> None:
    stock = Stock(vectors, {"chance": np.zeros(len(vectors), np.float32)})
    queries = Mixture(real(), 30).units(1_100, stream=QUERIES)
    truth, _ = nearest_of_all(vectors, queries, 10)
    ours = Ours("hnsw")
    ours.build(stock)
    try:
        effort = tuned_effort(ours, queries, truth, 0.9)
        trial = Trial(ours, effort, queries, truth, turn_seconds=5.0)
        trial.turn()
        few = Allowed("chance", 0.5, np.arange(len(vectors)) < 4)
        filtered = Trial(ours, effort, queries[:20], truth[:20], 5.0, few)
        filtered.turn()
    finally:
        ours.close()

    assert len(trial.seconds) == 100
    assert trial.recall > 0.85
    assert trial.batch_rates[0] > 0
    assert filtered.n_found == 4


def test_ways_take_turns() -> None:
    order = list[str]()
    ways = {name: (lambda name=name: order.append(name)) for name in "ab"}

    in_turns(ways, 2)

    assert order == ["a", "b", "a", "b"]


def test_calls_stop_when_the_time_is_up() -> None:
    assert len(latencies(abs, range(100), budget_seconds=0.0)) == 1
    assert len(latencies(abs, range(3), budget_seconds=60.0)) == 3


def test_a_table_is_markdown_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out.json"
    report = Report.of("benchmarks.none", SimpleNamespace(json=path))  # type: ignore[arg-type]
    rows: list[dict[str, object]] = [{"what": "a|b", "n": 12_345}, {"what": "c", "n": None}]
    report.add(Table("Title", {"what": "", "n": ","}, rows, "A note."))

    printed = capsys.readouterr().out
    assert "### Title\n\nA note.\n\n| what | n |\n| --- | --- |\n| a\\|b | 12,345 |" in printed
    assert "| c | – |" in printed
    assert '"title": "Title"' in path.read_text(encoding="utf-8")


def test_the_machine_is_named() -> None:
    said = machine()

    assert said["cores"] >= 1
    assert said["versions"]["numpy"] == np.__version__


def test_sizes_may_have_underscores() -> None:
    assert whole_numbers("10_000,5") == [10_000, 5]


def test_what_wrk_says_is_read() -> None:
    line = (
        'RESULT {"requests": 300, "microseconds": 2000000, "p50": 1500, "p95": 2500, "p99": 9000, '
        '"most": 10000, "refused": 2, "failed": 1}'
    )

    load = load_of(line)

    assert (load.rate, load.p50, load.p99, load.errors) == (150.0, 1.5, 9.0, 3)


def test_a_clip_has_the_length_that_was_asked_for() -> None:
    with wave.open(io.BytesIO(clip_of(1.5))) as clip:
        assert clip.getnframes() / clip.getframerate() == pytest.approx(1.5)


def test_a_synthetic_catalog_is_published(tmp_path: Path) -> None:
    catalog = Catalog(Mixture(real(), 5), len(space().embedder.tag_names))
    fill(tmp_path, catalog, 0, 90)
    fill(tmp_path, catalog, 90, 100)
    with open_library(tmp_path) as library:
        tracks = {track.track.id: track for track in library.publishable(space().id)}
        publish(tmp_path, library, space())

    again = list(catalog.tracks(12, 15))
    assert set(tracks) == {track_id(number) for number in range(100)}
    assert [track.track.id for track in again] == [track_id(number) for number in (12, 13, 14)]
    for track in again:
        assert tracks[track.track.id].track == track.track
        assert track.embedding is not None
        assert np.allclose(tracks[track.track.id].vector, track.embedding.vector)
    assert len({track.track.metadata.artist for track in tracks.values()}) <= 5
