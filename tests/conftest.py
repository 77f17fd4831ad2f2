"""What every test may rely on."""

import importlib.util
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from recommender import songs
from tests.fakes import client, data_dir, spool
from tests.music import music, rendered_music
from tests.updates import before

# torch weighs gigabytes, so it is left to whoever wants its embedders; CI has it, and must
NEEDS_TORCH = (
    "clmr", "every_embedder", "max_local", "mooer", "mooer_weights", "openl3", "openl3_weights",
    "panns", "panns_weights", "parity_packages", "soundnet",
    "tiled_convolution", "vggish", "waveform_network", "wav2vec2",
    "wav2vec2_weights", "yamnet",
)  # fmt: skip
TORCH_MISSING = importlib.util.find_spec("torch") is None and not os.environ.get("CI")
collect_ignore = [f"test_{name}.py" for name in NEEDS_TORCH] if TORCH_MISSING else []


def pytest_report_header() -> str:
    """Say which tests are left out."""
    left_out = ", ".join(collect_ignore)
    return f"torch is not installed, so these are left out: {left_out}" if left_out else ""


# fixtures that several modules share
__all__ = ["before", "client", "data_dir", "music", "rendered_music", "spool"]

# on a shared machine a single example may take long without being wrong
settings.register_profile("soundalike", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("soundalike")


BY_SOUND_ALONE = {"NAMELESS": songs.NAMELESS, "OTHERS": songs.OTHERS}


@pytest.fixture(autouse=True, scope="session")
def _names_tell_copies() -> Iterator[None]:
    """Have copies told by names alone: vectors of four values, as tests have, are all alike."""
    with pytest.MonkeyPatch.context() as patch:
        for name in BY_SOUND_ALONE:
            patch.setattr(songs, name, (2.0, 2.0))
        yield


@pytest.fixture
def told_by_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have copies told by their sound as well, as everywhere but in tests."""
    for name, least in BY_SOUND_ALONE.items():
        monkeypatch.setattr(songs, name, least)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Give back the root logger as it was: commands under test set it up for themselves."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
