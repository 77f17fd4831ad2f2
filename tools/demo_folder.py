"""The folder of a demo catalog: which files are in it, whose they are, and whether they are whole.

A stamp beside the music holds size, time and digest of every file. A later run trusts a file whose
size and time agree, reads it again when only the time differs, and fetches it again otherwise.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import BinaryIO

from recommender.errors import InvalidParameterError

STAMP = ".demo-stamp.json"
ATTRIBUTION = "ATTRIBUTION.csv"
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Credit:
    """One row of ATTRIBUTION.csv; the fields are its columns.

    Attributes
    ----------
    path
        Relative to the folder, with forward slashes.
    source_package
        Where the file comes from, with the version.
    """

    path: str
    title: str
    artist: str
    album: str
    licence: str
    attribution: str
    source_package: str


@dataclass(frozen=True, slots=True)
class _Entry:
    group: str
    sha256: str
    size: int
    mtime_ns: int
    credit: Credit


class DemoFolder:
    """A folder of music that only this tool fills.

    Files come in groups, one for each package: a group is complete when it was finished once and
    all of its files are still what they were.

    Parameters
    ----------
    path
        The folder; made when it is not there.

    Raises
    ------
    InvalidParameterError
        The folder holds other files, or a stamp that cannot be read.
    """

    def __init__(self, path: Path):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._groups: dict[str, int] = {}
        self._entries: dict[str, _Entry] = {}
        if (path / STAMP).is_file():
            self._load()
        elif any(path.iterdir()):
            raise InvalidParameterError(f"OUTDIR={path} holds other files; name an empty folder")
        self.save()

    @property
    def credits(self) -> tuple[Credit, ...]:
        """Every track that is there, by path."""
        return tuple(self._entries[path].credit for path in sorted(self._entries))

    @property
    def total_bytes(self) -> int:
        """Size of all tracks together."""
        return sum(entry.size for entry in self._entries.values())

    def complete(self, group: str) -> bool:
        """Tell whether a group was finished and all of its files are whole."""
        held = sum(entry.group == group for entry in self._entries.values())
        return self._groups.get(group) == held

    def finish(self, group: str, files: Iterable[tuple[Credit, str]]) -> None:
        """Note that a group is there, and save.

        Parameters
        ----------
        files
            Credit and SHA-256 of every file that the group brought.
        """
        entries = [self._entry(group, credit, digest) for credit, digest in files]
        self._entries = {p: e for p, e in self._entries.items() if e.group != group}
        self._entries.update((entry.credit.path, entry) for entry in entries)
        self._groups[group] = len(entries)
        self.save()

    def save(self) -> None:
        """Write the stamp and ATTRIBUTION.csv."""
        stamp = {
            "schema": _SCHEMA,
            "groups": self._groups,
            "files": [asdict(self._entries[path]) for path in sorted(self._entries)],
        }
        with replacing(self.path / STAMP) as file:
            file.write(json.dumps(stamp, indent=1, ensure_ascii=False).encode())
        part = self.path / f".{ATTRIBUTION}.part"
        with part.open("w", encoding="utf-8", newline="") as table:
            writer = csv.writer(table, lineterminator="\n")
            writer.writerow(field.name for field in fields(Credit))
            writer.writerows(astuple(credit) for credit in self.credits)
        part.replace(self.path / ATTRIBUTION)

    def _load(self) -> None:
        try:
            stamp = json.loads((self.path / STAMP).read_bytes())
            if stamp["schema"] != _SCHEMA:
                raise ValueError(f"schema={stamp['schema']}")
            entries = [_Entry(**e | {"credit": Credit(**e["credit"])}) for e in stamp["files"]]
            self._groups = {str(group): int(count) for group, count in stamp["groups"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidParameterError(
                f"OUTDIR={self.path} has a stamp that cannot be read ({error}); "
                "delete the folder and start again"
            ) from error
        for entry in entries:
            checked = self._checked(entry)
            if checked is not None:
                self._entries[entry.credit.path] = checked

    def _checked(self, entry: _Entry) -> _Entry | None:
        """Return the entry of a file that is still the same, None when it is not."""
        path = self.path / entry.credit.path
        if not path.is_file() or path.stat().st_size != entry.size:
            return None
        if path.stat().st_mtime_ns == entry.mtime_ns:
            return entry
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256
        return self._entry(entry.group, entry.credit, entry.sha256) if same else None

    def _entry(self, group: str, credit: Credit, sha256: str) -> _Entry:
        status = (self.path / credit.path).stat()
        return _Entry(group, sha256, status.st_size, status.st_mtime_ns, credit)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` only when all of it was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        yield file
    part.replace(path)
