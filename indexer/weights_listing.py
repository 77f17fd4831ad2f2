"""The ``weights list`` command: every file of weights, and where it is to be had."""

import argparse
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from indexer.output import emit
from recommender.embedders import sources, wanted_by
from recommender.weights_intake import as_found, found_elsewhere
from recommender.weights_store import Source, is_https, is_installed

BYTES_PER_NUMBER = 4


def list_weights(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Print every file of weights, present or not, below the embedders that may want it."""
    users = wanted_by()
    facts = [_facts(source, users[name]) for name, source in sources().items()]
    lines = list(_grouped(facts))
    emit(out, options.json, facts, lines or ["no embedder needs weights beside the package's own"])
    return 0


def _facts(source: Source, users: list[str]) -> dict[str, Any]:
    present = is_installed(source)
    found = None if present else found_elsewhere(source)
    return asdict(source) | {
        "embedders": users,
        "numbers_bytes": BYTES_PER_NUMBER * source.n_parameters,
        "present": present,
        "found": str(found) if found else "",
        "terms": list((as_found(source, found) if found else source).terms),
        "run": "" if present else _run(source, found),
    }


def _run(source: Source, found: Path | None) -> str:
    """What brings these weights."""
    if not found:
        return source.command
    add = f"python -m indexer weights add {source.name} {shlex.quote(str(found))}"
    return " ".join([add, *as_found(source, found).terms])


def _grouped(facts: list[dict[str, Any]]) -> Iterator[str]:
    above: list[str] = []
    for fact in facts:
        if fact["embedders"] != above:
            above = fact["embedders"]
            yield ", ".join(above)
        yield from (f"  {line}" for line in _lines(fact))


def _lines(fact: dict[str, Any]) -> Iterator[str]:
    state = "present" if fact["present"] else "missing"
    yield (
        f"{fact['name']}  {state}  {fact['licence']}"
        f"{'' if fact['commercial'] else ' (no commercial use)'}  {_size(fact)}  "
        f"trained on {fact['trained_on']}"
    )
    if fact["found"]:
        yield f"  found at {fact['found']}; run: {fact['run']}"
    elif not fact["present"]:
        why = "" if is_https(fact["url"]) else ", which is not https"
        yield f"  from {fact['url']}{why}; run: {fact['run']}"


def _size(fact: dict[str, Any]) -> str:
    """Of the file where that is known, else of the numbers that are kept of it."""
    if fact["n_bytes"]:
        return f"{fact['n_bytes'] / 1e6:.1f} MB"
    megabytes = fact["numbers_bytes"] / 1e6
    return f"about {megabytes:.3g} MB" if megabytes >= 1 else "below 1 MB"
