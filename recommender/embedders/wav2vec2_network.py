"""wav2vec 2.0 as transformers computes it, up to the layer that is wanted.

Nothing is asked of the network, or of a cache: the configuration is written down here, and the
tensors are given.
"""

from typing import Any

import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from recommender.arrays import FloatArray
from recommender.embedders.wav2vec2 import Architecture
from recommender.weights import Tensors

KERNELS = (10, 3, 3, 3, 3, 2, 2)
STRIDES = (5, 2, 2, 2, 2, 2, 2)
EPSILON = 1e-5

Shapes = dict[str, tuple[int, ...]]


def tensor_shapes(architecture: Architecture, n_layers: int) -> Shapes:
    """Name and shape of every tensor, named as in the published ``facebook/wav2vec2-base``.

    Parameters
    ----------
    architecture
        Sizes of the network.
    n_layers
        How many layers of the transformer to count in.
    """
    channels, width = architecture.channels, architecture.width
    convolutions = "feature_extractor.conv_layers"
    shapes: Shapes = {
        f"{convolutions}.{place}.conv.weight": (channels, channels if place else 1, size)
        for place, size in enumerate(KERNELS)
    }
    shapes |= _affine(f"{convolutions}.0.layer_norm", channels)
    shapes |= _affine("feature_projection.layer_norm", channels)
    shapes |= _affine("feature_projection.projection", width, channels)
    shapes |= _affine("encoder.layer_norm", width)
    position, size = "encoder.pos_conv_embed.conv", architecture.position_kernel
    shapes[f"{position}.bias"] = (width,)
    shapes[f"{position}.weight_g"] = (1, 1, size)
    shapes[f"{position}.weight_v"] = (width, width // architecture.position_groups, size)
    for layer in range(n_layers):
        shapes |= _layer_shapes(f"encoder.layers.{layer}", width, architecture.inner)
    return shapes


def _layer_shapes(layer: str, width: int, inner: int) -> Shapes:
    shapes = _affine(f"{layer}.layer_norm", width) | _affine(f"{layer}.final_layer_norm", width)
    for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
        shapes |= _affine(f"{layer}.attention.{part}", width, width)
    shapes |= _affine(f"{layer}.feed_forward.intermediate_dense", inner, width)
    return shapes | _affine(f"{layer}.feed_forward.output_dense", width, inner)


def _affine(name: str, n_outputs: int, *n_inputs: int) -> Shapes:
    """A dense layer, or without inputs the gain and shift of a normalisation."""
    return {f"{name}.weight": (n_outputs, *n_inputs), f"{name}.bias": (n_outputs,)}


def configuration(architecture: Architecture, n_layers: int) -> Wav2Vec2Config:
    """What transformers is to build, each value said; nothing in it is random or masked."""
    values: dict[str, Any] = {
        "hidden_size": architecture.width,
        "num_hidden_layers": n_layers,
        "num_attention_heads": architecture.heads,
        "intermediate_size": architecture.inner,
        "hidden_act": "gelu",
        "layer_norm_eps": EPSILON,
        "do_stable_layer_norm": False,
        "feat_extract_norm": "group",
        "feat_extract_activation": "gelu",
        "conv_dim": (architecture.channels,) * len(KERNELS),
        "conv_kernel": KERNELS,
        "conv_stride": STRIDES,
        "conv_bias": False,
        "num_conv_pos_embeddings": architecture.position_kernel,
        "num_conv_pos_embedding_groups": architecture.position_groups,
        "add_adapter": False,
        "apply_spec_augment": False,
        # without a probability of masking the network has no vector for what is masked
        "mask_time_prob": 0.0,
        "mask_feature_prob": 0.0,
        "attn_implementation": "eager",
    }
    dropouts = ("hidden_dropout", "activation_dropout", "attention_dropout", "feat_proj_dropout")
    return Wav2Vec2Config(**values, **dict.fromkeys((*dropouts, "layerdrop"), 0.0))


class Wav2Vec2Network:
    """From samples to one hidden state; holds no state between calls.

    Parameters
    ----------
    architecture
        Sizes of the network.
    tensors
        Its weights by the names of :func:`tensor_shapes`; those of later layers are not used.
    n_layers
        After which layer of the transformer to stop, 0 for what its first layer is given.
    """

    def __init__(self, architecture: Architecture, tensors: Tensors, n_layers: int):
        # without memory of its own: it would be filled with random numbers first
        with torch.device("meta"):
            model = Wav2Vec2Model(configuration(architecture, n_layers))
        names = tensor_shapes(architecture, n_layers)
        state = {name: torch.from_numpy(tensors[name]) for name in names}
        model.load_state_dict(state, strict=True, assign=True)
        self._model = model.eval().requires_grad_(False)

    def __call__(self, samples: FloatArray) -> FloatArray:
        """One hidden state of a window.

        Parameters
        ----------
        samples
            float32, shape (n_samples,), at least 400 of them.

        Returns
        -------
        numpy.ndarray
            float32, shape (n_frames, width); a frame every 320 samples, of 400 samples each.
        """
        with torch.inference_mode():
            heard = self._model(input_values=torch.from_numpy(samples)[None])
            states: FloatArray = heard.last_hidden_state[0].numpy()
        return states
