"""``weights fetch|add|verify`` by an embedder's name, and what an embedder needs of weights."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from indexer import weights_command
from indexer.__main__ import main
from recommender.embedders import (
    EMBEDDERS,
    embedder_module,
    needed_weights,
    require_sound_weights,
    wanted_by,
)
from recommender.errors import InvalidParameterError, WeightsError
from recommender.weights_fetch import Fetcher
from recommender.weights_store import as_if_installed, installed, is_installed, store
from tests.file_server import serving_file
from tests.plugin_sites import TINY, Site, site
from tests.published_weights import CONTENT, SOURCE, TENSORS

__all__ = ["site"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOUNDALIKE_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setitem(EMBEDDERS, "fake", "tests.weighted_embedder:Weighted")
    return tmp_path / "weights"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(CONTENT)
    return path


def names(name: str) -> list[list[str]]:
    return [[source.name for source in alternatives] for alternatives in needed_weights(name)]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["weights", *arguments]) != 0
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("musicnn", []),
        ("max", []),
        ("fake:size=300", [["fake-one"]]),
        ("panns", [["panns-cnn14"]]),
        ("panns:model=cnn6", [["panns-cnn6"]]),
        ("openl3:content=env,repr=linear", [["openl3-linear-env"]]),
        ("vggish", [["vggish"]]),
        ("vggish:postprocess=pca", [["vggish"], ["vggish-pca"]]),
        ("max-local", [["vggish"], ["vggish-pca"]]),
        ("mooer", [["mooer-encoder"], ["mooer-cmvn"]]),
        ("wav2vec2:layer=3", [["wav2vec2-base", "wav2vec2-base-torchaudio"]]),
        ("soundnet", [["soundnet-8", "soundnet-8-torch7"]]),
    ],
)
def test_an_embedder_needs_what_its_options_ask_for(
    name: str, needed: list[list[str]], folder: Path
) -> None:
    assert names(name) == needed
    assert not folder.exists()


def test_what_is_pretended_ends(folder: Path) -> None:
    with as_if_installed() as asked:
        assert installed(SOURCE).sha256 == "0" * 64
    assert asked == [(SOURCE,)]
    with pytest.raises(WeightsError, match="are not in"):
        installed(SOURCE)


def test_weights_that_two_embedders_share_are_said_so() -> None:
    users = wanted_by()
    assert users["vggish-pca"] == ["vggish", "max-local"]
    assert users["panns-cnn6"] == ["panns"]


def test_an_embedder_without_its_weights_names_all_of_them_and_one_command() -> None:
    with pytest.raises(WeightsError) as caught:
        require_sound_weights("mooer")
    text = str(caught.value)
    assert "weights=mooer-encoder, mooer-cmvn are not in" in text
    assert text.endswith(
        "run: python -m indexer weights fetch mooer-encoder mooer-cmvn --accept-licence"
    )


def test_one_of_two_sources_is_enough() -> None:
    second = embedder_module("wav2vec2").TORCHAUDIO
    store(second, TENSORS, "").path.write_bytes(b"damaged")
    with pytest.raises(
        WeightsError,
        match=r"weights=wav2vec2-base-torchaudio are damaged: .*; run: python -m indexer weights "
        r"fetch wav2vec2-base-torchaudio --accept-unverified$",
    ):
        require_sound_weights("wav2vec2")
    store(second, TENSORS, "")
    require_sound_weights("wav2vec2")


def test_what_is_not_published_by_https_is_mended_by_adding_it() -> None:
    original = embedder_module("soundnet").ORIGINAL
    store(original, TENSORS, "").path.unlink()
    with pytest.raises(WeightsError) as caught:
        require_sound_weights("soundnet")
    assert str(caught.value).endswith(
        "run: python -m indexer weights add soundnet-8-torch7 FILE --accept-unverified"
    )


@pytest.mark.parametrize("damage", ["file", "record"])
def test_damaged_weights_are_noticed(folder: Path, damage: str) -> None:
    kept = store(SOURCE, TENSORS, "")
    require_sound_weights("fake")
    path = kept.path if damage == "file" else folder / "fake-one.json"
    path.write_bytes(b"damaged")
    with pytest.raises(WeightsError, match=r"fake-one are damaged.*weights fetch fake-one$"):
        require_sound_weights("fake")


def test_embedders_without_such_weights_are_sound() -> None:
    for name in ("musicnn", "mfcc", "max"):
        require_sound_weights(name)
    with pytest.raises(InvalidParameterError, match="no option size=1"):
        require_sound_weights("fake:size=1")


def test_looking_for_damage_loads_no_torch() -> None:
    script = (
        "import sys\n"
        "from recommender.embedders import EMBEDDERS, needed_weights, require_sound_weights\n"
        "for name in EMBEDDERS: needed_weights(name)\nrequire_sound_weights('max')\n"
        "print(*{'torch', 'transformers', 'h5py', 'av'} & sys.modules.keys())"
    )
    root = Path(__file__).parent.parent
    loaded = subprocess.check_output([sys.executable, "-c", script], cwd=root, text=True)
    assert loaded.split() == []


def test_an_embedders_name_fetches_all_it_needs(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving_file(CONTENT) as does:
        site.install("two", {"two": "two_module:Tiny"}, two_module=two_files(does.url))
        fetcher = partial(Fetcher, trusts=lambda url: url == does.url, sleep=lambda _: None)
        monkeypatch.setattr(weights_command, "Fetcher", fetcher)
        assert "add --accept-licence" in said(capsys, "fetch", "two")
        assert not does.asked
        assert main(["weights", "fetch", "two", "two-b", "--accept-licence", "--json"]) == 0
    kept: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in kept] == ["two-a", "two-b"]
    assert len(does.asked) == 2
    require_sound_weights("two")
    assert main(["weights", "verify", "two"]) == 0


def two_files(url: str) -> str:
    """A plugin whose specification asks for two files."""
    return f"""{TINY}
