"""musicnn against golden data of its authors' TensorFlow network, and its weights."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.embedders import DEFAULT_EMBEDDER, EMBEDDERS, create_embedder
from recommender.embedders.musicnn import WEIGHTS, Musicnn
from recommender.embedding import Embedder, Frames, window_starts
from recommender.errors import InvalidParameterError, WeightsError
from tests.contracts import EmbedderContract
from tests.signals import SIGNALS

GOLDEN = Path(__file__).parent / "data" / "musicnn_golden.npz"
MODELS = ("MSD_musicnn", "MTT_musicnn")
SHARED_WEIGHTS_SHA256 = "fa238db40cbe3aa12ac9e94a648454f1ebbc8104e4bb50691158b18d58582376"


class TestMusicnnContract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return Musicnn()


@cache
def golden() -> Mapping[str, FloatArray]:
    with np.load(GOLDEN) as data:
        return dict(data)


@cache
def embedded(signal: str) -> Frames:
    """All windows of a signal, as the original system cuts them."""
    embedder = Musicnn()
    spec, audio = embedder.spec, SIGNALS[signal]()
    padded = np.pad(audio, (spec.context_samples, spec.window_samples))
    firsts = [start + spec.context_samples for start in window_starts(len(audio), spec, None)]
    return embedder.embed(np.stack([padded[first:][: spec.window_samples] for first in firsts]))


def cosines(first: FloatArray, second: FloatArray) -> FloatArray:
    a, b = first.astype(np.float64), second.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / norms)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("position", [0, 1], ids=MODELS)
def test_vectors_are_those_of_the_original_network(signal: str, position: int) -> None:
    expected = golden()[f"{signal}.{MODELS[position]}.penultimate"]
    actual = embedded(signal).vectors[:, 200 * position :][:, :200]
    assert actual.shape == expected.shape
    assert cosines(actual, expected).min() > 1 - 1e-7
    np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-3)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("position", [0, 1], ids=MODELS)
def test_tags_are_those_of_the_original_network(signal: str, position: int) -> None:
    expected = golden()[f"{signal}.{MODELS[position]}.taggram"]
    actual = embedded(signal).tags[:, 50 * position :][:, :50]
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-4)


def test_tag_names_follow_the_outputs_of_both_models() -> None:
    msd = [f"msd:{label.lower()}" for label in golden()["labels.MSD_musicnn"]]
    mtt = [f"mtt:{label.lower()}" for label in golden()["labels.MTT_musicnn"]]
    assert list(Musicnn().spec.tag_names) == msd + mtt


def test_the_space_of_published_vectors_has_not_moved() -> None:
    spec = Musicnn().spec
    assert spec.weights_sha256 == SHARED_WEIGHTS_SHA256
    assert (spec.name, spec.version, spec.sample_rate) == ("musicnn", "1", 16_000)
    assert (spec.window_samples, spec.hop_samples) == (48_128, 47_872)
    assert (spec.context_samples, spec.least_samples) == (256, 47_616)
    assert spec.frame_dimension == 400


def test_the_licence_lies_beside_the_weights() -> None:
    licence = (WEIGHTS / "LICENSE.musicnn").read_text(encoding="utf-8")
    assert "Universitat Pompeu Fabra 2019" in licence
    assert "THE SOFTWARE IS PROVIDED" in licence


def test_changed_weights_are_refused_and_the_spec_still_reads(tmp_path: Path) -> None:
    for file in WEIGHTS.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "MTT_musicnn.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\xff")
    embedder = Musicnn(tmp_path)
    window = np.zeros((1, embedder.spec.window_samples), np.float32)
    with pytest.raises(WeightsError, match=r"weights=MTT_musicnn\.safetensors should be"):
        embedder.embed(window)


def test_a_missing_file_is_refused_until_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes((WEIGHTS / "manifest.json").read_bytes())
    embedder = Musicnn(tmp_path)
    window = np.zeros((1, embedder.spec.window_samples), np.float32)
    with pytest.raises(WeightsError, match="install soundalike again"):
        embedder.embed(window)
    for model in MODELS:
        file = WEIGHTS / f"{model}.safetensors"
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert embedder.embed(window).vectors.shape == (1, 400)


@pytest.mark.parametrize("manifest", [None, "{", "[]", '{"files": {}}'])
def test_a_manifest_that_cannot_be_used_is_refused(tmp_path: Path, manifest: str | None) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(WeightsError, match=r"manifest\.json cannot be used"):
        _ = Musicnn(tmp_path).spec


@pytest.mark.parametrize("name", EMBEDDERS)
def test_embedders_are_made_by_name(name: str) -> None:
    assert create_embedder(name).spec.name == name


def test_the_default_embedder_is_registered() -> None:
    assert DEFAULT_EMBEDDER in EMBEDDERS


def test_an_unknown_embedder_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InvalidParameterError, match=r"embedder=nonesuch .* musicnn"):
        create_embedder("nonesuch")
