"""What every test may rely on."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.fakes import client, data_dir, spool
from tests.music import music, rendered_music

# fixtures that several modules share
__all__ = ["client", "data_dir", "music", "rendered_music", "spool"]

# on a shared machine a single example may take long without being wrong
settings.register_profile("soundalike", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("soundalike")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Give back the root logger as it was: commands under test set it up for themselves."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
