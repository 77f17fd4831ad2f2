"""Time: of single calls, of turns, and what a long list of them comes down to."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from recommender.arrays import FloatArray

T = TypeVar("T")


def seconds_of(call: Callable[[], Any]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def timed(call: Callable[[], T]) -> tuple[T, float]:
    """What a call gives, and its wall time in seconds."""
    started = time.perf_counter()
    result = call()
    return result, time.perf_counter() - started


def latencies(call: Callable[[T], Any], items: Iterable[T], budget_seconds: float) -> FloatArray:
    """Seconds of each call, one after another, until the items or the time are used up."""
    spent, ends = list[float](), time.perf_counter() + budget_seconds
    for item in items:
        started = time.perf_counter()
        call(item)
        finished = time.perf_counter()
        spent.append(finished - started)
        if finished > ends:
            break
    return np.array(spent, np.float32)


def in_turns(
    ways: Mapping[str, Callable[[], T]], turns: int, between: Callable[[], None] = lambda: None
) -> dict[str, list[T]]:
    """Run each way once a turn, so that what else the machine does meets all of them alike."""
    results: dict[str, list[T]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, way in ways.items():
            between()
            results[name].append(way())
    return results


def milliseconds(spent: FloatArray, quantile: float) -> float:
    """A quantile of seconds, in ms."""
    return 1e3 * float(np.quantile(spent, quantile))
