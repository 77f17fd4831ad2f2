"""How fast musicnn's network runs here, beside the core's matrix-product peak and PyTorch.

::

    python -m benchmarks.network

Everything is measured in one process on one thread, in turns, and the best turn counts: a machine
that does other things slows all of them. PyTorch is measured when it is installed. "nominal" is
what the convolutions cost as they are defined, 2.797 GFLOP a window, whatever is really computed.
"""

import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from threadpoolctl import threadpool_limits

from recommender.embedders.musicnn import WEIGHTS
from recommender.embedders.musicnn_network import MusicnnNetwork

NOMINAL_FLOP = 2.797e9
SIDE = 1536
TURNS = 15
N_WINDOWS = 4


def product_peak() -> tuple[Callable[[], Any], float]:
    """A large square matrix product, and its floating-point operations."""
    matrix = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)
    return (lambda: matrix @ matrix), 2.0 * SIDE**3


def best_seconds(candidates: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Shortest time of each candidate, measured in turns."""
    best = dict.fromkeys(candidates, float("inf"))
    for _ in range(TURNS):
        for name, run in candidates.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    """Measure and print."""
    tensors = load_file(WEIGHTS / "MSD_musicnn.safetensors")
    network = MusicnnNetwork(tensors)
    mel = np.random.default_rng(1).random((N_WINDOWS, 187, 96), dtype=np.float32) * 3
    product, product_flop = product_peak()
    candidates: dict[str, Callable[[], Any]] = {
        "product": product,
        "musicnn": lambda: network(mel),
    }
    if importlib.util.find_spec("torch"):
        import torch

        from benchmarks.torch_musicnn import torch_network

        torch.set_num_threads(1)
        eager = torch_network(tensors)
        difference = np.abs(eager(mel) - network(mel)[0]).max()
        print(f"largest difference to torch  {difference:.1e}")
        candidates["torch eager"] = lambda: [eager(window[None]) for window in mel]
    with threadpool_limits(1):
        seconds = best_seconds(candidates)
    peak = product_flop / seconds.pop("product")
    print(f"matrix-product peak          {peak / 1e9:.0f} GFLOP/s on one thread")
    for name, total in seconds.items():
        each = total / N_WINDOWS
        ratio = NOMINAL_FLOP / each / peak
        print(f"{name:<12} {1e3 * each:6.2f} ms a window, nominal {ratio:4.0%} of the peak")
    if "torch eager" in seconds:
        print(f"speed-up over torch eager    {seconds['torch eager'] / seconds['musicnn']:.2f}")


if __name__ == "__main__":
    main()
