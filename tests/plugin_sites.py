"""Folders of installed packages that offer embedders: metadata and modules as pip leaves them."""

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from indexer.__main__ import main
from recommender.embedders import create_embedder
from recommender.embedders.plugins import GROUP
from recommender.errors import PluginError

# an embedder as small as can be, and a right one
TINY = """
import numpy as np
from recommender.embedding import EmbedderSpec, Frames

SIZES = dict(sample_rate=8000, window_samples=8000, hop_samples=4000, context_samples=0,
             least_samples=8000, frame_dimension=2)
WORDS = dict(version="1", tag_names=(), front_end="none", layer="none", weights_sha256="")

class Tiny:
    spec = EmbedderSpec(name="tiny", **SIZES, **WORDS)

    def __init__(self, options=None):
        pass

    def embed(self, windows):
        return Frames.untagged(np.stack([windows.mean(1), windows.std(1)], axis=1))
"""
# another constructor for it
NEW_INIT = """
def __init__(self, options=None):
    {body}
Tiny.__init__ = __init__
"""


class Site:
    """A folder on ``sys.path``."""

    def __init__(self, folder: Path):
        self.folder = folder

    def install(self, distribution: str, entries: Mapping[str, str], **modules: str) -> None:
        """Leave there what pip would: entry points of `GROUP`, and modules by name."""
        info = self.folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        text = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        (info / "METADATA").write_text(text, encoding="utf-8")
        lines = [f"[{GROUP}]", *(f"{name} = {value}" for name, value in entries.items())]
        (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
        for name, code in modules.items():
            (self.folder / f"{name}.py").write_text(code, encoding="utf-8")
        importlib.invalidate_caches()

    def broken(self, distribution: str, content: bytes, metadata: bytes | None = None) -> None:
        """Leave a distribution there whose file of entry points holds just this."""
        info = self.folder / f"{distribution}-1.0.dist-info"
        info.mkdir()
        usual = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n".encode()
        (info / "METADATA").write_bytes(usual if metadata is None else metadata)
        (info / "entry_points.txt").write_bytes(content)
        importlib.invalidate_caches()

    def tiny(self, code: str = "") -> None:
        """Install the embedder ``tiny``, with code that makes another of it."""
        self.install("tiny-plugin", {"tiny": "tiny_module:Tiny"}, tiny_module=TINY + code)

    def imported(self) -> set[str]:
        """Modules of this folder that have been imported."""
        found = [(name, getattr(module, "__file__", "")) for name, module in sys.modules.items()]
        return {name for name, file in found if str(file).startswith(str(self.folder))}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A folder on the path of this process, empty yet; what it brought is forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    site = Site(folder)
    yield site
    for name in site.imported():
        del sys.modules[name]


def listed(capsys: pytest.CaptureFixture[str], *names: str) -> dict[str, Any]:
    """What the command ``embedders`` says, by name."""
    capsys.readouterr()
    assert main(["embedders", *names, "--json"]) == 0
    return {fact["name"]: fact for fact in json.loads(capsys.readouterr().out)}


def problem(name: str = "tiny") -> str:
    """What is said of a plugin that is no use when it is asked for."""
    with pytest.raises(PluginError) as caught:
        create_embedder(name).spec  # noqa: B018 - asking is enough
    return str(caught.value)
