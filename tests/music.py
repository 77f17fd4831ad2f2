"""Real audio files for tests that index: rendered once a session, copied by each test."""

import shutil
from pathlib import Path

import pytest

from tools.synth_catalog import render_catalog

STYLES = ("chiptune", "plucked")
TRACKS_PER_STYLE = 3
N_TRACKS = len(STYLES) * TRACKS_PER_STYLE


@pytest.fixture(scope="session")
def rendered_music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six tagged tracks of 5 s; not to be written to."""
    folder = tmp_path_factory.mktemp("rendered")
    render_catalog(folder, STYLES, TRACKS_PER_STYLE, seconds=5.0)
    return folder


@pytest.fixture
def music(rendered_music: Path, tmp_path: Path) -> Path:
    """A copy of the rendered tracks that a test may change."""
    return Path(shutil.copytree(rendered_music, tmp_path / "music"))


def tracks_in(folder: Path) -> list[Path]:
    """The audio files of a folder, in order."""
    return sorted(folder.rglob("*.ogg"))
