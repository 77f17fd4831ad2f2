"""What is shown of publishing: steps on a terminal, lines elsewhere, warnings on both."""

import io
import logging

import pytest
from rich.console import Console

from indexer.progress import publishing_told

LOG = logging.getLogger("recommender.anything")


def shown(*, terminal: bool) -> str:
    file = io.StringIO()
    with publishing_told(Console(file=file, force_terminal=terminal, width=80)):
        LOG.info("building [red] %s over \x1b[2J%d tracks", "hnsw", 7)
        LOG.warning("the space stays as it was")
    return file.getvalue()


def test_steps_are_lines_where_there_is_no_terminal() -> None:
    assert shown(terminal=False).splitlines() == [
        "building [red] hnsw over \\x1b[2J7 tracks",
        "the space stays as it was",
    ]


def test_steps_pass_on_a_terminal_and_warnings_stay() -> None:
    text = shown(terminal=True)
    assert "building [red] hnsw over \\x1b[2J7 tracks" in text
    assert "\x1b[2J" not in text
    last = text.rpartition("the space stays as it was")
    assert last[1]
    assert "building" not in last[2].rpartition("\x1b[2K")[2]


@pytest.mark.parametrize("level", [logging.NOTSET, logging.ERROR])
def test_the_log_is_left_as_it_was(level: int) -> None:
    log = logging.getLogger("recommender")
    before, handlers = log.level, log.handlers[:]
    log.setLevel(level)
    try:
        with pytest.raises(KeyError), publishing_told(Console(file=io.StringIO())):
            raise KeyError
        assert (log.level, log.handlers) == (level, handlers)
    finally:
        log.setLevel(before)
