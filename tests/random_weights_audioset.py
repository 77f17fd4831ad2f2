"""Random weights for VGGish and YAMNet: every layer passes its input on at about the same scale."""

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.vggish_weights import SHAPES
from recommender.embedders.yamnet_layers import LAYERS
from recommender.weights import Tensors


def vggish_shapes(hidden: int) -> dict[str, tuple[int, ...]]:
    """Shapes of VGGish's weights with other than 4096 numbers in its two hidden dense layers."""
    dense = {"fc1/fc1_1": (hidden, 12288), "fc1/fc1_2": (hidden, hidden), "fc2": (128, hidden)}
    return SHAPES | dense


def random_vggish(seed: int, hidden: int = 4096) -> Tensors:
    """Tensors as ``vggish_weights.convert`` returns them."""
    random = np.random.default_rng(seed)
    tensors: Tensors = {}
    for layer, shape in vggish_shapes(hidden).items():
        tensors[f"{layer}/weights"] = _kernel(random, shape)
        tensors[f"{layer}/biases"] = _uniform(random, shape[:1], -0.1, 0.1)
    return tensors


def random_thin_vggish(seed: int, width: int) -> Tensors:
    """As :func:`random_vggish` with `width` numbers in every layer but the last: quick, no more."""
    random = np.random.default_rng(seed)
    tensors, n_inputs = Tensors(), 1
    for layer, shape in SHAPES.items():
        kernel = (128 if layer == "fc2" else width, n_inputs, *shape[2:])
        tensors[f"{layer}/weights"] = _kernel(random, kernel)
        tensors[f"{layer}/biases"] = _uniform(random, kernel[:1], -0.1, 0.1)
        # the dense layers begin with what four poolings leave of a spectrogram of 96 x 64
        n_inputs = width * 6 * 4 if layer == "conv4/conv4_2" else width
    return tensors


def random_pca(seed: int) -> Tensors:
    """Tensors as ``vggish_weights.convert_pca`` returns them."""
    random = np.random.default_rng(seed)
    return {
        "pca/eigen_vectors": _uniform(random, (128, 128), -0.15, 0.15),
        "pca/means": _uniform(random, (128,), -0.5, 0.5),
    }


def random_yamnet(seed: int) -> Tensors:
    """Tensors as ``yamnet_weights.convert`` returns them."""
    random = np.random.default_rng(seed)
    tensors: Tensors = {}
    for layer in LAYERS:
        n_outputs = layer.shape[:1]
        tensors[f"{layer.name}/kernel"] = _kernel(random, layer.shape)
        tensors[f"{layer.name}/bn/beta"] = _uniform(random, n_outputs, -0.3, 0.5)
        tensors[f"{layer.name}/bn/moving_mean"] = _uniform(random, n_outputs, -0.3, 0.3)
        tensors[f"{layer.name}/bn/moving_variance"] = _uniform(random, n_outputs, 0.5, 1.5)
    return tensors


def random_log_mel(seed: int, n_windows: int) -> FloatArray:
    """Spectrograms of the range that sound has, shape (n_windows, 96, 64)."""
    return _uniform(np.random.default_rng(seed), (n_windows, 96, 64), -4.0, 2.0)


def _kernel(random: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    reach = (6.0 / np.prod(shape[1:])) ** 0.5
    return _uniform(random, shape, -reach, reach)


def _uniform(
    random: np.random.Generator, shape: tuple[int, ...], low: float, high: float
) -> FloatArray:
    values = random.random(shape, dtype=np.float32)
    values *= np.float32(high - low)
    values += np.float32(low)
    return values
