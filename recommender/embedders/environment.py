"""What embedders read from the environment, and how a child process comes to see the same.

Children are handed no variables but those named here: what decodes hostile audio is to know as
little as it can.
"""

import os

from recommender.settings import PREFIX, Settings
from recommender.weights_store import weights_environment

MAX_URL = f"{PREFIX}MAX_URL"


def max_url() -> str:
    """Where the server of the embedder ``max`` is, the setting ``max_url``; "" for nowhere.

    Raises
    ------
    InvalidParameterError
        `MAX_URL` is set and empty.
    """
    said = {name: os.environ[name] for name in (MAX_URL,) if name in os.environ}
    return Settings.from_environ(said).max_url


def embedder_environment() -> dict[str, str]:
    """Variables that let embedders in a child process find what they find here."""
    url = max_url()
    return weights_environment() | ({MAX_URL: url} if url else {})
