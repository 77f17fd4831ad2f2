"""The musicnn network in eager PyTorch, as its authors wrote it down, to compare with."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn.functional import conv2d, pad, relu

from recommender.embedders.musicnn_network import EPSILON, TEMPORAL_TAPS, Tensors


def torch_network(tensors: Tensors) -> Callable[[np.ndarray[Any, Any]], Any]:
    """Compressed mel (n, 187, 96) to the penultimate layer (n, 200), on torch's own threads."""
    weights = {name: torch.tensor(value) for name, value in tensors.items()}

    def normalise(x: Any, number: int, axis: int = 1) -> Any:
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        scale = weights[f"{name}/gamma"] / torch.sqrt(weights[f"{name}/moving_variance"] + EPSILON)
        shift = weights[f"{name}/beta"] - weights[f"{name}/moving_mean"] * scale
        shape = [-1 if i == axis else 1 for i in range(x.dim())]
        return x * scale.view(shape) + shift.view(shape)

    def convolve(x: Any, number: int, taps: int) -> Any:
        name = f"conv2d_{number}" if number else "conv2d"
        kernel = weights[f"{name}/kernel"].permute(3, 2, 0, 1)
        padded = pad(x, (0, 0, (taps - 1) // 2, taps // 2))
        return normalise(relu(conv2d(padded, kernel, weights[f"{name}/bias"])), number + 1)

    def mid_end(x: Any, number: int) -> Any:
        return convolve(x.transpose(1, 2)[:, None], number, 7)[..., 0]

    def run(mel: np.ndarray[Any, Any]) -> Any:
        with torch.inference_mode():
            x = normalise(torch.from_numpy(mel)[:, None], 0)
            taps = enumerate((7, 7, *TEMPORAL_TAPS))
            front = torch.cat([convolve(x, number, k).amax(3) for number, k in taps], 1)
            first = mid_end(front, 5)
            second = mid_end(first, 6) + first
            third = mid_end(second, 7) + second
            features = torch.cat([front, first, second, third], 1)
            pooled = torch.stack([features.amax(2), features.mean(2)], 2).flatten(1)
            hidden = normalise(pooled, 9) @ weights["dense/kernel"] + weights["dense/bias"]
            return normalise(relu(hidden), 10).numpy()

    return run
