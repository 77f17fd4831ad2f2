"""What installed distributions claim through entry points, however broken their metadata are.

One package whose metadata cannot be parsed would make the parser of the standard library give up on
all of them. So the lines are read here one by one, and a broken one is its own distribution's.
"""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint, distributions

_FILE = "entry_points.txt"
# what metadata raise that are damaged or not there, in one version of Python or another
_UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError)


def claimed(group: str) -> Iterator[tuple[str, EntryPoint]]:
    """Name and version of a distribution with each entry point of the group; nothing is imported.

    A line without ``=`` is an entry point whose value is "". Of two distributions with one name
    that claim something the first on the path counts, as it does for imports.
    """
    seen = set[str]()
    for distribution in distributions():
        # the names of all would take most of the time
        lines = list(_lines(_text(distribution), group))
        if not lines:
            continue
        name, version = _field(distribution, "Name"), _field(distribution, "Version")
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key and key in seen:
            continue
        seen.add(key)
        owner = f"{name} {version}".strip() if name else f"unknown in {_folder(distribution)}"
        for line in lines:
            entry, _, value = (part.strip() for part in line.partition("="))
            yield owner, EntryPoint(entry, value, group)


def _field(distribution: Distribution, name: str) -> str:
    try:
        return str((distribution.metadata.get_all(name) or [""])[0])
    except _UNREADABLE:
        return ""


def _text(distribution: Distribution) -> str:
    try:
        return distribution.read_text(_FILE) or ""
    except UnicodeDecodeError as error:
        # whatever is of use in it is ASCII
        return error.object.decode("utf-8", errors="replace")
    except OSError:
        return ""


def _folder(distribution: Distribution) -> str:
    return str(distribution.locate_file(""))


def _lines(text: str, group: str) -> Iterator[str]:
    section = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]").strip()
        elif section == group and not line.startswith("#"):
            yield line
