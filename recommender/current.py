"""Which generations there are, and which of them are served.

``CURRENT`` has a line for each space that is served, the default first: the name of its generation,
and the embedder that the space is known by. It is replaced whole, so that a reader sees all spaces
of one moment; and it says which spaces there are even when a generation cannot be read.
"""

from pathlib import Path
from typing import NamedTuple

from recommender.errors import GenerationError, IndexUnavailableError
from recommender.files import replace_durably
from recommender.manifest import MANIFEST

CURRENT = "CURRENT"


class Served(NamedTuple):
    """A line of ``CURRENT``; `embedder` is "" in one that an earlier version wrote."""

    generation: str
    embedder: str = ""


def generations_dir(data_dir: Path) -> Path:
    """Where generations are kept."""
    return data_dir / "generations"


def list_generations(data_dir: Path) -> list[str]:
    """Names of the finished generations, oldest first."""
    return sorted(path.parent.name for path in generations_dir(data_dir).glob(f"[!.]*/{MANIFEST}"))


def served(data_dir: Path) -> tuple[Served, ...]:
    """What is served, the default space first.

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
    lines = _lines(text)
    if not _is_sound(lines):
        raise IndexUnavailableError(
            f"data_dir={data_dir} holds no published index; "
            "run: python -m indexer reindex MUSIC_DIR"
        )
    return tuple(lines)


def current_generation(data_dir: Path) -> str:
    """Name of the generation that is served when no space is named.

    Raises
    ------
    IndexUnavailableError
        Nothing is published yet.
    """
    return served(data_dir)[0].generation


def make_current(data_dir: Path, *lines: Served) -> None:
    """Have these generations served, the default first, in one step that survives a crash.

    Raises
    ------
    GenerationError
        They could not be read again as they are; nothing is changed.
    """
    text = "".join(f"{generation} {embedder}".rstrip() + "\n" for generation, embedder in lines)
    if _lines(text) != list(lines) or not _is_sound(list(lines)):
        raise GenerationError(f"{CURRENT} cannot name {text!r}; what is served stays")
    replace_durably(data_dir / CURRENT, text)


def _lines(text: str) -> list[Served]:
    """The lines of ``CURRENT``; none of a text that was cut off."""
    if not text.endswith("\n"):
        return []
    return [Served(*line.rstrip("\r").split(" ", 1)) for line in text[:-1].split("\n")]


def _is_sound(lines: list[Served]) -> bool:
    """Whether every line names a generation, and no generation or embedder is named twice."""
    embedders = [line.embedder for line in lines]
    known = len(lines) == 1 or all(e and e.isprintable() for e in embedders)
    different = len({line.generation for line in lines}) == len(set(embedders)) == len(lines)
    return bool(lines) and known and different and all(_is_name(line.generation) for line in lines)


def _is_name(name: str) -> bool:
    """Whether it can be the name of a generation: of a folder, neither hidden nor elsewhere."""
    return Path(name).name == name and name.isprintable() and name[:1] not in ("", ".")
