"""The ``embedders`` command: every system that listens, and what is to be known before choosing."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
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
from recommender.errors import (
    InvalidParameterError,
    MissingPackageError,
    PluginError,
    RemoteEmbedderError,
    SoundalikeError,
    WeightsError,
)
from recommender.weights_store import VARIABLE, is_installed, record_placeholder

SMALLEST_NETWORK = 100_000


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
    facts = [_facts(name) for name in options.names or embedder_names()]
    if options.measure:
        add_costs(facts)
    emit(out, options.json, facts, [line for fact in facts for line in _lines(fact)])
    return 0


def _facts(name: str) -> dict[str, Any]:
    """What is known of an embedder; raises InvalidParameterError when there is none such."""
    ours, claims = base_name(name) in EMBEDDERS, claimants(name)
    origin = {"distributions": [] if ours else claims, "refused": claims if ours else []}
    try:
        return _described(name) | origin
    except (PluginError, WeightsError) as error:
        unknown = {"options": {}, "licence": "", "weights": {}, "parameters": {}, "fitness": ""}
        return {"name": name} | unknown | origin | {"ready": False, "problem": str(error)}


def _described(name: str) -> dict[str, Any]:
    module, weights = embedder_module(name), weights_of(name)
    licences = sorted({source.licence for source in weights}) or [getattr(module, "LICENCE", "")]
    facts: dict[str, Any] = {
        "name": name,
        "options": {key: list(values) for key, values in getattr(module, "CHOICES", {}).items()},
        "licence": " or ".join(filter(None, licences)),
        "weights": {source.name: is_installed(source) for source in weights},
        "parameters": parameters_of(name),
        "cost": cost_of(name),
        "fitness": getattr(module, "FITNESS", ""),
    }
    problems = [_missing_packages(name)]
    try:
        spec = create_embedder(name).spec
    except (WeightsError, RemoteEmbedderError) as error:
        problems.append(str(error))
        with as_if_present(name):
            spec = create_embedder(name).spec
    except InvalidParameterError:
        raise
    except SoundalikeError as error:
        return facts | {"ready": False, "problem": str(error)}
    problem = "; and ".join(filter(None, problems))
    return facts | _spec_facts(spec) | {"ready": not problem, "problem": problem}


def _missing_packages(name: str) -> str:
    try:
        require_packages(name)
    except MissingPackageError as error:
        return str(error)
    return ""


def _spec_facts(spec: EmbedderSpec) -> dict[str, Any]:
    return {
        "dimension": spec.frame_dimension,
        "tags": len(spec.tag_names),
        "sample_rate": spec.sample_rate,
        "window_seconds": round(spec.window_samples / spec.sample_rate, 3),
        "hop_seconds": round(spec.hop_samples / spec.sample_rate, 3),
    }


@contextmanager
def as_if_present(name: str) -> Iterator[None]:
    """Let a spec be read without weights, of which it needs the digest, or without a server.

    The folder of weights holds records alone meanwhile.
    """
    before = dict(os.environ)
    with TemporaryDirectory() as folder:
        for source in weights_of(name):
            record_placeholder(source, Path(folder))
        os.environ[VARIABLE] = folder
        os.environ.update(getattr(embedder_module(name), "NEEDED", {}))
        try:
            yield
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
        yield f"  parameters of a network: {_sizes(fact['parameters'])}"
    if fact.get("cost"):
        yield f"  about {fact['cost']:g} x {DEFAULT_EMBEDDER} for the same audio"
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
    if not fact["weights"]:
        return f"in the package, {fact['licence']}" if fact["licence"] else "none"
    there = [name for name, present in fact["weights"].items() if present]
    n_files = len(fact["weights"])
    state = f"{', '.join(there)} present" if there else "missing"
    return (
        f"{state}, of {n_files}; {fact['licence']}"
        if n_files > 1
        else (f"{state}; {fact['licence']}")
    )


def _sizes(parameters: dict[str, int]) -> str:
    """Learned numbers of the networks, each size once, the default's first."""
    # what is smaller is no network, but what scales its input or projects its output
    networks = (number for number in parameters.values() if number >= SMALLEST_NETWORK)
    sizes = dict.fromkeys(f"{number / 1e6:.3g} million" for number in networks)
    return " or ".join(sizes)
