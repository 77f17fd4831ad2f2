"""The ``weights`` commands: what is there, and how it gets there."""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from indexer.commands import EXIT_BAD_DATA
from indexer.output import emit, harmless
from indexer.weights_listing import list_weights
from recommender.embedders import embedder_names, needed_weights, sources, weights_of
from recommender.embedders.options import base_name
from recommender.errors import InvalidParameterError
from recommender.weights_check import chosen, examine
from recommender.weights_fetch import Fetcher
from recommender.weights_intake import as_found, check_terms, converter_of, take_in
from recommender.weights_store import Installed, Source, installed, is_installed, weights_dir

NAMES = "weights as weights list prints them, or an embedder, with options or not, for all it needs"

AddCommand = Callable[[str, Callable[..., int], str], argparse.ArgumentParser]


def add_weights_commands(add: AddCommand) -> None:
    """Add ``list``, ``fetch``, ``add`` and ``verify``, each by ``add(name, run, help)``."""
    add("list", list_weights, "what is present, and where the rest is to be had")
    fetch = add("fetch", fetch_weights, "download weights, verify, convert and keep them")
    fetch.add_argument("names", metavar="NAME", nargs="+", help=NAMES)
    _add_terms(fetch)
    give = add("add", add_weights, "take weights from a file that is here already")
    give.add_argument("name", metavar="NAME", help=NAMES)
    _add_terms(give)
    give.add_argument("file", metavar="FILE", type=Path, help="the file as it was published")
    verify = add("verify", verify_weights, "check what is present for damage")
    verify.add_argument(
        "names", metavar="NAME", nargs="*", help=f"{NAMES} (default: whatever is present)"
    )


def fetch_weights(options: argparse.Namespace, out: Console, err: Console) -> int:
    """Download, verify, convert and keep weights; what is present and sound is left alone."""
    wanted = _wanted(options.names)
    lacking = [source for source in wanted if examine([source]).problem]
    for source in wanted:
        _say_terms(source, err)
    # all that may be refused, before hundreds of megabytes and not after
    for source in lacking:
        _check_terms(source, options)
        converter_of(source)
    kept = [
        (source, _fetched(source, err) if source in lacking else installed(source))
        for source in wanted
    ]
    facts = [_kept_facts(*one) for one in kept]
    emit(out, options.json, facts, list(chain.from_iterable(map(_kept_lines, facts))))
    return 0


def add_weights(options: argparse.Namespace, out: Console, err: Console) -> int:
    """Verify, convert and keep weights from a local file, which stays where it is."""
    source = _source_of_file(options.name, options.file)
    _say_terms(source, err)
    found = as_found(source, options.file)
    _check_terms(found, options)
    facts = _kept_facts(source, take_in(found, options.file))
    emit(out, options.json, facts, _kept_lines(facts))
    return 0


def verify_weights(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Check weights, by default all that are present; exit code 65 when any are no use."""
    there = [source for source in sources().values() if is_installed(source)]
    checked = _wanted(options.names) if options.names else there
    results = {source.name: examine([source]).problem for source in checked}
    lines = [f"{name}: {problem or 'ok'}" for name, problem in results.items()]
    emit(out, options.json, results, lines or [f"weights_dir={weights_dir()} holds nothing yet"])
    return EXIT_BAD_DATA if any(results.values()) else 0


def _add_terms(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--accept-licence",
        action="store_true",
        help="accept a licence that forbids commercial use",
    )
    command.add_argument(
        "--accept-unverified",
        action="store_true",
        help="accept a file whose digest was never published",
    )


def _wanted(names: Iterable[str]) -> list[Source]:
    """A source for each file that the names stand for, each once."""
    files = chain.from_iterable(map(_files, names))
    return list(dict.fromkeys(map(chosen, files)))


def _files(name: str) -> Sequence[tuple[Source, ...]]:
    """The files that a name of weights or of an embedder stands for, each with alternatives."""
    known = sources()
    if name in known:
        return [(known[name],)]
    if base_name(name) not in embedder_names():
        raise InvalidParameterError(
            f"weights={name} are unknown; use one of {', '.join(known) or 'none: there are none'}, "
            "or the name of an embedder that wants some"
        )
    # a plugin may tell by its list alone
    files = needed_weights(name) or [(source,) for source in weights_of(name)]
    if not files:
        raise InvalidParameterError(f"embedder={name} needs no weights from elsewhere")
    return files


def _source_of_file(name: str, path: Path) -> Source:
    """What a local file is, by its name when several would do."""
    candidates = list(chain.from_iterable(_files(name)))
    if len(candidates) > 1:
        names = ", ".join(f"{source.name} ({source.file_name})" for source in candidates)
        candidates = [s for s in candidates if as_found(s, path).file_name == path.name]
        if len(candidates) != 1:
            raise InvalidParameterError(
                f"file={path.name} could be any of what {name} needs; say which: {names}"
            )
    return candidates[0]


def _check_terms(source: Source, options: argparse.Namespace) -> None:
    check_terms(
        source,
        accept_licence=options.accept_licence,
        accept_unverified=options.accept_unverified,
    )


def _say_terms(source: Source, err: Console) -> None:
    for line in (
        f"{source.name}: {source.attribution}; trained on {source.trained_on}",
        f"licence: {source.licence}" + ("" if source.commercial else ", no commercial use"),
        "" if source.digest else "digest: none was ever published; the file cannot be verified",
    ):
        if line:
            err.print(harmless(line), markup=False, highlight=False, soft_wrap=True)


def _fetched(source: Source, err: Console) -> Installed:
    with _progress(source, err) as progress:
        path = Fetcher().fetch(source, progress)
    kept = take_in(source, path)
    path.unlink()
    return kept


def _kept_facts(source: Source, kept: Installed) -> dict[str, str]:
    where = {"name": source.name, "path": str(kept.path)}
    return where | {"sha256": kept.sha256, "origin": kept.origin}


def _kept_lines(fact: dict[str, str]) -> list[str]:
    return [f"{fact['name']} is in {fact['path']}", f"made of {fact['origin']}"]


@contextmanager
def _progress(source: Source, err: Console) -> Iterator[Callable[[int, int], None]]:
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn(source.name), *columns, console=err) as progress:
        task = progress.add_task("", total=source.n_bytes or None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None)

        yield show
