"""What can be wrong with an embedder of another distribution, in words.

Types are checked as well, for nobody may have run mypy over a plugin.
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from recommender.embedders.options import base_name, parse_options
from recommender.embedding import EmbedderSpec
from recommender.errors import InvalidParameterError
from recommender.weights_store import Source

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SIZES = ("sample_rate", "window_samples", "hop_samples", "least_samples", "frame_dimension")
_WORDS = ("name", "version", "front_end", "layer", "weights_sha256")


def module_faults(module: ModuleType, name: str) -> Iterator[str]:
    """What is wrong with the constants of the module of the embedder called `name`."""
    for constant in ("FITNESS", "LICENCE"):
        if not isinstance(getattr(module, constant, ""), str):
            yield f"{constant} must be a str"
    if not _are_words(getattr(module, "REQUIRES", ())):
        yield "REQUIRES must be a tuple of str"
    cost = getattr(module, "COST", 1.0)
    if not (isinstance(cost, int | float) and 0 < cost < math.inf):
        yield f"COST={cost!r} must be a number above 0"
    choices = getattr(module, "CHOICES", {})
    if not (
        isinstance(choices, Mapping) and all(map(_are_words, [*choices.values(), (*choices,)]))
    ):
        yield "CHOICES must have for each option a tuple of str"
    weights = getattr(module, "WEIGHTS", ())
    # the name is part of a path, and the folder of weights is shared with other embedders
    sources = weights if isinstance(weights, tuple) else ()
    if not isinstance(weights, tuple | Path) or not all(_is_source_of(name, s) for s in sources):
        yield f"WEIGHTS must be a tuple of Source, each called {name} or {name}-something"


def spec_faults(spec: EmbedderSpec, name: str) -> Iterator[str]:
    """What is wrong with the specification of the embedder called `name`."""
    if not isinstance(spec, EmbedderSpec):
        yield f"it is of type {type(spec).__name__} instead of EmbedderSpec"
        return
    of_wrong_type = [*_wrong_sizes(spec), *_wrong_words(spec)]
    yield from of_wrong_type
    if not of_wrong_type:
        yield from _misfits(spec, name)


def _wrong_sizes(spec: EmbedderSpec) -> Iterator[str]:
    for field in (*_SIZES, "context_samples"):
        value, least = getattr(spec, field), int(field in _SIZES)
        # the very type: a number of numpy's cannot be written to a manifest
        if type(value) is not int or value < least:
            yield f"{field}={value!r} must be an int of at least {least}"


def _wrong_words(spec: EmbedderSpec) -> Iterator[str]:
    for field in _WORDS:
        if not isinstance(getattr(spec, field), str):
            yield f"{field}={getattr(spec, field)!r} must be a str"
    tags = spec.tag_names
    if not _are_words(tags) or len(set(tags)) < len(tags):
        yield "tag_names must be a tuple of different str"


def _misfits(spec: EmbedderSpec, name: str) -> Iterator[str]:
    if spec.context_samples >= spec.window_samples:
        yield f"context_samples={spec.context_samples} must be below window_samples"
    if spec.least_samples > spec.window_samples:
        yield f"least_samples={spec.least_samples} must not be above window_samples"
    if spec.tail not in ("dropped", "covered"):
        yield f"tail={spec.tail} must be dropped or covered"
    if not _is_name_of(spec.name, name):
        yield f"name={spec.name} must be {name}, or {name}:key=value"
    if spec.weights_sha256 and not _DIGEST.fullmatch(spec.weights_sha256):
        yield f"weights_sha256={spec.weights_sha256} must be empty or 64 hexadecimal digits"


def _are_words(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(word, str) for word in value)


def _is_source_of(name: str, source: Any) -> bool:
    if not isinstance(source, Source) or not NAME.fullmatch(source.name):
        return False
    return source.name == name or source.name.startswith(f"{name}-")


def _is_name_of(said: str, name: str) -> bool:
    """Whether `said` would make the embedder called `name` again, as far as its form shows."""
    try:
        parse_options(said)
    except InvalidParameterError:
        return False
    return base_name(said) == name
