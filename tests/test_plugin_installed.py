"""The plugin of docs/plugins.md, installed by pip into an environment of its own and run there."""

import json
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
NAME = "spectral-shape"
FILE = re.compile(r"^`([\w.]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# what a run of the indexer, the service and an evaluation ask of their children
CHILDREN = """
import os, sys
from safetensors.numpy import load
from recommender.analysis import embed_clip, embeddings_from, frames_of_file
from recommender.embedders import create_embedder
from recommender.records import FileState
from recommender.space import Listening
from recommender.sandbox import ChildLimits, ChildPool
from recommender.space import Space

path, name = os.fsencode(sys.argv[1]), sys.argv[2]
state = FileState.of(os.stat(path))
with ChildPool(1, ChildLimits(2 * 1024**3, 60, 60)) as pool:
    clip = pool.call(embed_clip, path, Listening(create_embedder(name).spec, 2), [-20.0])
    frames = load(pool.call(frames_of_file, path, state, name, 2))
space = Space(create_embedder(name).spec, 2)
print(len(embeddings_from(clip, space)), frames["vectors"].shape[1])
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that sees ours, with the plugin installed by pip."""
    folder = tmp_path_factory.mktemp("plugin")
    package, environment = folder / f"soundalike-{NAME}", folder / "venv"
    package.mkdir()
    for file, text in FILE.findall((ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")):
        (package / file).write_text(text, encoding="utf-8")
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    places = sysconfig.get_paths(vars={"base": str(environment), "platbase": str(environment)})
    ours = dict.fromkeys([str(ROOT), *map(sysconfig.get_path, ("purelib", "platlib"))])
    (Path(places["purelib"]) / "ours.pth").write_text("\n".join(ours), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "install"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([*pip, *offline, str(package)], check=True, cwd=folder)
    return python


def run(python: Path, *arguments: str, folder: Path) -> str:
    return subprocess.run(
        [str(python), *arguments], cwd=folder, check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def command(python: Path, *arguments: str, folder: Path) -> Any:
    return json.loads(run(python, "-m", "indexer", *arguments, "--json", folder=folder))


def test_the_page_holds_a_whole_package() -> None:
    files = dict(FILE.findall((ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")))
    assert set(files) == {"pyproject.toml", "soundalike_spectral_shape.py", "test_contract.py"}
    body = files["soundalike_spectral_shape.py"]
    assert sum(1 for line in body.splitlines() if line.strip()) <= 40


def test_it_is_known_by_name_where_it_is_installed(python: Path, tmp_path: Path) -> None:
    [fact] = command(python, "embedders", f"{NAME}:scale=octaves", folder=tmp_path)
    assert (fact["ready"], fact["problem"], fact["dimension"]) == (True, "", 6)
    assert fact["options"] == {"scale": ["hertz", "octaves"]}
    assert fact["distributions"] == [f"soundalike-{NAME} 1.0"]


def test_music_is_indexed_with_it(python: Path, music: Path, tmp_path: Path) -> None:
    for extra in sorted(music.rglob("*.ogg"))[2:]:
        extra.unlink()
    arguments = [str(music), "--embedder", NAME, "--windows", "1", "--workers", "1"]
    report = command(python, "reindex", *arguments, "--data-dir", "data", folder=tmp_path)
    assert (report["tracks"], report["failed"], report["published"]) == (2, 0, True)
    assert report["space"].startswith(f"{NAME}-")


@pytest.mark.parametrize("name", [NAME, f"{NAME}:scale=octaves"])
def test_children_hear_with_it(
    python: Path, rendered_music: Path, tmp_path: Path, name: str
) -> None:
    track = next(rendered_music.rglob("*.ogg"))
    said = run(python, "-c", CHILDREN, str(track), name, folder=tmp_path)
    assert said.split() == ["2", "6"]


def test_it_passes_the_contract_suite_as_the_page_says(python: Path) -> None:
    suite = python.parents[2] / f"soundalike-{NAME}" / "test_contract.py"
    said = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(suite), folder=ROOT)
    assert re.search(r"^\d\d passed", said, re.MULTILINE), said
