"""The encoder of MooER in torch: self-attention that also remembers its neighbourhood (SAN-M).

A block adds to its input what attention and memory make of it, and to that what two dense layers
make of it; both see normalised numbers. Memory is a filter of 11 frames over the values of the
attention, one for each channel. The first block takes 560 numbers and gives 512, so it has nothing
to add the attention to.

References
----------
.. [1] Z. Gao, S. Zhang, M. Lei and I. McLoughlin (2020): SAN-M: Memory equipped self-attention for
       end-to-end speech recognition. Interspeech.
.. [2] Z. Gao, S. Zhang, I. McLoughlin and Z. Yan (2022): Paraformer: Fast and accurate parallel
       transformer for non-autoregressive end-to-end speech recognition. Interspeech.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv1d, layer_norm, linear, scaled_dot_product_attention

from recommender.arrays import FloatArray
from recommender.weights import Tensors

N_BLOCKS = 50
N_INPUTS = 560
WIDTH = 512
HEADS = 4
INNER = 2048
MEMORY = 11
EPSILON = 1e-12
SLOWEST = 10_000.0


def tensor_shapes(n_blocks: int = N_BLOCKS) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor, named as in the published checkpoint."""
    shapes: dict[str, tuple[int, ...]] = {}
    for number, block in enumerate(_blocks(n_blocks)):
        inputs = WIDTH if number else N_INPUTS
        shapes |= _affine(f"{block}.norm1", inputs) | _affine(f"{block}.norm2", WIDTH)
        shapes |= _affine(f"{block}.self_attn.linear_q_k_v", 3 * WIDTH, inputs)
        shapes |= _affine(f"{block}.self_attn.linear_out", WIDTH, WIDTH)
        shapes |= {f"{block}.self_attn.fsmn_block.weight": (WIDTH, 1, MEMORY)}
        shapes |= _affine(f"{block}.feed_forward.w_1", INNER, WIDTH)
        shapes |= _affine(f"{block}.feed_forward.w_2", WIDTH, INNER)
    return shapes | _affine("after_norm", WIDTH)


def _blocks(n_blocks: int) -> list[str]:
    """The first block is in a list of its own, for its input is wider."""
    return ["encoders0.0", *(f"encoders.{number}" for number in range(n_blocks - 1))]


def _affine(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


class MooerNetwork:
    """From stacked and normalised filter banks to states; keeps nothing between calls.

    Parameters
    ----------
    tensors
        Its weights by the names of :func:`tensor_shapes`, of as many blocks as there are. They are
        not copied.
    """

    def __init__(self, tensors: Tensors):
        self._tensors = {name: torch.from_numpy(values) for name, values in tensors.items()}
        per_block = len(tensor_shapes(2)) - len(tensor_shapes(1))
        self._blocks = _blocks(len(tensors) // per_block)

    def __call__(self, features: FloatArray) -> FloatArray:
        """States, float32 of shape (n, n_frames, 512), of features (n, n_frames, 560)."""
        with torch.inference_mode():
            states = torch.from_numpy(features * np.float32(WIDTH**0.5) + _places(features))
            for block in self._blocks:
                heard = self._attend(self._normalise(states, f"{block}.norm1"), block)
                states = heard if states.shape[2] != WIDTH else states + heard
                states = states + self._think(self._normalise(states, f"{block}.norm2"), block)
            states = self._normalise(states, "after_norm")
        return np.asarray(states.numpy(), dtype=np.float32)

    def _attend(self, inputs: Tensor, block: str) -> Tensor:
        n, n_frames, _ = inputs.shape
        values = self._dense(inputs, f"{block}.self_attn.linear_q_k_v")
        by_head = values.view(n, n_frames, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(*by_head).transpose(1, 2).flatten(2)
        kept = values[:, :, 2 * WIDTH :]
        filters = self._tensors[f"{block}.self_attn.fsmn_block.weight"]
        memory = conv1d(kept.transpose(1, 2), filters, padding=MEMORY // 2, groups=WIDTH)
        return (
            self._dense(attended, f"{block}.self_attn.linear_out") + memory.transpose(1, 2) + kept
        )

    def _think(self, inputs: Tensor, block: str) -> Tensor:
        inner = self._dense(inputs, f"{block}.feed_forward.w_1").relu_()
        return self._dense(inner, f"{block}.feed_forward.w_2")

    def _dense(self, inputs: Tensor, name: str) -> Tensor:
        return linear(inputs, *self._pair(name))

    def _normalise(self, inputs: Tensor, name: str) -> Tensor:
        return layer_norm(inputs, inputs.shape[2:], *self._pair(name), EPSILON)

    def _pair(self, name: str) -> tuple[Tensor, Tensor]:
        return self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]


def _places(features: FloatArray) -> FloatArray:
    """What tells a frame where it is: sines, then cosines, of its number from 1 on.

    Returns
    -------
    numpy.ndarray
        float32, shape (n_frames, n_numbers); periods grow geometrically from 2 pi frames.
    """
    _, n_frames, n_numbers = features.shape
    rates = np.geomspace(1.0, 1.0 / SLOWEST, n_numbers // 2)
    angles = np.arange(1, n_frames + 1)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
