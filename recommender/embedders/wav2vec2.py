"""wav2vec2: wav2vec 2.0 base, which learned to listen from 960 hours of read English.

The vector of a window is the mean, over its frames of 20 ms, of one hidden state of the
transformer: 768 numbers. Windows have 10 seconds and lie end to end, for attention grows with the
square of their length. The network heard speech and no music, and is here to be compared with.

Options
-------
``layer`` is the hidden state, as transformers counts them: 0 is what the first layer is given, 12
what the last one gives. The further layers turn back towards the input [2]_, which they had to
predict in training, so the default lies in the middle; it was not chosen by listening. What comes
after the chosen layer is neither kept nor computed.

``normalise`` is one of the two conventions around. ``clip``, of the feature extractor that
transformers comes with for these weights, brings a clip to mean 0 and variance 1; a clip is a
window here, so that a window does not depend on how many others are taken. ``none`` takes samples
as they are, as the training and torchaudio do. The network divides by the level of its first layer
itself, which leaves a difference for quiet audio only.

References
----------
.. [1] A. Baevski, H. Zhou, A. Mohamed and M. Auli (2020): wav2vec 2.0: A framework for
       self-supervised learning of speech representations. NeurIPS.
.. [2] A. Pasad, J.-C. Chou and K. Livescu (2021): Layer-wise analysis of a self-supervised speech
       representation model. ASRU.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.options import Choices
from recommender.embedders.published import PublishedEmbedder
from recommender.embedding import EmbedderSpec
from recommender.weights_store import Installed, Source, installed

if TYPE_CHECKING:
    from recommender.embedders.wav2vec2_network import Wav2Vec2Network


@dataclass(frozen=True, slots=True)
class Architecture:
    """Sizes of a network that normalises its first convolution only, as wav2vec 2.0 base does.

    Attributes
    ----------
    channels
        Of the seven convolutions.
    width, heads, inner
        Numbers of a frame in the transformer, heads of its attention, and width within the two
        dense layers that follow it.
    layers
        How many layers the transformer has.
    position_kernel, position_groups
        Of the convolution that tells a frame where it is.
    """

    channels: int
    width: int
    heads: int
    inner: int
    layers: int
    position_kernel: int
    position_groups: int


NAME = "wav2vec2"
REQUIRES = ("torch", "transformers")
COST = 12.0
FITNESS = (
    "trained on speech: re-ranks GTZAN with a MAP of .585, where YAMNet reaches .817 and VGGish "
    ".787 (MAEB results, wav2vec2-base)"
)
BASE = Architecture(
    channels=512,
    width=768,
    heads=12,
    inner=3072,
    layers=12,
    position_kernel=128,
    position_groups=16,
)
DEFAULT_LAYER = "6"
LAYERS = tuple(str(number) for number in range(BASE.layers + 1))
CHOICES: Choices = {
    "layer": (DEFAULT_LAYER, *(layer for layer in LAYERS if layer != DEFAULT_LAYER)),
    "normalise": ("clip", "none"),
}
SAMPLE_RATE = 16_000
WINDOW_SAMPLES = 10 * SAMPLE_RATE
LEAST_VARIANCE = 1e-7
# far beyond any recording; what is louder might not stay finite on its way through the network
LOUDEST = 1e6
# the published 94,371,712 without the 768 that stand for what the training hides
N_PARAMETERS = 94_370_944
_CONVERTER = "recommender.embedders.wav2vec2_weights:convert"
_ATTRIBUTION = "Alexei Baevski et al. (Meta AI), wav2vec 2.0, NeurIPS 2020"
_TRAINED_ON = "LibriSpeech (960 hours of read English), without its transcripts"
REVISION = "0b5b8e868dd84f03fd87d01f9c4ff0f080fecfe8"
HUGGING_FACE = Source(
    name="wav2vec2-base",
    url=f"https://huggingface.co/facebook/wav2vec2-base/resolve/{REVISION}/pytorch_model.bin",
    file_name="pytorch_model.bin",
    n_bytes=380_267_417,
    digest="sha256:3249fe98bfc62fcbc26067f724716a6ec49d12c4728a2af1df659013905dff21",
    licence="Apache-2.0",
    attribution=_ATTRIBUTION,
    trained_on=_TRAINED_ON,
    commercial=True,
    converter=_CONVERTER,
    n_parameters=N_PARAMETERS,
)
TORCHAUDIO = Source(
    name="wav2vec2-base-torchaudio",
    url="https://download.pytorch.org/torchaudio/models/wav2vec2_fairseq_base_ls960.pth",
    file_name="wav2vec2_fairseq_base_ls960.pth",
    n_bytes=0,
    digest="",
    licence="MIT",
    attribution=_ATTRIBUTION,
    trained_on=_TRAINED_ON,
    commercial=True,
    converter=_CONVERTER,
    n_parameters=N_PARAMETERS,
)
WEIGHTS = (HUGGING_FACE, TORCHAUDIO)
"""One network as two projects publish it; the first that is installed is used."""


class Wav2Vec2(PublishedEmbedder["Wav2Vec2Network"]):
    """Embeds windows of 10 s, 160000 samples at 16 kHz, into 768 numbers."""

    base_name = NAME
    choices = CHOICES

    def _describe(self, name: str) -> EmbedderSpec:
        front_end = {"clip": "waveform-16k-standardised", "none": "waveform-16k"}
        return EmbedderSpec(
            name=name,
            version="1",
            sample_rate=SAMPLE_RATE,
            window_samples=WINDOW_SAMPLES,
            hop_samples=WINDOW_SAMPLES,
            context_samples=0,
            least_samples=WINDOW_SAMPLES,
            frame_dimension=BASE.width,
            tag_names=(),
            front_end=front_end[self._options["normalise"]],
            layer=f"hidden{self._options['layer']}-mean",
            weights_sha256=self._installed.sha256,
            tail="covered",
        )

    def _vectors(self, network: "Wav2Vec2Network", windows: FloatArray) -> FloatArray:
        # one by one: a window keeps its bits in any company, and memory does not grow
        return np.stack([network(self._prepared(window)).mean(axis=0) for window in windows])

    def _prepared(self, window: FloatArray) -> FloatArray:
        samples = np.clip(window, -LOUDEST, LOUDEST).astype(np.float32, copy=False)
        return samples if self._options["normalise"] == "none" else _standardised(samples)

    @cached_property
    def _installed(self) -> Installed:
        return installed(*WEIGHTS)

    def _load(self) -> "Wav2Vec2Network":
        from recommender.embedders.wav2vec2_network import Wav2Vec2Network

        n_layers = int(self._options["layer"])
        return Wav2Vec2Network(BASE, self._installed.load(), n_layers)


def _standardised(samples: FloatArray) -> FloatArray:
    """Mean 0 and variance 1, or nearly 0 for what is nearly silent."""
    exact = samples.astype(np.float64)
    exact -= exact.mean()
    exact /= np.sqrt(exact.var() + LEAST_VARIANCE)
    return exact.astype(np.float32)
