"""The ``embedders`` command: every system that listens, and what is to be known before choosing."""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console

from indexer.commands import emit
from recommender.arrays import FloatArray
from recommender.embedders import (
    DEFAULT_EMBEDDER,
    EMBEDDERS,
    create_embedder,
    embedder_module,
    weights_of,
)
from recommender.embedding import Embedder, EmbedderSpec, embed
from recommender.errors import InvalidParameterError, SoundalikeError, WeightsError
from recommender.weights_store import VARIABLE, is_installed, record_placeholder

MEASURED_SECONDS = 60
WARM_UP_SECONDS = 5
SEED = 0


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
    facts = [_facts(name) for name in options.names or EMBEDDERS]
    if options.measure:
        _add_costs(facts)
    emit(out, options.json, facts, [line for fact in facts for line in _lines(fact)])
    return 0


def _facts(name: str) -> dict[str, Any]:
    """What is known of an embedder; raises InvalidParameterError when there is none such."""
    module, weights = embedder_module(name), weights_of(name)
    licences = sorted({source.licence for source in weights}) or [getattr(module, "LICENCE", "")]
    facts: dict[str, Any] = {
        "name": name,
        "options": {key: list(values) for key, values in getattr(module, "CHOICES", {}).items()},
        "licence": " or ".join(filter(None, licences)),
        "weights": {source.name: is_installed(source) for source in weights},
        "fitness": getattr(module, "FITNESS", ""),
    }
    embedder = create_embedder(name)
    try:
        return facts | _spec_facts(embedder.spec) | {"ready": True, "problem": ""}
    except WeightsError as error:
        facts |= {"ready": False, "problem": str(error)}
    except InvalidParameterError:
        raise
    except SoundalikeError as error:
        return facts | {"ready": False, "problem": str(error)}
    with _as_if_present(name):
        return facts | _spec_facts(create_embedder(name).spec)


def _spec_facts(spec: EmbedderSpec) -> dict[str, Any]:
    return {
        "dimension": spec.frame_dimension,
        "tags": len(spec.tag_names),
        "sample_rate": spec.sample_rate,
        "window_seconds": round(spec.window_samples / spec.sample_rate, 3),
        "hop_seconds": round(spec.hop_samples / spec.sample_rate, 3),
    }


@contextmanager
def _as_if_present(name: str) -> Iterator[None]:
    """A weights folder of records alone: a spec needs the digest of weights, not the weights."""
    before = os.environ.get(VARIABLE)
    with TemporaryDirectory() as folder:
        for source in weights_of(name):
            record_placeholder(source, Path(folder))
        os.environ[VARIABLE] = folder
        try:
            yield
        finally:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before


def _add_costs(facts: list[dict[str, Any]]) -> None:
    """Seconds for a minute of audio, and how many times the default embedder's."""
    measured = {DEFAULT_EMBEDDER: _seconds_per_minute(create_embedder(DEFAULT_EMBEDDER))}
    for fact in facts:
        if not fact["ready"]:
            continue
        try:
            if fact["name"] not in measured:
                measured[fact["name"]] = _seconds_per_minute(create_embedder(fact["name"]))
        except (SoundalikeError, ModuleNotFoundError) as error:
            fact |= {"ready": False, "problem": str(error)}
            continue
        seconds = measured[fact["name"]]
        fact["seconds_per_audio_minute"] = round(seconds, 3)
        fact["cost_relative_to_default"] = round(seconds / measured[DEFAULT_EMBEDDER], 2)


def _seconds_per_minute(embedder: Embedder) -> float:
    # weights are loaded and threads are started by a first, short embedding
    embed(_Synthetic(WARM_UP_SECONDS), embedder, None)
    started = time.perf_counter()
    embed(_Synthetic(MEASURED_SECONDS), embedder, None)
    return (time.perf_counter() - started) * 60 / MEASURED_SECONDS


class _Synthetic:
    """Noise, as loud as music: what it costs to embed does not depend on what is heard."""

    def __init__(self, seconds: int):
        self._seconds = seconds

    def n_samples(self, sample_rate: int) -> int:
        return self._seconds * sample_rate

    def read_windows(
        self,
        starts: Sequence[int],
        window_samples: int,
        sample_rate: int,  # noqa: ARG002 - noise is noise at any rate
    ) -> FloatArray:
        shape = (len(starts), window_samples)
        noise: FloatArray = np.random.default_rng(SEED).standard_normal(shape, np.float32)
        return noise * np.float32(0.1)


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
    if "seconds_per_audio_minute" in fact:
        yield (
            f"  {fact['seconds_per_audio_minute']:g} s for a minute of audio here, now: "
            f"{fact['cost_relative_to_default']:g} x {DEFAULT_EMBEDDER}; compare only the ratio"
        )
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
