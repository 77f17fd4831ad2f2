"""The ``spaces`` commands: what is served side by side, and which of it is the default."""

import argparse
from collections.abc import Callable

from rich.console import Console

from indexer.commands import manifest_facts, space_lines
from indexer.lock import indexer_lock
from indexer.output import emit
from recommender.current import Served, served
from recommender.served import make_default, serving, stop_serving


def add_spaces_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the subcommands.

    Parameters
    ----------
    add
        Called with name, function and help; returns the parser of the subcommand.
    """
    add("list", list_spaces, "what is served, the default first")
    default = add("default", choose_default, "have a space answer when none is named")
    drop = add("drop", drop_space, "stop serving a space; its vectors stay in the library")
    for command in (default, drop):
        command.add_argument("space", metavar="SPACE", help="its id, or its embedder's name")


def list_spaces(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Print what is served."""
    facts = [manifest_facts(options.data_dir, line.generation) for line in served(options.data_dir)]
    emit(out, options.json, facts, space_lines(facts))
    return 0


def choose_default(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Make a space the default."""
    return _changed(options, out, make_default, "")


def drop_space(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Stop serving a space."""
    return _changed(options, out, stop_serving, "no longer served: {}; ")


def _changed(
    options: argparse.Namespace, out: Console, change: Callable[..., Served], words: str
) -> int:
    served(options.data_dir)  # before the lock, which would make the folder
    with indexer_lock(options.data_dir):
        changed = change(options.data_dir, options.space).embedder
        default = serving(options.data_dir)[0].embedder
    facts = {"embedder": changed, "default": default}
    emit(out, options.json, facts, [f"{words.format(changed)}the default is {default}"])
    return 0
