"""What the tests of downloads share."""

from dataclasses import replace

from recommender.weights_fetch import Fetcher
from recommender.weights_store import Source
from tests.file_server import Behaviour
from tests.published_weights import SOURCE


def served(does: Behaviour, source: Source = SOURCE) -> Source:
    return replace(source, url=does.url)


def fetcher(does: Behaviour, attempts: int = 3) -> Fetcher:
    """Trusts this very server and nothing else, and never waits."""
    return Fetcher(trusts=lambda url: url == does.url, attempts=attempts, sleep=lambda _: None)


def ignore(done: int, total: int) -> None:
    """No progress bar."""
