"""The command line: ``python -m indexer`` and the console script ``soundalike``."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from rich.console import Console

from indexer import commands
from indexer.arguments import whole_number
from indexer.embedders_command import add_arguments as add_embedders_arguments
from indexer.embedders_command import list_embedders
from indexer.evaluation.command import add_arguments as add_evaluate_arguments
from indexer.evaluation.command import evaluate_catalog
from indexer.history_command import add_arguments as add_history_arguments
from indexer.history_command import import_history
from indexer.output import harmless
from indexer.reindex_command import add_arguments as add_reindex_arguments
from indexer.reindex_command import reindex_folders
from indexer.spaces_command import add_spaces_commands
from indexer.weights_command import add_weights_commands
from indexer.workers import default_workers
from recommender.errors import (
    GenerationError,
    HistoryError,
    InvalidParameterError,
    LockedError,
    RecallError,
    SoundalikeError,
)
from recommender.settings import Settings

EXIT_FAILED, EXIT_USAGE, EXIT_LOCKED, EXIT_STOPPED = 1, 2, 75, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 ok, 1 failed, 2 usage, 65 bad data, 75 another indexer holds the lock, 130 stopped.
    """
    signal.signal(signal.SIGTERM, _stop)
    err = Console(stderr=True, emoji=False)
    try:
        options = _parser(Settings.from_environ(os.environ)).parse_args(arguments)
        run: Callable[[argparse.Namespace, Console, Console], int] = options.run
        # file names are printed as they are: no [markup] and no :emoji: in them means anything
        out = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
        return run(options, out, err)
    except KeyboardInterrupt:
        return _complain(err, "stopped; what was stored stays, run it again to go on", EXIT_STOPPED)
    except BrokenPipeError:
        # the reader of a pipe has gone: no message could reach anyone
        sys.stdout = None
        return EXIT_FAILED
    except SoundalikeError as error:
        return _complain(err, str(error), _exit_code(error))
    except OSError as error:
        return _complain(err, f"{error.strerror}: {error.filename or ''}".rstrip(": "), EXIT_FAILED)


def _exit_code(error: SoundalikeError) -> int:
    if isinstance(error, LockedError):
        return EXIT_LOCKED
    if isinstance(error, GenerationError | HistoryError) and not isinstance(error, RecallError):
        return commands.EXIT_BAD_DATA
    return EXIT_USAGE if isinstance(error, InvalidParameterError) else EXIT_FAILED


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _complain(err: Console, message: str, code: int) -> int:
    err.print(harmless(f"soundalike: {message}"), markup=False, highlight=False, soft_wrap=True)
    return code


def _parser(settings: Settings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="soundalike", description="Index a music catalog, and look after what is published."
    )
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_reindex(subcommands, settings)
    for name, run, text in (
        ("status", commands.status, "what is known and what is served"),
        ("verify", commands.verify, "check the library and every generation for damage"),
        ("generations", commands.generations, "list what is published"),
    ):
        _add(subcommands, settings, name, run, text)
    rollback = _add(
        subcommands, settings, "rollback", commands.rollback, "serve an older generation again"
    )
    rollback.add_argument(
        "generation", nargs="?", help="name of the generation (default: the one before)"
    )
    _add_evaluate(subcommands, settings)
    text = "bring in what a listener played elsewhere: ListenBrainz, Last.fm, Spotify, Maloja, logs"
    history = _add(subcommands, settings, "import-history", import_history, text)
    add_history_arguments(history, settings)
    text = "the systems that listen, what each is good for, and whether its weights are here"
    add_embedders_arguments(_add(subcommands, settings, "embedders", list_embedders, text))
    text = "the spaces that are served side by side: list, default, drop"
    spaces = subcommands.add_parser("spaces", help=text, description=text)
    add_spaces_commands(
        partial(_add, spaces.add_subparsers(required=True, metavar="COMMAND"), settings)
    )
    text = "the weights that do not come with the package: list, fetch, add, verify"
    weights = subcommands.add_parser("weights", help=text, description=text)
    add_weights_commands(
        partial(_add, weights.add_subparsers(required=True, metavar="COMMAND"), settings)
    )
    return parser


def _add(
    subcommands: Any, settings: Settings, name: str, run: Callable[..., int], text: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = subcommands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    command.add_argument(
        "--data-dir",
        type=Path,
        default=settings.data_dir,
        metavar="DIR",
        help="folder of the library and the generations (default: %(default)s)",
    )
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    return command


def _add_evaluate(subcommands: Any, settings: Settings) -> None:
    text = "measure how good the index, the embedder and the recommendations are"
    command = _add(subcommands, settings, "evaluate", evaluate_catalog, text)
    add_evaluate_arguments(command)
    _add_workers(command, settings)


def _add_workers(command: argparse.ArgumentParser, settings: Settings) -> None:
    command.add_argument(
        "--workers",
        type=whole_number(1),
        default=settings.workers or default_workers(),
        metavar="N",
        help="processes that listen at once (default: one a core)",
    )


def _add_reindex(subcommands: Any, settings: Settings) -> None:
    command = _add(
        subcommands,
        settings,
        "reindex",
        reindex_folders,
        "bring the index up to date with music folders",
    )
    add_reindex_arguments(command, settings)
    _add_workers(command, settings)


if __name__ == "__main__":
    sys.exit(main())
