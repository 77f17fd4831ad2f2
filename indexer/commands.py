"""Commands about what is known and published: status, verify, generations, rollback."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from indexer.lock import indexer_lock
from indexer.output import emit, failure_facts, failure_lines
from indexer.reindex import LIBRARY_FILE
from recommender.current import (
    current_generation,
    generations_dir,
    list_generations,
    served_generations,
)
from recommender.errors import GenerationError, IndexUnavailableError, InvalidParameterError
from recommender.generation import open_generation
from recommender.library import Library
from recommender.manifest import Manifest
from recommender.served import embedder_of, serve, served_manifests

EXIT_BAD_DATA = 65
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
        names = served_generations(options.data_dir)
        facts["spaces"] = [manifest_facts(options.data_dir, name) for name in names]
    except IndexUnavailableError as error:
        facts |= {"spaces": [], "problem": str(error)}
    lines = [f"{key}: {value}" for key, value in facts.items() if key not in _LISTED]
    lines += space_lines(facts["spaces"])
    emit(out, options.json, facts, [*lines, *failure_lines(facts.get("failures", []))])
    return 0


def verify(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Check the library and every generation; exit code 65 when anything is damaged."""
    data_dir = options.data_dir
    results = {name: _problem(data_dir, name) for name in list_generations(data_dir)}
    if (data_dir / LIBRARY_FILE).exists():
        results[LIBRARY_FILE] = _library_problem(data_dir / LIBRARY_FILE)
    lines = [f"{name}: {problem or 'ok'}" for name, problem in results.items()]
    emit(out, options.json, results, lines or [f"data_dir={data_dir} holds nothing yet"])
    return EXIT_BAD_DATA if any(results.values()) else 0


def generations(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """List what is published, oldest first, with what is served marked."""
    try:
        served = served_generations(options.data_dir)
    except IndexUnavailableError:
        served = ()
    names = list_generations(options.data_dir)
    facts = [manifest_facts(options.data_dir, n) | {"current": n in served} for n in names]
    lines = [
        f"{'*' if fact['current'] else ' '} {fact['name']}  {fact.get('tracks', '?')} tracks  "
        f"{fact.get('space', fact.get('problem'))}"
        for fact in facts
    ]
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
        replaced = _served_for(options.data_dir, space)
        serve(options.data_dir, [wanted])
    instead = f", not {replaced}" if replaced else f" for {space}, which was not served"
    emit(
        out,
        options.json,
        {"from": replaced, "to": wanted},
        [f"serving {wanted}{instead}; a reindex publishes anew"],
    )
    return 0


def _served_for(data_dir: Path, space: str) -> str:
    """The generation that is served for an embedder; "" when none is."""
    served = {embedder_of(m): m.generation for m in served_manifests(data_dir)}
    return served.get(space, "")


def _previous(data_dir: Path) -> str:
    """The generation before the one that is served by default, of the same embedder."""
    current = current_generation(data_dir)
    facts = {name: manifest_facts(data_dir, name) for name in list_generations(data_dir)}
    space = facts[current].get("embedder")
    older = [n for n, fact in facts.items() if n < current and fact.get("embedder") == space]
    if not older:
        raise InvalidParameterError(f"generation={current} is the oldest; there is none before it")
    return older[-1]


def _problem(data_dir: Path, name: str) -> str:
    try:
        open_generation(data_dir, name)
    except GenerationError as error:
        return str(error)
    return ""


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
        "dimension": manifest.dimension,
        "index": manifest.index_kind,
    }


def space_lines(spaces: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each space that is served, the default first."""
    return [
        f"{'default' if place == 0 else 'beside'}  {fact['embedder']}  {fact['space']}  "
        f"{fact['tracks']} tracks  {fact['name']}"
        if "embedder" in fact
        else f"{fact['name']}: {fact['problem']}"
        for place, fact in enumerate(spaces)
    ]
