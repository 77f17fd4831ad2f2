"""The architecture: layers hold, heavy libraries have one home and are imported when needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter import api as importlinter

ROOT = Path(__file__).parents[1]
PACKAGES = ("recommender", "indexer", "api")
HEAVY = ("faiss", "torch", "sqlalchemy", "soundfile", "soxr", "av", "numpy", "fastapi", "rich")
DECODERS = {"soundfile", "av", "librosa", "audioread", "pydub", "torchaudio"}
# what damages clips encodes them, and opens no file
DECODER_HOMES = {
    ROOT / "recommender" / f"{name}.py" for name in ("audio", "decoders", "degradations")
}
# requests go pickled from the service to its own child; what a child says is never unpickled
REQUEST_HOMES = {ROOT / "recommender" / "child.py", ROOT / "recommender" / "sandbox.py"}
# it names the error with which torch refuses a pickle that holds more than tensors
REFUSING_HOMES = {ROOT / "recommender" / "embedders" / "torch_checkpoint.py"}
# published as a pickle: opened when, and only when, it is the very file whose digest is pinned
PINNED_HOME = ROOT / "recommender" / "embedders" / "soundnet_weights.py"
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported_by(path: Path) -> set[str]:
    """Top-level names of all packages that a source file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def loaded_by(statement: str) -> set[str]:
    """Which heavy packages a fresh interpreter has loaded after a statement."""
    script = f"{statement}\nimport sys\nprint(*({HEAVY!r} & sys.modules.keys()))"
    script = script.replace(repr(HEAVY), repr(set(HEAVY)))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_every_contract_of_the_layers_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert importlinter.read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports("
            "config_filename='pyproject.toml', cache_dir=None))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    assert loaded_by(f"import {package}") == set()


def test_words_errors_and_settings_load_nothing_heavy() -> None:
    statement = "import recommender.errors, recommender.track, recommender.settings"
    assert loaded_by(statement) == set()


def test_answering_questions_loads_neither_decoders_nor_torch() -> None:
    loaded = loaded_by("import recommender.live")
    assert loaded.isdisjoint({"torch", "soundfile", "av", "soxr", "fastapi", "rich"})


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sound_files_are_opened_in_one_place(path: Path) -> None:
    # librosa hands what it cannot read to ffmpeg, which follows what an upload says
    assert path in DECODER_HOMES or not imported_by(path) & DECODERS


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_on_disk_is_pickled_and_no_shell_is_called(path: Path) -> None:
    pickling = imported_by(path) & {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"}
    assert not pickling or path in REQUEST_HOMES | REFUSING_HOMES
    text = path.read_text(encoding="utf-8")
    assert "pickle.load" not in text or path in REQUEST_HOMES
    assert "allow_pickle=True" not in text or path == PINNED_HOME
    assert "shell=True" not in text
