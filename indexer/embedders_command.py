"""The ``embedders`` command: every system that listens, and what is to be known before choosing."""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from indexer.embedder_costs import MEASURED_SECONDS, add_costs
from indexer.output import emit
from recommender.embedders import (
    DEFAULT_EMBEDDER,
    EMBEDDERS,
    claimants,
    cost_of,
    create_embedder,
    embedder_module,
    embedder_names,
    parameters_of,
    require_packages,
    weights_of,
)
from recommender.embedders.options import base_name
from recommender.embedding import EmbedderSpec
from recommender.errors import InvalidParameterError, PluginError, SoundalikeError, WeightsError
from recommender.weights_check import Findings, chosen, examine
from recommender.weights_store import Source, as_if_installed, is_installed

# what is smaller is no network, but what scales its input or projects its output
SMALLEST_NETWORK = 100_000
SERVERS_LICENCE = "that of the server"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add what only this command takes."""
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="embedders, with options as in --embedder (default: all there are)",
    )
    command.add_argument(
        "--measure",
        action="store_true",
        help=f"embed {MEASURED_SECONDS} s of synthetic audio here with each that has its weights",
    )


def list_embedders(options: argparse.Namespace, out: Console, _err: Console) -> int:
    """Print what each embedder is and needs; one that cannot be described says why."""
    named = bool(options.names)
    # reading all weights there are, gigabytes perhaps, is for who asks about some
    facts = [_facts(name, named) for name in dict.fromkeys(options.names or embedder_names())]
    if options.measure:
        add_costs(facts)
    emit(out, options.json, facts, [line for fact in facts for line in _lines(fact)])
    return 0


def _facts(name: str, digests: bool) -> dict[str, Any]:
    """What is known of an embedder; raises InvalidParameterError when there is none such."""
    ours, claims = base_name(name) in EMBEDDERS, claimants(name)
    origin = {"distributions": [] if ours else claims, "refused": claims if ours else []}
    try:
        return _described(name, digests) | origin
    except (PluginError, WeightsError) as error:
        unknown = {"options": {}, "licence": "", "weights": {}, "parameters": {}, "fitness": ""}
        state = {"remote": False, "ready": False, "problem": str(error)}
        return {"name": name} | unknown | origin | state


def _described(name: str, digests: bool) -> dict[str, Any]:
    try:
        with as_if_present(name) as asked:
            spec = create_embedder(name).spec
    except InvalidParameterError:
        raise
    except SoundalikeError as error:
        return _module_facts(name, weights_of(name)) | {"ready": False, "problem": str(error)}
    needed = dict.fromkeys(asked)
    found = examine(map(chosen, needed), digests=digests)
    with_options = name != base_name(name)
    of_these_options = tuple(source for alternatives in needed for source in alternatives)
    problem = "; and ".join(dict.fromkeys(_problems(name, found)))
    return (
        _module_facts(name, of_these_options if with_options else weights_of(name))
        | {"needs": [[source.name for source in alternatives] for alternatives in needed]}
        | {"damaged": [source.name for source in found.damaged]}
        | _spec_facts(spec)
        | {"ready": not problem, "problem": problem}
    )


def _module_facts(name: str, weights: Sequence[Source]) -> dict[str, Any]:
    """What needs no spec; of published weights those that are handed in."""
    module = embedder_module(name)
    # whose weights are on a server needs to know where that is
    remote = hasattr(module, "NEEDED")
    own = SERVERS_LICENCE if remote else getattr(module, "LICENCE", "")
    names, published = {source.name for source in weights}, weights_of(name)
    parameters = parameters_of(name).items()
    return {
        "name": name,
        "remote": remote,
        "options": {key: list(values) for key, values in getattr(module, "CHOICES", {}).items()},
        "licence": " or ".join(sorted({source.licence for source in weights})) or own,
        "weights": {source.name: is_installed(source) for source in weights},
        "parameters": {key: n for key, n in parameters if key in names or not published},
        "cost": cost_of(name),
        "fitness": getattr(module, "FITNESS", ""),
    }


def _problems(name: str, found: Findings) -> Iterator[str]:
    """Why the embedder cannot be used here and now."""
    yield from _raised(lambda: require_packages(name))
    if found.problem:
        yield found.problem
    else:
        yield from _raised(lambda: create_embedder(name).spec)


def _raised(act: Callable[[], object]) -> Iterator[str]:
    try:
        act()
    except SoundalikeError as error:
        yield str(error)


def _spec_facts(spec: EmbedderSpec) -> dict[str, Any]:
    return {
        "dimension": spec.frame_dimension,
        "tags": len(spec.tag_names),
        "sample_rate": spec.sample_rate,
        "window_seconds": round(spec.window_samples / spec.sample_rate, 3),
        "hop_seconds": round(spec.hop_samples / spec.sample_rate, 3),
    }


@contextmanager
def as_if_present(name: str) -> Iterator[list[tuple[Source, ...]]]:
    """Let a spec be read without weights, of which it needs the digest, or without a server.

    Yields what :func:`recommender.weights_store.as_if_installed` does.
    """
    before = dict(os.environ)
    try:
        os.environ.update(getattr(embedder_module(name), "NEEDED", {}))
        with as_if_installed() as asked:
            yield asked
    finally:
        os.environ.clear()
        os.environ.update(before)


def _lines(fact: dict[str, Any]) -> Iterator[str]:
    if "dimension" in fact:
        tags = f" and {fact['tags']} tags" if fact["tags"] else ""
        yield (
            f"{fact['name']}: {fact['dimension']} numbers{tags}, {fact['sample_rate']} Hz, "
            f"windows of {fact['window_seconds']:g} s every {fact['hop_seconds']:g} s"
        )
    else:
        yield fact["name"]
    for key, values in fact["options"].items():
        yield f"  {key}={'|'.join(values)}"
    yield f"  weights: {_weights(fact)}"
    if fact["problem"]:
        yield f"  {fact['problem']}"
    if fact["parameters"]:
        yield f"  learned numbers: {_sizes(fact['parameters'])}"
    # of a server it is what we wait for, not what was measured
    if fact.get("cost") and not fact["remote"]:
        of = " (with the default options)" if fact["options"] else ""
        yield f"  about {fact['cost']:g} x {DEFAULT_EMBEDDER} for the same audio{of}"
    if "seconds_per_audio_minute" in fact:
        yield (
            f"  {fact['seconds_per_audio_minute']:g} s for a minute of audio here, now: "
            f"{fact['cost_relative_to_default']:g} x {DEFAULT_EMBEDDER}; compare only the ratio"
        )
    for owner in fact["distributions"]:
        yield f"  from {owner}"
    for owner in fact["refused"]:
        yield f"  {owner} offers an embedder of this name too, which is refused: the name is taken"
    if fact["fitness"]:
        yield f"  {fact['fitness']}"


def _weights(fact: dict[str, Any]) -> str:
    licence = fact["licence"]
    if fact["remote"]:
        return f"on the server; licence: {licence}"
    if not fact["weights"]:
        return f"in the package, {licence}" if licence else "none"
    if len(fact["weights"]) == 1:
        [state] = _states(fact)
        return f"{state}; {licence}"
    enough = "; one will do" if any(len(names) > 1 for names in fact.get("needs", ())) else ""
    return f"{_present(fact)}{enough}; {licence}"


def _present(fact: dict[str, Any]) -> str:
    """How many of several files are there, and which are not as they should be."""
    by_state = dict[str, list[str]]()
    for name, state in zip(fact["weights"], _states(fact), strict=True):
        by_state.setdefault(state, []).append(name)
    n_files, there = len(fact["weights"]), len(fact["weights"]) - len(by_state.get("missing", ()))
    count = f"{there or 'none'} of {n_files} files present"
    if len(by_state) == 1:
        return f"{count}: {', '.join(fact['weights'])}"
    rest = [f"{state}: {', '.join(names)}" for state, names in sorted(by_state.items())]
    return f"{count}; {'; '.join(rest)}"


def _states(fact: dict[str, Any]) -> Iterator[str]:
    for name, there in fact["weights"].items():
        damaged = name in fact.get("damaged", ())
        yield "damaged" if damaged else "present" if there else "missing"


def _sizes(parameters: dict[str, int]) -> str:
    """Learned numbers of the networks, and whose they are."""
    names = dict[str, list[str]]()
    for name, number in parameters.items():
        if number >= SMALLEST_NETWORK:
            names.setdefault(f"{number / 1e6:.3g} million", []).append(name)
    return "; ".join(
        f"{size}{' each' if len(of) > 1 else ''} ({', '.join(of)})" for size, of in names.items()
    )
