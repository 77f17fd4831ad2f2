"""vggish: the network that Google embedded AudioSet and YouTube-8M's sound with.

The vector of a window of 0.975 s is the 128 numbers of the last layer. Windows begin 0.96 s apart,
so that with all of them the vectors are the original's, frame for frame.

Two things called VGGish are about, and options choose between them. Up to 2020 the published code
had a ReLU behind the last layer (``final_relu=yes``), and several ports still have it. And the
vectors that were published are projected by a principal component analysis, clipped to [-2, 2] and
kept in 8 bits (``postprocess=pca``): here they are quantised in the same way and scaled back to
[-2, 2], as what is averaged should be. ``final_relu=yes,postprocess=pca`` is what IBM's MAX Audio
Embedding Generator serves; ``final_relu=no,postprocess=pca`` what AudioSet's features are.

References
----------
.. [1] S. Hershey et al. (2017): CNN architectures for large-scale audio classification. ICASSP.
.. [2] J. F. Gemmeke et al. (2017): Audio Set: An ontology and human-labeled dataset for audio
       events. ICASSP.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.options import Choices
from recommender.embedders.published import PublishedEmbedder
from recommender.embedding import EmbedderSpec
from recommender.frontend import audioset_log_mel
from recommender.weights import Tensors, combined_digest
from recommender.weights_store import Installed, Source, installed

if TYPE_CHECKING:
    from recommender.embedders.vggish_network import VggishNetwork

    _Loaded = tuple[VggishNetwork, Tensors]

NAME = "vggish"
REQUIRES = ("torch",)
COST = 2.5
FITNESS = (
    "ranks GTZAN's excerpts by genre with a mean average precision of .787; MuQ-MuLan .854, "
    "wav2vec2-base .585 (MAEB results of 2026-08-20)"
)
CHOICES: Choices = {"final_relu": ("no", "yes"), "postprocess": ("none", "pca")}
SAMPLE_RATE = 16_000
WINDOW_SAMPLES = 15_600
HOP_SAMPLES = 15_360
WIDTH = 128
OFFSET = 0.01
CLIP = 2.0
LEVELS_PER_UNIT = 255 / (2 * CLIP)
_TRAINED_ON = "YouTube-100M, an early form of YouTube-8M (video-level labels)"
NETWORK_SOURCE = Source(
    name="vggish",
    url="https://storage.googleapis.com/audioset/vggish_model.ckpt",
    file_name="vggish_model.ckpt",
    n_bytes=0,
    digest="sha512:4e320f1b148f7ae8e08a8df17b102582e57fd8a9688ec17ce8f6077f062ce8fc"
    "aea711933c1b80192f3c2a9f7a09b40d6616e04b0f22a68d217ff1ec8ef0376f",
    licence="Apache-2.0",
    attribution="Google, VGGish, https://github.com/tensorflow/models",
    trained_on=_TRAINED_ON,
    commercial=True,
    converter="recommender.embedders.vggish_weights:convert",
    n_parameters=72_141_184,
)
PCA_SOURCE = Source(
    name="vggish-pca",
    url="https://storage.googleapis.com/audioset/vggish_pca_params.npz",
    file_name="vggish_pca_params.npz",
    n_bytes=0,
    digest="sha512:3728bcbc45cb05b4cff527434a069f990e110f1fc9687f74fce55dc204da6aa0"
    "f0f96cb4466a96fc056c32743c63830022c839072cc501a3f14bfb44928a701c",
    licence="Apache-2.0",
    attribution="Google, VGGish, https://github.com/tensorflow/models",
    trained_on=_TRAINED_ON,
    commercial=True,
    converter="recommender.embedders.vggish_weights:convert_pca",
    n_parameters=16_512,
)
WEIGHTS: tuple[Source, ...] = (NETWORK_SOURCE, PCA_SOURCE)


class Vggish(PublishedEmbedder["_Loaded"]):
    """Embeds windows of 0.975 s, 15600 samples at 16 kHz, into 128 numbers."""

    base_name = NAME
    choices = CHOICES

    def __init__(self, options: Mapping[str, str] | None = None):
        super().__init__(options)
        self._projected = self._options["postprocess"] == "pca"

    def _describe(self, name: str) -> EmbedderSpec:
        digests = [weights.sha256 for weights in self._installed]
        return EmbedderSpec(
            name=name,
            version="1",
            sample_rate=SAMPLE_RATE,
            window_samples=WINDOW_SAMPLES,
            hop_samples=HOP_SAMPLES,
            context_samples=0,
            least_samples=WINDOW_SAMPLES,
            frame_dimension=WIDTH,
            tag_names=(),
            front_end="log-mel64-htk-16k-0.01",
            layer="fc2+relu" if self._options["final_relu"] == "yes" else "fc2",
            weights_sha256=digests[0] if len(digests) == 1 else combined_digest(digests),
        )

    def _vectors(self, network: "_Loaded", windows: FloatArray) -> FloatArray:
        vggish, projection = network
        vectors = vggish(audioset_log_mel(windows, OFFSET))
        if self._options["final_relu"] == "yes":
            vectors = np.maximum(vectors, np.float32(0))
        if self._projected:
            vectors = postprocess(vectors, projection)
        return vectors

    @cached_property
    def _installed(self) -> list[Installed]:
        return [installed(source) for source in WEIGHTS[: 1 + self._projected]]

    def _load(self) -> "_Loaded":
        from recommender.embedders.vggish_network import VggishNetwork

        network, *projection = (weights.load() for weights in self._installed)
        return VggishNetwork(network), projection[0] if projection else {}


def postprocess(vectors: FloatArray, projection: Tensors) -> FloatArray:
    """Project and quantise as the published features are, then scale back.

    Parameters
    ----------
    vectors
        The network's, shape (n, 128).
    projection
        As :func:`recommender.embedders.vggish_weights.convert_pca` returns it.

    Returns
    -------
    numpy.ndarray
        float32, shape (n, 128), from -2 to 2 in steps of 4 / 255.
    """
    centred = vectors - projection["pca/means"]
    projected = np.matmul(centred, projection["pca/eigen_vectors"].T, dtype=np.float32)
    return dequantised(quantised(projected))


def quantised(projected: FloatArray) -> FloatArray:
    """Whole numbers from 0 to 255 for numbers from -2 to 2, rounded down as in the original."""
    clipped = np.clip(projected, np.float32(-CLIP), np.float32(CLIP))
    # floats all the same: NaN has no place among 8-bit integers
    levels: FloatArray = np.floor((clipped + np.float32(CLIP)) * np.float32(LEVELS_PER_UNIT))
    return levels


def dequantised(levels: FloatArray) -> FloatArray:
    """Numbers from -2 to 2 for whole numbers from 0 to 255."""
    return levels / np.float32(LEVELS_PER_UNIT) - np.float32(CLIP)
