"""Optional packages: who needs them says so before any work, with the command that brings them."""

import importlib.util
import re
import tomllib
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from indexer.__main__ import main
from recommender.embedders import EMBEDDERS, embedder_module, require_packages
from recommender.errors import MissingPackageError
from recommender.packages import EXTRAS, INCLUDED, needs, require
from recommender.weights_store import store
from tests.published_weights import SOURCE, TENSORS

ROOT = Path(__file__).parents[1]
find_spec = importlib.util.find_spec


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in ("torch", "transformers") else find_spec(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)


def test_what_is_there_is_no_problem() -> None:
    require("embedder=x", ("numpy", "json"))
    require("embedder=x", ())


def test_an_extra_that_brings_a_package_has_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for package, extra in EXTRAS.items():
        wanted = project["optional-dependencies"][extra]
        assert package in {re.split(r"[<>=;\[ ]", requirement)[0] for requirement in wanted}
    extras = project["optional-dependencies"]
    for extra, other in INCLUDED.items():
        assert set(extras[other]) <= set(extras[extra])


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        (["torch"], 'pip install ".[torch]"'),
        (["torch", "transformers"], 'pip install ".[wav2vec2]"'),
        (["torch", "h5py"], 'pip install ".[torch,h5]"'),
        (["transformers"], 'pip install ".[wav2vec2]"'),
        (["h5py", "other"], 'pip install ".[h5]" other'),
        (["other"], "pip install other"),
    ],
)
def test_a_command_is_named_that_brings_what_is_missing(missing: list[str], command: str) -> None:
    said = needs("embedder=x", missing)
    assert said.startswith(f"embedder=x needs {' and '.join(missing)}, not installed here")
    assert said.endswith(command)


def test_networks_say_what_they_run_on(without_torch: None) -> None:
    for name in EMBEDDERS:
        if getattr(embedder_module(name), "REQUIRES", ()):
            with pytest.raises(MissingPackageError, match=rf"embedder={name} needs torch"):
                require_packages(f"{name}:some=option")
        else:
            require_packages(name)


def test_indexing_without_torch_ends_before_any_audio(
    without_torch: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SOUNDALIKE_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setitem(EMBEDDERS, "fake", "tests.weighted_embedder:Weighted")
    monkeypatch.setattr("tests.weighted_embedder.REQUIRES", ("torch",), raising=False)
    store(SOURCE, TENSORS, "")
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.wav").write_bytes(b"never opened")
    options = ["--data-dir", str(tmp_path / "data"), "--embedder", "fake"]
    assert main(["reindex", str(tmp_path / "music"), *options]) != 0
    assert 'pip install ".[torch]"' in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
