"""Commands about what is known and published: status, verify, generations, rollback."""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from indexer.index_facts import curve_lines, index_facts, index_lines
from indexer.lock import indexer_lock
from indexer.output import counted, emit, failure_facts, failure_lines
from indexer.reindex import LIBRARY_FILE
from recommender.current import (
    CURRENT,
    current_generation,
    generations_dir,
    list_generations,
    served,
)
from recommender.errors import GenerationError, IndexUnavailableError, InvalidParameterError
from recommender.generation import how_to_renew, open_generation
from recommender.library import Library
from recommender.manifest import Manifest
from recommender.served import by_embedder, embedder_of, made_by, serve, serving
from recommender.verifying import verify_files

EXIT_BAD_DATA = 65
EARLIER = "whole, but of an earlier version"
OLD = f"{EARLIER}: it cannot be served; nothing needs to be done, newer ones take its place"
_LISTED = ("failures", "spaces")


def status(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Print what the library knows and what is served."""
    facts: dict[str, Any] = {"data_dir": str(options.data_dir.absolute())}
    if (options.data_dir / LIBRARY_FILE).exists():
        with Library.open(options.data_dir / LIBRARY_FILE) as library:
            failures = library.failures()
            facts |= {"files": len(library.files()), "failed_files": len(failures)}
            facts["failures"] = [failure_facts(failure) for failure in failures]
    try:
        lines = served(options.data_dir)
        facts["spaces"] = [manifest_facts(options.data_dir, line.generation) for line in lines]
    except IndexUnavailableError as error:
        facts |= {"spaces": [], "problem": str(error)}
    text = [f"{key}: {value}" for key, value in facts.items() if key not in _LISTED]
    for line, fact in zip(space_lines(facts["spaces"]), facts["spaces"], strict=True):
        text += [line, *_index_below(fact, curve_lines)]
    emit(out, options.json, facts, [*text, *failure_lines(facts.get("failures", []))])
    return 0


def verify(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Check the library and every generation; exit code 65 when anything is not as it should be.

    A generation of an earlier version is wrong only when it is served.
    """
    data_dir, now, problems = options.data_dir, set[str](), dict[str, str]()
    try:
        now = {line.generation for line in serving(data_dir)}
    except GenerationError as error:
        problems[CURRENT] = str(error)
    results = {name: _problem(data_dir, name, name in now) for name in list_generations(data_dir)}
    results |= dict.fromkeys(now.difference(results), "it is served, and is not there") | problems
    if (data_dir / LIBRARY_FILE).exists():
        results[LIBRARY_FILE] = _library_problem(data_dir / LIBRARY_FILE)
    lines = [f"{name}: {problem or 'ok'}" for name, problem in results.items()]
    emit(out, options.json, results, lines or [f"data_dir={data_dir} holds nothing yet"])
    return EXIT_BAD_DATA if set(results.values()).difference(("", OLD)) else 0


def generations(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """List what is published, oldest first, with what is served marked."""
    try:
        current = {line.generation for line in served(options.data_dir)}
    except IndexUnavailableError:
        current = set()
    names = list_generations(options.data_dir)
    facts = [manifest_facts(options.data_dir, n) | {"current": n in current} for n in names]
    lines = []
    for fact in facts:
        lines += [f"{'*' if fact['current'] else ' '} {_described(fact)}", *_index_below(fact)]
    emit(out, options.json, facts, lines or [f"data_dir={options.data_dir} holds no generation"])
    return 0


def rollback(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Serve an older generation of a space again, after verifying it; other spaces stay."""
    current_generation(options.data_dir)  # before the lock, which would make the folder
    with indexer_lock(options.data_dir):
        wanted = options.generation or _previous(options.data_dir)
        if wanted not in list_generations(options.data_dir):
            raise InvalidParameterError(
                f"generation={wanted} is not there; list them with: python -m indexer generations"
            )
        space = embedder_of(open_generation(options.data_dir, wanted).manifest)
        replaced = by_embedder(options.data_dir).get(space, "")
        serve(options.data_dir, {space: wanted})
    instead = f", not {replaced}" if replaced else f" for {space}, which was not served"
    emit(
        out,
        options.json,
        {"from": replaced, "to": wanted},
        [f"serving {wanted}{instead}; a reindex publishes anew"],
    )
    return 0


def _previous(data_dir: Path) -> str:
    """The generation before the one that is served by default, of the same embedder."""
    default = serving(data_dir)[0]
    older = [
        name
        for name in list_generations(data_dir)
        if name < default.generation and made_by(data_dir, name) == default.embedder
    ]
    if not older:
        raise InvalidParameterError(
            f"generation={default.generation} is the oldest; there is none before it"
        )
    return older[-1]


def _problem(data_dir: Path, name: str, is_served: bool) -> str:
    folder = generations_dir(data_dir) / name
    try:
        manifest = Manifest.read(folder)
        if not manifest.outdated:
            open_generation(data_dir, name)
            return ""
        # cannot be opened any more, and is no less whole for it
        verify_files(folder, manifest)
    except GenerationError as error:
        return str(error)
    if not is_served:
        return OLD
    return f"{EARLIER}, which the service refuses; {how_to_renew(data_dir, manifest)}"


def _library_problem(path: Path) -> str:
    try:
        with Library.open(path) as library:
            return library.damage()
    except GenerationError as error:
        return str(error)


def manifest_facts(data_dir: Path, name: str) -> dict[str, Any]:
    """What a generation says of itself, or what is wrong with it."""
    try:
        manifest = Manifest.read(generations_dir(data_dir) / name)
    except GenerationError as error:
        return {"name": name, "problem": str(error)}
    return {
        "name": name,
        "created_at": manifest.created_at,
        "tracks": manifest.n_tracks,
        "space": manifest.space_id,
        "embedder": embedder_of(manifest),
        "windows": manifest.space["n_windows"],
        "pooling": manifest.space["pooling"],
        "projection": manifest.space["projection"],
        "dimension": manifest.dimension,
        "outdated": manifest.outdated,
        "index": index_facts(manifest),
    }


def space_lines(spaces: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each space that is served, the default first."""
    return [
        f"{'default' if place == 0 else 'beside '}  {_described(fact)}"
        for place, fact in enumerate(spaces)
    ]


def _described(fact: Mapping[str, Any]) -> str:
    """A generation in a line, from :func:`manifest_facts`."""
    if "problem" in fact:
        return f"{fact['name']}: {fact['problem']}"
    settings = f"{fact['windows']} windows, {fact['pooling']}, {fact['projection']}"
    tracks = counted(fact["tracks"])
    outdated = "  of an earlier version: run reindex" if fact["outdated"] else ""
    return f"{fact['embedder']} ({settings})  {fact['space']}  {tracks}  {fact['name']}{outdated}"


def _index_below(
    fact: Mapping[str, Any], *more: Callable[[Mapping[str, Any]], Iterable[str]]
) -> list[str]:
    """Lines about the index of a generation, to stand below that of the generation."""
    if fact.get("outdated", True):
        return []
    return [f"    {line}" for lines in (index_lines, *more) for line in lines(fact["index"])]
