"""Where listeners are kept: a file, or a database that a URL names."""

import re

from recommender.errors import InvalidParameterError

LISTENERS_FILE = "listeners.db"
SQLITE = "sqlite"
POSTGRESQL = "postgresql"
_SCHEMES = {
    "sqlite": SQLITE,
    "sqlite+pysqlite": SQLITE,
    "postgres": POSTGRESQL,
    "postgresql": POSTGRESQL,
    "postgresql+psycopg": POSTGRESQL,
}
_URL = re.compile(r"([a-z][a-z0-9+]*)://(.*)", re.DOTALL)


def kind_of(url: str) -> str:
    """Which kind of database a URL names: `SQLITE` or `POSTGRESQL`.

    Raises
    ------
    InvalidParameterError
        It is no URL of either; the message does not repeat it, for it may hold a password.
    """
    found = _URL.fullmatch(url.strip())
    kind = _SCHEMES.get(found[1]) if found else None
    if not found or kind is None:
        what = f"a URL of {found[1]}" if found else "no URL"
        raise InvalidParameterError(
            f"listeners_url is {what}; use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        )
    if kind == SQLITE and (not found[2].startswith("/") or set("?#") & set(found[2])):
        raise InvalidParameterError(
            "listeners_url must name a file without options: sqlite:///FILE, sqlite:////FILE when "
            "its path begins with a slash"
        )
    if kind == SQLITE and found[2] in ("/", "/:memory:"):
        raise InvalidParameterError(
            "listeners_url names no file, and events would not be kept; use sqlite:///FILE"
        )
    return kind
