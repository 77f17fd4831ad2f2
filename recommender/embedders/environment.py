"""What embedders read from the environment, and how a child process comes to see the same.

Children are handed no variables but those named here: what decodes hostile audio is to know as
little as it can.
"""

import os

from recommender.embedders.options import base_name
from recommender.settings import PREFIX, Settings
from recommender.weights_store import weights_environment

MAX_URL = f"{PREFIX}MAX_URL"
# the embedder that it is for
ASKING = "max"


def max_url() -> str:
    """Where the server of the embedder ``max`` is, the setting ``max_url``; "" for nowhere.

    Raises
    ------
    InvalidParameterError
        `MAX_URL` is set and empty.
    """
    said = {name: os.environ[name] for name in (MAX_URL,) if name in os.environ}
    return Settings.from_environ(said).max_url


def embedder_environment(name: str | None = None) -> dict[str, str]:
    """Variables that let embedders in a child process find what they find here.

    Parameters
    ----------
    name
        The only embedder that the child will run, options or not; None when that is not known.
        The address of the server, which may hold a password, is for those that may run ``max``.
    """
    asks = name is None or base_name(name) == ASKING
    url = max_url() if asks else ""
    return weights_environment() | ({MAX_URL: url} if url else {})