from dataclasses import replace
from tests.published_weights import SOURCE
from recommender.weights_store import installed
WEIGHTS = tuple(
    replace(SOURCE, name=name, url={url!r}, commercial=free)
    for name, free in (("two-a", True), ("two-b", False), ("two-c", True))
)
plain = replace(Tiny.spec, name="two")
Tiny.spec = property(lambda _: [installed(s) for s in WEIGHTS[:2]] and plain)
"""


def test_a_plugin_whose_spec_asks_for_nothing_gets_all_it_lists(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    code = two_files("https://example.org/x").replace("WEIGHTS[:2]", "()").replace("] and", "] or")
    site.install("two", {"two": "two_module:Tiny"}, two_module=code)
    assert main(["weights", "verify", "two", "--json"]) == 65
    assert list(json.loads(capsys.readouterr().out)) == ["two-a", "two-b", "two-c"]


def test_a_file_is_added_by_its_embedders_name(published: Path) -> None:
    assert main(["weights", "add", "fake:size=300", str(published)]) == 0
    assert is_installed(SOURCE)


def test_a_file_of_several_is_told_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "am.mvn"
    path.write_bytes(b"another")
    # it is taken for the one that it is called
    err = said(capsys, "add", "mooer", str(path), "--accept-licence")
    assert "of am.mvn should be" in err
    assert "weights=mooer-cmvn" in err
    path = path.rename(tmp_path / "x")
    err = said(capsys, "add", "mooer", str(path))
    assert "say which: mooer-encoder (paraformer-encoder.pth), mooer-cmvn (am.mvn)" in err


@pytest.mark.parametrize("name", ["musicnn", "mfcc", "max"])
def test_an_embedder_that_needs_none_is_told_so(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"embedder={name} needs no weights from elsewhere" in said(capsys, "fetch", name)


def test_the_flags_that_will_be_asked_for_are_part_of_the_command() -> None:
    assert replace(SOURCE, commercial=False, digest="").command == (
        "python -m indexer weights fetch fake-one --accept-licence --accept-unverified"
    )
    assert replace(SOURCE, url="ftp://example.org/x").command == (
        "python -m indexer weights add fake-one FILE"
    )
