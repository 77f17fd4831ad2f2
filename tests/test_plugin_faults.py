"""What is wrong with a plugin is said in words that name its distribution, and stays its own."""

import numpy as np
import pytest

from indexer import embedder_costs
from indexer.__main__ import main
from recommender.embedders import create_embedder
from recommender.errors import PluginError
from tests.plugin_sites import NEW_INIT, Site, listed, problem, site

__all__ = ["site"]

OTHER_SPEC = """
from dataclasses import replace
Tiny.spec = replace(Tiny.spec, {change})
"""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import nonesuch_package", "ModuleNotFoundError: No module named 'nonesuch_package'"),
        ("raise RuntimeError('by its author')", "RuntimeError: by its author"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        ("from recommender.errors import WeightsError\nraise WeightsError('x')", "WeightsError: x"),
        ("Other = 1", "AttributeError"),
        ("Tiny = 1", "tiny_module:Tiny is no class"),
        ("class Tiny:\n def __init__(self, options=None): pass", "no method embed"),
        ("class Tiny: pass", "TypeError: Tiny() takes no arguments"),
    ],
)
def test_what_cannot_be_made_names_its_distribution(
    site: Site, code: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.install("tiny-plugin", {"tiny": "tiny_module:Tiny"}, tiny_module=code)
    said = problem()
    assert words in said
    assert "embedder=tiny of distribution=tiny-plugin 1.0" in said
    facts = listed(capsys, "tiny", "mfcc")
    assert (facts["tiny"]["ready"], facts["mfcc"]["ready"]) == (False, True)
    assert words in facts["tiny"]["problem"]
    assert facts["tiny"]["distributions"] == ["tiny-plugin 1.0"]


@pytest.mark.parametrize("value", ["tiny_module", "tiny module:Tiny", "tiny_module:Tiny:Tiny", ":"])
def test_an_entry_point_of_another_form_is_a_fault(site: Site, value: str) -> None:
    site.install("tiny-plugin", {"tiny": value}, tiny_module="")
    assert "distribution=tiny-plugin 1.0" in problem()


def test_a_run_with_a_broken_plugin_ends_with_a_message(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.tiny("raise RuntimeError")
    assert main(["reindex", str(site.folder), "--embedder", "tiny", "--data-dir", "/nowhere"]) == 1
    err = capsys.readouterr().err
    assert "distribution=tiny-plugin 1.0" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("sample_rate=0", "sample_rate=0 must be an int of at least 1"),
        ("hop_samples=-1", "hop_samples=-1"),
        ("window_samples=8e3", "window_samples=8000.0"),
        ("frame_dimension=np.int64(2)", "frame_dimension="),
        ("context_samples=8000", "context_samples=8000 must be below window_samples"),
        ("least_samples=8001", "least_samples=8001"),
        ("name='other'", "name=other must be tiny"),
        ("name='tiny:x'", "name=tiny:x must be tiny"),
        ("version=1", "version=1 must be a str"),
        ("tail='cut'", "tail=cut must be dropped or covered"),
        ("tag_names=['a']", "tag_names"),
        ("tag_names=('a', 'a')", "tag_names"),
        ("tag_names=(1,)", "tag_names"),
        ("weights_sha256='00'", "weights_sha256=00"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(site: Site, change: str, words: str) -> None:
    site.tiny(OTHER_SPEC.format(change=change))
    assert words in problem()
    assert "distribution=tiny-plugin 1.0" in problem()


@pytest.mark.parametrize("code", ["Tiny.spec = property(lambda _: 1 / 0)", "Tiny.spec = {}"])
def test_a_spec_that_is_none_is_refused(site: Site, code: str) -> None:
    site.tiny(code)
    assert "distribution=tiny-plugin 1.0" in problem()


@pytest.mark.parametrize(
    "code",
    ["windows", "Frames(windows, windows)", "Frames.untagged(windows.mean(1, keepdims=True))"],
)
def test_vectors_of_another_shape_are_refused(site: Site, code: str) -> None:
    site.tiny(f"Tiny.embed = lambda self, windows: {code}")
    embedder = create_embedder("tiny")
    with pytest.raises(PluginError, match=r"tiny-plugin 1\.0 embeds into"):
        embedder.embed(np.zeros((3, 8000), np.float32))


def test_a_plugin_that_cannot_embed_is_not_measured(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedder_costs, "MEASURED_SECONDS", 3)
    site.tiny("Tiny.embed = lambda self, windows: 1 / 0")
    facts = listed(capsys, "tiny", "mfcc", "--measure")
    assert facts["tiny"]["problem"] == "ZeroDivisionError: division by zero"
    assert facts["mfcc"]["seconds_per_audio_minute"] > 0


@pytest.mark.parametrize(
    "code",
    [
        "CHOICES = {'a': 'b'}",
        "CHOICES = ['a']",
        "FITNESS = 1",
        "LICENCE = None",
        "COST = 0",
        "COST = '1'",
        "COST = float('inf')",
        "REQUIRES = 'torch'",
        "WEIGHTS = ['a']",
        "WEIGHTS = ('a',)",
        "from tests.published_weights import SOURCE\nWEIGHTS = (SOURCE,)",
    ],
)
def test_constants_of_another_type_are_a_problem(
    site: Site, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.tiny(code)
    fact = listed(capsys, "tiny")["tiny"]
    assert not fact["ready"]
    assert "must " in fact["problem"]
    assert "distribution=tiny-plugin 1.0" in fact["problem"]


def test_one_that_refuses_to_have_no_options_is_a_problem(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    body = "from recommender.errors import InvalidParameterError as E; raise E('none')"
    site.tiny(NEW_INIT.format(body=body))
    assert "InvalidParameterError: none" in listed(capsys, "tiny")["tiny"]["problem"]
