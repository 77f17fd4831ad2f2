"""``embedders`` as a user calls it: what each is and needs, with and without its weights."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from indexer import embedder_costs
from indexer.__main__ import main
from recommender.embedders import EMBEDDERS, embedder_module
from recommender.weights_store import store
from tests.published_weights import SOURCE, TENSORS


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setitem(EMBEDDERS, "fake", "tests.weighted_embedder:Weighted")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main(["embedders", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_embedder_is_listed_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {fact["name"]: fact for fact in answer(capsys)}
    assert list(facts) == list(EMBEDDERS)
    musicnn = facts["musicnn"]
    assert (musicnn["dimension"], musicnn["tags"], musicnn["sample_rate"]) == (400, 100, 16_000)
    assert (musicnn["window_seconds"], musicnn["hop_seconds"]) == (3.008, 2.992)
    assert (musicnn["licence"], musicnn["weights"], musicnn["ready"]) == ("ISC", {}, True)
    assert musicnn["options"]["model"] == ["msd+mtt", "msd", "mtt"]
    assert (facts["mfcc"]["licence"], facts["mfcc"]["ready"]) == ("", True)


@pytest.mark.parametrize("name", ["musicnn", "mfcc"])
def test_fitness_is_said_with_its_source(capsys: pytest.CaptureFixture[str], name: str) -> None:
    [fact] = answer(capsys, name)
    assert "arXiv:" in fact["fitness"]


def test_an_embedder_is_described_before_its_weights_are_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = dict(os.environ)
    [fact] = answer(capsys, "fake")
    assert (fact["dimension"], fact["sample_rate"], fact["hop_seconds"]) == (200, 8000, 0.5)
    assert (fact["ready"], fact["weights"], fact["licence"]) == (
        False,
        {"fake-one": False},
        "CC BY 4.0",
    )
    assert "weights fetch fake-one" in fact["problem"]
    assert dict(os.environ) == before


def test_an_embedder_is_described_without_what_it_runs_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.weighted_embedder.REQUIRES", ("nonesuch",), raising=False)
    store(SOURCE, TENSORS, "")
    [fact] = answer(capsys, "fake", "--measure")
    assert (fact["dimension"], fact["ready"]) == (200, False)
    assert fact["problem"].endswith("run: pip install nonesuch")
    assert "seconds_per_audio_minute" not in fact


def test_sizes_and_recorded_costs_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    musicnn, panns = answer(capsys, "musicnn", "panns")
    assert musicnn["parameters"] == {"MSD_musicnn": 787_159, "MTT_musicnn": 787_159}
    assert musicnn["cost"] == 1
    assert panns["parameters"]["panns-cnn14"] == 79_673_792
    assert main(["embedders", "panns"]) == 0
    out = capsys.readouterr().out
    assert (
        "  learned numbers: 79.7 million each (panns-cnn14, panns-cnn14-16k); "
        "4.95 million (panns-cnn10); 4.57 million (panns-cnn6)\n"
    ) in out
    assert f"  about {panns['cost']:g} x musicnn for the same audio (with the default opt" in out


def test_a_name_with_options_is_told_of_what_it_uses(capsys: pytest.CaptureFixture[str]) -> None:
    [panns] = answer(capsys, "panns:model=cnn6")
    assert (panns["weights"], panns["needs"]) == ({"panns-cnn6": False}, [["panns-cnn6"]])
    assert panns["parameters"] == {"panns-cnn6": 4_567_104}
    assert main(["embedders", "panns:model=cnn6"]) == 0
    assert "  learned numbers: 4.57 million (panns-cnn6)\n" in capsys.readouterr().out


def test_files_are_counted_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = embedder_module("vggish").WEIGHTS
    assert main(["embedders", "vggish", "wav2vec2"]) == 0
    out = capsys.readouterr().out
    assert "  weights: none of 2 files present: vggish, vggish-pca; Apache-2.0\n" in out
    assert "present: wav2vec2-base, wav2vec2-base-torchaudio; one will do; Apache-2.0 or MIT" in out
    store(first, TENSORS, "")
    assert main(["embedders", "vggish"]) == 0
    out = capsys.readouterr().out
    assert "  weights: 1 of 2 files present; missing: vggish-pca; present: vggish; Apache" in out
    store(second, TENSORS, "").path.write_bytes(b"damaged")
    assert main(["embedders", "max-local"]) == 0
    out = capsys.readouterr().out
    assert "  weights: 2 of 2 files present; damaged: vggish-pca; present: vggish; Apache" in out


def test_a_name_given_twice_is_told_of_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert [fact["name"] for fact in answer(capsys, "mfcc", "musicnn", "mfcc")] == [
        "mfcc",
        "musicnn",
    ]


def test_a_servers_licence_is_the_servers(capsys: pytest.CaptureFixture[str]) -> None:
    [fact] = answer(capsys, "max")
    assert (fact["licence"], fact["remote"]) == ("that of the server", True)
    assert main(["embedders", "max"]) == 0
    out = capsys.readouterr().out
    assert "  weights: on the server; licence: that of the server\n" in out
    # what it is waited for was not measured
    assert "x musicnn" not in out


def test_options_are_part_of_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    store(SOURCE, TENSORS, "")
    [fact] = answer(capsys, "fake:size=300")
    assert (fact["dimension"], fact["ready"], fact["problem"]) == (300, True, "")


@pytest.mark.parametrize("name", ["nonesuch", "fake:size=1"])
def test_what_there_is_not_is_refused(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["embedders", name]) == 2
    assert "use " in capsys.readouterr().err


def test_cost_is_measured_when_asked_and_only_with_weights(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedder_costs, "MEASURED_SECONDS", 3)
    assert "seconds_per_audio_minute" not in answer(capsys, "mfcc")[0]
    mfcc, fake, musicnn = answer(capsys, "mfcc", "fake", "musicnn", "--measure")
    assert mfcc["seconds_per_audio_minute"] > 0
    assert mfcc["cost_relative_to_default"] > 0
    assert musicnn["cost_relative_to_default"] == 1
    assert "seconds_per_audio_minute" not in fake


def test_lines_for_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedder_costs, "MEASURED_SECONDS", 3)
    assert main(["embedders", "musicnn", "mfcc", "fake", "--measure"]) == 0
    out = capsys.readouterr().out
    assert "musicnn: 400 numbers and 100 tags, 16000 Hz, windows of 3.008 s every 2.992 s" in out
    assert "  weights: in the package, ISC" in out
    assert "  weights: none" in out
    assert "  weights: missing; CC BY 4.0" in out
    assert "1 x musicnn; compare only the ratio" in out
    assert "  layer=penultimate|mean_pool|max_pool" in out
    assert "  fit for nothing but tests" in out


def test_weights_that_are_damaged_are_a_problem_of_one_embedder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedder_costs, "MEASURED_SECONDS", 3)
    store(SOURCE, TENSORS, "").path.write_bytes(b"damaged")
    fake, mfcc = answer(capsys, "fake", "mfcc", "--measure")
    assert (fake["ready"], fake["damaged"]) == (False, ["fake-one"])
    assert fake["problem"].endswith("; run: python -m indexer weights fetch fake-one")
    assert mfcc["seconds_per_audio_minute"] > 0
    assert main(["embedders", "fake"]) == 0
    assert "  weights: damaged; CC BY 4.0" in capsys.readouterr().out


def test_weights_are_read_for_who_names_an_embedder_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store(SOURCE, TENSORS, "").path.write_bytes(b"damaged")
    facts = {fact["name"]: fact for fact in answer(capsys)}
    assert facts["fake"]["ready"]
