"""What embedders cost here and now: seconds for a minute of audio, as such and relatively."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders import DEFAULT_EMBEDDER, create_embedder
from recommender.embedding import Embedder
from recommender.errors import SoundalikeError
from recommender.hearing import embed

MEASURED_SECONDS = 60
WARM_UP_SECONDS = 5
SEED = 0


def add_costs(facts: list[dict[str, Any]]) -> None:
    """Add what it costs to each embedder that is ready; one that fails says why instead."""
    measured = {DEFAULT_EMBEDDER: _seconds_per_minute(create_embedder(DEFAULT_EMBEDDER))}
    for fact in facts:
        if not fact["ready"]:
            continue
        try:
            if fact["name"] not in measured:
                measured[fact["name"]] = _seconds_per_minute(create_embedder(fact["name"]))
        except SoundalikeError as error:
            fact |= {"ready": False, "problem": str(error)}
            continue
        except Exception as error:
            # the code of a plugin, or a package that is not as it should be, may raise anything
            fact |= {"ready": False, "problem": f"{type(error).__name__}: {error}"}
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
