"""What the measurements are printed as: Markdown tables, the same as JSON, and the machine."""

import argparse
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

PACKAGES = (
    *("numpy", "faiss-cpu", "sqlalchemy", "fastapi", "starlette", "uvicorn", "h11", "pydantic"),
    *("hnswlib", "usearch", "voyager", "annoy", "pymilvus", "milvus-lite", "sqlite-vec", "apsw"),
)
NOTHING = "–"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes
    ----------
    title
        What was measured.
    columns
        Keys of `rows` in order, with the format of their values: ``{"p50 ms": ".3f"}``.
    rows
        Values by column; None or nothing where there is none.
    note
        How it was measured, a sentence or two.
    """

    title: str
    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]
    note: str = ""

    def markdown(self) -> str:
        """The table as Markdown, its title as a heading."""
        lines = [list(self.columns), ["---"] * len(self.columns)]
        lines += [
            [_text(row.get(name), form) for name, form in self.columns.items()] for row in self.rows
        ]
        table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
        return "\n\n".join(filter(None, (f"### {self.title}", self.note, table)))


def _text(value: Any, form: str) -> str:
    if value is None:
        return NOTHING
    # a word where a number does not apply
    return value.replace("|", "\\|") if isinstance(value, str) else format(value, form)


def machine() -> dict[str, Any]:
    """Where the figures are from: processor, cores, memory, system, versions, load just now."""
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory_gib": round(pages * page / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "versions": _versions(),
    }


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _versions() -> dict[str, str]:
    found = dict[str, str]()
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@dataclass(slots=True)
class Report:
    """Tables of one run, printed as they come; all of them go into the JSON file at the end."""

    command: str
    json_path: Path | None = None
    about: dict[str, Any] = field(default_factory=machine)
    tables: list[Table] = field(default_factory=list)

    @classmethod
    def of(cls, command: str, options: argparse.Namespace) -> "Report":
        """A report of a command that took :func:`add_json`; begins to print."""
        report = cls(command, options.json)
        about = report.about
        versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
        print(
            f"## {command}\n\n{about['processor']}, {about['cores']} cores, "
            f"{about['memory_gib']} GiB, {about['system']}, Python {about['python']}; {versions}; "
            f"load {about['load'][0]}",
            flush=True,
        )
        return report

    def add(self, table: Table) -> None:
        """Print a table, and keep it."""
        self.tables.append(table)
        print(f"\n{table.markdown()}", flush=True)
        self._save()

    def _save(self) -> None:
        # after each table: a run takes hours, and what it found is not lost when it is ended
        if self.json_path is not None:
            content = {"command": self.command, "machine": self.about}
            tables = [asdict(table) for table in self.tables]
            text = json.dumps({**content, "tables": tables}, indent=1, default=float)
            self.json_path.write_text(text + "\n", encoding="utf-8")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Let a command take ``--json PATH``."""
    parser.add_argument("--json", type=Path, help="also write the tables to this file, as JSON")


def whole_numbers(text: str) -> list[int]:
    """Several whole numbers with commas between, underscores allowed: ``10_000,100_000``."""
    return [int(part) for part in text.split(",")]


def shown(items: Iterable[T], what: str, total: float | None = None) -> Iterable[T]:
    """The items, with a bar of how far it is on standard error."""
    console = Console(stderr=True)
    return track(items, what, total=total, console=console, transient=True)


def say(what: str) -> None:
    """One line about what is being done, on standard error."""
    Console(stderr=True).print(what, style="dim", highlight=False)
