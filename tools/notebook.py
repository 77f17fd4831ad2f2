r"""Execute the evaluation notebook on a catalog, and keep it as a notebook and as a page.

::

    python -m tools.notebook [--data-dir data] [--seed N] [--tracks N] [--fans N] \
        [--events FILE] [--save]

Writes ``evaluation.ipynb`` and ``evaluation.html`` into ``DATA_DIR/evaluation``. A cell that fails
is shown, and the exit code is 1.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from traitlets.config import Config

from indexer.arguments import whole_number
from indexer.evaluation.choices import DEFAULT_FANS
from indexer.evaluation.protocols import DEFAULT_LISTENED, evaluation_dir
from recommender.files import replace_durably

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "evaluation.ipynb"
PAGE = ROOT / "notebooks" / "page.html"
NAME = "evaluation"


class ThisInterpreter(AsyncKernelManager):
    """Starts one kind of kernel: the interpreter that runs this, whatever else is installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The same for every name."""
        return KernelSpec(**get_kernel_dict())


def execute(notebook: NotebookNode, environment: Mapping[str, str], console: Console) -> None:
    """Run every cell in a fresh kernel; outputs are added to `notebook`.

    Parameters
    ----------
    notebook
        What to run, in place.
    environment
        Variables of the kernel beside those of this process.
    console
        For progress.

    Raises
    ------
    CellExecutionError
        A cell failed; those before it keep their outputs.
    DeadKernelError
        The kernel ended, for want of memory for example.
    """
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    with _progress(console) as progress, tempfile.TemporaryDirectory() as scratch:
        task = progress.add_task("starting", total=total)
        section = _sections(notebook)

        def show(cell: NotebookNode, cell_index: int) -> None:  # noqa: ARG001
            progress.update(task, description=section[cell_index])

        def count(cell: NotebookNode, cell_index: int) -> None:  # noqa: ARG001
            progress.advance(task)

        client = NotebookClient(
            notebook,
            kernel_manager_class=ThisInterpreter,
            config=_connection(Path(scratch)),
            timeout=None,
            record_timing=False,
            resources={"metadata": {"path": str(NOTEBOOK.parent)}},
            on_cell_execute=show,
            on_cell_complete=count,
        )
        client.execute(env={**_own_environment(scratch), **environment})


def cleaned(notebook: NotebookNode) -> NotebookNode:
    """A copy without what depends on the machine, so that two runs differ in their figures only."""
    copy = nbformat.from_dict(notebook)
    copy.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in copy.cells:
        cell.metadata = nbformat.from_dict({})
    return copy


def page(notebook: NotebookNode) -> str:
    """The notebook as one file of HTML that loads nothing but the excerpts beside it."""
    exporter = HTMLExporter(template_name="basic")  # type: ignore[no-untyped-call, unused-ignore]
    body, _ = exporter.from_notebook_node(notebook)
    return PAGE.read_text(encoding="utf-8").replace("{{ body }}", body)


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute, write and say where."""
    options = _parser().parse_args(arguments)
    out, err = Console(), Console(stderr=True)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    failure = ""
    try:
        execute(notebook, _parameters(options), err)
    except CellExecutionError as error:
        failure = f"a cell failed with {error.ename}: {error.evalue}"
    except DeadKernelError as error:
        failure = f"the kernel ended: {error}; is there enough memory?"
    if failure:
        # what an error says may hold anything; it is no markup
        err.print(failure, style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    for path in _written(cleaned(notebook), evaluation_dir(options.data_dir), options.save):
        out.print(str(path), markup=False, highlight=False, soft_wrap=True)
    return 0


def _written(notebook: NotebookNode, folder: Path, save: bool) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    text = nbformat.writes(notebook) + "\n"
    contents = {folder / f"{NAME}.ipynb": text, folder / f"{NAME}.html": page(notebook)}
    if save:
        contents[NOTEBOOK] = text
    for path, content in contents.items():
        replace_durably(path, content)
    return list(contents)


def _parameters(options: argparse.Namespace) -> dict[str, str]:
    """The variables that the first cell of the notebook reads; paths from any folder."""
    return {
        "SOUNDALIKE_DATA_DIR": str(options.data_dir.resolve()),
        "EVALUATION_SEED": str(options.seed),
        "EVALUATION_TRACKS": str(options.tracks),
        "EVALUATION_FANS": str(options.fans),
        "EVALUATION_EVENTS": str(options.events.resolve()) if options.events else "",
    }


def _connection(scratch: Path) -> Config:
    """Sockets in a folder of ours: TCP could be listened to by others."""
    place = {"transport": "ipc", "ip": str(scratch / "kernel")}
    return Config({"ThisInterpreter": place | {"connection_file": str(scratch / "kernel.json")}})


def _own_environment(scratch: str) -> dict[str, str]:
    """Our modules, and a profile of IPython without anybody's start-up files."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "IPYTHONDIR": scratch,
    }


def _sections(notebook: NotebookNode) -> list[str]:
    """The heading above each cell."""
    headings, current = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            current = cell.source.splitlines()[0].lstrip("# ")
        headings.append(current)
    return headings


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="default: data")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--tracks",
        type=whole_number(0),
        default=DEFAULT_LISTENED,
        metavar="N",
        help="tracks to listen to again (default: %(default)s)",
    )
    parser.add_argument(
        "--fans",
        type=whole_number(0),
        default=DEFAULT_FANS,
        metavar="N",
        help="simulated listeners that recommendations are compared for (default: %(default)s)",
    )
    parser.add_argument("--events", type=Path, metavar="FILE", help="CSV of plays")
    parser.add_argument(
        "--save", action="store_true", help="also keep the outputs in the project's notebook"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
