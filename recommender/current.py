"""Which generations there are, and which of them are served.

``CURRENT`` names one generation a line, one for each space that is served, the default first. It
is replaced whole, so that a reader sees all spaces of one moment.
"""

from pathlib import Path

from recommender.errors import IndexUnavailableError
from recommender.files import replace_durably
from recommender.manifest import MANIFEST

CURRENT = "CURRENT"


def generations_dir(data_dir: Path) -> Path:
    """Where generations are kept."""
    return data_dir / "generations"


def list_generations(data_dir: Path) -> list[str]:
    """Names of the finished generations, oldest first."""
    return sorted(path.parent.name for path in generations_dir(data_dir).glob(f"[!.]*/{MANIFEST}"))


def served_generations(data_dir: Path) -> tuple[str, ...]:
    """Names of the generations that are served, that of the default space first.

    Raises
    ------
    IndexUnavailableError
        Nothing is published yet.
    """
    path = data_dir / CURRENT
    try:
        # not a FIFO, which would be waited for
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
    except (FileNotFoundError, UnicodeDecodeError):
        text = ""
    names = tuple(text.strip().split("\n"))
    if len(set(names)) < len(names) or not all(map(_is_name, names)):
        raise IndexUnavailableError(
            f"data_dir={data_dir} holds no published index; "
            "run: python -m indexer reindex MUSIC_DIR"
        )
    return names


def current_generation(data_dir: Path) -> str:
    """Name of the generation that is served when no space is named.

    Raises
    ------
    IndexUnavailableError
        Nothing is published yet.
    """
    return served_generations(data_dir)[0]


def make_current(data_dir: Path, *names: str) -> None:
    """Have these generations served, the default first, in one step that survives a crash."""
    replace_durably(data_dir / CURRENT, "".join(f"{name}\n" for name in names))


def _is_name(name: str) -> bool:
    """Whether it can be the name of a generation: of a folder, neither hidden nor elsewhere."""
    return Path(name).name == name and name.isprintable() and name[:1] not in ("", ".")
