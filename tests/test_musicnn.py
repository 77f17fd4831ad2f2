"""musicnn against golden data of its authors' TensorFlow network, and its weights."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recommender.embedders import (
    DEFAULT_EMBEDDER,
    EMBEDDERS,
    create_embedder,
    embedder_module,
)
from recommender.embedders.musicnn import CHOICES, MODELS, WEIGHTS, Musicnn
from recommender.embedders.options import full_name, parse_options
from recommender.embedding import Embedder, Frames
from recommender.errors import InvalidParameterError, WeightsError
from recommender.space import Space
from tests.contracts import EmbedderContract
from tests.musicnn_golden import cosines, embed_signal, golden
from tests.signals import SIGNALS

SHARED_WEIGHTS_SHA256 = "fa238db40cbe3aa12ac9e94a648454f1ebbc8104e4bb50691158b18d58582376"


class TestMusicnnContract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return Musicnn()


class TestPoolingLayerContract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return create_embedder("musicnn:layer=mean_pool,model=mtt")


class TestTaggramContract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return create_embedder("musicnn:layer=taggram,model=msd")


@cache
def embedded(signal: str, name: str = "musicnn") -> Frames:
    return embed_signal(create_embedder(name), signal)


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


@pytest.mark.parametrize(("layer", "tolerance"), [("mean_pool", 1e-3), ("max_pool", 2e-2)])
@pytest.mark.parametrize("position", [0, 1], ids=MODELS)
def test_pooling_layers_are_those_of_the_original_network(
    layer: str, tolerance: float, position: int
) -> None:
    expected = golden()[f"chords.{MODELS[position]}.{layer}"]
    actual = embedded("chords", f"musicnn:layer={layer}").vectors
    assert actual.shape == (len(expected), 2 * 753)
    own = actual[:, 753 * position :][:, :753]
    np.testing.assert_allclose(own, expected, rtol=0, atol=tolerance)


def test_the_taggram_is_the_tags_as_a_vector() -> None:
    frames = embedded("hiss", "musicnn:layer=taggram")
    np.testing.assert_array_equal(frames.vectors, frames.tags)
    np.testing.assert_array_equal(frames.tags, embedded("hiss").tags)


def test_one_model_is_its_half_of_both() -> None:
    both = embedded("hiss")
    for position, model in enumerate(("msd", "mtt")):
        one = embedded("hiss", f"musicnn:model={model}")
        np.testing.assert_array_equal(one.vectors, both.vectors[:, 200 * position :][:, :200])
        np.testing.assert_array_equal(one.tags, both.tags[:, 50 * position :][:, :50])


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
    # frozen on purpose: another id would have every library embedded again
    assert [Space(spec, n).id for n in (12, None)] == [
        "musicnn-d9411a334d78",
        "musicnn-d2f7ea0fee55",
    ]


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
def test_each_name_is_that_of_the_module_it_leads_to(name: str) -> None:
    assert name == embedder_module(name).NAME


def test_the_default_embedder_is_registered() -> None:
    assert DEFAULT_EMBEDDER in EMBEDDERS


def test_an_unknown_embedder_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InvalidParameterError, match=r"embedder=nonesuch .* musicnn"):
        create_embedder("nonesuch")


@pytest.mark.parametrize(
    ("name", "full", "dimension", "n_tags"),
    [
        ("musicnn", "musicnn", 400, 100),
        ("musicnn:layer=penultimate,model=msd+mtt", "musicnn", 400, 100),
        ("musicnn:model=mtt", "musicnn:model=mtt", 200, 50),
        ("musicnn:model=msd,layer=max_pool", "musicnn:layer=max_pool,model=msd", 753, 50),
        ("musicnn:layer=mean_pool", "musicnn:layer=mean_pool", 1506, 100),
        ("musicnn:layer=taggram", "musicnn:layer=taggram", 100, 100),
    ],
)
def test_options_choose_layer_and_model(name: str, full: str, dimension: int, n_tags: int) -> None:
    spec = create_embedder(name).spec
    assert (spec.name, spec.frame_dimension, len(spec.tag_names)) == (full, dimension, n_tags)
    assert create_embedder(spec.name).spec == spec


def test_each_choice_of_options_is_a_space_of_its_own_with_a_plain_id() -> None:
    names = [
        full_name("musicnn", CHOICES, {"layer": layer, "model": model})
        for layer in CHOICES["layer"]
        for model in CHOICES["model"]
    ]
    ids = {Space(create_embedder(name).spec, 12).id for name in names}
    assert len(ids) == len(names) == 12
    assert all(re.fullmatch("musicnn-[0-9a-f]{12}", id_) for id_ in ids)


@pytest.mark.parametrize(
    "name",
    ["musicnn:layer=dense", "musicnn:layer=", "musicnn:weights=/etc", "mfcc:layer=x", "musicnn:,"],
)
def test_options_that_there_are_not_are_refused(name: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"embedder={name.partition(':')[0]}"):
        create_embedder(name)


def test_a_refused_option_names_those_there_are() -> None:
    listed = r"layer=penultimate\|mean_pool\|max_pool\|taggram, model=msd\+mtt\|msd\|mtt"
    with pytest.raises(InvalidParameterError, match=f"no option layer=dense; use {listed}"):
        create_embedder("musicnn:layer=dense")
    with pytest.raises(InvalidParameterError, match="no option layer=x; it takes none"):
        create_embedder("mfcc:layer=x")


@pytest.mark.parametrize(
    "name", ["a:", "a:b", "a:b=", "a:=c", "a:b=c,", "a:b=c,b=c", "a:b=c d", "a:b=c\n", "a:b=\u2028"]
)
def test_names_beside_the_grammar_are_refused(name: str) -> None:
    with pytest.raises(InvalidParameterError, match="with each key once, of letters"):
        parse_options(name)


def test_a_value_may_hold_anything_but_a_comma() -> None:
    assert parse_options("a:b=c=d,e=f:g") == {"b": "c=d", "e": "f:g"}
    assert parse_options("a") == {}
