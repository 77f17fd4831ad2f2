"""The ``weights`` commands: what is there, and how it gets there."""

import argparse
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

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
from recommender.embedders import sources
from recommender.errors import InvalidParameterError, WeightsError
from recommender.weights_fetch import Fetcher, is_https
from recommender.weights_intake import as_found, check_terms, converter_of, found_elsewhere, take_in
from recommender.weights_store import Installed, Source, installed, is_installed, weights_dir

AddCommand = Callable[[str, Callable[..., int], str], argparse.ArgumentParser]


def add_weights_commands(add: AddCommand) -> None:
    """Add ``list``, ``fetch``, ``add`` and ``verify``, each by ``add(name, run, help)``."""
    add("list", list_weights, "what is present, and where the rest is to be had")
    fetch = add("fetch", fetch_weights, "download weights, verify, convert and keep them")
    _add_terms(fetch)
    give = add("add", add_weights, "take weights from a file that is here already")
    _add_terms(give)
    give.add_argument("file", metavar="FILE", type=Path, help="the file as it was published")
    add("verify", verify_weights, "check what is present for damage")


def list_weights(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Print every file of weights, present or not."""
    facts = [_facts(source) for source in sources().values()]
    lines = [line for fact in facts for line in _lines(fact)]
    emit(out, options.json, facts, lines or ["no embedder needs weights beside the package's own"])
    return 0


def fetch_weights(options: argparse.Namespace, out: Console, err: Console) -> int:
    """Download, verify, convert and keep weights; what is present and sound is left alone."""
    source = _source(options.name)
    _say_terms(source, err)
    kept = _sound(source)
    if not kept:
        _check_terms(source, options)
        converter_of(source)  # before hundreds of megabytes, not after
        with _progress(source, err) as progress:
            path = Fetcher().fetch(source, progress)
        kept = take_in(source, path)
        path.unlink()
    _say_kept(options, out, source, kept)
    return 0


def add_weights(options: argparse.Namespace, out: Console, err: Console) -> int:
    """Verify, convert and keep weights from a local file, which stays where it is."""
    source = _source(options.name)
    _say_terms(source, err)
    found = as_found(source, options.file)
    _check_terms(found, options)
    _say_kept(options, out, source, take_in(found, options.file))
    return 0


def verify_weights(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Check the weights that are present; exit code 65 when any are damaged."""
    results = {name: _problem(s) for name, s in sources().items() if is_installed(s)}
    lines = [f"{name}: {problem or 'ok'}" for name, problem in results.items()]
    emit(out, options.json, results, lines or [f"weights_dir={weights_dir()} holds nothing yet"])
    return EXIT_BAD_DATA if any(results.values()) else 0


def _add_terms(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="as weights list prints it")
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


def _source(name: str) -> Source:
    known = sources()
    if name not in known:
        raise InvalidParameterError(
            f"weights={name} are unknown; use one of {', '.join(known) or 'none: there are none'}"
        )
    return known[name]


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


def _say_kept(options: argparse.Namespace, out: Console, source: Source, kept: Installed) -> None:
    facts = {"name": source.name, "path": str(kept.path), "sha256": kept.sha256}
    lines = [f"{source.name} is in {kept.path}", f"made of {kept.origin}"]
    emit(out, options.json, facts | {"origin": kept.origin}, lines)


def _sound(source: Source) -> Installed | None:
    """What is present and undamaged."""
    return None if not is_installed(source) or _problem(source) else installed(source)


def _problem(source: Source) -> str:
    try:
        damage = installed(source).damage()
    except WeightsError as error:
        return str(error)
    return f"{damage}; run: {source.command}" if damage else ""


def _facts(source: Source) -> dict[str, Any]:
    present = is_installed(source)
    found = None if present else found_elsewhere(source)
    return asdict(source) | {
        "present": present,
        "found": str(found) if found else "",
        "terms": list(_terms(as_found(source, found) if found else source)),
    }


def _terms(source: Source) -> Iterator[str]:
    """The flags without which nothing is fetched."""
    if not source.commercial:
        yield "--accept-licence"
    if not source.digest:
        yield "--accept-unverified"


def _lines(fact: dict[str, Any]) -> Iterator[str]:
    size = f"{fact['n_bytes'] / 1e6:.1f} MB" if fact["n_bytes"] else "size unknown"
    state = "present" if fact["present"] else "missing"
    yield (
        f"{fact['name']}  {state}  {fact['licence']}"
        f"{'' if fact['commercial'] else ' (no commercial use)'}  {size}  "
        f"trained on {fact['trained_on']}"
    )
    if fact["found"]:
        add = f"python -m indexer weights add {fact['name']} {shlex.quote(fact['found'])}"
        yield f"  found at {fact['found']}; run: {' '.join([add, *fact['terms']])}"
    elif not fact["present"] and not is_https(fact["url"]):
        add = f"python -m indexer weights add {fact['name']} FILE"
        yield f"  from {fact['url']}, which is not https; run: {' '.join([add, *fact['terms']])}"
    elif not fact["present"]:
        fetch = f"python -m indexer weights fetch {fact['name']}"
        yield f"  from {fact['url']}; run: {' '.join([fetch, *fact['terms']])}"


@contextmanager
def _progress(source: Source, err: Console) -> Iterator[Callable[[int, int], None]]:
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn(source.name), *columns, console=err) as progress:
        task = progress.add_task("", total=source.n_bytes or None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None)

        yield show
